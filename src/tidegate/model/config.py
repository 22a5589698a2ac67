"""What tidegate.yaml says, as values: the project, its services' settings, its environments.

Times are seconds (names end in ``_s``), rates are shares of 1. ``places`` knows the file, line
and column of every key, so that any later stage can name the user's own line in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.errors import Where

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """How a service's database follows its code; ``kind`` is expand or contract."""

    command: tuple[str, ...]
    check: tuple[str, ...] = ()
    kind: str = "expand"
    timeout_s: float = 300.0


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What a compose file cannot say of a service; an empty value means: not said.

    ``strategy`` is blue-green, recreate or job; ``route`` still holds its variables.
    """

    name: str
    route: str = ""
    port: int = 0
    health: str = ""
    strategy: str = ""
    on: tuple[str, ...] = ()
    stateful: bool = False
    migrate: Migration | None = None
    schedule: str = ""
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Application:
    """What is built into an image, or delivered into another service (``into``, ``at``)."""

    name: str
    context: str = ""
    dockerfile: str = ""
    watch: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    into: str = ""
    at: str = ""
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Host:
    """A server: ``ssh`` is how the controller reaches it, ``address`` how other hosts do."""

    name: str
    ssh: str
    address: str = ""
    roles: tuple[str, ...] = ()
    witness: bool = False
    port: int = 0
    where: Where | None = field(default=None, compare=False)

    @property
    def destination(self) -> str:
        """What the OpenSSH client takes: ``user@host``, or ``ssh://user@host:port``."""
        return f"ssh://{self.ssh}:{self.port}" if self.port else self.ssh


@dataclass(frozen=True, slots=True)
class Switch:
    """How traffic moves to a new release and what makes it go back.

    ``batch`` 0 means all hosts at once; ``keep`` counts generations kept on a host.
    """

    batch: int = 0
    watch_s: float = 1.0
    max_error_rate: float = 0.05
    min_requests: int = 20
    drain_s: float = 30.0
    lease_s: float = 15.0
    keep: int = 5


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold before a deployment; ``kind`` names it, ``settings`` are its own."""

    kind: str
    settings: Mapping[str, Any]
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a release runs; environments are promoted in the order of the file.

    ``deploy`` is manual or automatic; ``variables`` win over those of ``env_file``.
    """

    name: str
    hosts: Mapping[str, Host]
    variables: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    secrets: str = ""
    switch: Switch = Switch()
    gates: tuple[Gate, ...] = ()
    verify: tuple[str, ...] = ()
    deploy: str = "manual"
    instance: str = ""  # its name on its hosts, where that is not the usual one
    where: Where | None = field(default=None, compare=False)

    @property
    def witness(self) -> Host:
        """The host that keeps lock, decisions and history: the first, unless one says so."""
        named = [host for host in self.hosts.values() if host.witness]
        return named[0] if named else next(iter(self.hosts.values()))


@dataclass(frozen=True, slots=True)
class Policy:
    """What must be true of images before they run."""

    own_images: str = ""
    third_party_images: str = "pinned"
    block: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """Who hears of what; ``to`` still holds its variables."""

    to: str
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A whole tidegate.yaml; ``root`` is its directory, against which its paths are read."""

    file: str
    root: str
    project: str
    compose: tuple[str, ...]
    environments: Mapping[str, Environment]
    services: Mapping[str, ServiceSettings] = field(default_factory=dict)
    applications: Mapping[str, Application] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    policy: Policy = Policy()
    notify: tuple[Notification, ...] = ()
    places: Mapping[Path, Where] = field(default_factory=dict, compare=False, repr=False)

    def where(self, *path: str | int) -> Where:
        """The place of the nearest known key on the way to ``path``."""
        for end in range(len(path), -1, -1):
            found = self.places.get(path[:end])
            if found is not None:
                return found
        return Where(self.file)
