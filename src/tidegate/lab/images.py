"""Stand-ins for the official images that people's compose files name, made of Debian's packages.

Each has the official one's user, variables, paths, entry point and signal, so that Dockerfiles and
compose files work unchanged. An image is built when its recipe changed; the recipe is everything
in its directory below ``containerfiles`` and the recipe of Debian itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tidegate.lab.machine import Machine
from tidegate.lab.places import Places, write
from tidegate.lab.processes import run
from tidegate.lab.progress import step
from tidegate.lab.registry import Registry
from tidegate.lab.rootfs import SUITE, debootstrap

CONTAINERFILES = Path(__file__).parent / "containerfiles"
DEBIAN = "docker.io/library/debian:trixie-slim"
BUILD_S = 900.0

# directory → names below docker.io/library; the first ones are wanted first
IMAGES = {
    "haproxy": ("haproxy:3.0", "haproxy:3.0-alpine"),
    "busybox": ("busybox:1", "busybox:latest"),
    "python": ("python:3.12-slim", "python:3.13-slim"),
    "postgres": ("postgres:17", "postgres:17-alpine"),
    "redis": ("redis:7", "redis:7-alpine"),
    "nginx": ("nginx:1", "nginx:1-alpine"),
}
DEBIAN_NAMES = ("debian:trixie-slim",)
SLIM = tuple(
    f"path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "info", "locale", "lintian")
)


@dataclass(frozen=True, slots=True)
class Images:
    """Builds what the registry does not have yet."""

    places: Places
    machine: Machine
    registry: Registry

    def ensure(self, wanted: Iterable[str] = IMAGES) -> None:
        """Every stand-in is in the registry, in its present form."""
        with self.places.lock("images"):
            missing = [name for name in wanted if not self._present(name)]
            if not missing and self._present("debian"):
                return
            self._ensure_debian()
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                list(pool.map(self._build, missing))

    def _present(self, name: str) -> bool:
        marker = self._marker(name)
        return marker.exists() and marker.read_text() == self._key(name)

    def _marker(self, name: str) -> Path:
        return self.places.registry / "images" / name

    def _key(self, name: str) -> str:
        parts = [
            "debian",
            SUITE,
            self.machine.architecture,
            self.machine.mirror,
            *SLIM,
            *_AS_OFFICIAL,
        ]
        if name != "debian":
            for file in sorted((CONTAINERFILES / name).iterdir()):
                parts += [file.name, file.read_text()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _ensure_debian(self) -> None:
        if self._podman("image", "exists", DEBIAN, check=False) == 0 and self._present("debian"):
            return
        with step("making the image debian:trixie-slim, once"):
            archive = self.places.registry / f"debian-{os.getpid()}.tar"
            try:
                options = [f"--dpkgopt={option}" for option in SLIM]
                debootstrap(self.machine, archive, "netbase", list(_AS_OFFICIAL), options)
                change = 'CMD ["bash"]'
                self._podman("import", "--quiet", f"--change={change}", str(archive), DEBIAN)
            finally:
                archive.unlink(missing_ok=True)
            self._publish("debian", DEBIAN, DEBIAN_NAMES)

    def _build(self, name: str) -> None:
        with step(f"making the image {IMAGES[name][0]}, once"):
            image = f"localhost/tidegate-lab/{name}"
            folder = CONTAINERFILES / name
            options = ["--isolation=chroot", "--network=host", "--layers=false", "--pull=never"]
            argv = ["build", "--quiet", *options, f"--tag={image}", str(folder)]
            self._podman(*argv)
            self._publish(name, image, IMAGES[name])

    def _publish(self, name: str, image: str, names: tuple[str, ...]) -> None:
        for public in names:
            target = f"docker://{self.registry.address}/library/{public}"
            self._podman("push", "--quiet", "--tls-verify=false", image, target)
        write(self._marker(name), self._key(name))

    def _podman(self, *argv: str, check: bool = True) -> int:
        """Podman with a storage for building only, in the machine's own namespaces."""
        root, state = self.places.cache / "build", self.places.run / "build"
        store = [f"--root={root}", f"--runroot={state}", f"--tmpdir={state / 'libpod'}"]
        return run(["podman", *store, *argv], check=check, timeout_s=BUILD_S).returncode


# as in the official image: packages installed in a build start no services, and leave neither
# archives nor apt's caches in a layer (100 MB each)
_AS_OFFICIAL = (
    'printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"; '
    'chmod 755 "$1/usr/sbin/policy-rc.d"',
    "printf '%s\\n' "
    """'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' """
    """'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' """
    '> "$1/etc/apt/apt.conf.d/docker-clean"; rm -f "$1"/var/cache/apt/*.bin',
)
