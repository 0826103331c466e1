CREATE TEMPORARY TABLE records (event STRING, price DOUBLE, `dateTime` BIGINT,
    event_time AS TO_TIMESTAMP_LTZ(`dateTime`, 3), WATERMARK FOR event_time AS event_time - INTERVAL '4' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (window_end BIGINT, price DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
CREATE TEMPORARY VIEW bids AS SELECT price, event_time FROM records WHERE event = 'bid';
INSERT INTO answers SELECT
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_end) AS BIGINT) * 1000, MAX(price)
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(event_time), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end;
