"""What is found out of two things is found out once, on however many hosts the two are. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """``work(old, new)``, remembered for each pair of objects by their identity.

    The objects are kept, so no other one ever has the identity of one that is known here.
    Nobody may change them meanwhile.
    """

    def __init__(self, work: Callable[[Any, Any], T]) -> None:
        self._work = work
        self._known: dict[tuple[int, int], tuple[T, Any, Any]] = {}

    def __call__(self, old: Any, new: Any) -> T:
        known = self._known.get((id(old), id(new)))
        if known is None:
            known = self._known[id(old), id(new)] = (self._work(old, new), old, new)
        return known[0]
