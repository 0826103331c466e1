SELECT identifier, timestamp, valueInW
FROM read_json($records, format = 'newline_delimited',
  columns = {identifier: 'VARCHAR', timestamp: 'BIGINT', valueInW: 'DOUBLE'})
