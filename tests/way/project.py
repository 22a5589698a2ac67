"""A web service with an end-to-end test, a secret, a companion file, and two environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.cli.schemas import check
from tests.gates.people import Key
from tests.semantics.site import Site
from tests.semantics.test_secret_variables import secrets
from tidegate.lab import Lab
from tidegate.testing.prove.project import Project

COMPOSE = """\
services:
  web:
    build: .
    init: true
    environment: {GREETING: "${GREETING}", TOKEN: "for-${TOKEN}"}
    ports: ["8080:8000"]
    volumes: ["./motd:/motd:ro"]
    healthcheck: {test: [CMD, python, ask.py, "http://127.0.0.1:8000/"], interval: 1s}
"""
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY VERSION serve.py ask.py e2e.py ./
COPY entrypoints entrypoints
CMD ["python", "-u", "serve.py"]
"""
SERVE = """\
import http.server, os, pathlib
words = [pathlib.Path("VERSION").read_text(), os.environ["GREETING"], os.environ["TOKEN"]]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = " ".join([*words, pathlib.Path("/motd").read_text()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
ASK = """\
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
"""
# By the service's name, with the service's own environment and that of the environment's.
E2E = """\
import os, pathlib, time, urllib.request
said = urllib.request.urlopen("http://web:8000/", timeout=5).read().decode()
version, where = pathlib.Path("VERSION").read_text(), os.environ["TIDEGATE_ENVIRONMENT"]
print("asked", where, "of", os.environ["SITE"])
assert said.split()[:3] == [version, os.environ["GREETING"], os.environ["TOKEN"]], said
time.sleep(60 if version == f"slow-{where}" else 0)
assert version != f"bad-{where}", f"{version} is bad"
"""


@dataclass(frozen=True, slots=True)
class Way:
    """The project, staging, production's hosts, and a clone on what is another machine.

    The other machine has this one's keys and nothing of its caches.
    """

    site: Site
    staging: Site
    production: Sequence[Site]
    other: Site
    anna: Key

    @classmethod
    def make(cls, lab: Lab, names: Sequence[str], folder: Path, name: str) -> Way:
        """A new repository."""
        site = Site.make(lab.server(names[0]), folder / "project", name, lab.env())
        sites = [replace(site, server=lab.server(host)) for host in names]
        elsewhere = {**site.environment, "XDG_CACHE_HOME": str(folder / "cache")}
        other = replace(site, folder=folder / "elsewhere", environment=elsewhere)
        return cls(site, sites[0], sites[1:], other, Key.make(folder / "keys", "anna"))

    def commit(self, version: str, motd: str, token: str, *, witness: int = 0) -> None:
        """The next version, in both clones; all that makes it is another one each time."""

        def host(site: Site) -> dict[str, Any]:
            address, chosen = site.server.address, self.production[witness].server.name
            entry: dict[str, Any] = {"ssh": f"deploy@{address}", "address": address}
            return {site.server.name: {**entry, "witness": site.server.name == chosen}}

        def environment(name: str, *sites: Site) -> dict[str, Any]:
            hosts = {key: value for site in sites for key, value in host(site).items()}
            variables = {"GREETING": f"hello-{version}-{name}", "SITE": f"{name}.example.com"}
            own = {"hosts": hosts, "variables": variables, "secrets": f"secrets/{name}.age"}
            return {**own, "verify": ["e2e"], "switch": {"watch": "300ms", "lease": "6s"}}

        gates = [{"approval": {"by": ["anna"]}}]
        environments = {
            "staging": {**environment("staging", self.staging), "deploy": "automatic"},
            "production": {**environment("production", *self.production), "gates": gates},
        }
        kept = self._secrets()
        settings = {"people": {"anna": self.anna.line}, "environments": environments}
        files: dict[str, str | bytes] = {
            "Dockerfile": DOCKERFILE,
            "VERSION": version,
            "serve.py": SERVE,
            "ask.py": ASK,
            "e2e.py": E2E,
            "entrypoints/entrypoint_e2e.sh": "#!/bin/sh\nexec python e2e.py\n",
            "motd": motd,
            **kept,
        }
        self.site.write(COMPOSE, files, settings=settings)
        for name in environments:
            secrets(self.site, "set", name, "TOKEN", given=token)
        Project(self.site.folder).commit("Secrets")
        shutil.rmtree(self.other.folder, ignore_errors=True)
        words = ("git", "clone", "--quiet", self.site.folder, self.other.folder)
        subprocess.run(words, check=True)

    def _secrets(self) -> dict[str, str | bytes]:
        found = self.site.folder.glob("secrets/*.age")
        return {f"secrets/{file.name}": file.read_bytes() for file in found}

    def ask(self, site: Site, *words: str, code: int = 0) -> Any:
        """``tidegate WORDS --json``; its data, or its error's."""
        done = site.run(*words, "--json", code=code)
        return check(json.loads(done.stdout or done.stderr.splitlines()[-1]))

    def approve(self) -> None:
        """Anna looks and approves."""
        self.ask(self.site, "approve", "production", "--key", os.fspath(self.anna.file))

    def says(self) -> list[str]:
        """What each host of production answers."""
        return [host.get(8080) for host in self.production]

    def clean(self, environment: str) -> bool:
        """Whether what runs is just what should, on every host: one container, no drift."""
        hosts = self.ask(self.site, "status", environment)["hosts"].values()
        sites = [self.staging] if environment == "staging" else self.production
        alone = [len(site.containers("web")) == 1 for site in sites]
        return all(alone) and not any(seen["drift"] or seen["open"] for seen in hosts)
