"""One unit being written: its lines, and for each compose key what became of it.

Nothing is dropped silently: every renderer says through a sheet what it did with a path, and
``uncovered`` finds the paths of which nobody said anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tidegate.errors import InputError, Where
from tidegate.targets.quadlet import escape
from tidegate.targets.quadlet.keys import SECTIONS

Path = tuple[str | int, ...]

NATIVE, PODMAN_ARGS, UNIT, DEPLOYER, UNSUPPORTED = (
    "native",
    "podman-args",
    "unit",
    "deployer",
    "unsupported",
)

# Maps whose keys the user chose: one entry for all of the map (CONFIG.md, export's report).
CHOSEN_KEYS = frozenset(
    {"environment", "labels", "annotations", "sysctls", "ulimits", "extra_hosts", "driver_opts"}
    | {"options", "args", "aux_addresses", "storage_opt", "additional_contexts"}
)
# Names of networks, volumes, aliases, interfaces; addresses; paths of secrets.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
ADDRESS = re.compile(r"[0-9A-Fa-f.:]+")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
PATH = re.compile(r"[A-Za-z0-9_./@+-]+")
CHOSEN_ENDS = frozenset((name,) for name in CHOSEN_KEYS)


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one compose path: ``to`` is the key or option, None for a default."""

    path: Path
    class_: str
    to: str | None = None
    reason: str = ""


@dataclass(slots=True)
class Sheet:
    """Collects one unit; ``path`` is where it stands in the project, ``main`` its section.

    ``strict`` makes an inexpressible key an ``InputError`` (a deployment); without it the key
    becomes an entry of class ``unsupported`` (an export, which reports).
    """

    path: Path
    main: str
    where: Callable[[Path], Where]
    strict: bool = True
    lines: dict[str, list[list[str]]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def key(self, at: Path, key: str, *values: str, reason: str = "") -> None:
        """``key=value`` in the unit's own section, once per value, each received unchanged."""
        kind, option = SECTIONS[self.main][key]
        to = [self._line(at, key, kind, option, value) for value in values] or [key]
        class_ = NATIVE if key in to else PODMAN_ARGS
        self.entries.append(Entry(self.path + at, class_, ",".join(dict.fromkeys(to)), reason))

    def _line(self, at: Path, key: str, kind: str, option: str, value: str) -> str:
        text = self._expressed(at, lambda: escape.plain(value, kind))
        if text is not None:
            self.raw(self.main, key, text)
            return key
        if not option:
            self.refuse(at, f"the value {value!r} cannot be written in {key}=")
        self.raw(self.main, "PodmanArgs", escape.word(f"{option}={value}"))
        return option

    def key_words(self, at: Path, key: str, argv: list[str]) -> None:
        """A key whose one line is a whole command line."""
        self.raw(self.main, key, self._expressed(at, lambda: escape.words(argv)) or "")
        self.entries.append(Entry(self.path + at, NATIVE, key))

    def option(self, at: Path, option: str, *values: str, reason: str = "") -> None:
        """A podman option that has no key: ``PodmanArgs="--option=value"``, or a bare flag."""
        for text in [f"{option}={value}" for value in values] or [option]:
            written = self._expressed(at, lambda text=text: escape.word(text))  # type: ignore[misc]
            self.raw(self.main, "PodmanArgs", written or "")
        self.entries.append(Entry(self.path + at, PODMAN_ARGS, option, reason))

    def command(self, at: Path, section: str, key: str, argv: list[str], reason: str = "") -> None:
        """A command line in any section."""
        text = self._expressed(at, lambda: escape.words(argv))
        self.raw(section, key, text or "")
        self.entries.append(Entry(self.path + at, UNIT, key, reason))

    def unit(self, at: Path, section: str, key: str, value: str, reason: str = "") -> None:
        """A key of [Unit] or [Service] that is no command line."""
        text = self._expressed(at, lambda: escape.percent(value))
        self.raw(section, key, text or "")
        self.entries.append(Entry(self.path + at, UNIT, key, reason))

    def raw(self, section: str, key: str, text: str) -> None:
        """A line that is already escaped and belongs to no compose key."""
        self.lines.setdefault(section, []).append([key, text])

    def deployed(self, at: Path, reason: str) -> None:
        """Carried out at deployment, not by a line of this unit."""
        self.entries.append(Entry(self.path + at, DEPLOYER, None, reason))

    def default(self, at: Path, reason: str = "this is what happens without it") -> None:
        """Needs no key: the default does the same."""
        self.entries.append(Entry(self.path + at, NATIVE, None, reason))

    def also(self, at: Path, class_: str, to: str, reason: str = "") -> None:
        """This path is carried by a line that another path has written."""
        self.entries.append(Entry(self.path + at, class_, to, reason))

    def harmless(self, at: Path, reason: str) -> None:
        """Not carried out, and without effect on one engine either: no reason to refuse."""
        self.entries.append(Entry(self.path + at, UNSUPPORTED, None, reason))

    def ignored(self, at: Path, reason: str) -> None:
        """Says nothing to a container: it is for whoever loads, develops or deploys."""
        self.entries.append(Entry(self.path + at, DEPLOYER, None, reason))

    def unsupported(self, at: Path, reason: str, hint: str = "") -> None:
        """Cannot be carried out: an ``InputError`` in a deployment, an entry in an export."""
        if self.strict:
            self.refuse(at, reason, hint)
        self.entries.append(Entry(self.path + at, UNSUPPORTED, None, reason))

    def named(self, at: Path, text: str, allowed: re.Pattern[str] = NAME) -> str:
        """``text``, which a host writes into a unit as it is: no character may mean anything.

        In an export the caller must leave it out where it is not ``writable``.
        """
        if not self.writable(text, allowed):
            reason = f"{text!r} cannot be written in a unit"
            self.unsupported(at, reason, "use letters, digits, . _ -")
        return text

    @staticmethod
    def writable(text: str, allowed: re.Pattern[str] = NAME) -> bool:
        """Whether no character of ``text`` means anything in a unit."""
        return bool(allowed.fullmatch(text))

    def number(self, at: Path, text: str) -> int:
        """The whole number that ``text`` is; compose takes any text there, podman does not."""
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            self.refuse(at, f"{text!r} is not a whole number")
        return int(text)

    def refuse(self, at: Path, reason: str, hint: str = "") -> NoReturn:
        """Raise the ``InputError`` that names this key."""
        raise InputError(
            f"{shown(self.path + at)}: {reason}",
            code="compose-key-unsupported",
            where=self.where(self.path + at),
            hint=hint or "remove the key, or say what you need with other keys",
        )

    def _expressed(self, at: Path, write: Callable[[], str | None]) -> str | None:
        try:
            return write()
        except escape.InexpressibleError as problem:
            self.refuse(at, f"the value {problem}")


def shown(path: Path) -> str:
    """A path as people and reports write it: ``services.web.ports[0].published``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.fullmatch(part):
            text += f".{part}" if text else part
        else:
            quoted = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def leaves(value: Any, path: Path) -> Iterator[Path]:
    """The paths of which something must be said: plain values, lists of them, chosen maps."""
    if isinstance(value, dict) and value and path[-1:] not in CHOSEN_ENDS:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def uncovered(value: Any, path: Path, entries: list[Entry]) -> Iterator[Path]:
    """The leaves below ``path`` that no entry names."""
    known = {entry.path for entry in entries}
    return (leaf for leaf in leaves(value, path) if leaf not in known)
