"""Days, hours and time zones of a window: ``mon-fri``, ``09:00``, ``Europe/Berlin``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.compose.nodes import Node, fail
from tidegate.config.fields import CODE_VALUE, kind, text, text_or_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(7))
WHOLE_DAY = (0, 24 * 60)
_CLOCK = r"([01]\d|2[0-4]):([0-5]\d)"


def days(node: Node) -> tuple[int, ...]:
    """Numbers of weekdays, Monday is 0, from ``mon-fri``, ``sat`` or a list of them."""
    found: set[int] = set()
    for item in text_or_texts(node):
        ends = [word.strip().lower() for word in item.split("-")]
        if len(ends) > 2 or any(word not in DAYS for word in ends):
            hint = f"write mon-fri or [sat, sun]; there are {', '.join(DAYS)}"
            fail(f"{item!r} is no day", node, code=CODE_VALUE, hint=hint)
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found |= {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    if not found:
        fail("a window needs a day", node, code=CODE_VALUE, hint="write mon-fri, or leave it out")
    return tuple(sorted(found))


def clock(node: Node) -> int:
    """Minutes of the day from ``09:00``; ``24:00`` is its end."""
    value = node.text()
    parts = re.fullmatch(_CLOCK, value)
    minutes = int(parts[1]) * 60 + int(parts[2]) if parts else WHOLE_DAY[1] + 1
    if minutes > WHOLE_DAY[1]:
        what = repr(value) if value else kind(node)
        fail(f"{what} is no time of the day", node, code=CODE_VALUE, hint='write "09:00"')
    return minutes


def window(node: Node, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A window's settings with ``hours``, its begin and end; an earlier end is the next day's."""
    begin, end = settings.get("from", WHOLE_DAY[0]), settings.get("to", WHOLE_DAY[1])
    if begin == end or begin == WHOLE_DAY[1]:
        hint = 'write from: "09:00" and to: "17:00", or from: "22:00" and to: "02:00"'
        fail("this window is never open", node.key_at or node.at, code=CODE_VALUE, hint=hint)
    kept = {"days": settings.get("days", EVERY_DAY), "zone": settings.get("timezone", "UTC")}
    return {**kept, "hours": (begin, end)}


def zone_name(node: Node) -> str:
    """A time zone's name that this machine knows."""
    value = text(node)
    try:
        zone(value)
    except (LookupError, ValueError, OSError):
        hint = "as in Europe/Berlin; this machine may lack the package tzdata"
        fail(f"there is no time zone {value!r}", node, code=CODE_VALUE, hint=hint)
    return value


def zone(name: str) -> tzinfo:
    """The time zone of that name; ``UTC`` needs no files."""
    if name == "UTC":
        from datetime import UTC  # here, as it costs every command 1 ms

        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
