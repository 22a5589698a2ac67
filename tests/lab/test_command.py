"""``tidegate lab`` as people and scripts call it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tidegate.lab import Lab, Server

pytestmark = pytest.mark.lab


def tidegate(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process."""
    argv = [sys.executable, "-m", "tidegate.lab", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=check)


def test_up_tells_programs_how_to_reach_servers_and_images(server: Server) -> None:
    """One object with servers, registry, ssh_config and variables; ssh works with what it says."""
    answer = json.loads(tidegate("up", "--servers", server.name, "--json").stdout)
    assert (answer["schema"], answer["kind"]) == ("tidegate/lab/1", "lab")
    (told,) = answer["data"]["servers"]
    assert told["state"] == "running"
    assert told["ssh"] == f"deploy@{server.address}"
    argv = ["ssh", "-F", answer["data"]["ssh_config"], told["ssh"], "hostname"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == server.name
    assert answer["data"]["env"]["TIDEGATE_SSH_CONFIG"] == answer["data"]["ssh_config"]


def test_up_tells_people_the_lines_for_tidegate_yaml(server: Server) -> None:
    """The hosts are YAML that can be pasted."""
    import yaml

    text = tidegate("up", "--servers", server.name).stdout
    hosts = yaml.safe_load(text.split("# in the shell")[0])["hosts"]
    assert hosts == {server.name: {"ssh": f"deploy@{server.address}"}}


def test_ssh_hands_the_command_over_as_it_is(server: Server) -> None:
    """Words stay words, one word is a line for the shell, and the exit code comes back."""
    assert (
        tidegate("ssh", server.name, "--", "printf", "%s|", "a b", "$HOME").stdout == "a b|$HOME|"
    )
    assert (
        tidegate("ssh", f"root@{server.name}", "--", "id -un; exit 7", check=False).returncode == 7
    )


def test_kill_start_and_status(lab: Lab, server: Server) -> None:
    """kill stops it, start brings it back, status shows which; stop does too."""
    for off in ("kill", "stop"):
        tidegate(off, server.name)
        states = json.loads(tidegate("status", "--json").stdout)["data"]["servers"]
        assert {s["name"]: s["state"] for s in states if s["name"] in lab.names} == {
            server.name: "stopped",
            lab.names[1]: "running",
        }
        tidegate("start", server.name)
        assert server.state() == "running"


def test_a_server_that_is_not_there_is_named(lab: Lab) -> None:
    """The error names the server and the command that makes it; exit code 2."""
    for command in ("start", "kill", "ssh"):
        done = tidegate(command, "nobody-called-it-so", check=False)
        assert done.returncode == 2
        assert "tidegate lab up --servers nobody-called-it-so" in done.stderr
    assert lab.names
