"""Connections to PostgreSQL that are used again, and an order's way in and out."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from orders import Order
from psycopg.rows import dict_row

Connection = psycopg.Connection[dict[str, Any]]
COLUMNS = "id, customer, article, quantity, cents, state, confirmation"
idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()


def connect() -> Connection:
    """A new connection; each statement is a transaction of its own unless one is begun."""
    url = os.environ["DATABASE_URL"]
    return psycopg.connect(url, autocommit=True, connect_timeout=3, row_factory=dict_row)


@contextmanager
def transaction() -> Iterator[Connection]:
    """An idle connection or a new one; what is done with it is committed at the end."""
    try:
        connection = idle.get_nowait()
        try:
            connection.execute("SELECT 1")
        except psycopg.OperationalError:  # PostgreSQL was restarted
            connection = connect()
    except queue.Empty:
        connection = connect()
    try:
        with connection.transaction():
            yield connection
    except BaseException:
        connection.close()
        raise
    idle.put(connection)


def place(order: Order) -> None:
    """Keep an order and wake a worker; one that is here already stays as it is."""
    with transaction() as connection:
        connection.execute(
            "INSERT INTO orders (id, customer, article, quantity, cents)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            (order.id, order.customer, order.article, order.quantity, order.cents),
        )
        connection.execute("NOTIFY orders")


def find(name: str) -> dict[str, Any] | None:
    """One order."""
    with transaction() as connection:
        return connection.execute(f"SELECT {COLUMNS} FROM orders WHERE id = %s", (name,)).fetchone()


def summary() -> dict[str, Any]:
    """How many orders there are in each state, and the newest ones."""
    with transaction() as connection:
        counts = connection.execute("SELECT state, count(*) AS n FROM orders GROUP BY state")
        by_state = {row["state"]: row["n"] for row in counts}
        newest = connection.execute(f"SELECT {COLUMNS} FROM orders ORDER BY placed DESC LIMIT 20")
        return {
            "placed": sum(by_state.values()),
            "done": by_state.get("done", 0),
            "newest": newest.fetchall(),
        }
