CREATE TEMPORARY TABLE records (temperature DOUBLE, humidity DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$records', 'format' = 'json');
CREATE TEMPORARY TABLE answers (temperature DOUBLE, humidity DOUBLE)
  WITH ('connector' = 'filesystem', 'path' = '$rows', 'format' = 'json');
INSERT INTO answers SELECT temperature, humidity FROM records WHERE temperature > 50;
