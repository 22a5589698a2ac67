"""A project on several lab servers, looked at from each server's side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.semantics.site import Done, Site
from tidegate.lab import Lab

ROLES = (("db",), ("web",), ("web",))


@dataclass(frozen=True, slots=True)
class Fleet:
    """The project, and the same seen from each of its servers; the first is the witness."""

    site: Site
    hosts: Sequence[Site]

    @classmethod
    def make(cls, lab: Lab, names: Sequence[str], folder: Path, name: str) -> Fleet:
        """A new repository."""
        site = Site.make(lab.server(names[0]), folder, name, lab.env())
        return cls(site, [replace(site, server=lab.server(host)) for host in names])

    def write(
        self,
        compose: str | Mapping[str, Any],
        settings: Mapping[str, Any],
        *,
        witness: int = 0,
        without: int | None = None,
        **environment: Any,
    ) -> None:
        """The next version; ``settings`` are those of the services; one host may be left out."""
        hosts = {
            host.server.name: {
                "ssh": f"deploy@{host.server.address}",
                "address": host.server.address,
                "roles": list(roles),
                **({"witness": True} if number == witness else {}),
            }
            for number, (host, roles) in enumerate(zip(self.hosts, ROLES, strict=True))
            if number != without
        }
        everything = {"hosts": hosts, **environment}
        self.site.write(compose, settings={"services": settings}, **everything)

    def deploy(self, *words: str, code: int | None = 0) -> Done:
        """``tidegate deploy production``."""
        return self.site.deploy(*words, code=code)

    def status(self) -> dict[str, Any]:
        """What each host says of itself."""
        done = self.site.run("status", "production", "--json")
        found: dict[str, Any] = json.loads(done.stdout)["data"]["hosts"]
        return found

    def generations(self) -> list[int]:
        """The generation that serves on each host."""
        return [int(seen["generation"]) for seen in self.status().values()]
