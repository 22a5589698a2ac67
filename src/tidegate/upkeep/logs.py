"""The output of services from the journals of their hosts, in the order in which it was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidegate.edges.agent_install import ATTACH
from tidegate.edges.process import Command
from tidegate.errors import TidegateError
from tidegate.upkeep.hosts import Reach
from tidegate.upkeep.streams import Streams


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What a copy wrote at once; ``at`` is microseconds since 1970, by its host's clock."""

    at: int
    host: str
    copy: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """An entry of a ``tidegate/logs/1`` object."""
        at = datetime.fromtimestamp(self.at / 1_000_000, UTC).isoformat(timespec="microseconds")
        return {"at": at, "host": self.host, "copy": self.copy, "text": self.text}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which output: the last ``lines`` of each host, not older than ``since_s`` (0: any age)."""

    services: Sequence[str] = ()
    lines: int = 100
    since_s: float = 0.0
    follow: bool = False


Told = Callable[[str, TidegateError], None]


def entries(found: Reach, wish: Wish, broken: Told) -> Iterator[Entry]:
    """Entries of all hosts: in order, or as they come with ``follow``.

    ``broken`` hears of a host whose journal could not be read to its end.
    """
    for service in wish.services:
        found.running(service)
    words = (*wish.services, "--json", "--lines", str(wish.lines))
    words += ("--follow",) if wish.follow else ()
    words += (f"--since=-{round(wish.since_s * 1000)}ms",) if wish.since_s else ()
    command = Command((ATTACH, "logs", "--project", found.target.instance, *words))
    known = {name: found.hosts[name] for name, seen in found.seen.items() if seen["deployment"]}
    with Streams({name: (host, command) for name, host in known.items()}) as streams:
        parsed = (
            entry
            for host, line in streams.lines()
            if (entry := parse(host, line, found.target.instance))
        )
        yield from parsed if wish.follow else sorted(parsed)
        for host, status in streams.statuses.items():
            if status:
                broken(host, streams.complaint(host))


def parse(host: str, line: bytes, instance: str) -> Entry | None:
    """An entry of ``journalctl -o json``; None for what is none. Bytes that are no text stay so.

    Source: systemd's Journal JSON format, https://systemd.io/JOURNAL_EXPORT_FORMATS/.
    """
    try:
        value = json.loads(line)
        at, name = int(value["__REALTIME_TIMESTAMP"]), str(value["CONTAINER_NAME"])
    except (ValueError, KeyError, TypeError):
        return None
    return Entry(at, host, name.removeprefix(f"{instance}-"), _text(value.get("MESSAGE")))


def _text(message: Any) -> str:
    """A field's value: text, a list of byte values where it is no UTF-8, null where too long.

    conmon 2.1 hands a whole line to the journal, its end included.
    """
    if isinstance(message, list):
        message = bytes(message).decode(errors="replace")
    return "" if message is None else str(message).removesuffix("\n")


def shown(entry: Entry, columns: Mapping[str, int]) -> str:
    """An entry for people, in local time; ``columns`` are the widths of host (0: left out), copy.

    Each line of a message of several begins with the same words.
    """
    at = datetime.fromtimestamp(entry.at / 1_000_000, UTC).astimezone()
    head = at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"
    if columns["host"]:
        head += f"  {entry.host:<{columns['host']}}"
    head += f"  {entry.copy:<{columns['copy']}} | "
    return "\n".join(head + line for line in entry.text.split("\n"))


def widths(found: Reach) -> dict[str, int]:
    """How wide the columns of ``shown`` are."""
    prefix = f"{found.target.instance}-"
    names = [
        unit.removeprefix(prefix)
        for seen in found.seen.values()
        for service in (seen.get("services") or {}).values()
        for unit in service["units"]
    ]
    several = len(found.hosts) > 1
    return {
        "host": max(map(len, found.hosts)) if several else 0,
        "copy": max(map(len, names), default=0),
    }
