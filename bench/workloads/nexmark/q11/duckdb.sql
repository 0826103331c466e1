WITH bids AS (
  SELECT bidder, dateTime,
    dateTime - lag(dateTime) OVER (PARTITION BY bidder ORDER BY dateTime) AS silence
  FROM read_json($records, format = 'newline_delimited',
    columns = {event: 'VARCHAR', auction: 'BIGINT', bidder: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT', extra: 'VARCHAR'})
  WHERE event = 'bid'),
marked AS (
  SELECT bidder, dateTime,
    sum(CASE WHEN silence > 10000 THEN 1 ELSE 0 END)
      OVER (PARTITION BY bidder ORDER BY dateTime ROWS UNBOUNDED PRECEDING) AS session
  FROM bids)
SELECT bidder, min(dateTime) AS window_start, count(*) AS n FROM marked GROUP BY bidder, session
