WITH events AS (
  FROM read_json($records, format = 'newline_delimited', columns = {event: 'VARCHAR', id: 'BIGINT',
    name: 'VARCHAR', seller: 'BIGINT', dateTime: 'BIGINT'}))
SELECT DISTINCT person.id, person.name, person.dateTime // 10000 * 10000 AS time
FROM events person JOIN events auction
  ON auction.seller = person.id AND auction.dateTime // 10000 = person.dateTime // 10000
WHERE person.event = 'person' AND auction.event = 'auction'
