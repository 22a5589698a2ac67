"""Compose files that nobody here wrote, where the corpus is beside the checkout."""

from __future__ import annotations

import pytest

from tidegate.compose import as_json
from tidegate.errors import InputError
from tidegate.testing import corpus

CORPUS = corpus.find()
NAMES = CORPUS.files if CORPUS else []
needs_corpus = pytest.mark.skipif(not NAMES, reason="the compose corpus is not beside the checkout")


@needs_corpus
def test_accepted_files_are_the_same_projects() -> None:
    """Each file that docker compose accepts loads as the project that it prints."""
    assert CORPUS is not None
    wrong = []
    for name in NAMES:
        answer = CORPUS.expected(name)
        if answer is not None:
            try:
                same = as_json(CORPUS.load(name)) == answer
            except InputError as error:
                wrong.append(f"{name}: {error.where} {error}")
                continue
            if not same:
                wrong.append(name)
    assert wrong == []


@needs_corpus
def test_rejected_files_are_errors_with_a_place() -> None:
    """Each file that docker compose rejects is an error at a line."""
    assert CORPUS is not None
    wrong = []
    for name in filter(CORPUS.rejected, NAMES):
        try:
            project = CORPUS.load(name)
        except InputError as error:
            if error.where is None or not error.where.line:
                wrong.append(f"{name}: no place in {error}")
            continue
        wrong.append(f"{name}: accepted, with {sorted(project.services)}")
    assert wrong == []
