"""What no page shows: odd words for exec, a question that nobody answers, nothing left behind.

The whole way by the command line alone, with each answer by its schema, is that of the documents:
tests/docs follows docs/tutorial.md and docs/how-to/answers-for-programs.md.
"""

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
    command: sh -c "mkdir -p /www && echo one > /www/index.html && exec httpd -f -p 8000 -h /www"
    ports: ["8080:8000"]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a compose file, a server, and the command line between them."""

    folder: Path
    address: str
    environment: dict[str, str]

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
    """A new server, and a project that runs on it."""
    lab = Lab.up(["tour"])
    server = lab.server("tour")
    found = Project(tmp_path_factory.mktemp("tour"), server.address, {**os.environ, **lab.env()})
    (found.folder / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    found.data("init", "--project", "tour", "--host", f"deploy@{server.address}")
    assert found.data("deploy")["deployment"] == "production/1"
    yield found
    lab.down()


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
