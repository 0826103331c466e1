SELECT bidder, count(*) AS n
FROM read_json($records, format = 'newline_delimited',
  columns = {event: 'VARCHAR', auction: 'BIGINT', bidder: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT', extra: 'VARCHAR'})
WHERE event = 'bid' GROUP BY bidder
