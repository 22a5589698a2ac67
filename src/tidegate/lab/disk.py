"""A server's disk: an ext4 file system in a sparse file, which can lose its power.

Everything a server keeps lies on it: the upper layer of its root file system, /home,
/var/lib/containers and the journal. ``cut_power`` stops the file system without writing back its
journal or its pages, so what was not fsynced is gone, as on a real server.
Source: ioctl FS_IOC_SHUTDOWN with FS_SHUTDOWN_FLAGS_NOLOGFLUSH, linux/include/uapi/linux/ext4.h.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.namespace import Namespace
from tidegate.lab.processes import run

FOLDERS = ("upper", "work", "home", "containers", "journal")
SHUTDOWN = (
    "import fcntl, os, struct, sys\n"
    "fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))\n"
)
RELEASE_S = 20.0


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk image of one server and where it is mounted while the server has power."""

    image: Path
    mounts: Path

    @property
    def data(self) -> Path:
        """The mounted file system."""
        return self.mounts / "disk"

    @property
    def root(self) -> Path:
        """The server's whole root file system: the layers below, its own changes on top."""
        return self.mounts / "root"

    def create(self, size_gb: float) -> None:
        """Make an empty disk; it takes as much room as is written to it."""
        self.image.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.image.with_suffix(".new")
        with temporary.open("wb") as file:
            file.truncate(int(size_gb * 2**30))
        options = "lazy_itable_init=1,lazy_journal_init=1,nodiscard"
        run(["mkfs.ext4", "-q", "-F", "-E", options, "-m", "1", str(temporary)])
        temporary.rename(self.image)

    def mount(self, namespace: Namespace, layers: list[Path]) -> None:
        """Put the disk in (replaying its journal) and lay the root file system over it."""
        if self.mounted(namespace):
            return
        self._wait_until_free()
        for folder in (self.data, self.root):
            folder.mkdir(parents=True, exist_ok=True)
        # noinit_itable: ext4 would spend minutes zeroing a sparse file
        namespace.run("mount", "-o", "loop,noinit_itable", str(self.image), str(self.data))
        namespace.run("mkdir", "-p", *(str(self.data / name) for name in FOLDERS))
        lower = ":".join(str(layer) for layer in layers)
        upper, work = self.data / "upper", self.data / "work"
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        namespace.run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))

    def mounted(self, namespace: Namespace) -> bool:
        """Whether root and disk are in place."""
        return namespace.run("mountpoint", "-q", str(self.root), check=False).returncode == 0

    def unmount(self, namespace: Namespace) -> None:
        """Take the disk out, once whatever still holds it has gone."""
        deadline = time.monotonic() + RELEASE_S
        for folder in (self.root, self.data):
            while namespace.run("mountpoint", "-q", str(folder), check=False).returncode == 0:
                done = namespace.run("umount", str(folder), check=False)
                if done.returncode != 0 and time.monotonic() > deadline:
                    raise InfrastructureError(
                        f"{folder} stays in use", code="lab-disk-busy", log=(done.stderr.strip(),)
                    )
                if done.returncode != 0:
                    time.sleep(0.05)
        self._wait_until_free()

    def cut_power(self, namespace: Namespace) -> None:
        """From here on nothing reaches the disk any more."""
        namespace.run(sys.executable, "-I", "-S", "-c", SHUTDOWN, str(self.data))

    def _wait_until_free(self) -> None:
        """A second loop device on the same image would ruin it: wait until the first has gone."""
        deadline = time.monotonic() + RELEASE_S
        while run(["losetup", "-n", "-O", "NAME", "-j", str(self.image)]).stdout.strip():
            if time.monotonic() > deadline:
                raise InfrastructureError(
                    f"the loop device of {self.image} stays in use", code="lab-disk-busy"
                )
            time.sleep(0.05)
