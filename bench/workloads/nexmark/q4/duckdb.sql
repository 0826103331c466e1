WITH events AS (
  FROM read_json($records, format = 'newline_delimited', columns = {event: 'VARCHAR', id: 'BIGINT',
    category: 'BIGINT', expires: 'BIGINT', auction: 'BIGINT', price: 'DOUBLE', dateTime: 'BIGINT'})),
closed AS (
  SELECT auction.id, auction.category, max(bid.price) AS closing
  FROM events auction JOIN events bid ON bid.auction = auction.id
  WHERE auction.event = 'auction' AND bid.event = 'bid'
    AND bid.dateTime BETWEEN auction.dateTime AND auction.expires
  GROUP BY auction.id, auction.category)
SELECT category, avg(closing) AS final FROM closed GROUP BY category
