"""The commits of a range on the line of first parents, newest first, with their messages.

What a merge brings in was said on its own branch; the merge itself speaks for this one.
Source: git-log(1), "PRETTY FORMATS".
"""

from __future__ import annotations

from tidegate.repo.diff import decoded
from tidegate.shapes import Row


class Commit(Row):
    """A commit's full id and its whole message."""

    oid: str
    message: str


def command(base: str, head: str) -> tuple[str, ...]:
    """The argv that lists them; without a base only the newest."""
    which = (f"{base}..{head}",) if base else ("-1", head)
    return (
        *("git", "-c", "log.showSignature=false", "log", "-z", "--first-parent"),
        *("--encoding=UTF-8", "--format=%H%n%B", *which, "--"),
    )


def parse(raw: bytes) -> list[Commit]:
    """The output of ``command``."""
    records = (record.partition("\n") for record in decoded(raw).split("\0") if record)
    return [Commit._make((oid, message.rstrip("\n"))) for oid, _, message in records]
