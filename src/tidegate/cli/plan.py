"""``tidegate plan``: what a deployment would change, service by service, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tidegate.cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, print_json, say

if TYPE_CHECKING:
    from tidegate.plan import Action, Plan

WORDS = {
    "beside": ("~", YELLOW, "a new copy beside the old one, then traffic moves: no outage"),
    "replace": ("!", RED, "restarted in place when traffic switches"),
    "start": ("+", GREEN, "started"),
    "job": ("»", CYAN, "run once, to its end"),
    "settings": ("~", CYAN, "keeps running; only ports, routes or order change"),
    "remove": ("-", RED, "stopped and removed"),
}
COUNTED = {
    "start": "to start",
    "beside": "to replace without an outage",
    "replace": "to restart in place",
    "job": "to run once",
    "settings": "with new settings",
    "remove": "to remove",
}
LONGEST = 60


def plan(
    environment: str = "",
    /,
    *,
    variable: list[str] | None = None,
    pull: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Show what a deployment would change, and touch nothing.

    Example: tidegate plan production

    Args:
        environment: Its name; may be left out where there is only one.
        variable: NAME=VALUE, stronger than all other variables; may be repeated.
        pull: Ask registries again what each tag means now.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress

    progress = Progress(quiet=json)
    try:
        target = app.choose(environment, variables(variable), config)
        found = app.survey(target, progress, refresh=pull)
        found.fleet.close()
    finally:
        progress.close()
    if json:
        print_json("plan", {**found.plan.as_dict(), "secrets_changed": found.secrets_changed})
        return
    say(text(found.plan, secrets_changed=found.secrets_changed))


def variables(given: list[str] | None) -> dict[str, str]:
    """``["A=b"]`` as a mapping; one without ``=`` is an ``InputError``."""
    from tidegate.errors import InputError

    found = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise InputError(
                f"--variable {item!r} is not NAME=VALUE", code="usage", hint="as in --variable A=b"
            )
        found[name] = value
    return found


def text(plan: Plan, *, secrets_changed: bool = False) -> str:
    """A plan for people; colour where stdout takes it."""
    import sys

    from tidegate.cli.output import coloured

    on = coloured(sys.stdout)
    if plan.empty and not secrets_changed:
        return f"{plan.environment} runs this release already: nothing to do"
    return "\n".join(_lines(plan, secrets_changed, on)).rstrip()


def _lines(plan: Plan, secrets_changed: bool, on: bool) -> Iterator[str]:
    versions = " → ".join(v for v in (plan.running_version, plan.version) if v)
    yield paint(f"{plan.environment}: {plan.instance} {versions}".rstrip(), BOLD, on=on)
    if plan.images:
        yield from ("", paint("images", BOLD, on=on))
        for image in plan.images:
            source = image.tag or f"built here, {image.size / 1e6:.0f} MB"
            yield f"  {image.service:<14} {image.old or 'new':<12} → {image.new}  {source}"
    if plan.actions:
        yield from ("", paint("services", BOLD, on=on))
        for action in plan.actions:
            yield from _action(plan, action, on)
    yield from _rest(plan, on)
    if secrets_changed:
        yield from ("", "secrets: sent again; those that differ restart their services")
    yield from ("", _counts(plan))


def _action(plan: Plan, action: Action, on: bool) -> Iterator[str]:
    mark, colour, words = WORDS[action.what]
    yield f"  {paint(mark, colour, on=on)} {action.service:<12} {words}"
    changes = [c for c in plan.changes if (c.kind, c.name) == ("service", action.service)]
    for change in changes:
        yield f"      {change.key:<24} {_short(change.old)} → {_short(change.new)}"
    if not changes and action.because:
        yield paint(f"      because {', '.join(action.because)}", DIM, on=on)


def _rest(plan: Plan, on: bool) -> Iterator[str]:
    others = [change for change in plan.changes if change.kind != "service"]
    units = [
        *((f"+ {kind} {name}") for kind, name in plan.added if kind != "service"),
        *((f"- {kind} {name}") for kind, name in plan.removed if kind != "service"),
        *(f"~ {c.kind} {c.name}: {c.key} {_short(c.old)} → {_short(c.new)}" for c in others),
        *(f"+ file {digest[:19]}" for digest in plan.files),
    ]
    ports = [
        f"{port.what} {port.address}{':' if port.address else ''}{port.port}/{port.protocol} "
        f"({port.service})"
        for port in plan.ports
    ]
    drift = [f"{item.subject}: {item.detail}; it is mended" for item in plan.drift]
    for title, lines in (("units", units), ("ports", ports), ("drift", drift)):
        if lines:
            yield from ("", paint(title, BOLD, on=on), *(f"  {line}" for line in lines))


def _counts(plan: Plan) -> str:
    kinds = [action.what for action in plan.actions]
    parts = [f"{kinds.count(k)} {words}" for k, words in COUNTED.items() if k in kinds]
    return f"plan: {', '.join(parts) or 'no service restarts'}"


def _short(value: str) -> str:
    line = value.replace("\n", "⏎")
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…") or "(none)"
