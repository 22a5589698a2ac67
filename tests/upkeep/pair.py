"""A project on two lab servers, seen from each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.semantics.site import Site
from tidegate.lab import Lab


@dataclass(frozen=True, slots=True)
class Pair:
    """The project, and the same from each server's side; the first is the witness."""

    site: Site
    hosts: Sequence[Site]

    @classmethod
    def make(cls, lab: Lab, names: Sequence[str], folder: Path, name: str) -> Pair:
        """A new repository."""
        site = Site.make(lab.server(names[0]), folder, name, lab.env())
        return cls(site, [replace(site, server=lab.server(host)) for host in names])

    def write(self, compose: str, services: Mapping[str, Any], **environment: Any) -> None:
        """The next version; the first server has the role `db`, both have `web`."""
        hosts = {
            host.server.name: {
                "ssh": f"deploy@{host.server.address}",
                "address": host.server.address,
                "roles": roles,
            }
            for host, roles in zip(self.hosts, (["db", "web"], ["web"]), strict=True)
        }
        self.site.write(compose, settings={"services": services}, hosts=hosts, **environment)
