"""The whole way on one real server, by the command line alone, each answer by its schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.schemas import check
from tidegate.lab import Lab

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "mkdir -p /www && echo %s > /www/index.html && exec httpd -f -p 8000 -h /www"
    ports: ["8080:8000"]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a compose file, a server, and the command line between them."""

    folder: Path
    address: str
    environment: dict[str, str]

    def write(self, text: str) -> None:
        """A version that answers with ``text``."""
        (self.folder / "compose.yaml").write_text(COMPOSE % text, encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command."""
        return subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def data(self, *words: str) -> Any:
        """The data of a command's JSON answer, which its schema accepts."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return check(json.loads(done.stdout))

    def page(self) -> str:
        """What the service answers now."""
        with urllib.request.urlopen(f"http://{self.address}:8080/", timeout=5) as answer:
            return str(answer.read().decode().strip())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A new server and a folder that `init` has been run in."""
    lab = Lab.up(["tour"])
    server = lab.server("tour")
    found = Project(tmp_path_factory.mktemp("tour"), server.address, {**os.environ, **lab.env()})
    found.write("one")
    found.data("init", "--project", "tour", "--host", f"deploy@{server.address}")
    yield found
    lab.down()


def test_the_way_of_a_newcomer(project: Project) -> None:
    """init, doctor, plan, deploy, again, a new version, a bad one, back, status, history, away."""
    assert {f["state"] for f in project.data("doctor")["findings"]} <= {"ok", "warning"}
    plan = project.data("plan")
    assert [action["what"] for action in plan["actions"]] == ["start"]

    first = project.data("deploy")
    assert (first["outcome"], first["deployment"]) == ("committed", "production/1")
    assert project.page() == "one"
    assert project.data("plan")["empty"]
    assert project.data("deploy")["outcome"] == "nothing"

    project.write("two")
    assert [action["what"] for action in project.data("plan")["actions"]] == ["beside"]
    assert project.data("deploy")["deployment"] == "production/2"
    assert project.page() == "two"

    project.write("three; exit 1;")
    bad = project.run("deploy", "--json")
    assert (bad.returncode, bad.stdout) == (1, ""), bad.stderr
    assert check(json.loads(bad.stderr.splitlines()[-1]))["class"] == "failed"
    assert project.page() == "two"

    assert project.data("rollback")["outcome"] == "committed"
    assert project.page() == "one"

    status = project.data("status")
    assert list(status["hosts"]) == ["web-1"]
    assert status["hosts"]["web-1"]["services"]["web"]["state"] == "running"
    entries = project.data("history")["entries"]
    assert [entry["outcome"] for entry in entries] == ["commit", "abort", "commit", "commit"]


def test_logs_and_exec(project: Project) -> None:
    """exec passes words, output and the exit code through; logs shows what a service wrote."""
    done = project.run("exec", "web", "--", "sh", "-c", 'echo "a  b"; exit 7')
    assert (done.stdout, done.returncode) == ("a  b\n", 7)
    project.run("exec", "web", "--", "sh", "-c", "echo seen > /proc/1/fd/1")
    assert "seen" in project.run("logs", "web", "--lines", "20").stdout


def test_destroy_leaves_nothing(project: Project) -> None:
    """Without --yes it asks, and nobody is there to answer; with it everything is gone."""
    assert project.run("destroy", "--json").returncode == 2
    assert project.page() == "one"
    assert project.data("destroy", "--volumes", "--yes")["removed"]
    assert project.data("status")["hosts"]["web-1"]["services"] == {}
