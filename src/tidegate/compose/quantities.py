"""Durations and sizes, read and printed as docker compose does.

Sources: https://github.com/xhit/go-str2duration/blob/v2.1.0/str2duration.go,
https://pkg.go.dev/time#Duration.String and
https://github.com/docker/go-units/blob/v0.5.0/size.go (RAMInBytes).
"""

from __future__ import annotations

import re

_MAX = 2**63 - 1
_SECOND_NS = 1_000_000_000
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND_NS,
    "m": 60 * _SECOND_NS,
    "h": 3600 * _SECOND_NS,
    "d": 24 * 3600 * _SECOND_NS,
    "w": 168 * 3600 * _SECOND_NS,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]+)")
_BYTES = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}


class QuantityError(ValueError):
    """A duration or size that cannot be read."""


def duration_ns(text: str) -> int:
    """The nanoseconds of `1h30m`, `1.5s`, `2d`; a number needs a unit."""
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    total = 0
    position = 0
    while position < len(body):
        found = _PART.match(body, position)
        if not found or not (found[1] or found[2]):
            break
        unit = _UNITS_NS.get(found[3])
        if unit is None:
            raise QuantityError(f"unknown unit {found[3]!r} in duration {text!r}")
        total += _part_ns(found[1], found[2] or "", unit)
        position = found.end()
    if position < len(body) or not body or total > _MAX:
        raise QuantityError(f"invalid duration {text!r}")
    return sign * total


def _part_ns(whole: str, fraction: str, unit: int) -> int:
    if len(whole.lstrip("0")) > 19:
        return _MAX + 1
    total = int(whole or "0") * unit
    digits = fraction[:18]
    if digits:
        total += int(float(int(digits)) * (float(unit) / float(10 ** len(digits))))
    return total


def duration_text(nanoseconds: int) -> str:
    """`1h30m0s`, `500ms`, `0s`: as Go prints a duration."""
    if nanoseconds == 0:
        return "0s"
    sign = "-" if nanoseconds < 0 else ""
    rest = abs(nanoseconds)
    if rest < _SECOND_NS:
        for unit in ("ms", "µs", "ns"):
            size = _UNITS_NS[unit]
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, below = divmod(rest, 60 * _SECOND_NS)
    text = f"{_decimal(below, _SECOND_NS)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return sign + text


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    if not fraction:
        return str(whole)
    digits = str(fraction).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"


def size_bytes(text: str) -> int:
    """The bytes of `512m`, `1.5 GiB`, `1024`; units are powers of 1024."""
    end = max((text.rfind(character) for character in "0123456789. "), default=-1)
    if end < 0:
        raise QuantityError(f"invalid size {text!r}")
    number, suffix = text[: end if text[end] == " " else end + 1], text[end + 1 :].lower()
    try:
        size = float(number)
    except ValueError:
        raise QuantityError(f"invalid size {text!r}") from None
    if size < 0 or number != number.strip() or "_" in number:
        raise QuantityError(f"invalid size {text!r}")
    if suffix and suffix != "b":
        unit = _BYTES.get(suffix[0])
        if unit is None or suffix[1:] not in ("", "b", "ib"):
            raise QuantityError(f"invalid suffix {suffix!r} in size {text!r}")
        size *= unit
    if not size <= _MAX:
        raise QuantityError(f"size {text!r} is out of range")
    return int(size)
