-- The hour is one of the session's zone; windows are in UTC, because their time has no zone. It is in whole seconds.
SET 'table.local-time-zone' = 'Europe/Paris';
CREATE TEMPORARY TABLE records (identifier STRING, `timestamp` BIGINT, valueInW DOUBLE,
    hour_of_day AS EXTRACT(HOUR FROM TO_TIMESTAMP_LTZ(`timestamp`, 3)),
    event_time AS CAST(TIMESTAMPADD(SECOND, CAST(`timestamp` / 1000 AS INT), TIMESTAMP '1970-01-01 00:00:00') AS TIMESTAMP(3)),
    WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (identifier STRING, `hour` BIGINT, window_start BIGINT, `count` BIGINT, `sum` DOUBLE,
    `min` DOUBLE, `max` DOUBLE, mean DOUBLE, variance DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT
    identifier, hour_of_day,
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS BIGINT) * 1000,
    COUNT(*), SUM(valueInW), MIN(valueInW), MAX(valueInW), AVG(valueInW), VAR_POP(valueInW)
  FROM TABLE(HOP(TABLE records, DESCRIPTOR(event_time), INTERVAL '1' DAY, INTERVAL '30' DAY))
  GROUP BY identifier, hour_of_day, window_start, window_end;
