"""What may follow the words of an unfinished command line: from the commands' own parameters.

Never an error: who presses Tab wants no message, so what cannot be read completes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from cyclopts import App

    from tidegate.model.config import Config

Candidate = tuple[str, str]  # a word, and what it means
FILES: Candidate = (":files", "")  # the shell knows better
OF_FILES = frozenset({"--config", "--events", "--file", "--out", "--env-file", "--report", "--key"})


def candidates(words: Sequence[str]) -> list[Candidate]:
    """What the last of ``words`` may become."""
    typed, current = [word for word in words[:-1] if word != "="], words[-1]
    if current == "=":  # bash takes --environment=x apart
        current = ""
    if not typed:
        return _beginning(_commands(), current)
    if "--" in typed:
        return [FILES]
    try:
        return _beginning(_after(typed, current), current)
    except TidegateError:
        return []


def _beginning(found: Sequence[Candidate], current: str) -> list[Candidate]:
    return [one for one in found if one == FILES or one[0].startswith(current)]


def _commands() -> list[Candidate]:
    from tidegate.cli import COMMANDS

    return [(word, text) for word, text in {e.word: e.help for e in COMMANDS}.items()]


def _after(typed: Sequence[str], current: str) -> list[Candidate]:
    from tidegate.cli import COMMANDS, find, load

    own = [entry for entry in COMMANDS if entry.word == typed[0]]
    entry = find(*typed) if len(own) != 1 else own[0]
    others = [(e.name.partition(" ")[2], e.help) for e in own if e is not entry and " " in e.name]
    if current.startswith("-") and others:
        return [*others, *_following(load(entry)[entry.word], typed[1:], current)]
    return _following(load(entry)[entry.word], typed[1:], current)


def _following(app: App, words: Sequence[str], current: str) -> list[Candidate]:
    given = list(words)
    while parts := _parts(app):
        if not given:
            return parts
        app = app[given.pop(0)]
    parameters = app.assemble_argument_collection(parse_docstring=True)
    return list(_of_command(parameters, given, current))


def _parts(app: App) -> list[Candidate]:
    """The commands of a group of commands."""
    return [(name, _first_line(app[name].help)) for name in app if not name.startswith("-")]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _of_command(parameters: Any, given: Sequence[str], current: str) -> Iterator[Candidate]:
    options = {name: one for one in parameters for name in _names(one)}
    behind = options.get(given[-1]) if given else None
    if behind is not None and behind.hint is not bool:
        yield from _values(given[-1], behind.field_info.name, given)
    elif current.startswith("-"):
        for name, one in options.items():
            if name.startswith("--") and (name not in given or _repeats(one)):
                yield name, _first_line(one.parameter.help or "")
    else:
        places = [one for one in parameters if one.index is not None]
        taken = sum(1 for _ in _plain(given, options))
        if places and (taken < len(places) or _repeats(places[-1])):
            name = places[min(taken, len(places) - 1)].field_info.name
            done = set(_plain(given, options))
            yield from (one for one in _values("", name, given) if one[0] not in done)


def _names(one: Any) -> list[str]:
    """An option's names; none for what has a place of its own."""
    negative = ("--no-", "--empty-")
    names = [name for name in one.names if name.startswith("-")]
    return [name for name in names if not name.startswith(negative)]


def _repeats(one: Any) -> bool:
    return "list[" in str(one.hint) or "tuple[" in str(one.hint)


def _plain(given: Sequence[str], options: Mapping[str, Any]) -> Iterator[str]:
    """The words that are no options and no values of options."""
    words = iter(given)
    for word in words:
        if not word.startswith("-"):
            yield word
        elif word in options and options[word].hint is not bool:
            next(words, None)


def _values(option: str, name: str, given: Sequence[str]) -> list[Candidate]:
    """What a parameter of that name may be."""
    if option in OF_FILES:
        return [FILES]
    kind = KINDS.get(name)
    file = given[given.index("--config") + 1] if "--config" in given[:-1] else "tidegate.yaml"
    if kind is None:
        return []
    from tidegate.config import load_config

    return [(word, "") for word in kind(load_config(file))]


def _hosts(config: Config) -> list[str]:
    return list(dict.fromkeys(h for e in config.environments.values() for h in e.hosts))


def _services(config: Config) -> list[str]:
    """Those of the compose files, by the variables of the first environment."""
    from tidegate.config import environment_variables
    from tidegate.pipeline.making import compose

    first = next(iter(config.environments.values()))
    return list(compose(config, environment_variables(config, first, {})).services)


def _environments(config: Config) -> list[str]:
    return list(config.environments)


KINDS: Mapping[str, Callable[[Config], list[str]]] = {
    "environment": _environments,
    "target": lambda config: [*_environments(config), *_hosts(config)],
    "host": _hosts,
    "service": _services,
    "services": _services,
    "copies": lambda config: [f"{name}=" for name in _services(config)],
}
