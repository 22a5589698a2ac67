"""Four ways to die, each as sudden as the real one.

``arm`` what can be prepared before the instant; ``fire`` is then as quick as it gets.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tidegate.testing.prove.controller import Run
from tidegate.testing.prove.site import Site

KINDS = ("controller", "connection", "host tool", "power")

# Kills every process of the host's tool when it reads a line, and says which.
KILLER = r"""
import os, signal, sys
print("armed", flush=True)
sys.stdin.readline()
killed = []
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            words = open("/proc/%s/cmdline" % name, "rb").read().split(b"\0")[:3]
        except OSError:
            continue
        tool = [w for w in words if b"/tidegate/lib/" in w or w.endswith(b"tidegate-host")]
        if tool and b"-c" not in words:
            os.kill(int(name), signal.SIGKILL)
            killed.append(name)
print(len(killed), flush=True)
"""


@dataclass(slots=True)
class Weapon:
    """One kind of kill, ready to fire once."""

    kind: str
    site: Site
    killer: subprocess.Popen[str] | None

    def fire(self, run: Run) -> str:
        """Kill; what was hit."""
        if self.kind == "controller":
            run.kill()
            return "the controller"
        if self.kind == "connection":
            hit = self.site.ssh_processes()
            for pid in hit:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return f"{len(hit)} ssh processes"
        if self.kind == "power":
            self.site.server.kill()
            return "the server"
        assert self.killer
        assert self.killer.stdin
        assert self.killer.stdout
        self.killer.stdin.write("now\n")
        self.killer.stdin.flush()
        return f"{self.killer.stdout.readline().strip()} processes of the host's tool"


@contextmanager
def arm(kind: str, site: Site) -> Iterator[Weapon]:
    """A weapon of this kind; what it needs is open until the end of the block."""
    killer = None
    if kind == "host tool":
        command = ["python3", "-u", "-c", KILLER]
        killer = subprocess.Popen(
            site.server.ssh_argv(command, user="root"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert killer.stdout
        killer.stdout.readline()
    try:
        yield Weapon(kind, site, killer)
    finally:
        if killer:
            killer.kill()
            killer.communicate()
