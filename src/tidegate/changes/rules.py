"""Rules say which file is whose; an index by folder finds those that a path can meet.

A path asks only for the rules of its own folders, from the deepest up, so ten thousand paths
cost milliseconds. A submodule is all of its files: it meets every rule below it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tidegate.changes.model import Target
from tidegate.shapes import Row

Test = Callable[[str], bool]
NOBODY: Mapping[Target, str] = {}


class Rule(Row):
    """A path below the rule's place is ``target``'s if ``test`` holds and ``ignored`` does not.

    ``weak`` rules count only for a path that no other rule wants.
    """

    target: Target
    text: str
    test: Test | None = None
    ignored: Test | None = None
    ignored_by: str = ""
    weak: bool = False


class Rules:
    """All rules of a project, and what to say of paths that none of them wants."""

    def __init__(self) -> None:
        self._at: dict[str, list[Rule]] = {}
        self._nearly: dict[str, str] = {}
        self._of_folder: dict[str, tuple[Rule, ...]] = {}
        self._whose: dict[str, tuple[dict[Target, str], Test | None] | None] = {}

    def add(self, place: str, rule: Rule) -> None:
        """A rule for a file or for all that is below a folder; "" is everything."""
        self._of_folder.clear()
        self._whose.clear()
        self._at.setdefault(place, []).append(rule)

    def explain(self, folder: str, why: str) -> None:
        """Why a path below a folder may be nobody's."""
        self._nearly.setdefault(folder, why)

    def meet_in(self, folder: str) -> Callable[[str], Mapping[Target, str]]:
        """``meet`` for files of a folder; those that have all rules in common share one answer."""
        alike = self._alike(folder)
        if alike is None:
            return self.meet
        whose, unwanted = alike

        def meet(path: str) -> Mapping[Target, str]:
            if path in self._at:
                return self.meet(path)
            return NOBODY if unwanted is not None and unwanted(path) else whose

        return meet

    def meet(self, path: str, *, submodule: bool = False) -> Mapping[Target, str]:
        """Whose a path is, and by which rule; the nearest rule of each target."""
        found: dict[Target, str] = {}
        weak: dict[Target, str] = {}
        for rule in self._below(path) if submodule else ():
            found.setdefault(rule.target, f"{rule.text} (in the submodule)")
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

    def _above(self, path: str) -> tuple[Rule, ...]:
        """The rules that a path can meet, the nearest first; those of its folder are kept."""
        folder = path.rpartition("/")[0]
        above = self._of_folder.get(folder)
        if above is None:
            above = () if folder == path else self._above(folder)
            self._of_folder[folder] = above
        own = self._at.get(path)
        return (*own, *above) if own else above

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

    def _below(self, path: str) -> Iterator[Rule]:
        for place, rules in self._at.items():
            if place.startswith(f"{path}/"):
                yield from rules
