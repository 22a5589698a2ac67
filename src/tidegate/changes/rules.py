"""Rules say which file is whose; an index by folder finds those that a path can meet.

A path asks only for the rules of its own folders, from the deepest up, so ten thousand paths
cost milliseconds. A submodule is all of its files: it meets every rule below it, too. Rules are
values, and become functions where a path first meets them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tidegate.changes.model import Target
from tidegate.images import ignore, selection
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Test = Callable[[str], bool]
NOBODY: Mapping[Target, str] = {}
TAKEN, IGNORED, UNWATCHED, COMPANION, SAYS = "taken", "ignored", "unwatched", "companion", "says"
NO_COMPANION = r"\.(md|rst|gitignore|gitkeep)$|(^|/)(skipped-|example\.|LICENSE)"


class Check(Row):
    """A question about a path, seen from ``folder``.

    Is it taken by the pattern ``text``; left out by that .dockerignore; outside of those watched
    patterns; nothing that a service could read; not one of the files of which only what they
    say counts?
    """

    kind: str
    text: str = ""
    folder: str = ""


class Rule(Row):
    """A path below the rule's place is ``target``'s if ``test`` holds and ``ignored`` does not.

    ``weak`` rules count only for a path that no other rule wants.
    """

    target: Target
    text: str
    test: Check | None = None
    ignored: Check | None = None
    ignored_by: str = ""
    weak: bool = False


class _Ready(Row):
    """A rule with functions."""

    target: Target
    text: str
    test: Test | None
    ignored: Test | None
    ignored_by: str
    weak: bool


class Rules:
    """All rules of a project, and what to say of paths that none of them wants.

    ``compared`` are files of which only what they say counts.
    """

    def __init__(self, compared: frozenset[str] = frozenset()) -> None:
        self._compared = compared
        self._at: dict[str, list[Rule]] = {}
        self._nearly: dict[str, str] = {}
        self._tests: dict[Check, Test] = {}
        self._of_folder: dict[str, tuple[_Ready, ...]] = {}
        self._whose: dict[str, tuple[dict[Target, str], Test | None] | None] = {}

    def plain(self) -> Any:
        """These rules as plain values."""
        at = {place: [_plain(rule) for rule in rules] for place, rules in self._at.items()}
        return sorted(self._compared), at, dict(self._nearly)

    @classmethod
    def restored(cls, kept: Any) -> Rules:
        """The rules that ``plain`` made this of; each is a tuple still, as good as a ``Rule``."""
        compared, at, nearly = kept
        found = cls(frozenset(compared))
        found._at, found._nearly = at, nearly
        return found

    def add(self, place: str, rule: Rule) -> None:
        """A rule for a file or for all that is below a folder; "" is everything."""
        self._of_folder.clear()
        self._whose.clear()
        self._at.setdefault(place, []).append(rule)

    def explain(self, folder: str, why: str) -> None:
        """Why a path below a folder may be nobody's."""
        self._nearly.setdefault(folder, why)

    def meet_all(self, folder: str, paths: Sequence[str]) -> list[Mapping[Target, str]]:
        """``meet`` for files of a folder; those that have all rules in common share one answer."""
        alike = self._alike(folder)
        if alike is None:
            return list(map(self.meet, paths))
        whose, unwanted = alike
        found: list[Mapping[Target, str]] = [whose] * len(paths)
        if unwanted is not None:
            found = [NOBODY if unwanted(path) else whose for path in paths]
        for path in self._at.keys() & paths:
            found[paths.index(path)] = self.meet(path)
        return found

    def meet(self, path: str, *, submodule: bool = False) -> Mapping[Target, str]:
        """Whose a path is, and by which rule; the nearest rule of each target."""
        found: dict[Target, str] = {}
        weak: dict[Target, str] = {}
        for target, text in self._below(path) if submodule else ():
            found.setdefault(target, f"{text} (in the submodule)")
        for target, text, test, ignored, _, is_weak in self._above(path):
            if target in found or (test is not None and not test(path)):
                continue
            if ignored is None or not ignored(path):
                (weak if is_weak else found).setdefault(target, text)
        return found or weak

    def why_nobody(self, path: str) -> str:
        """What kept a path that is nobody's from being somebody's; "" where nothing is near."""
        alike = self._alike(path.rpartition("/")[0]) if path not in self._at else None
        if alike is not None and alike[0]:
            return f"{self._above(path)[0].ignored_by} leaves it out"
        for rule in self._above(path):
            tested = rule.test is None or rule.test(path)
            if tested and rule.ignored is not None and rule.ignored(path):
                return f"{rule.ignored_by} leaves it out"
        place = path
        while place:
            if place in self._nearly:
                return self._nearly[place]
            place = place.rpartition("/")[0]
        return ""

    def _above(self, path: str) -> tuple[_Ready, ...]:
        """The rules that a path can meet, the nearest first; those of its folder are kept."""
        folder = path.rpartition("/")[0]
        above = self._of_folder.get(folder)
        if above is None:
            above = () if folder == path else self._above(folder)
            self._of_folder[folder] = above
        own = self._at.get(path)
        return (*self._ready(own), *above) if own else above

    def _ready(self, rules: Iterable[Rule]) -> Iterator[_Ready]:
        for target, text, test, ignored, ignored_by, weak in rules:
            yield _Ready(
                Target._make(target),
                text,
                self._test(test) if test else None,
                self._test(ignored) if ignored else None,
                ignored_by,
                weak,
            )

    def _test(self, check: Check) -> Test:
        """The function of a check, the same for equal ones."""
        found = self._tests.get(check)
        if found is None:
            found = self._tests[check] = _function(Check._make(check), self._compared)
        return found

    def _alike(self, folder: str) -> tuple[dict[Target, str], Test | None] | None:
        """What all files of a folder have in common, but for one test that leaves some out.

        None where each has to be looked at by itself.
        """
        if folder not in self._whose:
            rules = self._above(f"{folder}/")
            tests = {id(rule.ignored): rule.ignored for rule in rules}
            plain = not any(rule.test or rule.weak for rule in rules) and len(tests) <= 1
            whose: dict[Target, str] = {}
            for rule in rules:
                whose.setdefault(rule.target, rule.text)
            self._whose[folder] = (whose, next(iter(tests.values()), None)) if plain else None
        return self._whose[folder]

    def _below(self, path: str) -> Iterator[tuple[Target, str]]:
        for place, rules in self._at.items():
            if place.startswith(f"{path}/"):
                yield from ((Target._make(rule[0]), rule[1]) for rule in rules)


def _plain(rule: Rule) -> Any:
    target, text, test, ignored, ignored_by, weak = rule
    checks = (one and tuple(one) for one in (test, ignored))
    return (tuple(target), text, *checks, ignored_by, weak)


def _function(check: Check, compared: frozenset[str]) -> Test:
    """What a check asks, of paths from the repository's top."""
    if check.kind == SAYS:
        return lambda path: path not in compared
    if check.kind == COMPANION:
        return lambda path: re.search(NO_COMPANION, path) is not None
    if check.kind == UNWATCHED:
        wanted = ignore.matcher(check.text)
        return lambda path: not wanted(path)
    test = selection.matcher(check.text) if check.kind == TAKEN else ignore.matcher(check.text)
    skip = len(check.folder) + 1 if check.folder else 0
    return (lambda path: test(path[skip:])) if skip else test
