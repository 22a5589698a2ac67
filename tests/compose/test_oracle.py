"""docker compose itself, where it is here, says of every case what the case says.

`./scripts/setup oracle` fetches it; only 2.40.3 counts.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tidegate.testing import oracle
from tidegate.testing.casefiles import ROOT, Case, case_paths, read_case

PROGRAM = oracle.find()


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


@pytest.mark.skipif(PROGRAM is None, reason=oracle.MISSING)
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
