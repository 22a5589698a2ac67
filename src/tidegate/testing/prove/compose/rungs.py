"""The rungs of the ladder: what passed of how many, and what did not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KEPT = 200


@dataclass(slots=True)
class Rung:
    """One rung; a subject that failed here may have many lines, and failed once."""

    title: str
    tried: set[str] = field(default_factory=set)
    failed: dict[str, list[str]] = field(default_factory=dict)

    def judge(self, subject: str, faults: Iterable[str]) -> bool:
        """Note what is wrong with a subject; whether nothing is."""
        self.tried.add(subject)
        lines = [" ".join(line.split())[:KEPT] for line in faults]
        if lines:
            self.failed.setdefault(subject, []).extend(lines)
        return not lines

    @property
    def figures(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "rung": self.title,
            "passed": len(self.tried) - len(self.failed),
            "of": len(self.tried),
        }

    @property
    def violations(self) -> list[str]:
        """A line for each fault."""
        return [f"{self.title}: {name}: {line}" for name, ls in self.failed.items() for line in ls]
