CREATE TEMPORARY TABLE records (event STRING, auction BIGINT, price DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (auction BIGINT, price DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT auction, price FROM records WHERE event = 'bid' AND MOD(auction, 123) = 0;
