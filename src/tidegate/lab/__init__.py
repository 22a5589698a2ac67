"""Disposable real servers on one machine: systemd, sshd and Podman with Quadlet.

People try Tidegate on them; the tests and the benchmarks run on nothing else. A server is a
container whose whole root file system lies on a disk image of its own, so that a power cut
loses what a power cut loses. ``Lab`` is the interface for programs.
"""

from __future__ import annotations

from tidegate.lab.lab import Lab
from tidegate.lab.server import Server

__all__ = ["Lab", "Server"]
