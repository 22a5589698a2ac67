"""``tidegate exec``: a command inside a running service."""

from __future__ import annotations

import sys
from typing import Annotated

from tidegate.cli.misuse import within


def execute(
    service: str,
    /,
    *command: str,
    environment: str = "",
    host: str = "",
    copy: Annotated[int, within(1)] = 1,
    every: bool = False,
    config: str = "tidegate.yaml",
) -> int:
    """Run a command in the serving copy of a service; its exit code is ours.

    Example: tidegate exec postgres -- psql -U hello

    Args:
        service: Its name in the compose file.
        command: The command and its arguments, after `--`.
        environment: Its name; may be left out where there is only one.
        host: On which host; the first that runs it.
        copy: Which of its copies there.
        every: In every copy on every host at once, each line with its place before it.
        config: The configuration file.
    """
    from tidegate import app
    from tidegate.cli.output import progress, say
    from tidegate.cli.progress import Progress
    from tidegate.errors import InputError
    from tidegate.upkeep import inside
    from tidegate.upkeep.hosts import reach

    if not command:
        raise InputError("no command was given", code="usage", hint="tidegate exec web -- ls")
    if every and (host or copy != 1):
        other = "--host" if host else "--copy"
        raise InputError(
            f"--every is all copies on all hosts, and {other} is one", code="usage",
            hint=f"leave out --every or {other}",
        )  # fmt: skip
    found = reach(app.choose(environment, file=config), Progress(quiet=True), host)
    if every:
        for name, problem in found.lost.items():
            progress(f"{name}: {problem.message}")
        return inside.every(found, service, command, say) or (4 if found.lost else 0)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return inside.one(found, "exec", service, command, ("--copy", str(copy)), terminal)
