"""What climbs the ladder: compose files of others with docker compose's answers, and our own cases.

Our own cases are those of the loader, with docker compose's answers too (tests/compose/cases), and
those of the renderer (tests/targets/quadlet/cases), whose answer is what our loader prints: they
begin on the second rung.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tidegate.compose import Project, Source, as_json, load
from tidegate.testing.casefiles import case_paths, read_case
from tidegate.testing.corpus import Corpus
from tidegate.testing.files import Memory
from tidegate.testing.prove.project import ROOT

# Cases for the loader alone: what they say, no engine does.
NO_ENGINE = {
    "extension-keys": "a sysctl that no kernel has",
    "the plain keys of a process": "a host name in the host's UTS namespace",
}
RENDERED = ROOT / "tests/targets/quadlet/cases"


@dataclass(frozen=True, slots=True)
class Subject:
    """A compose file; ``answer`` is docker compose's, None where nobody asked it.

    A ``hostile`` one holds what no unit can carry: that may be lost, if the report says so.
    """

    name: str
    load: Callable[[], Project]
    answer: dict[str, Any] | None
    hostile: bool = False

    @property
    def refused(self) -> str:
        """Why no engine makes these containers; nothing for all others."""
        last = self.name.rpartition("/")[2].rpartition(": ")[2].removesuffix(".txt")
        return NO_ENGINE.get(last, "")

    def meant(self, project: Project) -> dict[str, Any]:
        """The project in docker compose's words, with literal ``$``."""
        meant: dict[str, Any] = literal(self.answer or as_json(project))
        return meant


def literal(value: Any) -> Any:
    """``$$`` as ``$``, in keys too."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, dict):
        return {literal(key): literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [literal(inner) for inner in value]
    return value


def outside(corpus: Corpus) -> list[Subject]:
    """The files that docker compose accepts."""
    found = []
    for name in corpus.files:
        answer = corpus.expected(name)
        if answer is not None:
            found.append(Subject(name, partial(corpus.load, name), answer))
    return found


def own() -> list[Subject]:
    """The project's own cases that load."""
    return [*_loaded(), *_rendered()]


def _loaded() -> Iterator[Subject]:
    for path in case_paths():
        case = read_case(path)
        if case.expected is not None:
            yield Subject(_shown(path), case.load, json.loads(case.expected))


def _rendered() -> Iterator[Subject]:
    for path in sorted(RENDERED.glob("*.yaml")):
        for case in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if case and "compose" in case:
                name = f"{_shown(path)}: {case['claim']}"
                yield Subject(name, partial(_text, case["compose"]), None, path.stem == "refused")


def _text(text: str) -> Project:
    source = Source("/project/compose.yaml", text)
    reader = Memory({"compose.yaml": text}, "/project")
    return load([source], reader=reader, variables={}, project="p", profiles=["*"])


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
