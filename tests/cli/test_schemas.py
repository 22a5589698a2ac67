"""What the command line answers with --json is what docs/schemas publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli.schemas import FOLDER, check
from tidegate.cli import run

COMPOSE = "services:\n  web:\n    image: docker.io/library/busybox:1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a compose file, and a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_each_schema_is_one(path: Path) -> None:
    """Each file is a JSON Schema of the envelope with its own kind."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema["properties"]["schema"]["const"] == f"tidegate/{path.stem}/1"
    assert schema["properties"]["kind"]["const"] == path.stem


def test_init_answers_by_its_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`init --json` says what it wrote and what is next, and the file is there."""
    assert run(["init", "--json", "--host", "deploy@192.0.2.1", "--project", "on"]) == 0
    data = check(json.loads(capsys.readouterr().out))
    assert (data["project"], data["services"]) == ("on", ["web"])
    assert (project / data["file"]).read_text(encoding="utf-8").splitlines()[1] == 'project: "on"'


def test_doctor_answers_by_its_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor --json` without a configuration lacks one and says which command writes it."""
    assert (project / "compose.yaml").exists()
    assert run(["doctor", "--json"]) == 4
    findings = check(json.loads(capsys.readouterr().out))["findings"]
    lack = [f for f in findings if f["subject"] == "configuration"]
    assert [(f["state"], f["remedy"]) for f in lack] == [("missing", "tidegate init")]


def test_doctor_reads_a_broken_configuration(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be read is a finding with its place, not the end of doctor."""
    (project / "tidegate.yaml").write_text("version: 1\nenvironment: {}\n", encoding="utf-8")
    assert run(["doctor", "--json"]) == 4
    findings = check(json.loads(capsys.readouterr().out))["findings"]
    assert "tidegate.yaml:2:1" in findings[-1]["detail"]
    assert findings[-1]["remedy"] == "did you mean environments?"


def test_an_error_answers_by_its_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error with --json leaves stdout empty and is the last line of stderr."""
    (project / "compose.yaml").unlink()
    assert run(["init", "--json"]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert check(json.loads(answer.err.splitlines()[-1]))["code"] == "compose-missing"
