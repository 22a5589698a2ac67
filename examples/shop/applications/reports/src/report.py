"""Writes once a day what was sold the day before."""

import os
import time

import psycopg

DAY_S = 86400
SOLD = """SELECT article, sum(quantity), sum(quantity * cents) FROM orders
WHERE done >= current_date - 1 AND done < current_date GROUP BY article ORDER BY article"""

while True:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for article, count, cents in connection.execute(SOLD):
            print(f"{article}: {count} for {cents / 100:.2f} EUR")
    time.sleep(DAY_S - time.time() % DAY_S)
