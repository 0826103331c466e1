SELECT auction, price
FROM read_json($records, format = 'newline_delimited',
  columns = {event: 'VARCHAR', auction: 'BIGINT', bidder: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT', extra: 'VARCHAR'})
WHERE event = 'bid' AND auction % 123 = 0
