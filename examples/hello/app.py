"""Hello: a page that shows its version, a counter in Redis, rows in PostgreSQL."""

from __future__ import annotations

import json
import os
import queue
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from urllib.request import urlopen

import psycopg
import redis
from server import ROUTES, Answer, Request, Server, route

VERSION = Path(__file__).with_name("VERSION").read_text().strip()
WHO = {"service": "web", "version": VERSION, "host": socket.gethostname()}
PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Hello $version</title>
<meta name="viewport" content="width=device-width">
<style>
 body { font: 18px/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 26em; padding: 0 1em }
 strong { font-size: 3em; display: block }
 small { color: #777 }
</style>
<strong>Hello.</strong>
This is version <b>$version</b>, and you are visitor number <b>$visits</b>.<br>
<small>Answered by $host.</small>
</html>
""")

counter = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)
idle: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()


def connect() -> psycopg.Connection:
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(1)")  # one copy at a time
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rows"
            " (id text PRIMARY KEY, version text NOT NULL, at timestamptz DEFAULT now())"
        )
    return connection


@contextmanager
def database() -> Iterator[psycopg.Connection]:
    """A connection that was idle, or a new one; what is done with it is committed at the end."""
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


@route("GET", "/")
def page(_: Request) -> Answer:
    try:
        visits = str(counter.incr("visits"))
    except redis.RedisError:
        visits = "unknown"
    return 200, PAGE.substitute(WHO, visits=visits)


@route("GET", "/health")
def health(_: Request) -> Answer:
    return 200, WHO


@route("GET", "/version")
def version(_: Request) -> Answer:
    return 200, WHO


@route("POST", "/rows")
def write(request: Request) -> Answer:
    """Write a row named by the body; 201 means that it is committed."""
    name = request.body.decode()
    with database() as connection:
        connection.execute(
            "INSERT INTO rows (id, version) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (name, VERSION),
        )
    return 201, {"id": name}


@route("GET", "/rows")
def rows(request: Request) -> Answer:
    """How many rows there are, and the names of those that begin with ?prefix=."""
    with database() as connection:
        found = connection.execute("SELECT id FROM rows ORDER BY at").fetchall()
    names = [name for (name,) in found if name.startswith(request.query.get("prefix", ""))]
    return 200, {"count": len(found), "ids": names}


@route("GET", "/slow")
def slow(request: Request) -> Answer:
    time.sleep(min(float(request.query.get("s", "2")), 30))
    return 200, WHO


@route("GET", "/internal")
def internal(_: Request) -> Answer:
    """Call the service by its name, as other containers do."""
    with urlopen("http://web:8000/version", timeout=5) as answer:
        return 200, {"caller": WHO, "called": json.load(answer)}


if __name__ == "__main__":
    print(f"hello {VERSION}: {len(ROUTES)} routes on port 8000", flush=True)
    Server(8000).run()
