"""The approval rules of an environment as its releases carry them to the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tidegate.model.config import Gate


def policy(
    people: Mapping[str, str], gates: Iterable[Gate], made_by: Sequence[str]
) -> dict[str, Any]:
    """``people``, ``approval`` and ``made_by`` of a release; empty without an approval gate."""
    rules: list[dict[str, Any]] = [
        {
            "by": sorted(gate.settings.get("by") or people),
            "count": int(gate.settings.get("count", 1)),
        }
        for gate in gates
        if gate.kind == "approval"
    ]
    if not rules:
        return {}
    named = sorted({name for rule in rules for name in rule["by"]})
    lines = {name: people[name] for name in named}
    return {"people": lines, "approval": rules, "made_by": sorted(set(made_by))}
