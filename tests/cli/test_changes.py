"""`tidegate changes` as people and workflows see it, on a real repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.changes.repository import Repository
from tests.cli.schemas import check
from tidegate.cli import run

PROJECT = {
    "applications/api/Dockerfile": "FROM a\nCOPY src target libs /\n",
    "applications/web/Dockerfile": "FROM a AS x\nCOPY . /\n",
    "services/01_web/docker-compose.yml": "services: {web: {image: r/web}, cache: {image: c}}\n",
}
CHANGE = {
    "applications/web/a": "1",
    "applications/web/b c": "1",
    "README.md": "1",
    "applications/api/notes": "1",
}
TEXT = """\
{base}..{head}: 4 files in 1 commit

APPLICATION  ACTION    BECAUSE
api          nothing
web          build     applications/web/a    COPY . (applications/web/Dockerfile:2)
                       applications/web/b c  COPY . (applications/web/Dockerfile:2)

SERVICE      ACTION    BECAUSE
web          redeploy  runs the image of web
cache        nothing

NOBODY'S
README.md
applications/api/notes  applications/api/Dockerfile does not take it

1 of 2 applications to build, 1 of 2 services to redeploy. 2 of 4 files nobody's.
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository of two commits, and we are in it."""
    found = Repository(tmp_path / "project")
    found.commit("first", PROJECT)
    found.commit("second", CHANGE)
    monkeypatch.chdir(found.folder)
    return found


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command says on stdout; it ends with 0."""
    assert run(["changes", *words]) == 0
    return capsys.readouterr().out


def test_a_table_for_people(made: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns line up, every file is somewhere, nothing is coloured in a pipe."""
    expected = TEXT.format(
        base=made.git("rev-parse", "--short=7", "HEAD^"),
        head=made.git("rev-parse", "--short=7", "HEAD"),
    )
    assert told(capsys) == expected


@pytest.mark.usefixtures("made")
def test_colour_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actions have a colour on a terminal, and with NO_COLOR they have none."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "web          \x1b[32mbuild   \x1b[0m  applications/web/a" in told(capsys)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in told(capsys)


def test_json_follows_its_schema(made: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of entry is as docs/schemas/changes.json has it."""
    made.git("mv", "applications/web/a", "moved")
    made.commit("Third\n\n[deploy-services: cache]", {
        "applications/api/Dockerfile": None, "services/01_web/docker-compose.yml":
        "services: {cache: {image: c}}\n", os.fsdecode(b"caf\xe9"): "1",
    })  # fmt: skip
    data = check(json.loads(told(capsys, "--json")))
    assert data["directives"] == [
        {"name": "deploy-services", "services": ["cache"], "commit": data["head"], "line": 3}
    ]
    by_name = {one["name"]: one["action"] for one in data["applications"]}
    assert by_name == {"api": "remove", "web": "build"}
    assert {one["name"]: one["action"] for one in data["services"]} == {
        "cache": "redeploy",
        "web": "nothing",
    }
    assert [one["kept_from"] for one in data["services"]] == [None, "[deploy-services: cache]"]
    assert "caf\\xe9" in {one["path"] for one in data["files"]}
    assert check(json.loads(told(capsys, "HEAD~9..HEAD", "--json")))["base"] is None


def test_a_matrix_for_github(made: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for GITHUB_OUTPUT; `include` is empty where there is nothing to build."""
    text = told(capsys, "--matrix")
    assert text.count("\n") == 1
    assert json.loads(text) == {
        "include": [
            {
                "application": "web",
                "kind": "application",
                "context": "applications/web",
                "dockerfile": "applications/web/Dockerfile",
                "target": "",
                "platforms": "",
            }
        ]
    }
    made.commit("Fourth [skip-build]", {"applications/web/a": "2"})
    assert told(capsys, "HEAD^..HEAD", "--matrix") == '{"include": []}\n'


def test_wrong_orders_are_bad_input(made: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the message names commit and line."""
    oid = made.commit("Third\n\n[skip-build] [force-build]")
    assert run(["changes"]) == 2
    error = capsys.readouterr().err
    assert "[force-build] contradicts [skip-build]" in error
    assert f"at commit {oid[:12]}:3:14" in error


def test_plain_words_need_no_cyclopts(made: Repository) -> None:
    """What pipelines type does not pay for cyclopts or the compose loader; odd words may."""
    code = (
        "import sys; from tidegate.cli import run; run(sys.argv[1:]);"
        "print({'cyclopts', 'pathlib', 'tidegate.compose.loading'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, "changes", "HEAD^..HEAD", "--config", "tidegate.yaml"]
    done = subprocess.run(
        [*words, "--matrix"], cwd=made.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
