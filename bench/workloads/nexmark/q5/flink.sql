CREATE TEMPORARY TABLE records (event STRING, auction BIGINT, `dateTime` BIGINT,
    event_time AS TO_TIMESTAMP_LTZ(`dateTime`, 3), WATERMARK FOR event_time AS event_time - INTERVAL '4' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (window_end BIGINT, n BIGINT)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
CREATE TEMPORARY VIEW bids AS SELECT auction, event_time FROM records WHERE event = 'bid';
CREATE TEMPORARY VIEW counts AS SELECT auction, window_start, window_end, COUNT(*) AS n
  FROM TABLE(HOP(TABLE bids, DESCRIPTOR(event_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end;
INSERT INTO answers SELECT
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', window_end) AS BIGINT) * 1000, MAX(n)
  FROM counts GROUP BY window_start, window_end;
