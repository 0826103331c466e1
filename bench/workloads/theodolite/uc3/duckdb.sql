WITH records AS (
  SELECT identifier, timestamp, valueInW,
    hour((to_timestamp(timestamp / 1000) AT TIME ZONE 'Europe/Paris')) AS hour
  FROM read_json($records, format = 'newline_delimited',
    columns = {identifier: 'VARCHAR', timestamp: 'BIGINT', valueInW: 'DOUBLE'}))
SELECT
  identifier, hour, (timestamp // 86400000 - step) * 86400000 AS window_start,
  count(*) AS count, sum(valueInW) AS sum, min(valueInW) AS min, max(valueInW) AS max,
  avg(valueInW) AS mean, var_pop(valueInW) AS variance
FROM records, range(30) steps(step)
GROUP BY identifier, hour, window_start
