"""What all servers of a lab stand on: its key, its mount namespace, its bridge, its registry.

A reboot of the machine takes all of it but the key; every start of a server makes it again.
"""

from __future__ import annotations

from tidegate.lab.identity import make_key
from tidegate.lab.machine import make_room
from tidegate.lab.namespace import Namespace
from tidegate.lab.network import Network
from tidegate.lab.places import Places
from tidegate.lab.registry import Registry


def ensure(places: Places) -> None:
    """Make what is not there."""
    namespace, network = Namespace(places), Network(places)
    registry = Registry(places, network)
    with places.lock("lab"):
        if not places.key.exists():
            make_key(places.key, "tidegate lab")
        make_room()
        namespace.ensure()
        network.ensure()
        if registry.installed and registry.needed():
            registry.ensure()


def remove(places: Places) -> None:
    """Take it away once no server is left; the caller holds the lab's lock."""
    network = Network(places)
    Registry(places, network).remove()
    network.remove()
    Namespace(places).remove()
