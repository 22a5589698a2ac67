"""What counts as an order, and which migrations there may be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import migrate
import pytest
from orders import NotAnOrderError, Order, order

GOOD = {"id": "a1b2c3d4", "customer": " Ada ", "article": "tide-cup", "quantity": 2, "cents": 950}
NARROWS = re.compile(r"\b(DROP|RENAME|SET NOT NULL|ALTER COLUMN \w+ TYPE)\b", re.IGNORECASE)


def test_an_order() -> None:
    """A whole order is taken, its customer without the spaces around."""
    assert order(json.dumps(GOOD).encode()) == Order("a1b2c3d4", "Ada", "tide-cup", 2, 950)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "A1"),
        ("id", None),
        ("customer", "  "),
        ("customer", "a" * 81),
        ("customer", "a\nb"),
        ("article", "x' OR 1=1"),
        ("quantity", 0),
        ("quantity", 100),
        ("quantity", True),
        ("quantity", "2"),
        ("cents", -1),
    ],
)
def test_no_order(key: str, value: object) -> None:
    """What is wrong is refused, and the message names it."""
    with pytest.raises(NotAnOrderError, match=key):
        order(json.dumps({**GOOD, key: value}).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
def test_no_json(body: bytes) -> None:
    """Neither is what is no JSON object."""
    with pytest.raises(NotAnOrderError, match="JSON"):
        order(body)


def test_migrations_in_order() -> None:
    """Only what was not run yet, by number; what only a newer version knows is left alone."""
    files = ["010_c.sql", "002_b.sql", "003_x.contract.sql", "001_a.sql", "notes.md"]
    done = {"001_a.sql", "011_newer.sql"}
    assert migrate.missing(files, done, ["expand"]) == ["002_b.sql", "010_c.sql"]
    assert migrate.missing(files, done, ["contract"]) == ["003_x.contract.sql"]
    both = ["002_b.sql", "010_c.sql", "003_x.contract.sql"]
    assert migrate.missing(files, done, ["contract", "expand"]) == both


def test_only_contracts_take_away() -> None:
    """What runs before the switch narrows nothing that the version before may still use."""
    files = [
        path for path in Path(migrate.FOLDER).glob("*.sql") if migrate.kind(path.name) == "expand"
    ]
    assert files
    assert [path.name for path in files if NARROWS.search(path.read_text())] == []
