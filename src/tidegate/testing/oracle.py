"""docker compose 2.40.3, which tests and benchmarks ask what a file means; never the product.

``./scripts/setup oracle`` fetches Debian's package, checks its digest and unpacks it below
``~/.cache/tidegate``; nothing is installed, and `config` needs no Docker.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from functools import cache
from pathlib import Path

from tidegate.errors import InfrastructureError, TidegateError
from tidegate.lab.machine import mirror

VERSION = "2.40.3"
PACKAGE = "2.40.3-3"
# Of the packages of Debian sid, from its signed index (dists/sid/main/binary-*/Packages).
DIGESTS = {
    "amd64": "e7603d5e6df0f8404f7b03da478022b87d7b50644cffe68884b071e5cfc17fd3",
    "arm64": "a7c33f38d80c4fad61d426fd47e0b7f1e81ad4a643e4e4cee3401e6f8638d359",
}
PLUGIN = "libexec/docker/cli-plugins/docker-compose"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate/oracle"
MISSING = f"docker compose {VERSION} is not here: ./scripts/setup oracle"
TIMEOUT_S = 120


@cache
def find() -> Path | None:
    """The program, where it is unpacked or installed in the version that we follow."""
    places = (
        CACHE / "root/usr" / PLUGIN,
        Path("/usr", PLUGIN),
        Path("/usr/lib/docker/cli-plugins/docker-compose"),
        Path(shutil.which("docker-compose") or "/nonexistent"),
    )
    for path in places:
        if path.exists():
            done = subprocess.run([path, "version"], capture_output=True, text=True, check=False)
            if VERSION in done.stdout:
                return path
    return None


def fetch() -> Path:
    """Unpack the package of this machine's Debian mirror; the program's path."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
    if architecture not in DIGESTS:
        raise InfrastructureError(
            f"there is no digest of docker compose for {platform.machine()}",
            code="oracle-architecture",
        )
    if shutil.which("dpkg-deb") is None:
        raise InfrastructureError(
            "unpacking a Debian package needs dpkg-deb",
            code="oracle-no-dpkg",
            hint="install dpkg, which Fedora has, too",
        )
    content = _download(f"docker-compose_{PACKAGE}_{architecture}.deb")
    if hashlib.sha256(content).hexdigest() != DIGESTS[architecture]:
        raise InfrastructureError(
            "the mirror's docker-compose is not the one that this project knows",
            code="oracle-digest",
            hint="try another mirror with TIDEGATE_LAB_MIRROR",
        )
    root = CACHE / "root"
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        package, unpacked = Path(work, "package.deb"), Path(work, "root")
        package.write_bytes(content)
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        shutil.rmtree(root, ignore_errors=True)
        unpacked.rename(root)
    return root / "usr" / PLUGIN


def _download(name: str) -> bytes:
    base = mirror()
    if not base:
        raise InfrastructureError(
            "this machine's apt names no Debian mirror",
            code="oracle-no-mirror",
            hint="name one in TIDEGATE_LAB_MIRROR, such as http://HOST/debian",
        )
    url = f"{base.rstrip('/')}/pool/main/d/docker-compose/{name}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - apt's own URL
            content: bytes = answer.read()
    except OSError as problem:
        raise InfrastructureError(
            f"{name} could not be had from {base}: {problem}",
            code="oracle-download",
            hint="name a mirror that has Debian sid in TIDEGATE_LAB_MIRROR, or put"
            f" docker-compose {VERSION} on PATH",
        ) from None
    return content


def main() -> int:
    """Fetch it, unless it is here already."""
    try:
        path = find() or fetch()
    except TidegateError as error:
        sys.stderr.write(f"oracle: {error.message}\n        {error.hint}\n")
        return error.exit_code
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
