"""Five fields of crontab(5), and a time zone, as calendar events of systemd.time(7). Pure.

The zone is UTC where none is named, on every host. Fields are numbers, names, ranges, lists and
steps; days of the month and days of the week that are both restricted mean either of them, as
crontab(5) says.
"""

from __future__ import annotations

import re

from tidegate.config.times import DAYS, zone

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
# What each field is called, its lowest and its highest number; 7 is Sunday, too.
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
SUNDAY_FIRST = ("sun", *DAYS[:6])
_PART = r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?"


class ScheduleError(ValueError):
    """What is written is no schedule."""


def calendars(text: str) -> tuple[str, ...]:
    """The ``OnCalendar=`` values of a schedule; ``ScheduleError`` says what is wrong with it."""
    words = text.split()
    if words and words[0].startswith("@"):
        if words[0] not in NICKNAMES:
            raise ScheduleError(f"{words[0]} is none of {', '.join(NICKNAMES)}")
        words = [*NICKNAMES[words[0]].split(), *words[1:]]
    if len(words) not in (5, 6):
        raise ScheduleError(f"a schedule has five fields and at most a time zone, not {len(words)}")
    place = words[5] if len(words) == 6 else "UTC"
    try:
        zone(place)
    except (LookupError, ValueError, OSError):
        raise ScheduleError(f"there is no time zone {place!r}") from None
    minute, hour, day, month, weekday = (
        _field(word, *field) for word, field in zip(words, FIELDS, strict=False)
    )
    weekday = {number % 7 for number in weekday} if weekday is not None else None
    _ever(day, month, weekday)
    clock = f"{_numbers(hour)}:{_numbers(minute)}:00 {place}"
    dates, names = _numbers(day), _weekdays(weekday)
    either = day is not None and weekday is not None and not {words[2][0], words[4][0]} & {"*"}
    if either:
        return f"*-{_numbers(month)}-{dates} {clock}", f"{names}*-{_numbers(month)}-* {clock}"
    return (f"{names}*-{_numbers(month)}-{dates} {clock}",)


def _field(word: str, what: str, lowest: int, highest: int) -> set[int] | None:
    """The numbers that a field means; None for all."""
    if word == "*":
        return None
    found: set[int] = set()
    for part in word.split(","):
        parsed = re.fullmatch(_PART, part)
        if parsed is None:
            raise ScheduleError(f"{what}: {part!r} is no number, range or step")
        first, last, step = parsed.groups()
        if first == "*":
            begin, end = lowest, min(highest, 6) if what == "weekday" else highest
        else:
            begin = _number(first, what, lowest, highest)
            end = _number(last, what, lowest, highest) if last else begin
        if step and not last and first != "*":
            raise ScheduleError(
                f"{what}: {part!r}: a step is of a range or of *: {first}-59/{step}"
            )
        if (first == "*" and last) or begin > end or step == "0":
            raise ScheduleError(f"{what}: {part!r} is no range")
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def _number(word: str, what: str, lowest: int, highest: int) -> int:
    names = {"month": MONTHS, "weekday": SUNDAY_FIRST}.get(what, ())
    if word.lower() in names:
        return names.index(word.lower()) + lowest
    if not word.isdecimal() or not lowest <= int(word) <= highest:
        raise ScheduleError(f"{what}: {word!r} is not in {lowest} to {highest}")
    return int(word)


def _ever(day: set[int] | None, month: set[int] | None, weekday: set[int] | None) -> None:
    """A date that no year has would be a schedule that never comes."""
    if day is None or weekday is not None:
        return
    months = month if month is not None else set(range(1, 13))
    if not any(min(day) <= LONGEST[number - 1] for number in months):
        raise ScheduleError("no year has such a day")


def _numbers(found: set[int] | None) -> str:
    return "*" if found is None else ",".join(f"{number:02}" for number in sorted(found))


def _weekdays(found: set[int] | None) -> str:
    """With a space behind them; nothing for every day."""
    if found is None:
        return ""
    return ",".join(SUNDAY_FIRST[number].capitalize() for number in sorted(found)) + " "
