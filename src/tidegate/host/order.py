"""What waits for what, as a list. Pure."""

from __future__ import annotations

from typing import Iterable, Iterator, List, Mapping, Set, Tuple


def dependencies_first(waits: Mapping[str, Iterable[str]]) -> List[str]:
    """The names of `waits`, each after those that it waits for, else by name.

    What is waited for and is no name of `waits` is left out. A chain may be of any length.
    """
    result: List[str] = []
    seen: Set[str] = set()
    path: List[Tuple[str, Iterator[str]]] = []

    def enter(name: str) -> None:
        seen.add(name)
        path.append((name, iter(sorted(waits[name]))))

    for first in sorted(waits):
        if first not in seen:
            if not waits[first]:  # most of a host's services run elsewhere, and wait for nothing
                seen.add(first)
                result.append(first)
                continue
            enter(first)
        while path:
            following = next((o for o in path[-1][1] if o in waits and o not in seen), None)
            if following is None:
                result.append(path.pop()[0])
            else:
                enter(following)
    return result
