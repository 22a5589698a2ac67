"""Keeps a deployment's lease alive from the side while its phases run; durations in seconds."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tidegate.ports import Host


class Lease:
    """Renews on every host each third of the lease, from ``begin`` to ``end``."""

    def __init__(self, hosts: Sequence[Host], lease_s: float) -> None:
        self._hosts = hosts
        self._lease_s = lease_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, deployment: str, token: int) -> None:
        """From now on a lost connection is mended, and the lease renewed."""
        for host in self._hosts:
            host.persist(self._lease_s)
        self._thread = threading.Thread(
            target=self._renew, args=(deployment, token), name="lease", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Stop renewing; twice is once."""
        self._ended.set()

    def _renew(self, deployment: str, token: int) -> None:
        while not self._ended.wait(self._lease_s / 3):
            for host in self._hosts:
                # Nobody waits for the answer: a silent host must not cost the others their
                # lease, and the phase that runs meets a refusal and tells it better.
                args = {"lease_s": self._lease_s}
                host.begin("renew", args, deployment=deployment, token=token)
