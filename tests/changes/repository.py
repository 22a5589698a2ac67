"""A real git repository in a temporary folder, and what `tidegate changes` says of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.pipeline.changed import Changed, changed

SETTINGS = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull, "GIT_ALLOW_PROTOCOL": "file", "LC_ALL": "C.UTF-8",
}  # fmt: skip


class Repository:
    """A repository; paths may be bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        """What git says; it must succeed."""
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env={**os.environ, **SETTINGS},
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(errors="replace").strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files; None deletes one."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def commit(
        self, message: str = "A change", files: Mapping[str, str | None] | None = None
    ) -> str:
        """Commit everything; returns the commit's full id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message)
        return self.git("rev-parse", "HEAD")

    def changed(self, text: str = "", config: str = "tidegate.yaml") -> Changed:
        """The answer for a range."""
        return changed(text, str(self.folder / config))


def actions(found: Changed) -> dict[str, dict[str, str]]:
    """What becomes of each application and service that is not left alone."""
    decision = found.decision
    return {
        kind: {name: item.action for name, item in items.items() if item.action != "nothing"}
        for kind, items in (
            ("applications", decision.applications),
            ("services", decision.services),
        )
    }


def owners(found: Changed) -> dict[str, Any]:
    """Each file with the names of those whose it is, or why it is nobody's."""
    return {
        one.change.path: sorted(f"{t.kind} {t.name}" for t in one.whose)
        or found.survey.why_nobody(one.change)
        for one in found.decision.files
    }
