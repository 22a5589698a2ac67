"""A window: the days and hours at which an environment may be deployed to.

One that goes over midnight (22:00-02:00) belongs to the day on which it begins. Hours are those
of the wall clock in its zone, whatever summer time does to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from tidegate.config.times import zone


def opened(settings: Mapping[str, Any], now: datetime) -> bool:
    """Whether the window is open at ``now``, which knows its zone."""
    (begin, end), days = settings["hours"], settings["days"]
    local = now.astimezone(_zone(settings))
    minute = local.hour * 60 + local.minute
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    if begin < end:
        return today in days and begin <= minute < end
    return (today in days and minute >= begin) or (yesterday in days and minute < end)


def opens(settings: Mapping[str, Any], now: datetime) -> datetime:
    """When it opens next, after ``now``."""
    (begin, _), days = settings["hours"], settings["days"]
    local = now.astimezone(_zone(settings))
    for ahead in range(9):
        day = local.date() + timedelta(days=ahead)
        start = datetime.combine(day, time(begin // 60, begin % 60), local.tzinfo)
        if day.weekday() in days and start > local:
            return start
    raise AssertionError("a window has at least one day")


def _zone(settings: Mapping[str, Any]) -> tzinfo:
    return zone(settings["zone"])
