"""The facts of this machine or of a host, by one command that changes nothing."""

from __future__ import annotations

from tidegate.bootstrap.findings import parse
from tidegate.bootstrap.server import script
from tidegate.edges.process import Command, run
from tidegate.edges.ssh import Ssh

TIMEOUT_S = 60.0


def of_this_machine() -> dict[str, str]:
    """What ``probe.sh`` prints here."""
    command = Command(("sh", "-s"), stdin=script("probe.sh"))
    return parse(run(command, timeout_s=TIMEOUT_S).text)


def of_host(ssh: Ssh) -> dict[str, str]:
    """What ``probe.sh`` prints there; raises what ssh raises for a host out of reach."""
    command = Command(("sh", "-s"), stdin=script("probe.sh"))
    return parse(ssh.run(command, timeout_s=TIMEOUT_S).text)
