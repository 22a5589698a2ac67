"""Where the lab keeps things: what lasts in the cache, what ends with the machine's boot in /run.

Two caches are two labs that know nothing of each other: own network, own servers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidegate.lab.progress import step


@dataclass(frozen=True, slots=True)
class Places:
    """The directories of one lab; ``tag`` tells the labs of one machine apart."""

    cache: Path

    @property
    def tag(self) -> str:
        """Four characters for interface names, which may have 15 (linux/if.h IFNAMSIZ)."""
        return hashlib.sha256(str(self.cache).encode()).hexdigest()[:4]

    @property
    def run(self) -> Path:
        """What a reboot of the machine may forget."""
        return Path("/run/tidegate-lab") / self.tag

    @property
    def ssh(self) -> Path:
        """The key of the lab's user."""
        return self.cache / "ssh"

    @property
    def key(self) -> Path:
        """The private key that opens every server of this lab."""
        return self.ssh / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The host keys of every server, written by the lab itself."""
        return self.ssh / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """For ``ssh -F``."""
        return self.cache / "ssh_config"

    @property
    def rootfs(self) -> Path:
        """Root file systems, by recipe."""
        return self.cache / "rootfs"

    @property
    def servers(self) -> Path:
        """A directory for each server."""
        return self.cache / "servers"

    @property
    def registry(self) -> Path:
        """The lab's registry: its program, its blobs and its log."""
        return self.cache / "registry"

    @property
    def registries_conf(self) -> Path:
        """For ``CONTAINERS_REGISTRIES_CONF`` on this machine."""
        return self.cache / "registries.conf"

    @property
    def podman(self) -> list[str]:
        """Podman with a storage of the lab's own, so that the user's is never touched."""
        return [
            "podman",
            f"--root={self.cache / 'podman'}",
            f"--runroot={self.run / 'podman'}",
            f"--tmpdir={self.run / 'libpod'}",
        ]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold one of the lab's locks; it goes with the process, whatever ends it."""
        folder = self.run / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with step(f"waiting for another tidegate lab, which works on {name}"):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def default_places() -> Places:
    """The lab of this user: TIDEGATE_LAB_HOME, or tidegate/lab in the user's cache."""
    named = os.environ.get("TIDEGATE_LAB_HOME")
    if named:
        return Places(Path(named).resolve())
    cache = os.environ.get("XDG_CACHE_HOME")
    base = Path(cache) if cache else Path.home() / ".cache"
    return Places((base / "tidegate" / "lab").resolve())


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Put a file in place in one step; whoever reads it sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.chmod(mode)
    temporary.rename(path)
