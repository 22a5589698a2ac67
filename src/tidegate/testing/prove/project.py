"""A project in a folder and a git repository of its own, and how its next version is made.

Also how a version is made bad: always in a copy, never in the example itself.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
HELLO = ROOT / "examples" / "hello"
SORTS = ROOT / "benchmarks" / "sorts"
MAIN = 'if __name__ == "__main__":'

# Each is a whole mistake that people make; put before the last lines of app.py.
MISTAKES = {
    "never healthy": """
@route("GET", "/health")
def never(_: Request) -> Answer:
    return 503, {"health": "the cache is not warm yet"}
""",
    "dies": """
raise SystemExit("cannot read the configuration: no such setting: REGION")
""",
    "500 after the switch": """
def broken(_: Request) -> Answer:
    raise KeyError("currency")


for key in list(ROUTES):
    if key[1] not in ("/health",):
        ROUTES[key] = broken
""",
}


@dataclass(frozen=True, slots=True)
class Project:
    """A git repository that Tidegate deploys from."""

    folder: Path

    @classmethod
    def copy(cls, source: Path, folder: Path) -> Project:
        """``source`` as a new repository with one commit."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
        project = cls(folder)
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("config", "user.name", "Somebody")
        project.git("config", "user.email", "somebody@example.com")
        project.commit("The first version")
        return project

    @classmethod
    def rich(cls, folder: Path, host: str, ssh: str) -> Project:
        """The project with one service of each sort, for a host."""
        project = cls.copy(SORTS, folder)  # follows the link to examples/hello/server.py
        settings = folder / "tidegate.yaml"
        text = settings.read_text().replace("HOST:", f"{host}:").replace("DESTINATION", ssh)
        settings.write_text(text)
        project.version("0")
        return project

    def git(self, *words: str) -> str:
        """Run git here; its output."""
        done = subprocess.run(
            ("git", *words), cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything; the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def version(self, version: str) -> str:
        """Commit a new version: one line changes."""
        (self.folder / "VERSION").write_text(f"{version}\n")
        return self.commit(f"Version {version}")

    def mistake(self, kind: str, version: str) -> str:
        """Commit a version with one of ``MISTAKES`` in it."""
        app = self.folder / "app.py"
        before, main, after = app.read_text().rpartition(MAIN)
        if not main:
            raise ValueError(f"{app} has no {MAIN}")
        app.write_text(f"{before}{MISTAKES[kind].strip()}\n\n\n{main}{after}")
        return self.version(version)

    def revert(self, commit: str) -> None:
        """Go back to the files of an earlier commit, uncommitted."""
        self.git("checkout", "--quiet", commit, "--", ".")
