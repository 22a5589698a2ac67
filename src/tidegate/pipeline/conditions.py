"""What must be true of hosts before a release is planned for them: which run nothing, which CPU."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.errors import InputError
from tidegate.pipeline.fleet import Fleet
from tidegate.pipeline.making import Made


def drained(found: Fleet, wanted: Mapping[str, bool]) -> list[str]:
    """The hosts that run nothing: as the serving release has it, but for what is wanted now."""
    known = (found.seen.get("release") or {}).get("hosts") or {}
    before = {name: bool(host.get("drained")) for name, host in known.items()}
    gone = {*found.by_host, *(found.seen.get("lost") or ())}
    left = [name for name in known if name not in gone and known[name]["services"]]
    if left:
        raise InputError(
            f"{left[0]} runs {found.seen.get('deployment')} and is not in the configuration",
            code="host-left",
            hint=f"put it back, then: tidegate host remove {left[0]}",
        )
    return sorted(name for name, off in {**before, **wanted}.items() if off)


def same_architecture(found: Fleet, made: Made) -> None:
    """Own images are built for one architecture, and pulled only where it is that one."""
    for agent in found.agents:
        theirs = agent.hello.get("arch")
        for name, arch in made.architectures.items():
            if arch and theirs and arch != theirs:
                raise InputError(
                    f"the image of {name} is for {arch}, and {agent.name} is {theirs}",
                    code="architecture",
                    hint=f"give the service `platform: linux/{theirs}`",
                )
