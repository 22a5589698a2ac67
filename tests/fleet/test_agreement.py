"""Two laptops and a CI job: one lock, one row of numbers, the same facts for all."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import replace
from typing import Any

import pytest

from tests.fleet.fleet import WEB, Fleet, kill
from tests.semantics.site import Site, until
from tidegate.bootstrap.signing_key import VARIABLE, signing_key

pytestmark = pytest.mark.lab

OWN = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "LOGNAME", VARIABLE)


def somebody(fleet: Fleet, name: str, **more: str) -> Site:
    """Another person's clone of the repository, with a home that knows nothing yet."""
    home = fleet.site.folder.parent / name
    home.mkdir()
    folder = home / "project"
    subprocess.run(["git", "clone", "--quiet", fleet.site.folder, folder], check=True)
    for key in ("user.name", "user.email"):
        subprocess.run(["git", "-C", folder, "config", key, f"{name}@example.com"], check=True)
    others = {key: value for key, value in fleet.site.environment.items() if key not in OWN}
    runtime = tempfile.mkdtemp(prefix="tgt")  # sockets have short paths
    mine = {"HOME": str(home), "XDG_RUNTIME_DIR": runtime, "LOGNAME": name, **more}
    return replace(fleet.site, folder=folder, environment={**others, **mine})


def change(site: Site, old: str, new: str) -> None:
    """The next version in a clone."""
    file = site.folder / "compose.yaml"
    file.write_text(file.read_text().replace(f"echo {old} ", f"echo {new} "))
    subprocess.run(
        ["git", "commit", "--quiet", "-am", f"Version {new}"], cwd=site.folder, check=True
    )


def facts(site: Site) -> dict[str, Any]:
    """All that one of them is told of the environment, but for what differs by the second."""
    status = json.loads(site.run("status", "production", "--json").stdout)["data"]
    for seen in status["hosts"].values():
        del seen["disk_free_bytes"]
    history = json.loads(site.run("history", "production", "--json").stdout)["data"]
    return {"status": status, "history": history}


def test_two_laptops_and_a_ci_job_agree(fleet: Fleet) -> None:
    """A new laptop's key is refused until a host knows it; then numbers go on, whoever deploys."""
    fleet.write(WEB % {"version": "1"}, {})
    anna = fleet.site
    anna.deploy()
    ben = somebody(fleet, "ben")
    job = somebody(fleet, "job", CI="true", **{VARIABLE: str(signing_key())})
    assert "No changes" in ben.deploy().stdout
    change(ben, "1", "2")
    refused = ben.deploy(code=3).stderr
    assert "not signed by a signer of this host" in refused
    assert "tidegate host bootstrap" in refused
    ben.run("host", "bootstrap", "production", code=None)
    ben.deploy()
    assert fleet.answers() == ["2", "2", "2"]
    change(job, "1", "3")
    job.deploy()
    job.rollback()
    assert fleet.answers() == ["2", "2", "2"]
    told = [facts(site) for site in (anna, ben, job)]
    assert told[0] == told[1] == told[2]
    entries = told[0]["history"]["entries"]
    assert [entry["deployment"] for entry in entries if entry["outcome"] != "abort"] == [
        f"production/{number}" for number in (5, 4, 3, 1)
    ]
    owners = [entry["owner"].partition("@")[0] for entry in entries[:3]]
    assert owners == ["job", "job", "ben"]


def test_one_of_two_at_once_gets_the_lock(fleet: Fleet) -> None:
    """The other is refused with exit code 3 and the name of who has it, and changes nothing."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    anna = replace(fleet.site, environment={**fleet.site.environment, "LOGNAME": "anna"})
    ben = somebody(fleet, "ben", **{VARIABLE: str(signing_key())})
    fleet.write(WEB % {"version": "2"}, {}, switch={"watch": "1h", "lease": "5s"})
    running = fleet.begin(anna)
    change(ben, "1", "3")
    refused = ben.deploy(code=3)
    assert f"production/2 is open: anna@{os.uname().nodename.partition('.')[0]} has it" in (
        refused.stderr
    )
    told = json.loads(ben.deploy("--json", code=3).stderr)["data"]
    assert (told["class"], told["code"]) == ("refused", "locked")
    assert fleet.answers() == ["2", "2", "2"]
    kill(running)
    until(fleet.answers, lambda found: found == ["1", "1", "1"], patience_s=60)
    until(lambda: [seen["open"] for seen in fleet.status().values()], lambda found: not any(found))
    ben.deploy()
    assert fleet.answers() == ["3", "3", "3"]
