"""What an order is, and what is wrong with one that is none. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_ID = re.compile(r"[a-z0-9][a-z0-9-]{5,39}")
_ARTICLE = re.compile(r"[a-z0-9-]{1,40}")
MOST = 99
LONGEST_NAME = 80


class NotAnOrderError(Exception):
    """The message tells the customer what to mend."""


@dataclass(frozen=True)
class Order:
    """``id`` is the customer's own: an order that is sent twice is one order."""

    id: str
    customer: str
    article: str
    quantity: int
    cents: int  # of one piece


def order(body: bytes) -> Order:
    """The order in the body of a request; ``NotAnOrderError`` where there is none."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        raise NotAnOrderError("an order is a JSON object") from None
    if not isinstance(found, dict):
        raise NotAnOrderError("an order is a JSON object")
    return Order(
        id=_text(found, "id", _ID),
        customer=_customer(found),
        article=_text(found, "article", _ARTICLE),
        quantity=_number(found, "quantity", 1, MOST),
        cents=_number(found, "cents", 0, 10_000_000),
    )


def _text(found: dict[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise NotAnOrderError(f"{key} is missing or has other characters than a-z, 0-9 and -")
    return value


def _customer(found: dict[str, Any]) -> str:
    name = str(found.get("customer") or "").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise NotAnOrderError(f"customer is a name of 1 to {LONGEST_NAME} characters")
    return name


def _number(found: dict[str, Any], key: str, least: int, most: int) -> int:
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise NotAnOrderError(f"{key} is a number from {least} to {most}")
    return value
