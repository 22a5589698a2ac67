"""docker compose itself, where it is here, says of every case what the case says.

`./scripts/setup oracle` fetches it; only 2.40.3 counts.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tidegate.compose import as_json
from tidegate.errors import InputError
from tidegate.testing import oracle
from tidegate.testing.casefiles import ROOT, Case, case_paths, read_case
from tidegate.testing.prove.mutations import mutate

PROGRAM = oracle.find()
SEED = int(os.environ.get("TIDEGATE_SEED", "1"))
DAMAGED = 40


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


needs_oracle = pytest.mark.skipif(PROGRAM is None, reason=oracle.MISSING)


@needs_oracle
@pytest.mark.parametrize("number", range(DAMAGED))
def test_docker_compose_agrees_on_damaged_cases(number: int, tmp_path: Path) -> None:
    """It gives a damaged case the same project as we do, or rejects it as we do."""
    chance = random.Random(f"{SEED}/{number}")
    case = chance.choice([case for case in map(read_case, case_paths()) if case.expected])
    name = case.words("files", "compose.yaml")[0]
    damaged = replace(case, files={**case.files, name: mutate(case.files[name], chance)})
    found = printed(damaged, Path(os.path.realpath(tmp_path)))
    try:
        ours = as_json(damaged.load())
    except InputError as error:
        # The scanners, libyaml and go-yaml, differ in which broken tags they let pass.
        assert found is None or error.code == "compose-yaml", damaged.files[name]
    else:
        assert found is not None, damaged.files[name]
        assert json.loads(found) == ours, damaged.files[name]


@needs_oracle
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
