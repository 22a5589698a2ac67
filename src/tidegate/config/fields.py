"""Readers of single YAML values: each takes a node and gives a typed value or an InputError.

Pure. A reader is a function ``Node -> value``; ``section`` reads a mapping by a table of keys,
so that an unknown key is an error which names the nearest right one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tidegate.compose.nodes import Node, fail
from tidegate.config.nearest import nearest
from tidegate.shapes import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

Reader: TypeAlias = "Callable[[Node], Any]"


@record(frozen=True, slots=True)
class Key:
    """A key of a section: its reader, and for the reference its form and its meaning."""

    read: Reader
    form: str
    meaning: str


Table: TypeAlias = Mapping[str, Key]

_DURATION = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT = r"(\d+(?:\.\d+)?)\s*%"
_PLACE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.-]*@)?[A-Za-z0-9\[][A-Za-z0-9_.:%\]-]*")

FILL = "give it a value, or leave the key out"
COMMAND = "write a list of words, as in [./manage, migrate]"
CODE_TYPE, CODE_KEY, CODE_VALUE = "config-type", "config-unknown-key", "config-value"


def section(node: Node, what: str, keys: Table) -> dict[str, Any]:
    """Read a mapping by a table of its keys; a key that is absent is absent from the answer."""
    entries = mapping(node, what)
    for key, value in entries.items():
        if key not in keys:
            close = nearest(key, keys)
            hint = f"did you mean {close}?" if close else f"known are: {', '.join(keys)}"
            fail(f"{what} has no key {key!r}", value.key_at, code=CODE_KEY, hint=hint)
    return {key: keys[key].read(value) for key, value in entries.items()}


def required(node: Node, what: str, values: Mapping[str, Any], *keys: str) -> None:
    """Refuse a mapping that lacks one of ``keys``."""
    for key in keys:
        if key not in values:
            fail(
                f"{what} needs the key {key!r}",
                node.key_at or node.at,
                code="config-missing-key",
                hint=f"add {key}: with its value",
            )


def mapping(node: Node, what: str) -> dict[str, Node]:
    """The entries of a mapping; a key with nothing behind it counts as an empty mapping."""
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        hint = "write its keys with their values, indented below it, as in key: value"
        fail(f"{what} must be a mapping, not {kind(node)}", node, code=CODE_TYPE, hint=hint)
    return node.children()


def kind(node: Node) -> str:
    """What a value is, in the words of YAML."""
    match node.value:
        case None:
            return "empty"
        case bool():
            return f"the truth value {str(node.value).lower()}"
        case int() | float():
            return f"the number {node.value}"
        case str():
            return f"the text {node.value!r}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "a date"


def text(node: Node) -> str:
    """Text that is not empty. A number is not text: quote it."""
    if not isinstance(node.value, str) or not node.value:
        found = "an empty text" if node.value == "" else kind(node)
        hint = f'quote it: "{scalar(node)}"' if isinstance(node.value, int | float) else FILL
        fail(f"text is wanted here, not {found}", node, code=CODE_TYPE, hint=hint)
    return node.value


def scalar(node: Node) -> str:
    """A number or a truth value as people write it."""
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def scalar_text(node: Node) -> str:
    """Text, a number or a truth value, as text: what a variable's value may be."""
    if isinstance(node.value, int | float):
        return scalar(node)
    return node.value if isinstance(node.value, str) and not node.value else text(node)


def texts(node: Node) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item) for item in items(node))


def words(node: Node) -> tuple[str, ...]:
    """A command: a list of texts that is not empty."""
    found = texts(node)
    if not found:
        fail("a command has at least one word", node, code=CODE_VALUE, hint=COMMAND)
    return found


def text_or_texts(node: Node) -> tuple[str, ...]:
    """One text or a list of them."""
    return (text(node),) if isinstance(node.value, str) else texts(node)


def items(node: Node) -> list[Node]:
    """The entries of a list."""
    if not isinstance(node.value, list):
        hint = f"write [{node.value}]" if isinstance(node.value, str) else "write - before each one"
        fail(f"a list is wanted here, not {kind(node)}", node, code=CODE_TYPE, hint=hint)
    return node.items()


def truth(node: Node) -> bool:
    """true or false."""
    if not isinstance(node.value, bool):
        hint = "write true or false, without quotes"
        fail(f"true or false is wanted here, not {kind(node)}", node, code=CODE_TYPE, hint=hint)
    return node.value


def whole(lowest: int, highest: int) -> Reader:
    """A reader of whole numbers in a range, both ends included."""
    rule = f"write a number from {lowest} to {highest}, without quotes"

    def read(node: Node) -> int:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            fail(
                f"a whole number is wanted here, not {kind(node)}", node, code=CODE_TYPE, hint=rule
            )
        if not lowest <= value <= highest:
            fail(f"{value} cannot be used here", node, code=CODE_VALUE, hint=rule)
        return value

    return read


port = whole(1, 65535)


def duration(node: Node) -> float:
    """Seconds from ``500ms``, ``30s``, ``5m``, ``1h30m``, ``2d``; a bare number is refused."""
    found = seconds(node.text())
    if found is None:
        fail(
            f"a duration is wanted here, not {kind(node)}",
            node,
            code=CODE_VALUE,
            hint="write 500ms, 30s, 5m, 1h or 1h30m",
        )
    return found


def seconds(written: str) -> float | None:
    """The seconds of a duration; None where it is none."""
    parts = re.findall(_DURATION, written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        return None
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def share(node: Node) -> float:
    """A share of 1 from ``5%`` or ``0.05``."""
    value = node.value
    found = re.fullmatch(_PERCENT, value) if isinstance(value, str) else None
    if found:
        value = float(found.group(1)) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        fail(
            f"a percentage is wanted here, not {kind(node)}",
            node,
            code=CODE_VALUE,
            hint="write 5% or 0.05",
        )
    return float(value)


def choice(*allowed: str) -> Reader:
    """A reader of one of a few words."""

    def read(node: Node) -> str:
        value = node.value
        if not isinstance(value, str):
            fail(
                f"{kind(node)} is not known here",
                node,
                code=CODE_TYPE,
                hint=f"known are: {', '.join(allowed)}",
            )
        if value not in allowed:
            close = nearest(value, allowed)
            hint = f"did you mean {close}?" if close else f"known are: {', '.join(allowed)}"
            fail(f"{value!r} is not known here", node, code=CODE_VALUE, hint=hint)
        return value

    return read


def matching(pattern: str, rule: str) -> Reader:
    """A reader of text of a given form; ``rule`` says the form to people."""

    def read(node: Node) -> str:
        value = text(node)
        check_name(value, pattern, rule, node)
        return value

    return read


def check_name(value: str, pattern: str, rule: str, node: Node) -> None:
    """Refuse text that is not of the given form, at its place."""
    if not re.fullmatch(pattern, value):  # compiled here: who needs it not saves 1 ms
        fail(f"{value!r} cannot be used here", node.key_at or node, code="config-name", hint=rule)


def ssh_destination(node: Node) -> str:
    """``user@host``; never anything that the ssh client could take for an option."""
    value = text(node)
    if not is_destination(value):
        fail(
            f"{value!r} is no SSH destination",
            node,
            code=CODE_VALUE,
            hint="write user@address, as for ssh; the port has a key of its own: port: 2222",
        )
    return value


def is_destination(value: str) -> bool:
    """Whether it is ``user@host`` or a host, and no option or port is hidden in it."""
    port_inside = value.count(":") == 1 and value.rpartition(":")[2].isdigit()
    return not port_inside and _PLACE.fullmatch(value) is not None
