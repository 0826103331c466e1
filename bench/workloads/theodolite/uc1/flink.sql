CREATE TEMPORARY TABLE records (identifier STRING, `timestamp` BIGINT, valueInW DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (identifier STRING, `timestamp` BIGINT, valueInW DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT identifier, `timestamp`, valueInW FROM records;
