CREATE TEMPORARY TABLE records (event STRING, auction BIGINT, bidder BIGINT, price DOUBLE, `dateTime` BIGINT, extra STRING)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (auction BIGINT, bidder BIGINT, price DOUBLE, `dateTime` BIGINT, extra STRING)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT auction, bidder, price * 0.908, `dateTime`, extra FROM records WHERE event = 'bid';
