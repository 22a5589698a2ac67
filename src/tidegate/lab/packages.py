"""What a lab needs of this machine's packages: one list for ``lab up`` and ``scripts/setup``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# program or file → (Debian's and Ubuntu's package, Fedora's package). Podman's parts are named
# one by one: Debian only recommends them.
NEEDED = {
    "podman": ("podman", "podman"),
    "crun": ("crun", "crun"),
    "netavark": ("netavark", "netavark"),
    "aardvark-dns": ("aardvark-dns", "aardvark-dns"),
    "newuidmap": ("uidmap", "shadow-utils"),
    "skopeo": ("skopeo", "skopeo"),
    "iptables": ("iptables", "iptables-nft"),
    "nft": ("nftables", "nftables"),
    "ip": ("iproute2", "iproute"),
    "mmdebstrap": ("mmdebstrap", "mmdebstrap"),
    "dpkg-deb": ("dpkg", "dpkg"),
    KEYRING: ("debian-archive-keyring", "debian-keyring"),
    "mkfs.ext4": ("e2fsprogs", "e2fsprogs"),
    "losetup": ("mount", "util-linux"),
    "nsenter": ("util-linux", "util-linux"),
    "ssh": ("openssh-client", "openssh-clients"),
    "ssh-keygen": ("openssh-client", "openssh"),
}
# Beside PATH: where both families keep what only root or Podman itself calls.
PLACES = ("/usr/sbin", "/sbin", "/usr/lib/podman", "/usr/libexec/podman")


def missing() -> list[str]:
    """The programs and files of ``NEEDED`` that this machine lacks."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES])
    return [
        name
        for name in NEEDED
        if not (Path(name).exists() if name.startswith("/") else shutil.which(name, path=path))
    ]


def on_fedora() -> bool:
    """Whether packages come from dnf here."""
    return shutil.which("apt-get") is None and shutil.which("dnf") is not None


def providing(names: list[str]) -> list[str]:
    """The packages of this machine's distribution that hold these."""
    return sorted({NEEDED[name][1 if on_fedora() else 0] for name in names})
