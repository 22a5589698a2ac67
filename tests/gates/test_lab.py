"""Two people, their laptops and a CI job at one server: nobody goes past the others."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.schemas import check
from tests.gates.people import Key
from tests.semantics.site import Site

pytestmark = pytest.mark.lab

WEB = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "echo %s > /tmp/index.html && exec httpd -f -p 8000 -h /tmp"
    ports: ["8080:8000"]
    healthcheck: {test: "wget -q -O - 127.0.0.1:8000", interval: 1s}
"""
GATES = [{"approval": {"by": ["anna", "ben"], "count": 2}}]


@dataclass(frozen=True, slots=True)
class Party:
    """The repository, and a clone with a home of its own for each who takes part."""

    origin: Site
    clones: dict[str, Site]
    people: dict[str, str]

    @classmethod
    def make(cls, origin: Site, folder: Path) -> Party:
        """People have their key in ~/.ssh; the CI job and eve are nobody."""
        team = Key.make(folder / "team", "team")
        shared = {**origin.environment, "TIDEGATE_SIGNING_KEY": str(team.file)}
        clones: dict[str, Site] = {}
        people: dict[str, str] = {}
        for name in ("anna", "ben", "eve", "ci"):
            home = folder / name
            key = Key.make(home / ".ssh", "id_ed25519" if name != "ci" else "deploy")
            people |= {name: key.line} if name in ("anna", "ben") else {}
            environment = {**shared, "HOME": str(home)}
            clones[name] = replace(origin, folder=home / "clone", environment=environment)
        return cls(replace(origin, environment=shared), clones, people)

    def commit(self, version: str) -> None:
        """The next version, in every clone."""
        self.origin.write(WEB % version, settings={"people": self.people}, gates=GATES)
        for clone in self.clones.values():
            shutil.rmtree(clone.folder, ignore_errors=True)
            words = ("git", "clone", "--quiet", self.origin.folder, clone.folder)
            subprocess.run(words, check=True)

    def approve(self, *names: str, code: int = 0) -> list[Any]:
        """The named people look and approve; what each is told."""
        told = []
        for name in names:
            done = self.clones[name].run("approve", "production", "--json", code=code)
            told.append(check(json.loads(done.stdout or done.stderr.splitlines()[-1])))
        return told

    def deploy(self, name: str, code: int = 0) -> Any:
        """Somebody deploys; the error where it does not go through."""
        done = self.clones[name].deploy("--json", code=code)
        return check(json.loads(done.stderr.splitlines()[-1] if code else done.stdout))


@pytest.fixture
def party(site: Site, tmp_path: Path) -> Party:
    """Anna, Ben, Eve and a CI job; the server takes what the team's key has signed."""
    made = Party.make(site, tmp_path)
    team = Key(tmp_path / "team/team").line
    script = 'mkdir -p .config/tidegate && echo "deployer $1" > .config/tidegate/allowed_signers'
    site.on_server("sh", "-c", script, "sh", team)
    return made


def test_two_people_two_laptops_and_a_ci_job(party: Party) -> None:
    """Approvals of both let CI deploy; a hold stops all; what changes needs a new approval."""
    anna, ben, ci = (party.clones[name] for name in ("anna", "ben", "ci"))
    party.commit("1")
    waits = party.deploy("ci", code=5)
    assert (waits["class"], waits["code"]) == ("waiting", "approval-missing")
    assert "0 of 2 approvals; anna or ben may" in waits["message"]
    assert waits["hint"] == "tidegate approve production"
    assert ci.containers() == []
    assert party.approve("anna")[0]["missing"] == ["1 of 2 approvals; ben may"]
    assert "ben may" in party.deploy("ci", code=5)["message"]
    assert party.approve("ben")[0]["missing"] == []
    party.deploy("ci")
    assert ci.get(8080) == "1"

    anna.run("hold", "production", "--reason", "stocktaking")
    party.commit("2")
    held = party.deploy("ben", code=3)
    assert (held["class"], held["code"]) == ("refused", "held")
    assert held["message"].endswith("Z: stocktaking")
    assert held["hint"] == "tidegate unhold production"
    assert party.deploy("ci", code=3) == held
    seen = check(json.loads(ben.run("status", "--json").stdout))["hosts"]
    assert [one["hold"]["reason"] for one in seen.values()] == ["stocktaking"]
    ben.run("unhold", "production")

    party.deploy("ben", code=5)
    party.approve("anna", "ben")
    party.origin.on_server("systemctl", "--user", "stop", ci.container("web")["Name"])
    assert "0 of 2 approvals" in party.deploy("ci", code=5)["message"]
    party.approve("anna", "ben")
    party.deploy("ci")
    assert ci.get(8080) == "2"
    assert "No changes" in anna.deploy().stdout

    anna.run("hold", "production", "--reason", "for the night")
    ben.rollback()
    assert ci.get(8080) == "1"
    assert "for the night" in anna.run("status").stdout
    tool = (".local/bin/tidegate-host", "ledger", "verify", "--project", "gated")
    assert "the chain is whole" in ci.on_server(*tool)


def test_nobody_signs_for_somebody_else(party: Party) -> None:
    """Not with a key of their own, nor by calling it Ben's, nor by new rules for what serves."""
    eve = party.clones["eve"]
    party.commit("1")
    party.deploy("ci", code=5)
    assert party.approve("eve", code=2)[0]["code"] == "not-a-person"
    file = eve.folder / "tidegate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["people"]["ben"] = Key(eve.folder.parent / ".ssh/id_ed25519").line
    file.write_text(json.dumps(config), encoding="utf-8")
    assert party.approve("eve", code=3)[0]["code"] == "not-a-person"
    party.approve("anna", "ben")
    party.deploy("ci")

    config["environments"]["production"]["gates"] = []
    file.write_text(json.dumps(config), encoding="utf-8")
    (eve.folder / "compose.yaml").write_text(WEB % "eve", encoding="utf-8")
    waits = party.deploy("eve", code=5)
    assert "0 of 2 approvals; anna or ben may" in waits["message"]
    assert eve.get(8080) == "1"


def test_a_soak_looks_at_the_other_environment(site: Site) -> None:
    """Production waits until staging has run the same commit for long enough."""
    hosts = {site.server.name: {"ssh": f"deploy@{site.server.address}"}}

    def write(version: str, wait: str) -> None:
        gates = [{"soak": {"in": "staging", "for": wait}}]
        quick = {"hosts": hosts, "switch": {"watch": "300ms"}}
        environments = {
            "staging": {**quick, "variables": {"PORT": "8081"}},
            "production": {**quick, "variables": {"PORT": "8080"}, "gates": gates},
        }
        compose = (WEB % version).replace("8080:", "${PORT}:")
        site.write(compose, settings={"environments": environments})

    write("1", "1h")
    assert "nothing serves in staging" in site.deploy(code=3).stderr
    site.run("deploy", "staging")
    refused = site.deploy(code=3).stderr
    assert "staging has run it for 0 min" in refused
    assert "of 1 h 0 min" in refused
    write("2", "1s")
    assert "it is not" in site.deploy(code=3).stderr
    site.run("deploy", "staging")
    time.sleep(2)
    site.deploy()
    assert site.get(8080) == "2"
    site.run("destroy", "staging", "--volumes", "--yes")
