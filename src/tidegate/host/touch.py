"""What a person sees and does inside the services of a host: their output, commands in them."""

from __future__ import annotations

import argparse
import os
from typing import Any, Dict, List

from tidegate.host import generations
from tidegate.host.errors import HostError
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths

Arguments = argparse.Namespace
ELSEWHERE = "service-elsewhere"


def serving(paths: Paths) -> Generation:
    """The generation that serves; HostError (input) where none does."""
    now = generations.current(paths)
    if now is None or now.layout is None:
        raise HostError("input", "nothing-here", f"{paths.instance} does not run on this host")
    return now


def placed(now: Generation, service: str) -> Dict[str, Any]:
    """Where a service runs here; HostError (input) where it does not, or runs on other hosts."""
    assert now.layout is not None
    found: Dict[str, Any] = now.layout["services"].get(service) or {}
    if found.get("units"):
        return found
    known = now.whole["services"]
    if service not in known:
        hint = f"there are: {', '.join(sorted(known))}"
        raise HostError("input", "no-service", f"there is no service {service!r}", hint=hint)
    hosts = now.whole.get("hosts") or {}
    others = ", ".join(name for name, host in hosts.items() if service in host["services"])
    raise HostError(
        "input",
        ELSEWHERE,
        f"{service} does not run on this host",
        subject=service,
        hint=f"it runs on {others}" if others else "",
    )


def units(now: Generation, services: List[str]) -> List[str]:
    """The units of the services that run here, of all where none is named."""
    assert now.layout is not None
    found: List[str] = []
    for name in services or sorted(now.layout["services"]):
        try:
            found += placed(now, name)["units"]
        except HostError as problem:
            if problem.code != ELSEWHERE:
                raise
    return found


def logs(paths: Paths, arguments: Arguments) -> int:
    """Become journalctl for the serving copies of services; nothing where none runs here."""
    chosen = units(serving(paths), arguments.services)
    form = "json" if arguments.json else "short-iso"
    words = ["journalctl", "--user", "-q", "--all", "-o", form, "-n", str(arguments.lines)]
    words += ["-f"] if arguments.follow else []
    words += [f"--since={arguments.since}"] if arguments.since else []
    matches: List[str] = []
    for unit in chosen:
        matches += ["+", f"CONTAINER_NAME={unit}"] if matches else [f"CONTAINER_NAME={unit}"]
    if chosen:
        os.execvp("journalctl", words + matches)  # noqa: S606 - argv, no shell
    return 0


def execute(paths: Paths, arguments: Arguments) -> int:
    """Become podman exec in a serving copy of a service, the first one or copy `--copy`."""
    copies = placed(serving(paths), arguments.service)["units"]
    if not 1 <= arguments.copy <= len(copies):
        raise HostError(
            "input",
            "no-copy",
            f"{arguments.service} has no copy {arguments.copy} on this host",
            subject=arguments.service,
            hint=f"there are {len(copies)}" if len(copies) > 1 else "there is one",
        )
    flags = ["-i", "-t"] if arguments.tty else ["-i"]
    unit = copies[arguments.copy - 1]
    if arguments.together:
        os.dup2(1, 2)
    os.execvp("podman", ["podman", "exec", *flags, unit, *arguments.argv])  # noqa: S606
