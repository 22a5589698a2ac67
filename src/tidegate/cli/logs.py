"""``tidegate logs``: a service's output, from the host's journal."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def logs(
    service: str,
    /,
    *,
    follow: Annotated[bool, Parameter(alias="-f")] = False,
    lines: int = 100,
    environment: str = "",
    config: str = "tidegate.yaml",
) -> int:
    """Show what the serving copies of a service wrote.

    Example: tidegate logs web -f

    Args:
        service: Its name in the compose file.
        follow: Go on until Ctrl-C.
        lines: How many of the last lines.
        environment: Its name; may be left out where there is only one.
        config: The configuration file.
    """
    from tidegate import app

    target = app.choose(environment, file=config)
    words = ("logs", service, "--lines", str(lines), *(("--follow",) if follow else ()))
    return app.by_hand(target, words, terminal=False)
