"""``migrate:`` and ``seed:`` of a service: commands that run once, in its own image. Pure.

They are written as the compose file's ``command:`` is: the image's entry point stays.
"""

from __future__ import annotations

from tidegate.compose.nodes import Node, fail
from tidegate.config import fields
from tidegate.config.fields import Key, Table, required, section
from tidegate.model.config import Migration, Seed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MIGRATE: Table = {
    "command": Key(fields.words, "list of words", "in place of the service's `command`"),
    "check": Key(fields.words, "list of words", "ends with 0 where nothing is to be done"),
    "kind": Key(
        fields.choice("expand", "contract"),
        "`expand` or `contract`",
        "before the switch (the old code still works), or after the commit; `expand`",
    ),
    "timeout": Key(fields.duration, "duration", "how long it may take; `5m`"),
}
SEED: Table = {
    "command": Key(fields.words, "list of words", "in place of the service's `command`"),
    "timeout": Key(fields.duration, "duration", "how long it may take; `5m`"),
}


def migrate(node: Node) -> tuple[Migration, ...]:
    """``migrate:`` of a service: one, or a list with one of each kind."""
    nodes = fields.items(node) if isinstance(node.value, list) else [node]
    found = [Migration(**timed(each, "migrate", MIGRATE)) for each in nodes]
    kinds = [each.kind for each in found]
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            hint = "one command may run several migrations"
            fail(f"two migrations are {kind}", nodes[index], code=fields.CODE_VALUE, hint=hint)
    return tuple(found)


def seed(node: Node) -> Seed:
    """``seed:`` of a service."""
    return Seed(**timed(node, "seed", SEED))


def timed(node: Node, what: str, keys: Table) -> dict[str, Any]:
    """A command with its timeout, in seconds."""
    values = section(node, what, keys)
    required(node, what, values, "command")
    if "timeout" in values:
        values["timeout_s"] = values.pop("timeout")
    return values
