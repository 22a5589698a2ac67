"""docker compose itself, where it is installed, says of every case what the case says.

It is looked for as `docker-compose` on PATH, as Docker's plugin, and where Debian's package was
unpacked: ~/.cache/tidegate/oracle/root. Only 2.40.3 counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tidegate.testing.casefiles import ROOT, Case, case_paths, read_case

PLUGIN = "libexec/docker/cli-plugins/docker-compose"
PLACES = (
    Path.home() / ".cache/tidegate/oracle/root/usr" / PLUGIN,
    Path("/usr", PLUGIN),
    Path("/usr/lib/docker/cli-plugins/docker-compose"),
    Path(shutil.which("docker-compose") or "/nonexistent"),
)


def oracle() -> Path | None:
    """The program, if it is installed in the version that we follow."""
    for path in PLACES:
        if path.exists():
            done = subprocess.run([path, "version"], capture_output=True, text=True, check=False)
            if "2.40.3" in done.stdout:
                return path
    return None


PROGRAM = oracle()


def printed(case: Case, directory: Path) -> str | None:
    """What it prints for a case, None where it rejects it."""
    home = directory / "case"
    for name, text in case.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    command = [str(PROGRAM)]
    for option, names in (
        ("-f", case.words("files", "compose.yaml")),
        ("-p", [case.project] if case.project else []),
        ("--env-file", case.words("env_files")),
        ("--profile", case.words("profiles")),
    ):
        for name in names:
            command += [option, name]
    command += ["config", "--format", "json"]
    done = subprocess.run(
        command, cwd=home, env=case.variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    return done.stdout.replace(str(home), ROOT).replace(str(directory), "")


@pytest.mark.skipif(PROGRAM is None, reason="docker-compose 2.40.3 is not installed")
@pytest.mark.parametrize("path", case_paths(), ids=lambda path: path.stem)
def test_docker_compose_agrees(path: Path, tmp_path: Path) -> None:
    """It prints what the case expects, and rejects what the case rejects."""
    case = read_case(path)
    found = printed(case, Path(os.path.realpath(tmp_path)))
    if case.expected is None:
        assert found is None
    else:
        assert found is not None
        assert json.loads(found) == json.loads(case.expected)
