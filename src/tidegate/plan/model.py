"""A plan as a value: images, units, services, files, ports, drift, and the order of it all.

Secret values never come here: releases hold none, and values of variables that are named or
look like credentials are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.host.canon import digest

# What becomes of a service. `beside`: a new copy beside the old, then traffic moves. `replace`:
# stopped and started in place at the switch. `job`: run once. `timed`: run by its schedule from now
# on. `settings`: only edge and fronts. `lead`: it runs on other hosts, and its name here leads to
# them. `migrate`: its database is.
BESIDE, REPLACE, START, JOB, TIMED, SETTINGS, LEAD, MIGRATE, REMOVE = (
    "beside",
    "replace",
    "start",
    "job",
    "timed",
    "settings",
    "lead",
    "migrate",
    "remove",
)
# The kind of drift that is not ours to mend.
STRANGER = "stranger"
# The reason for a service's first start.
NEW = "new in the project"
# The reasons for its removal.
GONE, ASLEEP = "no longer in the project", "scaled to 0"
WOKEN = "scaled up from 0"


@dataclass(frozen=True, slots=True)
class ImageChange:
    """An image of a service, by short digest; ``old`` is empty when it is new there."""

    service: str
    tag: str
    old: str
    new: str
    via: str
    size: int


@dataclass(frozen=True, slots=True)
class Change:
    """One key of one thing; ``key`` is like ``Environment FOO``. Empty old: added."""

    kind: str
    name: str
    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to a service, in which phase, and because of what."""

    service: str
    what: str
    phase: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PortChange:
    """A port of the host that is opened or closed; ``address`` empty: on all."""

    what: str
    address: str
    port: int
    protocol: str
    service: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Something on the host that the running release does not say."""

    subject: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unenforced:
    """A limit of the compose file that the host does not hold a service to."""

    service: str
    limit: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole difference; ``actions`` are in the order in which they happen.

    ``release`` and ``running`` are digests (``running`` empty: nothing runs yet); ``added`` and
    ``removed`` are pairs (kind, name); ``files`` are companion files that the host gets.
    """

    instance: str
    environment: str
    release: str
    running: str
    version: str
    running_version: str
    images: tuple[ImageChange, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    changes: tuple[Change, ...] = ()
    actions: tuple[Action, ...] = ()
    files: tuple[str, ...] = ()
    ports: tuple[PortChange, ...] = ()
    drift: tuple[Drift, ...] = ()
    unenforced: tuple[Unenforced, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether a deployment would touch nothing: no difference, and nothing to mend."""
        return not (self.added or self.removed or self.changes or self.actions or self.mended)

    @property
    def mended(self) -> tuple[Drift, ...]:
        """The drift that a deployment mends."""
        return tuple(item for item in self.drift if item.kind != STRANGER)

    @property
    def strangers(self) -> tuple[Drift, ...]:
        """What is somebody else's, though it bears a name like ours."""
        return tuple(item for item in self.drift if item.kind == STRANGER)

    def as_dict(self) -> dict[str, Any]:
        """The ``data`` of a ``tidegate/plan/1`` object."""
        value = _plain(self)
        for name in ("added", "removed"):
            value[name] = [{"kind": kind, "name": item} for kind, item in getattr(self, name)]
        return {**value, "empty": self.empty, "digest": self.digest}

    @property
    def digest(self) -> str:
        """What an approval is bound to: all but ports, the text of drift, and limits not enforced.

        Published ports and limits are in the release's own digest, to which an approval is bound
        as well.
        """
        value = _plain(self)
        del value["ports"], value["unenforced"]
        value["drift"] = [[item.subject, item.kind] for item in self.drift]
        return digest(value)


def _plain(item: Any) -> dict[str, Any]:
    """A value of this module as JSON has it: ``asdict`` copies every word of it."""
    found = {}
    for name in item.__slots__:
        value = getattr(item, name)
        if isinstance(value, tuple) and value and not isinstance(value[0], str | tuple):
            value = [_plain(part) for part in value]
        found[name] = value
    return found
