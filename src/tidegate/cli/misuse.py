"""What cyclopts refuses, in our words: one sentence of what is wrong, one of what to type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cyclopts import CoercionError, CycloptsError, MissingArgumentError, Parameter
from cyclopts.exceptions import (
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from tidegate.config.nearest import nearest
from tidegate.errors import InputError

WANTED = {int: "a whole number", float: "a number"}


def misuse(error: CycloptsError, arguments: Sequence[str]) -> InputError:
    """The ``InputError`` of a command line that cannot be carried out."""
    words = " ".join(["tidegate", *(error.command_chain or arguments[:1])])
    message, close = _told(error)
    see = f"see `{words} --help`"
    return InputError(message, code="usage", hint=f"did you mean {close}? {see}" if close else see)


def within(lowest: int, highest: int | None = None) -> Parameter:
    """A whole number in a range, both ends included; None is one that was not given."""
    rule = f"{lowest} to {highest}" if highest is not None else f"{lowest} or more"

    def check(_: object, value: int | None) -> None:
        if value is not None and not lowest <= value <= (value if highest is None else highest):
            raise ValueError(rule)

    validator: Callable[[object, int | None], None] = check
    return Parameter(validator=validator)


def _told(error: CycloptsError) -> tuple[str, str]:
    """What is wrong, and the word that was perhaps meant."""
    match error:
        case UnknownOptionError():
            written = error.token.keyword or error.token.value
            known = [name for one in error.argument_collection for name in one.names]
            return f"there is no option {written}", nearest(written, known)
        case UnknownCommandError():
            written = (error.unused_tokens or [""])[0]
            known = [name for name in error.app or () if not name.startswith("-")]
            listed = f"; there are {', '.join(known)}" if len(known) > 1 else ""
            return f"there is no command {written!r} here{listed}", nearest(written, known)
        case UnusedCliTokensError():
            written = (error.unused_tokens or [""])[0]
            return f"{written!r} is one word too many", nearest(written, error.app or ())
        case MissingArgumentError():
            return _missing(error), ""
        case RepeatArgumentError():
            return f"{error.token.keyword} is given twice", ""
        case CoercionError() if error.token is not None and error.target_type in WANTED:
            name = error.token.keyword or _name(error)
            return f"{name} is {WANTED[error.target_type]}, not {error.token.value!r}", ""
        case ValidationError() if error.argument is not None:
            written = error.argument.tokens[0].value
            return f"{_name(error)} is {error.exception_message}, not {written}", ""
        case _:
            return str(error).rstrip("."), ""


def _missing(error: MissingArgumentError) -> str:
    name = error.keyword or _name(error)
    if not name.startswith("-"):
        return f"{name} is missing"
    given = error.root_input_tokens or []
    return f"{name} needs a value" if name in given else f"{name} is missing"


def _name(error: CycloptsError) -> str:
    """How people know an argument: ``--jobs``, or ``ENVIRONMENT`` by its place."""
    if error.argument is None:
        return "it"
    tokens = error.argument.tokens
    if tokens and tokens[0].keyword:
        return tokens[0].keyword
    name = error.argument.name
    positional = error.argument.index is not None
    return name.lstrip("-").upper() if positional or not name.startswith("-") else name
