"""A lab: some servers on one network, with a registry where the machine reaches none.

Names are the unit of isolation: several people and tests share one lab on a machine, each with
servers of its own name. ``up`` may be called again at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from tidegate.errors import InputError
from tidegate.lab import building, shared
from tidegate.lab import identity as identities
from tidegate.lab.identity import Identity
from tidegate.lab.images import Images
from tidegate.lab.machine import Machine, examine
from tidegate.lab.namespace import Namespace
from tidegate.lab.network import Network
from tidegate.lab.places import Places, default_places
from tidegate.lab.progress import step
from tidegate.lab.registry import Registry
from tidegate.lab.rootfs import Rootfs
from tidegate.lab.server import Server, states

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
DISK_GB = 20.0


@dataclass(frozen=True, slots=True)
class Lab:
    """The servers that the caller named; ``Lab.up`` makes one."""

    names: tuple[str, ...]
    places: Places
    machine: Machine

    @classmethod
    def up(
        cls,
        names: Iterable[str] = ("a",),
        *,
        bare: bool = False,
        podman: bool = True,
        disk_gb: float = DISK_GB,
        images: bool = True,
        places: Places | None = None,
    ) -> Lab:
        """Bring these servers up, each as it is or new, and with ``images`` the registry's images.

        A server that is there keeps its disk; one of another variant is an ``InputError``.
        """
        names = tuple(dict.fromkeys(names))
        for name in names:
            _check_name(name)
        lab = cls(names, places or default_places(), examine())
        variant = "server" if not bare else "bare" if podman else "bare-without-podman"
        layers = lab._prepare(variant)
        with ThreadPoolExecutor(4) as pool:
            if images and lab.registry.needed():
                made = pool.submit(Images(lab.places, lab.machine, lab.registry).ensure)
            list(pool.map(lambda name: lab._up_one(name, variant, layers, disk_gb), lab.names))
            if images and lab.registry.needed():
                made.result()
        return lab

    @classmethod
    def open(cls, names: Iterable[str] = (), *, places: Places | None = None) -> Lab:
        """The lab as it is; without names, all servers that are not absent."""
        places, names = places or default_places(), tuple(names)
        known = [one.name for one in identities.known(places)]
        for name in names:
            _require_known(name, known)
        found = [name for name, state in states(places, known).items() if state != "absent"]
        return cls(names or tuple(found), places, examine())

    @property
    def network(self) -> Network:
        """The bridge that the servers are plugged into."""
        return Network(self.places)

    @property
    def registry(self) -> Registry:
        """Serves images under the names of docker.io where that is out of reach."""
        return Registry(self.places, self.network)

    def server(self, name: str) -> Server:
        """One server by name."""
        identity = identities.load(self.places, name)
        if identity is None or name not in self.names:
            raise _unknown(name, self.names)
        return Server(identity, self.places, self.machine)

    @property
    def servers(self) -> list[Server]:
        """All servers of this lab object."""
        return [self.server(name) for name in self.names]

    def down(self) -> None:
        """Remove these servers with their disks; the last one takes network and registry along."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Server.remove, self.servers))
        with self.places.lock("lab"):
            known = [one.name for one in identities.known(self.places)]
            if set(states(self.places, known).values()) <= {"absent"}:
                shared.remove(self.places)

    # -- the network between them -------------------------------------------------------------

    def network_cut(self, a: str, b: str, *, one_way: bool = False) -> None:
        """Nothing from a reaches b any more, nor, unless ``one_way``, anything from b a.

        ``controller`` is this machine.
        """
        for source, to in self._ways(a, b, one_way=one_way):
            self.network.cut(source, to)

    def heal(self, a: str = "", b: str = "") -> None:
        """End the cut between a and b, or without names every cut around these servers."""
        if not a:
            self.network.heal_all([server.address for server in self.servers])
            return
        for source, to in self._ways(a, b, one_way=False):
            self.network.heal(source, to)

    def _ways(self, a: str, b: str, *, one_way: bool) -> list[tuple[str, str]]:
        source, to = self._address(a), self._address(b)
        return [(source, to)] if one_way else [(source, to), (to, source)]

    def _address(self, name: str) -> str:
        return self.network.gateway if name == "controller" else self.server(name).address

    # -- what users are told ------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """The ``data`` of ``tidegate lab up --json``."""
        state = states(self.places, self.names)
        return {
            "servers": [
                {
                    "name": server.name,
                    "address": server.address,
                    "ssh": f"{server.user}@{server.address}",
                    "port": 22,
                    "key": str(self.places.key),
                    "known_hosts": str(self.places.known_hosts),
                    "state": state[server.name],
                    "variant": server.identity.variant,
                }
                for server in self.servers
            ],
            "registry": self.registry.address if self.registry.needed() else None,
            "ssh_config": str(self.places.ssh_config),
            "env": self.env(),
        }

    def env(self) -> dict[str, str]:
        """What a program on this machine needs to reach servers and images of this lab."""
        found = {"TIDEGATE_SSH_CONFIG": str(self.places.ssh_config)}
        if self.registry.needed():
            found["CONTAINERS_REGISTRIES_CONF"] = str(self.places.registries_conf)
        return found | building.ensure(self.places)

    # -- inside -------------------------------------------------------------------------------

    def _prepare(self, variant: str) -> tuple[str, ...]:
        """Everything that servers share; gives the layers of their root file system."""
        shared.ensure(self.places)
        rootfs = Rootfs(self.places, self.machine, Namespace(self.places))
        layers = tuple(str(layer) for layer in rootfs.layers(variant))
        shared.ensure(self.places)  # the registry's program came with the root file system
        return layers

    def _up_one(self, name: str, variant: str, layers: Sequence[str], disk_gb: float) -> None:
        with self.places.lock("lab"):
            claimed = identities.claim(self.places, self.network, name)
        with self.places.lock(f"up-{name}"):
            server = Server(claimed, self.places, self.machine)
            if server.disk.image.exists():
                _require_same(claimed, variant)
            else:
                claimed = replace(claimed, variant=variant, layers=tuple(layers), disk_gb=disk_gb)
                server = Server(claimed, self.places, self.machine)
                identities.save(self.places, claimed)
                server.create()
            with self.places.lock("lab"):
                identities.write_ssh_files(self.places)
            with step(f"starting {name}"):
                server.start()


def _require_known(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise _unknown(name, known)


def _unknown(name: str, known: Sequence[str]) -> InputError:
    return InputError(
        f"there is no lab server {name!r}; there is {', '.join(known) or 'none'}",
        code="lab-no-server",
        hint=f"tidegate lab up --servers {name}",
    )


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a lab server",
            code="lab-name",
            hint="small letters, digits and '-', beginning with a letter, at most 31 characters",
        )


def _require_same(identity: Identity, variant: str) -> None:
    if identity.variant != variant:
        raise InputError(
            f"lab server {identity.name} is there already, as variant {identity.variant!r}",
            code="lab-other-variant",
            hint=f"tidegate lab down --servers {identity.name}",
        )
