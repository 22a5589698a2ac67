"""Does what was ordered: one order after the other, each by one worker only.

It sleeps until the API's NOTIFY, or for ``POLL_S``. On SIGTERM it ends after the order at hand.
Without PostgreSQL it tries again and says nothing of being alive.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import alive
import psycopg
from psycopg.rows import dict_row

VERSION = Path(__file__).parents[1].joinpath("VERSION").read_text().strip()
POLL_S = 1.0
# Whoever has a row locked is at it already.
NEXT = """SELECT id, customer, article, quantity, cents FROM orders WHERE state = 'placed'
ORDER BY placed LIMIT 1 FOR UPDATE SKIP LOCKED"""
DONE = "UPDATE orders SET state = 'done', confirmation = %s, done = now() WHERE id = %s"
Connection = psycopg.Connection[dict[str, Any]]


def confirmation(order: dict[str, Any]) -> str:
    """What the customer reads."""
    total = order["quantity"] * order["cents"]
    return f"{order['quantity']} x {order['article']}: {total // 100}.{total % 100:02d} EUR"


class Worker:
    """Takes orders until it is told to stop."""

    def __init__(self) -> None:
        self.stopping = False

    def stop(self, *_: object) -> None:
        """End after the order at hand."""
        self.stopping = True

    def one(self, connection: Connection) -> bool:
        """Do the oldest order that is free; whether there was one."""
        with connection.transaction():
            order = connection.execute(NEXT).fetchone()
            if order is None:
                return False
            connection.execute(DONE, (confirmation(order), order["id"]))
        print(f"done: {order['id']}", flush=True)
        return True

    def work(self, connection: Connection) -> None:
        """All there is, then wait for more."""
        connection.execute("LISTEN orders")
        while not self.stopping:
            while not self.stopping and self.one(connection):
                alive.sign()
            alive.sign()
            list(connection.notifies(timeout=POLL_S, stop_after=1))

    def run(self) -> None:
        """Work, with a new connection whenever one is lost."""
        while not self.stopping:
            try:
                url = os.environ["DATABASE_URL"]
                with psycopg.connect(
                    url, autocommit=True, connect_timeout=3, row_factory=dict_row
                ) as connection:
                    self.work(connection)
            except psycopg.OperationalError as error:
                print(f"PostgreSQL is away: {error}", file=sys.stderr, flush=True)
                time.sleep(POLL_S)


if __name__ == "__main__":
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    print(f"worker {VERSION}", flush=True)
    worker.run()
