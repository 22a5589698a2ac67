"""``tidegate run --rm SERVICE``: one command in a container of its own."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter


def once(
    service: str,
    /,
    *command: str,
    rm: Annotated[bool, Parameter(required=True)],
    environment: str = "",
    host: str = "",
    config: str = "tidegate.yaml",
) -> int:
    """Run a command beside a service, in a new container that is removed when it ends.

    It has the image of the release that serves, with the service's configuration, secrets,
    volumes and networks; nobody is led to it. Its exit code is ours.
    Example: tidegate run --rm api -- ./manage migrate --plan

    Args:
        service: Its name in the compose file.
        command: The command and its arguments, after `--`; without one the service's own.
        rm: Always given: the container does not stay.
        environment: Its name; may be left out where there is only one.
        host: On which host; the first that runs the service.
        config: The configuration file.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.upkeep import inside
    from tidegate.upkeep.hosts import reach

    del rm
    found = reach(app.choose(environment, file=config), Progress(quiet=True), host)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return inside.one(found, "once", service, command, (), terminal)
