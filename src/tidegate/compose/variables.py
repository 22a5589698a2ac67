"""`$NAME` and `${NAME...}` become values, as docker compose does it.

Forms: `$$`, `$N`, `${N}`, and `${N<op>text}` with `:-` `-` `:?` `?` `:+` `+`, nested at will; the
text is evaluated even where it is not taken, so an error inside it counts.
Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/template/template.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tidegate.shapes import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

Lookup: TypeAlias = Callable[[str], "str | None"]

MAX_NESTING = 50

_NAME = r"[_a-z][_a-z0-9]*"
_PATTERN = (
    rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|\{{(?:(?P<braced>{_NAME})(?P<next>\}}|:?[-+?]))?)"
)
_BRACED = rf"({_NAME})(:?[-+?])?(.*)\Z"


class VariableError(ValueError):
    """An expression that cannot be replaced; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@record(slots=True)
class Used:
    """The variables whose values are in the result, and those that had none."""

    names: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)


def substitute(text: str, lookup: Lookup, used: Used, depth: int = 0) -> str:
    """The text with its variables replaced; :class:`VariableError` for what cannot be."""
    if "$" not in text:
        return text
    if depth > MAX_NESTING:
        raise VariableError(f"more than {MAX_NESTING} variables inside each other")
    result = []
    position = 0
    line_end = -1
    pattern = re.compile(_PATTERN, re.IGNORECASE)  # here: whoever replaces nothing saves 2 ms
    while found := pattern.search(text, position):
        result.append(text[position : found.start()])
        position = found.end()
        if found["escaped"]:
            result.append("$")
        elif name := found["named"]:
            result.append(_value(name, lookup, used))
        elif found["next"] == "}":
            result.append(_value(found["braced"], lookup, used))
        else:
            if line_end < position:
                line_end = _line_end(text, position)
            last = text.rfind("}", position, line_end) if found["next"] else -1
            if last < 0:
                raise VariableError(
                    f"invalid interpolation format: {text!r}", "write $$ for a dollar sign itself"
                )
            end = _closing_brace(text, found.start(), last + 1)
            result.append(_braced(text[found.start("braced") : end], lookup, used, depth))
            position = end + 1
    result.append(text[position:])
    return "".join(result)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _closing_brace(text: str, start: int, end: int) -> int:
    """Where the first expression in ``text[start:end]``, which is as long as it can be, closes."""
    depth = 0
    position = start
    while position < end:
        if text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        if text[position] == "{":
            depth += 1
            position += 1
        position += 1
    return end - 1


def _value(name: str, lookup: Lookup, used: Used) -> str:
    value = lookup(name)
    if value is None:
        used.missing.add(name)
        return ""
    used.names.add(name)
    return value


def _braced(expression: str, lookup: Lookup, used: Used, depth: int) -> str:
    found = re.match(_BRACED, expression, re.IGNORECASE | re.DOTALL)
    assert found is not None
    name, operator, text = found.groups()
    if operator is None:
        return _value(name, lookup, used)
    inner = Used(missing=used.missing)
    other = substitute(text, lookup, inner, depth + 1)
    value = lookup(name)
    present = value is not None and (value != "" or len(operator) == 1)
    if operator[-1] == "?" and not present:
        reason = f": {other}" if other else ""
        raise VariableError(
            f"required variable {name} is missing a value{reason}",
            f"set {name} in the environment or in .env",
        )
    if present == (operator[-1] == "+"):
        used.names |= inner.names
        return other
    if value:
        used.names.add(name)
    return value or ""
