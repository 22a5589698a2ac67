"""Commands inside services: in one copy with the person's own terminal, or in every copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidegate.edges.agent_install import ATTACH
from tidegate.edges.process import Command
from tidegate.errors import InputError
from tidegate.pipeline.fleet import ssh
from tidegate.upkeep.hosts import Reach
from tidegate.upkeep.streams import Streams

Say = Callable[[str], None]


def one(
    found: Reach, verb: str, service: str, words: Sequence[str], flags: Sequence[str], tty: bool
) -> int:
    """Run the host's ``exec`` or ``once`` where the service runs; its exit status is the answer."""
    host = found.hosts[found.running(service)[0]]
    flags = (*flags, "--tty") if tty else flags
    own = (ATTACH, verb, "--project", found.target.instance, *flags, service)
    behind = ("--", *words) if words else ()
    return ssh(host).interactive(Command((*own, *behind)), terminal=tty)


def every(found: Reach, service: str, words: Sequence[str], say: Say) -> int:
    """Run a command in every copy on every host at once; the first exit status that is not 0.

    ``say`` gets each line with the host and the number of the copy before it.
    """
    commands = {}
    for name in found.running(service):
        copies = found.seen[name]["services"][service]["units"]
        for number in range(1, len(copies) + 1):
            own = ("--project", found.target.instance, "--together", "--copy", str(number))
            argv = (ATTACH, "exec", *own, service, "--", *words)
            commands[f"{name}/{number}"] = (found.hosts[name], Command(argv))
    if not commands:
        raise InputError(f"{service} has no copies", code="no-copy", hint="tidegate status")
    width = max(map(len, commands))
    with Streams(commands) as streams:
        for label, line in streams.lines():
            say(f"{label:<{width}} | {line.decode(errors='replace')}")
        for problem in streams.broken.values():
            raise problem
        for label, status in streams.statuses.items():
            for complaint in streams.complaint(label).log if status else ():
                say(f"{label:<{width}} | {complaint}")
        return next((streams.statuses[c] for c in commands if streams.statuses[c]), 0)
