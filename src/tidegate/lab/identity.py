"""Who a server is: its address, its host key and its ssh entries, the same for as long as the
lab's cache lives, so that a server that comes back is known, and a stranger is not.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.network import FIRST, LAST, Network
from tidegate.lab.places import Places, write
from tidegate.lab.processes import run


@dataclass(frozen=True, slots=True)
class Identity:
    """What is written in ``servers/NAME/server.json``."""

    name: str
    address: str
    variant: str = "server"
    layers: tuple[str, ...] = ()
    disk_gb: float = 20.0

    @property
    def user(self) -> str:
        """Who logs in: nobody but root exists on a bare server."""
        return "deploy" if self.variant == "server" else "root"


def load(places: Places, name: str) -> Identity | None:
    """The identity a name has, if it ever had one."""
    try:
        data = json.loads((places.servers / name / "server.json").read_text())
    except FileNotFoundError:
        return None
    return Identity(**{**data, "layers": tuple(data["layers"])})


def known(places: Places) -> list[Identity]:
    """All identities of this lab, by name."""
    names = sorted(path.parent.name for path in places.servers.glob("*/server.json"))
    return [identity for name in names if (identity := load(places, name)) is not None]


def save(places: Places, identity: Identity) -> None:
    """Write an identity down."""
    text = json.dumps(asdict(identity), indent=1) + "\n"
    write(places.servers / identity.name / "server.json", text)


def claim(places: Places, network: Network, name: str) -> Identity:
    """The identity of a name, made where it has none; the caller holds the lab's lock."""
    identity = load(places, name)
    if identity is None:
        identity = Identity(name, _free_address(places, network))
        save(places, identity)
    key = places.servers / name / "host_key"
    if not key.exists():
        make_key(key, f"lab server {name}")
    return identity


def make_key(path: Path, comment: str) -> None:
    """An Ed25519 key without a passphrase: it opens nothing but this lab."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def _free_address(places: Places, network: Network) -> str:
    taken = {identity.address for identity in known(places)}
    addresses = [str(network.subnet[host]) for host in range(FIRST, LAST)]
    for address in addresses:
        if address not in taken:
            return address
    for identity in known(places):
        if not (places.servers / identity.name / "disk.img").exists():
            forget(places, identity.name)
            return identity.address
    raise InfrastructureError(
        f"this lab has {len(addresses)} servers already", code="lab-full", hint="tidegate lab down"
    )


def forget(places: Places, name: str) -> None:
    """Give the address of a server that is down to another one."""
    for file in (places.servers / name).iterdir():
        file.unlink()


def write_ssh_files(places: Places) -> None:
    """Write known_hosts and ssh_config for all servers; the caller holds the lab's lock."""
    known_hosts, blocks = [], []
    for identity in known(places):
        key = places.servers / identity.name / "host_key.pub"
        if not key.exists():
            continue
        public = " ".join(key.read_text().split()[:2])
        known_hosts.append(f"{identity.name},{identity.address} {public}\n")
        blocks.append(_ssh_block(places, identity))
    write(places.known_hosts, "".join(known_hosts))
    write(places.ssh_config, "".join(blocks))
    _give_to_user(places)


def _ssh_block(places: Places, identity: Identity) -> str:
    return (
        f"Host {identity.name} {identity.address}\n"
        f"  HostName {identity.address}\n"
        f"  User {identity.user}\n"
        f"  IdentityFile {places.key}\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {places.known_hosts}\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
        "  UpdateHostKeys no\n"
        "  BatchMode yes\n\n"
    )


def _give_to_user(places: Places) -> None:
    """After sudo, what ssh reads belongs to the person who called it: ssh insists."""
    owner = os.environ.get("SUDO_UID")
    if owner is None or os.geteuid() != 0:
        return
    group = int(os.environ.get("SUDO_GID", owner))
    for path in [places.ssh, *places.ssh.iterdir(), places.ssh_config]:
        os.chown(path, int(owner), group)
