CREATE TABLE orders (
    id text PRIMARY KEY,
    customer text NOT NULL,
    article text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    cents integer NOT NULL,
    state text NOT NULL DEFAULT 'placed' CHECK (state IN ('placed', 'done')),
    channel text NOT NULL DEFAULT 'shop',
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_to_do ON orders (placed) WHERE state = 'placed';
