SELECT
  identifier,
  (timestamp // 60000) * 60000 AS window_start,
  count(*) AS count, sum(valueInW) AS sum, min(valueInW) AS min, max(valueInW) AS max,
  avg(valueInW) AS mean, var_pop(valueInW) AS variance
FROM read_json($records, format = 'newline_delimited',
  columns = {identifier: 'VARCHAR', timestamp: 'BIGINT', valueInW: 'DOUBLE'})
GROUP BY identifier, window_start
