WITH records AS (
  SELECT identifier, timestamp // 5000 * 5000 AS window_start, arg_max(valueInW, timestamp) AS value
  FROM read_json($records, format = 'newline_delimited',
    columns = {identifier: 'VARCHAR', timestamp: 'BIGINT', valueInW: 'DOUBLE'})
  GROUP BY identifier, window_start),
buildings AS (
  SELECT building, site, window_start, count(*) AS count, sum(value) AS sum, avg(value) AS mean
  FROM records JOIN read_csv($folder || 'hierarchy.csv') hierarchy ON identifier = sensor
  GROUP BY building, site, window_start),
sites AS (
  SELECT site, window_start, count(*) AS count, sum(sum) AS total, avg(sum) AS mean
  FROM buildings GROUP BY site, window_start)
SELECT building AS member_of, window_start, count, sum, mean FROM buildings
UNION ALL SELECT site, window_start, count, total, mean FROM sites
UNION ALL SELECT 'all', window_start, count(*), sum(total), avg(total) FROM sites GROUP BY window_start
