"""What this version does not carry out yet is refused by name, with its line, before anything.

A check or a placement that is read but not obeyed would be worse than an error. Keys
that need nothing of us (people, platforms of images that are not built, …) pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.errors import InputError, Where
from tidegate.model.config import Config, Environment

SUITES = frozenset({"e2e"})


def require_available(config: Config, environment: Environment) -> None:
    """Raise an ``InputError`` for the first thing declared for this environment that we lack."""
    for what, where in missing(config, environment):
        raise InputError(
            f"{what} not available in this version of Tidegate",
            code="not-available-yet",
            where=where,
            hint="take it out of the file to deploy without it",
        )


def missing(config: Config, environment: Environment) -> Iterator[tuple[str, Where]]:
    """Each declared feature that this version lacks: its words and its place."""
    path = ("environments", environment.name)
    for index, name in enumerate(environment.verify):
        if name not in SUITES:
            yield f"the suite {name} is", config.where(*path, "verify", index)
    if config.policy.own_images == "signed":
        yield "signed images are", config.where("policy", "images", "own")
    if config.policy.third_party_images == "mirrored":
        yield "mirrored images are", config.where("policy", "images", "third_party")
    if config.policy.block not in ("", "none"):
        yield "vulnerability scans are", config.where("policy", "block")
