"""What is asked about, and the answer, as values. Paths are relative to the repository's top."""

from __future__ import annotations

from tidegate.errors import Where
from tidegate.shapes import Row, field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

APPLICATION, TOOL, SERVICE = "application", "tool", "service"
BUILD, DELIVER, REDEPLOY, REMOVE, NOTHING = "build", "deliver", "redeploy", "remove", "nothing"


class Target(Row):
    """An application (also of the kind tool) or a service; ``kind`` is one of these two."""

    kind: str
    name: str


class Because(Row):
    """Why: a rule, and the file that it met; "" where no file is the reason."""

    file: str
    rule: str


class Build(Row):
    """What compose says under ``build``; a context or a named one elsewhere is not in here.

    ``context`` None is a context that is no folder of this repository. ``contexts`` leads from
    names to folders, ``services`` are those whose image it takes; an argument None is unknown.
    """

    context: str | None
    dockerfile: str = ""
    inline: str = ""
    target: str = ""
    arguments: tuple[tuple[str, str | None], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()


class Reference(Row):
    """A file or folder that a service needs besides its image, and how it names it."""

    path: str
    rule: str


@record(slots=True)
class Service:
    """What the compose files say of one service, before variables have values.

    ``parts`` is what each file says of it by key, with what it uses of other sections;
    ``follows`` are services with which it is restarted.
    """

    name: str
    parts: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    folder: str = ""
    image: str = ""
    build: Build | None = None
    references: list[Reference] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    where: Where | None = None

    def definition(self) -> dict[str, list[Any]]:
        """All of it by key, whichever file says it."""
        found: dict[str, list[Any]] = {}
        for part in self.parts.values():
            for key, values in part.items():
                found[key] = [*found.get(key, ()), *values]
        return found


class Image(Row):
    """One thing that is built, or delivered ``into`` a service without an image of its own.

    ``folder`` is its own, ``bases`` are names of images that it is built from, ``definition``
    what compose or tidegate.yaml say of it.
    """

    name: str
    kind: str
    folder: str
    build: Build
    text: str | None = None
    into: str = ""
    at: str = ""
    watch: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    where: Where | None = None


@record(slots=True)
class Item:
    """What becomes of one application or service. ``kept_from`` says what took its action away."""

    name: str
    kind: str
    action: str = NOTHING
    because: list[Because] = field(default_factory=list)
    kept_from: str = ""
