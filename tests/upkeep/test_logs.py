"""Journal entries of several hosts: read, put in order, and written for people."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.cli.schemas import check
from tidegate.cli.output import envelope
from tidegate.upkeep.logs import Entry, parse, shown


def line(**fields: Any) -> bytes:
    """A line of ``journalctl -o json``."""
    entry = {"__REALTIME_TIMESTAMP": "1763769600000001", "CONTAINER_NAME": "shop-web-a", **fields}
    return json.dumps(entry).encode()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("hello", "hello"),
        ([104, 105, 255], "hi\ufffd"),
        (None, ""),
        ("a\nb", "a\nb"),
        ("line\n", "line"),
    ],
)
def test_what_a_journal_may_hold(message: Any, text: str) -> None:
    """Text, bytes that are none, and a field that journalctl found too long."""
    assert parse("web-1", line(MESSAGE=message), "shop") == Entry(
        1763769600000001, "web-1", "web-a", text
    )


@pytest.mark.parametrize("odd", [b"-- No entries --", b"{}", b"[]", b'{"CONTAINER_NAME": "x"}'])
def test_what_is_no_entry_is_left_out(odd: bytes) -> None:
    """A line that is not an entry's JSON is none."""
    assert parse("web-1", odd, "shop") is None


def test_entries_are_in_the_order_of_time() -> None:
    """Whatever the host."""
    late, soon = Entry(2, "a", "web-a", "late"), Entry(1, "b", "web-a", "soon")
    assert [entry.text for entry in sorted([late, soon])] == ["soon", "late"]


def test_each_line_of_a_message_says_where_it_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local time, host, copy; one host's name says nothing new and is left out."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    entry = Entry(1763769600123456, "web-1", "db", "one\ntwo")
    assert shown(entry, {"host": 5, "copy": 5}) == (
        "2025-11-22 00:00:00.123  web-1  db    | one\n2025-11-22 00:00:00.123  web-1  db    | two"
    )
    assert shown(entry, {"host": 0, "copy": 2}).startswith("2025-11-22 00:00:00.123  db | one")


def test_entries_answer_by_their_schema() -> None:
    """The times of hosts are told in UTC, to the microsecond."""
    entries = [Entry(1763769600000001, "web-1", "web-a", "hello").as_dict()]
    data = check(envelope("logs", {"environment": "p", "entries": entries, "lost": []}))
    assert data["entries"][0]["at"] == "2025-11-22T00:00:00.000001+00:00"
