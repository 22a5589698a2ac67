"""The shop's repository: a copy of the example, settings for our servers, and its four commits."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.lab import Server
from tidegate.testing.prove.project import ROOT, Project

SHOP = ROOT / "examples" / "shop"
PORT = 8081
PASSWORDS = ("POSTGRES_PASSWORD", "API_PASSWORD", "WORKER_PASSWORD", "READER_PASSWORD")
# What operations keeps on every host for its services, with a mistake on one that nobody noticed.
RATE_FILE = "/etc/shop/vat"
RATES = ("19\n", "19\n", "19 %\n")

ENVIRONMENTS = """\
people: {{lead: {lead}}}
environments:
  staging:
    hosts:
      {staging.name}: {{ssh: deploy@{staging.address}, roles: [web, db]}}
    variables: {{SHOP_URL: http://nginx, SHOP_PORT: "{port}"}}
    secrets: secrets/staging.age
    deploy: automatic
    verify: [e2e]
    switch: {{watch: 1s}}
  production:
    hosts:
      {one.name}: {{ssh: deploy@{one.address}, address: {one.address}, roles: [web, db]}}
      {two.name}: {{ssh: deploy@{two.address}, address: {two.address}, roles: [web]}}
    variables: {{SHOP_URL: http://nginx, SHOP_PORT: "{port}"}}
    secrets: secrets/production.age
    gates:
      - approval: {{by: [lead]}}
    verify: [e2e]
    switch: {{watch: 1s}}
"""
# The mistakes, and what they do.
RENAMED = ("location = /health {", "location = /healthz {")  # the health check asks for /health
RATE = (
    "    kinds = len(sold())\n",
    f'    kinds, rate = len(sold()), int(Path("{RATE_FILE}").read_text())\n',
)
MOUNT = ("    depends_on:\n", f"    volumes: [{RATE_FILE}:{RATE_FILE}:ro]\n    depends_on:\n")
SAID = ('"articles": kinds}', '"articles": kinds, "vat": rate}')


@dataclass(frozen=True, slots=True)
class Repository:
    """``stamp`` makes versions and article new in each run: their images have to be built."""

    project: Project
    key: Path
    stamp: str

    @classmethod
    def make(cls, folder: Path, servers: Sequence[Server], stamp: str) -> Repository:
        """The first version, for staging and two hosts of production, with a lead who approves."""
        project, key = Project.copy(SHOP, folder), folder.with_name("lead")
        for file in (key, key.with_suffix(".pub")):
            file.unlink(missing_ok=True)
        words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lead@example.com")
        subprocess.run((*words, "-f", key), check=True)
        lead = key.with_suffix(".pub").read_text().strip()
        staging, one, two = servers
        settings = folder / "tidegate.yaml"
        text, _, _ = settings.read_text().partition("environments:")
        environments = ENVIRONMENTS.format(lead=lead, staging=staging, one=one, two=two, port=PORT)
        settings.write_text(text + environments)
        made = cls(project, key, stamp)
        made.number("1.0.0", "api", "web", "worker")
        made.edit("applications/front/src/index.html", ("</html>", f"<!-- {stamp} -->\n</html>"))
        return made

    def number(self, version: str, *applications: str) -> None:
        """Give applications a version."""
        for name in applications:
            file = self.project.folder / "applications" / name / "VERSION"
            file.write_text(f"{version}+{self.stamp}\n")

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Change a file; each text must be there once."""
        file = self.project.folder / name
        text = file.read_text()
        for before, after in changes:
            if text.count(before) != 1:
                raise ValueError(f"{name} has {before!r} {text.count(before)} times")
            text = text.replace(before, after)
        file.write_text(text)

    def better(self) -> str:
        """A good version: another article, and a column for it, by a migration."""
        self.number("1.1.0", "api", "web")
        with (self.project.folder / "applications/catalogue/src/articles.csv").open("a") as file:
            file.write(f"anchor-{self.stamp},Anchor,7000\n")
        migrations = self.project.folder / "applications/api/src/migrations"
        (migrations / "004_note.sql").write_text("ALTER TABLE orders ADD COLUMN note text;\n")
        return self.project.commit("1.1.0: anchors, and a note for each order")

    def unhealthy(self) -> str:
        """nginx answers its health check no more: a page was renamed, the check was not."""
        self.edit("services/20_nginx/nginx.conf", RENAMED)
        return self.project.commit("1.2.0: the health page has its usual name")

    def picky(self, good: str) -> str:
        """web reads the rate of VAT that the host has, and cannot understand one host's."""
        self.project.revert(good)
        self.number("1.3.0", "web")
        self.edit("applications/web/src/app.py", RATE, SAID)
        self.edit("applications/web/docker-compose.yaml", MOUNT)
        return self.project.commit("1.3.0: the rate of VAT is the host's")


def provision(servers: Sequence[Server]) -> None:
    """Put the file that operations keeps there on each server."""
    for server, rate in zip(servers, RATES, strict=True):
        words = f"mkdir -p $(dirname {RATE_FILE}) && cat > {RATE_FILE}"
        server.run(["sh", "-c", words], user="root", input=rate)
