"""Bad input, as data, through the real command line: one clear error each, nothing changed.

``command`` runs in a directory with ``files``, with a home of its own and without a network
that leads anywhere: 192.0.2.1 is an address for documentation (RFC 5737), and ``ssh`` is not
on PATH, so a command that reached for a host before it refused would show another code.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.schemas import check

CASES = Path(__file__).with_name("bad_input")
COMPOSE = "services:\n  web:\n    image: docker.io/library/busybox:1\n"
CONFIG = "version: 1\nenvironments:\n  production:\n    hosts: {web-1: {ssh: deploy@192.0.2.1}}\n"


def cases() -> list[Any]:
    """Every case of every file that needs no server."""
    return [
        pytest.param(case, id=f"{path.stem}-{case['claim'].replace(' ', '-')}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def programs(directory: Path) -> Path:
    """A directory with the few programs that these commands may call; ssh is not among them."""
    directory.mkdir()
    for name in ("sh", "git", "ssh-keygen"):
        found = shutil.which(name)
        assert found
        (directory / name).symlink_to(found)
    return directory


def run(
    case: Any, place: Path, *extra: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run a case's command in its files; also what the files are afterwards."""
    project = place / "project"
    project.mkdir()
    for name, text in case["files"].items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(
            text.replace("$COMPOSE", COMPOSE).replace("$CONFIG", CONFIG), encoding="utf-8"
        )
    environment = {
        "HOME": str(place),
        "PATH": str(programs(place / "bin")),
        **case.get("environment", {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", *case["command"].split(), *extra],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    files = [path for path in project.rglob("*") if path.is_file()]
    return done, {str(path.relative_to(project)): path.read_text("utf-8") for path in files}


@pytest.mark.parametrize("case", cases())
def test_bad_input_is_one_clear_error(case: Any, tmp_path: Path) -> None:
    """Exit code, code, file and line, and hint are the case's; stdout is empty; no file changed."""
    done, files = run(case, tmp_path, "--json")
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    data = check(json.loads(lines[0]))
    assert done.returncode == case["exit"], data
    if "code" in case:
        assert data["code"] == case["code"], data
    place = data["where"]
    shown = f"{place['file']}:{place['line']}" if place else ""
    assert shown.startswith(case.get("where", "")), data
    assert case.get("hint", "") in data["hint"], data
    assert set(files) == set(case["files"])


def test_an_error_for_people(tmp_path: Path) -> None:
    """Without --json: what, where and the hint, on stderr, without colour where no terminal is."""
    case = {
        "files": {"tidegate.yaml": "version: 1\nenvironment: {}\n"},
        "command": "host bootstrap production",
    }
    done, _ = run(case, tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: tidegate.yaml has no key 'environment'\n"
        "  at tidegate.yaml:2:1\n"
        "  hint: did you mean environments?\n"
    )
