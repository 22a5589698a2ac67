"""The lab's network: one bridge, a fixed address and MAC for each server, cuts between any two.

No part of Podman's networking is used: the servers run Podman themselves, whose default networks
lie in 10.88.0.0/13 and above (containers-common, ``default_subnet_pools``), so the lab's lies
below. Frames are dropped in the bridge, as a broken cable would: no error, only silence.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.namespace import Namespace
from tidegate.lab.places import Places, write
from tidegate.lab.processes import run

CANDIDATES = tuple(f"10.{n}.77.0/24" for n in range(77, 88))
FIRST, LAST = 10, 250


@dataclass(frozen=True, slots=True)
class Network:
    """One lab's bridge and addresses."""

    places: Places

    @property
    def bridge(self) -> str:
        """The interface on this machine."""
        return f"tglab{self.places.tag}"

    @property
    def subnet(self) -> ipaddress.IPv4Network:
        """Chosen once per lab: the first candidate that this machine has no route to."""
        file = self.places.cache / "subnet"
        if file.exists():
            return ipaddress.IPv4Network(file.read_text().strip())
        taken = [
            ipaddress.ip_network(route["dst"], strict=False)
            for route in json.loads(
                run(["ip", "-4", "-json", "route", "show", "table", "all"]).stdout
            )
            if route["dst"] != "default"
        ]
        for text in CANDIDATES:
            network = ipaddress.IPv4Network(text)
            if not any(network.overlaps(other) for other in taken):
                write(file, text + "\n")
                return network
        raise InfrastructureError(
            f"every network that the lab may use is taken: {', '.join(CANDIDATES)}",
            code="lab-no-network",
        )

    @property
    def gateway(self) -> str:
        """This machine's address on the bridge; the lab's registry listens there."""
        return str(self.subnet[1])

    def ensure(self) -> None:
        """Make bridge and rules where they are not; the caller holds the lab's lock."""
        if Path("/sys/class/net", self.bridge).exists():
            return
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        run(["nft", "-f", "-"], input=self._rules())
        self._pass_other_firewalls()
        batch = (
            f"link add {self.bridge} mtu {_mtu()} type bridge\n"
            f"addr add {self.gateway}/24 dev {self.bridge}\n"
            f"link set {self.bridge} up\n"
        )
        run(["ip", "-batch", "-"], input=batch)

    def remove(self) -> None:
        """Take bridge and rules away."""
        run(["ip", "link", "del", self.bridge], check=False)
        for family in ("ip", "bridge"):
            run(["nft", "delete", "table", family, self.bridge], check=False)
        for rule in self._forward_rules():
            if shutil.which("iptables"):
                run(["iptables", "-D", *rule], check=False)

    def _rules(self) -> str:
        drop = "ip saddr . ip daddr @cut drop"
        chains = "".join(
            f"chain {hook} {{\ntype filter hook {hook} priority 0\n{drop}\n}}\n"
            for hook in ("forward", "input", "output")
        )
        fresh = "".join(
            f"table {family} {self.bridge}\ndelete table {family} {self.bridge}\n"
            for family in ("ip", "bridge")
        )
        return (
            f"{fresh}table ip {self.bridge} {{\nchain out {{\n"
            "type nat hook postrouting priority 100\n"
            f"ip saddr {self.subnet} ip daddr != {self.subnet} masquerade\n}}\n}}\n"
            f"table bridge {self.bridge} {{\nset cut {{\ntype ipv4_addr . ipv4_addr\n}}\n"
            f"{chains}}}\n"
        )

    def _forward_rules(self) -> list[list[str]]:
        return [["FORWARD", side, self.bridge, "-j", "ACCEPT"] for side in ("-i", "-o")]

    def _pass_other_firewalls(self) -> None:
        """Docker sets FORWARD to DROP, firewalld rejects what is in no zone."""
        if shutil.which("iptables"):
            policy = run(["iptables", "-S", "FORWARD"], check=False).stdout
            if policy.startswith("-P FORWARD DROP"):
                for rule in self._forward_rules():
                    run(["iptables", "-I", *rule])
        if shutil.which("firewall-cmd"):
            argv = ["firewall-cmd", "--zone=trusted", f"--add-interface={self.bridge}"]
            run(argv, check=False)

    def link_name(self, address: str) -> str:
        """This machine's end of a server's cable."""
        return f"tgl{self.places.tag}-{address.rsplit('.', 1)[1]}"

    def plug(self, namespace: Namespace, netns: str, address: str) -> None:
        """Make a server's network namespace with its only interface."""
        link, mac = self.link_name(address), mac_of(address)
        self.unplug(namespace, netns, address)
        namespace.run("ip", "netns", "add", netns)
        outside = (
            f"link add {link} mtu {_mtu()} type veth peer name eth0 address {mac} netns {netns}\n"
            f"link set {link} master {self.bridge} up\n"
        )
        inside = (
            f"link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 mtu {_mtu()} up\n"
            f"route add default via {self.gateway}\n"
        )
        namespace.run("ip", "-batch", "-", input=outside)
        namespace.run("ip", "-n", netns, "-batch", "-", input=inside)

    def unplug(self, namespace: Namespace, netns: str, address: str) -> None:
        """Remove a server's network, its cable first: the kernel takes its time with the rest."""
        if Path("/sys/class/net", self.link_name(address)).exists():
            run(["ip", "link", "del", self.link_name(address)], check=False)
        namespace.run("ip", "netns", "del", netns, check=False)

    def cut(self, source: str, to: str) -> None:
        """Drop every frame from one address to another."""
        self._element("add", source, to)

    def heal(self, source: str, to: str) -> None:
        """Let frames from one address to another pass again."""
        self._element("delete", source, to, check=False)

    def heal_all(self, addresses: Collection[str]) -> None:
        """End every cut from or to one of these addresses."""
        listed = run(["nft", "-j", "list", "set", "bridge", self.bridge, "cut"]).stdout
        for entry in json.loads(listed)["nftables"]:
            for element in entry.get("set", {}).get("elem", []):
                source, to = element["concat"]
                if source in addresses or to in addresses:
                    self.heal(source, to)

    def _element(self, verb: str, source: str, to: str, *, check: bool = True) -> None:
        element = f"{{ {source} . {to} }}"
        run(["nft", verb, "element", "bridge", self.bridge, "cut", element], check=check)


def mac_of(address: str) -> str:
    """A MAC that belongs to the address: a new one would cost 30 s of stale ARP entries."""
    octets = [int(part) for part in address.split(".")]
    return "02:54:" + ":".join(f"{octet:02x}" for octet in octets)


def _mtu() -> int:
    """The smallest MTU on the way out, so that no packet needs to be split."""
    routes = json.loads(run(["ip", "-4", "-json", "route", "show", "default"]).stdout or "[]")
    sizes = [
        int(Path("/sys/class/net", route["dev"], "mtu").read_text())
        for route in routes
        if "dev" in route
    ]
    return min([1500, *sizes])
