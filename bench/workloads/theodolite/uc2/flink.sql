CREATE TEMPORARY TABLE records (identifier STRING, `timestamp` BIGINT, valueInW DOUBLE,
    event_time AS TO_TIMESTAMP_LTZ(`timestamp`, 3), WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (identifier STRING, window_start BIGINT, `count` BIGINT, `sum` DOUBLE, `min` DOUBLE,
    `max` DOUBLE, mean DOUBLE, variance DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT
    identifier,
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS BIGINT) * 1000,
    COUNT(*), SUM(valueInW), MIN(valueInW), MAX(valueInW), AVG(valueInW), VAR_POP(valueInW)
  FROM TABLE(TUMBLE(TABLE records, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
  GROUP BY identifier, window_start, window_end;
