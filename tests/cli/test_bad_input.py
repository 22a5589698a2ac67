"""Bad input, as data, through the real command line: one clear error each, nothing changed.

``command`` runs in a directory with ``files``, with a home of its own and without a network
that leads anywhere: 192.0.2.1 is an address for documentation (RFC 5737), and ``ssh`` is not
on PATH, so a command that reached for a host before it refused would show another code.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.schemas import check
from tidegate.cli import COMMANDS, load

CASES = Path(__file__).with_name("bad_input")
COMPOSE = "services:\n  web:\n    image: docker.io/library/busybox:1\n"
USUAL = {"compose.yaml": "$COMPOSE", "tidegate.yaml": "$CONFIG"}
# No word of Python, and no number of an error of the kernel, belongs into a sentence for people.
UNKIND = re.compile(r"\w+(Error|Exception)\b|Errno|Traceback|\bNone\b|<\w+>|codec")
GIT = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "A"), ("EMAIL", "a@example.com"))
}
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
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any], dict[str, Any]]:
    """Run a case's command in its files; also all that was there before and is there afterwards."""
    project = place / "project"
    project.mkdir()
    for name, text in case.get("files", USUAL).items():
        write(project / name, text)
    environment = {
        "HOME": str(place),
        "PATH": str(programs(place / "bin")),
        **case.get("environment", {}),
    }
    if "setup" in case:
        subprocess.run(
            ["sh", "-euc", case["setup"]],
            cwd=project,
            env={**os.environ, **GIT, "HOME": str(place)},
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
    words = shlex.split(case["command"])
    split = words.index("--") if "--" in words else len(words)
    ours, rest = words[:split], words[split:]
    before = everything(place)
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", *ours, *extra, *rest],
        cwd=project / case.get("in", ""),
        env=environment,
        input=case.get("stdin", ""),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, before, everything(place)


def write(path: Path, text: str | bytes) -> None:
    """A file of a case; bytes are written as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(
            text.replace("$COMPOSE", COMPOSE).replace("$CONFIG", CONFIG), encoding="utf-8"
        )


def everything(place: Path) -> dict[str, Any]:
    """All files, links and folders of a home with the project in it, as they are now."""
    found: dict[str, Any] = {}
    for path in place.rglob("*"):
        if path.is_symlink():
            content: Any = path.readlink()
        else:
            content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(place))] = (path.lstat().st_mode, content)
    return found


@pytest.mark.parametrize("case", cases())
def test_bad_input_is_one_clear_error(case: Any, tmp_path: Path) -> None:
    """Exit code, code, words, file and line, and hint are the case's; nothing is left behind.

    Stdout is empty, and no file, folder or mode differs: in the project, nor in all of the home.
    """
    done, before, after = run(case, tmp_path, "--json")
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    data = check(json.loads(lines[0]))
    assert done.returncode == case["exit"], data
    if "code" in case:
        assert data["code"] == case["code"], data
    assert case.get("message", "") in data["message"], data
    place = data["where"]
    shown = f"{place['file']}:{place['line']}" if place else ""
    assert shown.startswith(case.get("where", "")), data
    assert data["hint"], "there is always something that one can do"
    assert case.get("hint", "") in data["hint"], data
    assert not UNKIND.search(f"{data['message']} {data['hint']}"), data
    assert after == before


def test_every_command_is_given_bad_input() -> None:
    """Each command, and each part of one, has a case at least."""
    tried = [shlex.split(case["command"]) for [case] in (one.values for one in cases())]
    for entry in COMMANDS:
        app = load(entry)
        parts = [name for name in app[entry.word] if not name.startswith("-")]
        for words in [[*entry.name.split(), part] for part in parts] or [entry.name.split()]:
            assert any(one[: len(words)] == words for one in tried), words


def test_an_error_for_people(tmp_path: Path) -> None:
    """Without --json: what, where and the hint, on stderr, without colour where no terminal is."""
    case = {
        "files": {"tidegate.yaml": "version: 1\nenvironment: {}\n"},
        "command": "host bootstrap production",
    }
    done, _, _ = run(case, tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: tidegate.yaml has no key 'environment'\n"
        "  at tidegate.yaml:2:1\n"
        "  hint: did you mean environments?\n"
    )
