-- Nothing has written or read it since 1.0, so the copies that run when this does can do without.
ALTER TABLE orders DROP COLUMN channel;
