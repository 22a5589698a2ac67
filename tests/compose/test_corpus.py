"""Compose files that nobody here wrote, where the corpus is beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tidegate.compose import Project, as_json, load
from tidegate.edges.disk import Disk
from tidegate.errors import InputError

CORPUS = Path(__file__).resolve().parents[3] / "shared/compose"
FILES = sorted(
    path for path in CORPUS.glob("corpus/**/*") if path.suffix in (".yml", ".yaml", ".json")
)
needs_corpus = pytest.mark.skipif(not FILES, reason="the compose corpus is not beside the checkout")


def loaded(path: Path) -> Project:
    """A file, loaded as the expected results were made."""
    variables = {"HOME": "/home/user", "PATH": "/bin", "PWD": str(path.parent)}
    reader = Disk(str(path.parent))
    return load([str(path)], reader=reader, variables=variables, project="p", profiles=["*"])


def moved(value: Any) -> Any:
    """The value with the corpus at /corpus."""
    return json.loads(json.dumps(value).replace(os.fspath(CORPUS / "corpus"), "/corpus"))


def expected(path: Path) -> Path:
    """Where docker compose's answer is, if it accepts the file."""
    relative = path.relative_to(CORPUS / "corpus")
    return CORPUS / "expected" / relative.parent / f"{relative.name}.json"


@needs_corpus
def test_accepted_files_are_the_same_projects() -> None:
    """Each file that docker compose accepts loads as the project that it prints."""
    wrong = []
    for path in FILES:
        if expected(path).exists():
            try:
                same = moved(as_json(loaded(path))) == json.loads(expected(path).read_text())
            except InputError as error:
                wrong.append(f"{path}: {error.where} {error}")
                continue
            if not same:
                wrong.append(str(path))
    assert wrong == []


@needs_corpus
def test_rejected_files_are_errors_with_a_place() -> None:
    """Each file that docker compose rejects is an error at a line.

    A file without services is accepted by docker compose, though the corpus has no answer for it.
    """
    wrong = []
    for path in FILES:
        if expected(path).exists():
            continue
        try:
            project = loaded(path)
        except InputError as error:
            if error.where is None or not error.where.line:
                wrong.append(f"{path}: no place in {error}")
            continue
        if "services" in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}):
            wrong.append(f"{path}: accepted, with {sorted(project.services)}")
    assert wrong == []
