"""The cases of the compose loader as data: files in, a project or an error out.

A case is a text: its claim, options (`files`, `env`, `env_files`, `profiles`, `project`), then
parts under `-- NAME --`: the files, and `expected.json` or `error` (code and place, message, hint).
What is expected was printed by docker compose 2.40.3; test_oracle.py asks it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.compose import Project, load
from tidegate.testing.files import Memory, parts

CASES = Path(__file__).resolve().parents[3] / "tests/compose/cases"
ROOT = "/case"
HOME = "/home/user"


@dataclass(frozen=True)
class Case:
    """One case; `options` as the file gives them."""

    claim: str
    options: Mapping[str, str]
    files: Mapping[str, str]
    expected: str | None
    error: str | None

    def words(self, option: str, default: str = "") -> list[str]:
        """An option's words."""
        return self.options.get(option, default).split()

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the case."""
        given = dict(word.split("=", 1) for word in self.words("env"))
        return {"HOME": HOME, "PATH": "/bin", **given}

    @property
    def project(self) -> str | None:
        """The project's name, p by default; None where the case leaves it open."""
        name = self.options.get("project", "p")
        return None if name == "-" else name

    def load(self) -> Project:
        """The case, loaded by us."""
        return load(
            self.words("files", "compose.yaml"),
            reader=Memory(self.files),
            variables={"PWD": ROOT, **self.variables},
            project=self.project,
            profiles=self.words("profiles"),
            env_files=self.words("env_files") or None,
        )


def read_case(path: Path) -> Case:
    """A case from its file."""
    head, files = parts(path.read_text("utf-8"))
    claim, *options = head.splitlines()
    return Case(
        claim=claim,
        options=dict(line.split(": ", 1) for line in options),
        expected=files.pop("expected.json", None),
        error=files.pop("error", None),
        files=files,
    )


def case_paths() -> list[Path]:
    """Every case's file."""
    return sorted(CASES.glob("*.txt"))
