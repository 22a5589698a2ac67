"""An environment of simulated hosts, and how a controller reaches them: pipes in SSH's place."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tidegate.edges.process import Command
from tidegate.edges.ssh import Ssh
from tidegate.model.config import Environment, Host, Switch

TOOL = "tidegate.testing.simulated.host"


class LocalPipes(Ssh):
    """A connection whose far end is a process beside us, with a home of its own.

    ``root`` should be short: a host's socket has a path of at most 108 bytes (unix(7)).
    """

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(name, config="")
        self.home = root / name
        self.home.mkdir(exist_ok=True)

    def forward(self, local_port: int, remote_port: int = 0) -> int:
        """Our ports are its ports."""
        return remote_port or local_port

    def cancel(self, local_port: int, remote_port: int) -> None:
        """There is nothing to take back."""

    def _argv(self, command: Command) -> tuple[str, ...]:
        variables = (f"HOME={self.home}", f"XDG_RUNTIME_DIR={self.home}")
        return ("env", *variables, sys.executable, "-m", TOOL, *command.argv[1:])


def environment(places: Mapping[str, Mapping[str, object]], switch: Switch) -> Environment:
    """Production, on the hosts of a release's ``hosts``."""
    hosts = {
        name: Host(name, f"deploy@{name}", address=str(place["address"]))
        for name, place in places.items()
    }
    return Environment("production", hosts, switch=switch)
