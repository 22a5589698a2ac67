"""Brings the database to what this version needs: the files of migrations/, once each, in order.

``migrate.py expand`` runs what is missing before this version does: the version before still works
with the database of this one, so both can run side by side, and going back needs no way back here.
``migrate.py contract`` runs the files ``….contract.sql``, which take away what no version uses any
more. Without a word it runs both. With ``--check`` nothing is run, and it ends with 1 when anything
is missing. Files that a newer version has run are no trouble.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import psycopg

FOLDER = Path(__file__).with_name("migrations")
LOCK = 7301  # one copy at a time
CONTRACT, EXPAND = "contract", "expand"


def missing(files: Iterable[str], done: Collection[str], kinds: Collection[str]) -> list[str]:
    """The files of these kinds that were not run yet, expanding ones first, in order."""
    todo = [name for name in files if name.endswith(".sql") and name not in done]
    return sorted(
        (name for name in todo if kind(name) in kinds),
        key=lambda name: (kind(name) == CONTRACT, name),
    )


def kind(name: str) -> str:
    """What a file does, by its name."""
    return CONTRACT if name.endswith(f".{CONTRACT}.sql") else EXPAND


def run(connection: psycopg.Connection, kinds: Collection[str], *, only_check: bool) -> list[str]:
    """The names of what was run, or would be; each file is one transaction with its note."""
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    todo = missing((path.name for path in FOLDER.iterdir()), _done(connection), kinds)
    if only_check:
        return todo
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
    )
    for name in todo:
        with connection.transaction():
            connection.execute((FOLDER / name).read_text())
            connection.execute("INSERT INTO migrations (name) VALUES (%s)", (name,))
    return todo


def _done(connection: psycopg.Connection) -> set[str]:
    """The names of what was run; none in a new database."""
    if connection.execute("SELECT to_regclass('migrations')").fetchone() == (None,):
        return set()
    return {str(name) for (name,) in connection.execute("SELECT name FROM migrations")}


def main() -> int:
    """The exit code: 1 where a check finds something to do, 2 for words it does not know."""
    words = sys.argv[1:]
    only_check = "--check" in words
    kinds = [word for word in words if word != "--check"] or [EXPAND, CONTRACT]
    if not set(kinds) <= {EXPAND, CONTRACT}:
        print(f"migrate.py [{EXPAND}] [{CONTRACT}] [--check]", file=sys.stderr)
        return 2
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        todo = run(connection, kinds, only_check=only_check)
    word = "missing" if only_check else "done"
    print(f"{word}: {', '.join(todo)}" if todo else "nothing to do", flush=True)
    return 1 if only_check and todo else 0


if __name__ == "__main__":
    sys.exit(main())
