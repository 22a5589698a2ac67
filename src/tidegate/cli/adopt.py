"""``tidegate adopt``: what docker compose or Podman runs on the hosts becomes Tidegate's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tidegate.cli.output import print_json, say, table

if TYPE_CHECKING:
    from tidegate.app import Survey, Target, Wish
    from tidegate.cli.progress import Progress
    from tidegate.pipeline.runner import Report
    from tidegate.plan.adoption import Adoption


def adopt(
    environment: str = "",
    /,
    *,
    dry_run: bool = False,
    project: str = "",
    container: list[str] | None = None,
    allow_stateful: bool = False,
    reason: str = "",
    yes: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Let services take the place of the containers that run on the hosts now, with their data.

    They are found by the labels of docker compose and podman-compose, or named. Everything is
    brought to the hosts first; then they stop, and their volumes are used or copied. Should the
    services not become healthy, the containers run again as before.
    Example: tidegate adopt production --dry-run

    Args:
        environment: Its name; may be left out where there is only one.
        dry_run: Show what would become of which container and volume, and stop.
        project: The name of the compose project there; that of tidegate.yaml.
        container: SERVICE=NAME, for a container without such labels; may be repeated.
        allow_stateful: Let data meet another image than the one that wrote it.
        reason: Why, for the history.
        yes: Do not ask.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.app import Wish
    from tidegate.cli.deploy import conclude
    from tidegate.cli.progress import Progress

    live, wish = Progress(quiet=json), Wish(reason or "adopt", allow_stateful)
    try:
        found, target, adoptions = _look(environment, config, project, container or [], live)
        report = None if dry_run else _take(found, target, adoptions, wish, live, yes=yes)
        found.fleet.close()
    finally:
        live.close()
    if report is not None:
        conclude(report, found.plan.version, live, json=json, plan=found.plan)
    elif json:
        hosts = {name: one.as_dict() for name, one in adoptions.items()}
        print_json("adoption", {"environment": target.environment.name, "hosts": hosts})
    else:
        say("\n\n".join(text(name, one) for name, one in adoptions.items()))


def _look(
    environment: str, config: str, project: str, named: list[str], live: Progress
) -> tuple[Survey, Target, Mapping[str, Adoption]]:
    """What would be deployed where, and what it would take the place of."""
    from tidegate import app
    from tidegate.upkeep import adopt as adopting

    containers = adopting.named(named)
    target = app.choose(environment, file=config)
    live.several = len(target.environment.hosts) > 1
    found = app.survey(target, live)
    return found, target, adopting.look(found, target, project, containers)


def _take(
    found: Survey,
    target: Target,
    adoptions: Mapping[str, Adoption],
    wish: Wish,
    live: Progress,
    *,
    yes: bool,
) -> Report:
    from tidegate.plan.adoption import nothing
    from tidegate.upkeep import adopt as adopting

    if not yes and not nothing(adoptions):
        confirm(target.environment.name, adoptions)
    return adopting.take(target, found, adoptions, wish, live)


def confirm(environment: str, adoptions: Mapping[str, Adoption]) -> None:
    """Show what will happen, and ask for the environment's name."""
    from tidegate.errors import InputError

    sys.stderr.write("\n\n".join(text(name, one) for name, one in adoptions.items()))
    sys.stderr.write(f"\n\nType {environment} to go on: ")
    sys.stderr.flush()
    if not sys.stdin.isatty() or sys.stdin.readline().strip() != environment:
        raise InputError(
            "not confirmed, so nothing was changed", code="not-confirmed", hint="or give --yes"
        )


def text(host: str, found: Adoption) -> str:
    """What becomes of one host's containers, for people."""
    rows = [
        (one.service, one.container, one.engine, _images(one.old_image, one.new_image))
        for one in found.services
    ]
    heads = ("service", "container", "engine", "image")
    lines = [f"{host}:", table(heads, rows) if rows else "nothing to adopt"]
    data = list(_data(found))
    lines += ["", table(("service", "data", "becomes"), data)] if data else []
    lines += ["", f"left alone: {', '.join(found.left)}"] if found.left else []
    lines += [f"could not be asked: {unseen}" for unseen in found.unseen]
    return "\n".join(lines)


def _images(old: str, new: str) -> str:
    return new if old == new else f"{old} → {new}"


def _data(found: Adoption) -> Iterator[tuple[str, str, str]]:
    words = {"kept": "used as it is", "left": "left where it is; the service has nothing there"}
    for one in found.services:
        for place in one.data:
            told = words.get(place.what, f"copied to {place.new}")
            yield one.service, f"{place.target} in {place.old}", told
