SELECT (dateTime // 10000 + 1) * 10000 AS window_end, max(price) AS price,
  arg_max(auction, price) AS auction, arg_max(bidder, price) AS bidder
FROM read_json($records, format = 'newline_delimited',
  columns = {event: 'VARCHAR', auction: 'BIGINT', bidder: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT', extra: 'VARCHAR'})
WHERE event = 'bid'
GROUP BY window_end
