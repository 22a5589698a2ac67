"""``gates:`` of an environment: what must hold before a release goes there. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.compose.nodes import Node, fail, where
from tidegate.config import fields, times
from tidegate.config.fields import Key, Table, required, section
from tidegate.model.config import Gate

GATES: Mapping[str, Table] = {
    "approval": {
        "by": Key(fields.text_or_texts, "people", "who may approve; all of `people`"),
        "count": Key(fields.whole(1, 100), "number", "how many of them must; `1`"),
    },
    "soak": {
        "in": Key(fields.text, "environment", "where the release must have run"),
        "for": Key(fields.duration, "duration", "how long"),
    },
    "window": {
        "days": Key(times.days, "`mon-fri`, or a list of days", "on which days; all"),
        "from": Key(times.clock, "`09:00`", "when it opens; `00:00`"),
        "to": Key(times.clock, "`17:00`", "when it closes, the next day if earlier; `24:00`"),
        "timezone": Key(times.zone_name, "`Europe/Berlin`", "whose hours; `UTC`"),
    },
    "check": {
        "command": Key(
            fields.texts,
            "list of words",
            "is run beside this file, here; must end with 0",
        ),
        "timeout": Key(fields.duration, "duration", "how long it may take; `1m`"),
    },
}
NEEDED: Mapping[str, tuple[str, ...]] = {"soak": ("in", "for"), "check": ("command",)}


def gates(node: Node) -> tuple[Gate, ...]:
    """``gates:``, a list of mappings of one key each."""
    return tuple(gate(item) for item in fields.items(node))


def gate(node: Node) -> Gate:
    """One gate: its kind and its settings."""
    kinds = {kind: Key(lambda inner: inner, "", "") for kind in GATES}
    found = section(node, "a gate", kinds)
    if len(found) != 1:
        hint = f"write - before each one; there are {', '.join(GATES)}"
        fail("a gate is a mapping of one key", node, code=fields.CODE_TYPE, hint=hint)
    [(kind, inner)] = found.items()
    settings = section(inner, kind, GATES[kind])
    required(inner, kind, settings, *NEEDED.get(kind, ()))
    if kind == "check" and not settings["command"]:
        fail("a check needs a command", inner, code=fields.CODE_VALUE, hint=fields.COMMAND)
    if kind == "window":
        settings = times.window(inner, settings)
    return Gate(kind, settings, where=where(node.at))
