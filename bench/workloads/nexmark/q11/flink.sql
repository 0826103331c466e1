CREATE TEMPORARY TABLE records (event STRING, bidder BIGINT, `dateTime` BIGINT,
    event_time AS TO_TIMESTAMP_LTZ(`dateTime`, 3), WATERMARK FOR event_time AS event_time - INTERVAL '4' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (bidder BIGINT, window_start BIGINT, n BIGINT)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
CREATE TEMPORARY VIEW bids AS SELECT bidder, `dateTime`, event_time FROM records WHERE event = 'bid';
INSERT INTO answers SELECT bidder, MIN(`dateTime`), COUNT(*)
  FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(event_time), INTERVAL '10' SECOND))
  GROUP BY bidder, window_start, window_end;
