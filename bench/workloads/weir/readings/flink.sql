CREATE TEMPORARY TABLE records (device STRING, ts BIGINT, temp DOUBLE,
    event_time AS TO_TIMESTAMP_LTZ(ts, 3), WATERMARK FOR event_time AS event_time)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (device STRING, window_start BIGINT, n BIGINT, `sum` DOUBLE, `min` DOUBLE, `max` DOUBLE,
    mean DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT
    device,
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_start) AS BIGINT) * 1000,
    COUNT(*), SUM(temp), MIN(temp), MAX(temp), AVG(temp)
  FROM TABLE(TUMBLE((SELECT device, temp, event_time FROM records WHERE temp > -60 AND temp < 60), DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
  GROUP BY device, window_start, window_end;
