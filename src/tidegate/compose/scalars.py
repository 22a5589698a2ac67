"""What a YAML scalar means to docker compose: YAML 1.2 core, read as go-yaml 3.0.4 reads it.

`yes`, `off` and `2222:22` are text; `0o17`, `017` and `0b1` are numbers; `2020-01-01` is a time.
Source: https://github.com/yaml/go-yaml/blob/v3.0.4/resolve.go.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import date

from tidegate.compose.nodes import Timestamp, Value

_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:([Tt ])(.*))?\Z")
_TIME = re.compile(
    r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?\Z"
)
_LEADING = frozenset("+-.0123456789")


class ScalarError(ValueError):
    """A scalar that its own tag forbids."""


def resolve(text: str, tag: str | None, *, plain: bool) -> Value:
    """A scalar's value; quoted ones are text. :class:`ScalarError` where the tag forbids it."""
    short = tag[len(_TAG) :] if tag and tag.startswith(_TAG) else tag
    if short in (None, "", "!"):
        return _plain(text) if plain and short != "!" else text
    if short == "binary":
        return _binary(text)
    if short not in ("bool", "int", "float", "null", "timestamp"):
        return text
    value = _plain(text)
    if short == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if _kind(value) != short:
        raise ScalarError(f"cannot decode {text!r} as a !!{short}")
    return value


def _kind(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, Timestamp):
        return "timestamp"
    return type(value).__name__


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise ScalarError("!!binary value contains invalid base64 data") from error


def _plain(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _LEADING:
        return text
    if text[0] != "." and (moment := _timestamp(text)):
        return moment
    return _number(text)


def _timestamp(text: str) -> Timestamp | None:
    found = _DATE.match(text)
    if not found:
        return None
    year, month, day, separator, rest = found.groups()
    try:
        date(int(year) or 4, int(month), int(day))
    except ValueError:
        return None
    if separator and not _clock(rest, zoned=separator != " "):
        return None
    return Timestamp(text)


def _clock(text: str, *, zoned: bool) -> bool:
    found = _TIME.match(text)
    if not found:
        return False
    hours, minutes, seconds, zone = found.groups()
    return int(hours) < 24 and int(minutes) < 60 and int(seconds) < 60 and bool(zone) == zoned


def _number(text: str) -> Value:
    digits = text.replace("_", "")
    if text[0] != "." and _INT.match(digits):
        number = _integer(digits)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.match(text if text[0] == "." else digits):
        number_f = float(digits)
        return text if math.isinf(number_f) else number_f
    return text


def _integer(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    body = digits.lstrip("+-")
    if len(body) > 1 and body[0] == "0" and body[1].isdigit():
        return sign * int(body, 8)
    if len(body) > 20:  # decimal digits that no 64-bit number has; hexadecimal stays below
        return sign * (int(body, 0) if body[:2].lower() in ("0x", "0b") else 2**64)
    return sign * int(body, 0)
