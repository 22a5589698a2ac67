"""Days, hours and time zones of a window: ``mon-fri``, ``09:00-17:00``, ``Europe/Berlin``."""

from __future__ import annotations

import re

from tidegate.compose.nodes import Node, fail
from tidegate.config.fields import CODE_VALUE, text, text_or_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(7))
WHOLE_DAY = (0, 24 * 60)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?- ?([01]\d|2[0-4]):([0-5]\d)")


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
        fail("a window needs a day", node, code=CODE_VALUE)
    return tuple(sorted(found))


def hours(node: Node) -> tuple[int, int]:
    """Minutes of the day, begin and end; an end before the begin is on the next day."""
    value = text(node)
    parts = _HOURS.fullmatch(value)
    begin, end = _minutes(parts, 1), _minutes(parts, 3)
    if begin == end or end > WHOLE_DAY[1]:
        hint = "write 09:00-17:00, or 22:00-02:00"
        fail(f"{value!r} are no hours", node, code=CODE_VALUE, hint=hint)
    return begin, end


def _minutes(parts: re.Match[str] | None, group: int) -> int:
    return int(parts[group]) * 60 + int(parts[group + 1]) if parts else 0


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
