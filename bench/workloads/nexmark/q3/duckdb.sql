WITH events AS (
  FROM read_json($records, format = 'newline_delimited', columns = {event: 'VARCHAR', id: 'BIGINT',
    name: 'VARCHAR', city: 'VARCHAR', state: 'VARCHAR', seller: 'BIGINT', category: 'BIGINT'}))
SELECT person.name, person.city, person.state, auction.id
FROM events auction JOIN events person ON auction.seller = person.id
WHERE auction.event = 'auction' AND auction.category = 10
  AND person.event = 'person' AND person.state IN ('OR', 'ID', 'CA')
