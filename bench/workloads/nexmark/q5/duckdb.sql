WITH bids AS (
  SELECT auction, dateTime FROM read_json($records, format = 'newline_delimited',
  columns = {event: 'VARCHAR', auction: 'BIGINT', bidder: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT', extra: 'VARCHAR'})
WHERE event = 'bid'),
counts AS (
  SELECT (dateTime // 2000 + 1 + step) * 2000 AS window_end, auction, count(*) AS n
  FROM bids, range(5) steps(step)
  GROUP BY window_end, auction)
SELECT window_end, max(n) AS n FROM counts GROUP BY window_end
