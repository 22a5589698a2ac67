"""Texts of tidegate.yaml in which variables stand, as in compose files."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.compose.variables import Used, VariableError, substitute
from tidegate.errors import InputError, Where


def filled(text: str, value: Callable[[str], str | None], where: Where | None, hint: str) -> str:
    """A text with its variables replaced; ``InputError`` where one has no value.

    ``hint`` says where a value may come from, with ``{name}`` for the variable.
    """
    used = Used()
    try:
        found = substitute(text, value, used)
    except VariableError as error:
        raise InputError(str(error), code="config-variable", where=where, hint=error.hint) from None
    if used.missing:
        name = min(used.missing)
        raise InputError(
            f"the variable {name} has no value",
            code="undefined-variable",
            where=where,
            hint=hint.format(name=name),
        )
    return found
