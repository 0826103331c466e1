CREATE TEMPORARY TABLE records (event STRING, id BIGINT, name STRING, seller BIGINT, `dateTime` BIGINT,
    event_time AS TO_TIMESTAMP_LTZ(`dateTime`, 3), WATERMARK FOR event_time AS event_time - INTERVAL '4' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (id BIGINT, name STRING, `time` BIGINT)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
CREATE TEMPORARY VIEW people AS SELECT id, name, event_time FROM records WHERE event = 'person';
CREATE TEMPORARY VIEW auctions AS SELECT seller, event_time FROM records WHERE event = 'auction';
CREATE TEMPORARY VIEW newcomers AS SELECT id, name, window_start, window_end
  FROM TABLE(TUMBLE(TABLE people, DESCRIPTOR(event_time), INTERVAL '10' SECOND))
  GROUP BY id, name, window_start, window_end;
CREATE TEMPORARY VIEW sellers AS SELECT seller, window_start, window_end
  FROM TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(event_time), INTERVAL '10' SECOND))
  GROUP BY seller, window_start, window_end;
INSERT INTO answers SELECT id, name,
    CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', newcomers.window_start) AS BIGINT) * 1000
  FROM newcomers JOIN sellers ON id = seller
    AND newcomers.window_start = sellers.window_start AND newcomers.window_end = sellers.window_end;
