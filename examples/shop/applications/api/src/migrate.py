"""Brings the database to what this version needs: the files of migrations/, once each, in order.

``migrate.py`` runs what is missing; ``migrate.py --check`` ends with 1 when anything is. All are
expanding: the version before still works with the database of this one, so both can run side by
side, and going back needs no way back here. Files that a newer version has run are no trouble.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import psycopg

FOLDER = Path(__file__).with_name("migrations")
LOCK = 7301  # one copy at a time


def missing(files: Iterable[str], done: Collection[str]) -> list[str]:
    """The files that were not run yet, in order."""
    return sorted(name for name in files if name.endswith(".sql") and name not in done)


def run(connection: psycopg.Connection, *, only_check: bool) -> list[str]:
    """The names of what was run, or would be; each file is one transaction with its note."""
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    todo = missing((path.name for path in FOLDER.iterdir()), _done(connection))
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
    """The exit code: 1 where a check finds something to do."""
    only_check = "--check" in sys.argv[1:]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        todo = run(connection, only_check=only_check)
    word = "missing" if only_check else "done"
    print(f"{word}: {', '.join(todo)}" if todo else "nothing to do", flush=True)
    return 1 if only_check and todo else 0


if __name__ == "__main__":
    sys.exit(main())
