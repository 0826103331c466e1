SELECT
  device,
  (ts // 60000) * 60000 AS window_start,
  count(*) AS n, sum(temp) AS sum, min(temp) AS min, max(temp) AS max, avg(temp) AS mean
FROM read_json($records, format = 'newline_delimited',
  columns = {device: 'VARCHAR', ts: 'BIGINT', temp: 'DOUBLE'})
WHERE temp > -60 AND temp < 60
GROUP BY device, window_start
