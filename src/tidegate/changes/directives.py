"""What a commit's message orders: ``[skip-build]``, ``[force-build]``, ``[release-only]`` and
``[deploy-services: a, b]``, in upper or lower case.

The newest commit of a range speaks for all of it: an order to do less that an earlier commit
gave must not hide what came after it. ``[force-build]`` of an earlier one counts, too, unless
the newest has an order of its own: it can only do more.

Text in backticks, quoted lines (``>``) and the subject that a revert repeats are mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tidegate.errors import InputError, Where
from tidegate.repo.commits import Commit
from tidegate.shapes import Row, field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

SKIP, FORCE, RELEASE, DEPLOY = "skip-build", "force-build", "release-only", "deploy-services"
NAMES = (SKIP, FORCE, RELEASE, DEPLOY)
# Orders to other systems that begin as ours do.
FOREIGN = frozenset({"skip-ci", "skip-cd", "skip-actions", "skip-checks"})
CONTRADICTIONS = ((SKIP, FORCE), (SKIP, RELEASE), (SKIP, DEPLOY), (FORCE, RELEASE))
HINT = "there are [skip-build], [force-build], [release-only] and [deploy-services: a, b]"
ALIKE = 0.84
SHORT = 12

_BRACKETS = r"(?<![\w\]])\[([^\[\]\n]+)\](?![(\[:])"
_CODE = r"`[^`\n]*`"
_REPEATED = r'(Revert|Reapply|fixup!|squash!) ".*"'
_WORDS = r"[\s_-]+"


@record(frozen=True, slots=True)
class Directive:
    """One order: the services that it names, and where it stands in which message."""

    name: str
    services: tuple[str, ...] = ()
    commit: str = ""
    where: Where | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"[{self.name}: {', '.join(self.services)}]" if self.services else f"[{self.name}]"


class Orders(Row):
    """The orders that count, and those of earlier commits that do not."""

    heeded: tuple[Directive, ...] = ()
    unheeded: tuple[Directive, ...] = ()

    def get(self, name: str) -> Directive | None:
        """The order of that name, if it counts."""
        return next((one for one in self.heeded if one.name == name), None)


def orders(commits: Sequence[Commit]) -> Orders:
    """What the commits of a range order, the newest first; ``InputError`` for what is unclear."""
    if not commits:
        return Orders()
    newest = directives(commits[0])
    _check(newest)
    earlier = [one for commit in commits[1:] if "[" in commit.message for one in _mild(commit)]
    force = next((one for one in earlier if one.name == FORCE), None)
    if force is not None and not newest:
        newest = [force]
        earlier = [one for one in earlier if one.name != FORCE]
    return Orders(tuple(newest), tuple(earlier))


def directives(commit: Commit) -> list[Directive]:
    """The orders in one message; one that is nearly one of ours is an ``InputError``."""
    found: dict[Directive, None] = {}
    for number, column, text in _bracketed(commit.message):
        place = Where(f"commit {commit.oid[:SHORT]}", number, column)
        name, colon, values = text.partition(":")
        name = name.strip().lower()
        if name in NAMES:
            services = tuple(v.strip() for v in values.split(",") if v.strip())
            _check_values(name, colon, services, text, place)
            found.setdefault(Directive(name, services, commit.oid, place))
        elif meant := _meant(name, first=(number, column) == (1, 1)):
            _refuse(f"[{text}] is no directive", place, f"did you mean {meant}? {HINT}")
    return list(found)


def _mild(commit: Commit) -> list[Directive]:
    """The orders of an earlier commit, whose mistakes harm nobody any more."""
    try:
        return directives(commit)
    except InputError:
        return []


def _bracketed(message: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and content of what stands in brackets, but for mentions."""
    fenced = False
    for number, line in enumerate(message.split("\n"), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced or "[" not in line or line.lstrip().startswith(">"):
            continue
        if number == 1:
            line = re.sub(_REPEATED, lambda found: " " * len(found[0]), line)
        line = re.sub(_CODE, lambda found: " " * len(found[0]), line)
        for found in re.finditer(_BRACKETS, line):
            yield number, found.start() + 1, found[1].strip()


def _meant(name: str, *, first: bool) -> str:
    """The directive that somebody seems to have meant, or "" for an ordinary word in brackets.

    ``[release-notes] …`` at the beginning of a subject is its topic.
    """
    joined = re.sub(_WORDS, "-", name)
    if joined in FOREIGN:
        return ""
    from difflib import get_close_matches

    close = get_close_matches(joined, NAMES, n=1, cutoff=ALIKE)
    if close:
        return f"[{close[0]}]"
    verbs = {"skip-": SKIP, "force-": FORCE}
    if not first:
        verbs |= {"release-": RELEASE, "deploy-": DEPLOY, "build-": FORCE}
    return next((f"[{known}]" for verb, known in verbs.items() if name.startswith(verb)), "")


def _check_values(
    name: str, colon: str, services: tuple[str, ...], text: str, place: Where
) -> None:
    if name == DEPLOY and not services:
        _refuse(f"[{text}] names no service", place, "write [deploy-services: web, worker]")
    if name != DEPLOY and colon:
        _refuse(f"[{text}] takes no value", place, f"write [{name}]")


def _check(found: Sequence[Directive]) -> None:
    """Refuse orders of one message that cannot both be carried out."""
    first: dict[str, Directive] = {}
    for one in found:
        other = first.setdefault(one.name, one)
        if set(other.services) != set(one.services):
            _contradiction(other, one)
    for left, right in CONTRADICTIONS:
        if left in first and right in first:
            _contradiction(first[left], first[right])


def _contradiction(one: Directive, other: Directive) -> NoReturn:
    line = one.where.line if one.where else 0
    assert other.where is not None
    _refuse(
        f"{other} contradicts {one} of line {line}", other.where, "leave one of them in the message"
    )


def _refuse(message: str, place: Where, hint: str) -> NoReturn:
    raise InputError(
        f"{message} ({place.file}, line {place.line})", code="directive", where=place,
        hint=f"{hint}; git commit --amend, or a new commit",
    )  # fmt: skip
