"""What tidegate.yaml says, as values: the project, its services' settings, its environments.

Times are seconds (names end in ``_s``), rates are shares of 1. ``places`` knows the file, line
and column of every key, so that any later stage can name the user's own line in an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.errors import Where
from tidegate.model.layout import Layout
from tidegate.shapes import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Path = tuple[str | int, ...]


@record(frozen=True, slots=True)
class Migration:
    """How a service's database follows its code; ``kind`` is expand or contract."""

    command: tuple[str, ...]
    check: tuple[str, ...] = ()
    kind: str = "expand"
    timeout_s: float = 300.0


@record(frozen=True, slots=True)
class Seed:
    """What fills a service's database with data to try it with, when a person says so."""

    command: tuple[str, ...]
    timeout_s: float = 300.0


@record(frozen=True, slots=True)
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
    migrate: tuple[Migration, ...] = ()
    seed: Seed | None = None
    schedule: str = ""
    where: Where | None = field(default=None, compare=False)


@record(frozen=True, slots=True)
class Step:
    """What is run before images are built: ``run`` in ``directory``, patterns from the root.

    It makes ``outputs`` from ``inputs``; without inputs from all that is in its directory.
    """

    name: str
    run: tuple[str, ...]
    directory: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    timeout_s: float = 1800.0
    where: Where | None = field(default=None, compare=False)


@record(frozen=True, slots=True)
class Application:
    """What is built into an image, or delivered into another service (``into``, ``at``).

    ``steps`` are names of what is run before.
    """

    name: str
    context: str = ""
    dockerfile: str = ""
    watch: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    into: str = ""
    at: str = ""
    steps: tuple[str, ...] = ()
    where: Where | None = field(default=None, compare=False)


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class Gate:
    """What must hold before a deployment; ``kind`` names it, ``settings`` are its own."""

    kind: str
    settings: Mapping[str, Any]
    where: Where | None = field(default=None, compare=False)


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class Policy:
    """What must be true of images before they run."""

    own_images: str = ""
    third_party_images: str = "pinned"
    block: str = ""


@record(frozen=True, slots=True)
class Notification:
    """Who hears of what; ``to`` still holds its variables."""

    to: str
    on: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Config:
    """A whole tidegate.yaml; ``root`` is its directory, against which its paths are read.

    ``layout`` is that of applications/ and services/ where there is no compose file at the root.
    """

    file: str
    root: str
    project: str
    compose: tuple[str, ...]
    environments: Mapping[str, Environment]
    services: Mapping[str, ServiceSettings] = field(default_factory=dict)
    applications: Mapping[str, Application] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    policy: Policy = Policy()
    notify: tuple[Notification, ...] = ()
    layout: Layout = field(default_factory=Layout)
    places: Mapping[Path, Where] = field(default_factory=dict, compare=False, repr=False)

    @property
    def compose_files(self) -> tuple[str, ...]:
        """Every compose file that makes the project, by name or by the layout."""
        return self.compose or self.layout.files

    def where(self, *path: str | int) -> Where:
        """The place of the nearest known key on the way to ``path``."""
        for end in range(len(path), -1, -1):
            found = self.places.get(path[:end])
            if found is not None:
                return found
        return Where(self.file)
