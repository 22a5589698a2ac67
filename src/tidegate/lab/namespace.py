"""The lab's own mount namespace: its mounts are seen by nobody else, and its cgroups are v2.

Where the machine has the hybrid layout, ``/sys/fs/cgroup`` is a pure cgroup v2 mount in here, as
systemd inside the servers needs. No controller is delegated there: limits are not enforced.
Source: unshare(1) ``--mount=FILE``; the parent of FILE must not propagate mounts.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.places import Places
from tidegate.lab.processes import run

PURE = ["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]


@dataclass(frozen=True, slots=True)
class Namespace:
    """Runs programs inside the namespace, which exists after ``ensure``."""

    places: Places

    @property
    def file(self) -> Path:
        """The bind mount that keeps the namespace alive without a process."""
        return self.places.run / "ns" / "mount"

    def argv(self, *argv: str) -> list[str]:
        """The same command, inside."""
        return ["nsenter", f"--mount={self.file}", "--wd=/", "--", *argv]

    def run(
        self,
        *argv: str,
        input: bytes | str | None = None,  # noqa: A002 - the name subprocess has for it
        check: bool = True,
        timeout_s: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run one program inside."""
        return run(self.argv(*argv), input=input, check=check, timeout_s=timeout_s)

    def podman(
        self, *argv: str, check: bool = True, timeout_s: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run Podman inside, with the lab's own storage."""
        return self.run(*self.places.podman, *argv, check=check, timeout_s=timeout_s)

    def exists(self) -> bool:
        """Whether the namespace is there, now."""
        return any(
            line.split()[4] == str(self.file)
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
        )

    def ensure(self) -> None:
        """Make the namespace where it is not; the caller holds the lab's lock."""
        if self.exists():
            return
        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_mount():
            run(["mount", "--bind", str(folder), str(folder)])
        run(["mount", "--make-private", str(folder)])
        self.file.touch()
        unshare = ["unshare", f"--mount={self.file}", "--propagation=private"]
        if Path("/sys/fs/cgroup/cgroup.controllers").exists():
            run([*unshare, "true"])
            return
        run([*unshare, "umount", "-R", "/sys/fs/cgroup"])
        mounted = self.run(*PURE, check=False)
        if mounted.returncode != 0:
            self.remove()
            raise InfrastructureError(
                "this machine does not let the lab mount cgroup v2, which systemd needs",
                code="lab-no-cgroups",
                hint="boot with systemd.unified_cgroup_hierarchy=1, or use a virtual machine",
                log=tuple(mounted.stderr.splitlines()),
            )

    def remove(self) -> None:
        """Let the namespace go, and with it every mount in it that nobody uses."""
        run(["umount", str(self.file)], check=False)
        run(["umount", str(self.file.parent)], check=False)
