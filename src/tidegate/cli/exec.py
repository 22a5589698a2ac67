"""``tidegate exec``: a command inside a running service."""

from __future__ import annotations

import sys


def execute(
    service: str, /, *command: str, environment: str = "", config: str = "tidegate.yaml"
) -> int:
    """Run a command in the serving copy of a service; its exit code is ours.

    Example: tidegate exec postgres -- psql -U hello

    Args:
        service: Its name in the compose file.
        command: The command and its arguments, after ``--``.
        environment: Its name; may be left out where there is only one.
        config: The configuration file.
    """
    from tidegate import app
    from tidegate.errors import InputError

    if not command:
        raise InputError("no command was given", code="usage", hint="tidegate exec web -- ls")
    target = app.choose(environment, file=config)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    words = ("exec", *(("--tty",) if terminal else ()), service, "--", *command)
    return app.by_hand(target, words, terminal=terminal)
