-- Both may be null: a version that knows neither goes on writing orders.
ALTER TABLE orders ADD COLUMN confirmation text;
ALTER TABLE orders ADD COLUMN done timestamptz;
