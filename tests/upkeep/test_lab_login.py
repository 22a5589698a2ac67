"""A registry that asks for a password, this machine, and a real server that pulls from it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.schemas import check
from tests.host.test_logins import PASSWORD, asking
from tests.semantics.site import Done, Site
from tidegate.lab import Lab

pytestmark = pytest.mark.lab

PORT = 5396
DROP_IN = "/etc/containers/registries.conf.d/50-asking.conf"


def login(site: Site, registry: str, password: str, *words: str) -> Done:
    """``tidegate registry login``, the password on standard input."""
    argv = [sys.executable, "-m", "tidegate", "registry", "login", registry, "--username", "me"]
    return subprocess.run(
        [*argv, *words],
        cwd=site.folder,
        env=site.environment,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_host_pulls_what_needs_a_login(site: Site, lab: Lab, tmp_path: Path) -> None:
    """Denied here, then there, each with the command that helps; then deployed; then forgotten."""
    gateway = lab.registry.address.partition(":")[0]
    insecure = f'\n[[registry]]\nlocation = "{gateway}:{PORT}"\ninsecure = true\n'
    conf = tmp_path / "registries.conf"
    conf.write_text(lab.places.registries_conf.read_text() + insecure)
    own = {"CONTAINERS_REGISTRIES_CONF": str(conf), "REGISTRY_AUTH_FILE": str(tmp_path / "auth")}
    site = replace(site, environment={**site.environment, **own})
    site.server.run(["sh", "-c", f"cat > {DROP_IN}"], user="root", input=insecure)
    (tmp_path / "registry").mkdir()
    with asking(tmp_path / "registry", f"{gateway}:{PORT}") as registry:
        image = f"{registry}/private/app:1"
        argv = ["skopeo", "--registries-conf", str(conf), "copy", "--quiet"]
        argv += [f"--dest-creds=me:{PASSWORD}", "docker://docker.io/library/busybox:1"]
        subprocess.run([*argv, f"docker://{image}"], check=True)
        site.write(f"services: {{web: {{image: '{image}', init: true, command: sleep 1d}}}}\n")
        denied = json.loads(site.deploy("--json", code=2).stderr)["data"]
        assert denied["code"] == "image-denied"
        assert f"tidegate registry login {registry}" in denied["hint"]

        assert "does not take this name" in login(site, registry, "wrong").stderr
        assert login(site, registry, PASSWORD, "--here").stdout == (
            f"this machine: logged in to {registry}\n"
        )
        there = site.deploy(code=2).stderr
        assert "the registry does not give" in there
        assert f"tidegate registry login {registry}" in there

        done = login(site, registry, PASSWORD, "production", "--json")
        told = check(json.loads(done.stdout))
        assert told["done"] == ["this machine", site.server.name]
        site.deploy()
        assert site.container("web")["State"]["Running"]
        mode = site.on_server("stat", "-c", "%a %U", ".config/containers/auth.json")
        assert mode.split() == ["600", "deploy"]
        seen = check(json.loads(site.run("registry", "list", "--json").stdout))["logins"]
        assert {(one["place"], one["username"]) for one in seen} == {
            ("this machine", "me"),
            (site.server.name, "me"),
        }
        journal = site.server.run(["journalctl", "--no-pager"], user="root").stdout
        assert PASSWORD not in journal + site.run("history", "--json").stdout
        site.run("registry", "logout", registry)
        assert check(json.loads(site.run("registry", "list", "--json").stdout))["logins"] == []
    site.server.run(["rm", DROP_IN], user="root")
