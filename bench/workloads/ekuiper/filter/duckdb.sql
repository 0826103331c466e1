SELECT temperature, humidity
FROM read_json($records, format = 'newline_delimited',
  columns = {temperature: 'DOUBLE', humidity: 'DOUBLE'})
WHERE temperature > 50
