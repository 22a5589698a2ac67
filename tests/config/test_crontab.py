"""A schedule means to systemd what crontab(5) says that it means."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tidegate.config.crontab import NICKNAMES, ScheduleError, calendars

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
RUNS = 6


def numbers(field: str, names: tuple[str, ...], first: int, last: int) -> set[int]:
    """What a field means, by the manual page, written without the code under test."""
    found: set[int] = set()
    for part in field.split(","):
        spans, _, step = part.partition("/")
        ends = [str(first), str(last)] if spans == "*" else spans.split("-")
        plain = [names.index(e) + min(first, 1) if e in names else int(e) for e in ends]
        found |= set(range(plain[0], plain[-1] + 1, int(step or 1)))
    return found


def due(text: str) -> Iterator[datetime]:
    """The minutes at which cron would run it."""
    minute, hour, day, month, weekday = NICKNAMES.get(text, text).split()
    at = BEGIN
    while True:
        at += timedelta(minutes=1)
        if at.month not in numbers(month, MONTHS, 1, 12):
            at = at.replace(hour=23, minute=59)  # on to the next day
            continue
        days = at.day in numbers(day, (), 1, 31)
        week = at.isoweekday() % 7 in {n % 7 for n in numbers(weekday, WEEKDAYS, 0, 6)}
        both = day[0] == "*" or weekday[0] == "*"
        if not ((days and week) if both else (days or week)):
            at = at.replace(hour=23, minute=59)
        elif at.hour in numbers(hour, (), 0, 23) and at.minute in numbers(minute, (), 0, 59):
            yield at


def elapses(text: str) -> list[datetime]:
    """When systemd says that a timer of these calendars runs next."""
    found: set[datetime] = set()
    for calendar in calendars(text):
        base = ("--base-time", f"{BEGIN:%Y-%m-%d %H:%M:%S} UTC", "--iterations", str(RUNS))
        done = subprocess.run(
            ["systemd-analyze", "calendar", *base, calendar],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        )
        for line in done.stdout.splitlines():
            head, _, rest = line.partition(": ")
            if head.strip() == "Next elapse" or head.strip().startswith("Iter"):
                found.add(datetime.strptime(rest[4:], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC))
    return sorted(found)[:RUNS]


def some(seed: int) -> str:
    """A schedule of many forms."""
    chance = random.Random(seed)

    def field(first: int, last: int, names: tuple[str, ...] = ()) -> str:
        low = chance.randint(first, last)
        high = chance.randint(low, last)
        named = names[low - min(first, 1)] if names else str(low)
        forms = [
            "*",
            "*",
            str(low),
            f"{low}-{high}",
            f"{low}-{high}/3",
            "*/5",
            named,
            f"{low},{high}",
        ]
        return chance.choice(forms)

    day = field(1, 28)
    return " ".join((field(0, 59), field(0, 23), day, field(1, 12, MONTHS), field(0, 6, WEEKDAYS)))


KNOWN = ["0 3 * * *", "*/15 9-17 * * mon-fri", "0 0 29 2 *", "30 4 1,15 * 5", "0 0 * * 7"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="asks systemd itself")
@pytest.mark.parametrize("text", [*KNOWN, *NICKNAMES, *map(some, range(40))])
def test_systemd_runs_it_when_cron_would(text: str) -> None:
    """The next runs are the same, minute by minute."""
    wanted = due(text)
    assert elapses(text) == [next(wanted) for _ in range(RUNS)]


def test_a_zone_is_the_last_word() -> None:
    """UTC where none is named, whatever the host's own is."""
    assert calendars("0 3 * * *") == ("*-*-* 03:00:00 UTC",)
    assert calendars("@daily Europe/Berlin") == ("*-*-* 00:00:00 Europe/Berlin",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * *", "five fields"),
        ("0 3 * * * UTC x", "five fields"),
        ("60 3 * * *", "minute: '60' is not in 0 to 59"),
        ("0 24 * * *", "hour"),
        ("0 3 0 * *", "day"),
        ("0 3 * 13 *", "month"),
        ("0 3 * * 8", "weekday"),
        ("0 3 * * fryday", "weekday: 'fryday'"),
        ("5/10 3 * * *", "5-59/10"),
        ("*/0 3 * * *", "no range"),
        ("9-5 3 * * *", "no range"),
        ("0 3 31 feb,apr *", "no year"),
        ("0 3 * * * Mars/Base", "time zone 'Mars/Base'"),
        ("@noon", "none of @hourly"),
        ("", "five fields"),
    ],
)
def test_what_is_no_schedule(text: str, words: str) -> None:
    """Each says which field, and what is wrong with it."""
    with pytest.raises(ScheduleError, match=words.replace("*", r"\*")):
        calendars(text)
