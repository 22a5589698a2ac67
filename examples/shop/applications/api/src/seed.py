"""A few orders to look at. Running it again changes nothing: each has a name of its own."""

from __future__ import annotations

import database
from orders import Order

ORDERS = (
    Order("seed-1-ada", "Ada", "tide-cup", 2, 950),
    Order("seed-2-grace", "Grace", "bell", 1, 4890),
    Order("seed-3-edsger", "Edsger", "buoy", 3, 12005),
)

if __name__ == "__main__":
    for order in ORDERS:
        database.place(order)
    print(f"{len(ORDERS)} orders are there", flush=True)
