"""A project, machines that have it, and simulated hosts: all of the command line without servers.

Git, keys, signatures, the controller, the protocol, agents, ledgers and gates are the real ones;
hosts start no containers (``tidegate.testing.simulated``). tests/gates/test_lab.py has real ones.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.schemas import check
from tests.gates import programs
from tests.gates.people import Key
from tidegate.testing.prove.project import Project

WEB = "services: {{web: {{build: ., ports: ['8080:8000'], environment: {{V: '{0}'}}}}}}\n"
DOCKERFILE = "FROM scratch\nCOPY . .\n"
PEOPLE = ("anna", "ben")


@dataclass(slots=True)
class Town:
    """``root`` is short: a host's socket lies below it (unix(7))."""

    root: Path
    keys: dict[str, Key] = field(default_factory=dict)

    @property
    def origin(self) -> Path:
        """The repository that everybody clones."""
        return self.root / "shop"

    @property
    def people(self) -> dict[str, str]:
        """Who may approve, as in tidegate.yaml."""
        return {name: self.keys[name].line for name in PEOPLE}

    def commit(self, version: str, environments: Mapping[str, Any], **files: str) -> str:
        """The next version, in everybody's clone; its commit."""
        config = {"version": 1, "people": self.people, "environments": environments}
        texts = {
            "tidegate.yaml": json.dumps(config),
            "compose.yaml": WEB.format(version),
            "Dockerfile": DOCKERFILE,
            "entrypoint_e2e.sh": "exit 0\n",
            "VERSION": version,
            **files,
        }
        for name, text in texts.items():
            (self.origin / name).write_text(text, encoding="utf-8")
        Project(self.origin).commit(version)
        for folder in (self.root / "homes").iterdir():
            shutil.rmtree(folder / "shop", ignore_errors=True)
            words = ("git", "clone", "--quiet", self.origin, folder / "shop")
            subprocess.run(words, check=True)
        done = subprocess.run(
            ("git", "rev-parse", "HEAD"), cwd=self.origin, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def machine(self, name: str) -> Path:
        """Somebody's home."""
        return self.root / "homes" / name

    def host(self, address: str) -> Path:
        """A host's home."""
        return self.root / "hosts" / address

    def ask(self, who: str, *words: str, code: int = 0) -> Any:
        """``tidegate WORDS --json`` on somebody's machine; its data, or its error's."""
        done = self.run(who, *words, "--json", code=code)
        return check(json.loads(done.stdout or done.stderr.splitlines()[-1]))

    def run(
        self, who: str, *words: str, code: int = 0, stderr: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """``tidegate WORDS`` on somebody's machine."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "TIDEGATE_"))}
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            cwd=self.machine(who) / "shop",
            env={
                **kept,
                "HOME": str(self.machine(who)),
                "PATH": f"{self.root / 'bin'}:{kept['PATH']}",
                "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
                "TIDEGATE_SIGNING_KEY": str(self.keys["team"].file),
                "TOWN": str(self.root),
                "NO_COLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def serves(self, environment: str) -> str:
        """The version that every host of an environment serves."""
        said = json.loads(self.run("anna", "status", environment, "--json").stdout)["data"]
        kept = [seen for host in said["hosts"].values() for seen in host["generations"]]
        versions = {str(seen["version"]) for seen in kept if seen["current"]}
        assert len(versions) < 2
        return versions.pop() if versions else ""

    def built(self) -> int:
        """How many images were built so far, by whomever."""
        file = self.root / "built"
        return len(file.read_text().splitlines()) if file.exists() else 0


@contextmanager
def town(*addresses: str) -> Iterator[Town]:
    """Anna, Ben and a CI job, the team's key, and hosts at these addresses."""
    root = Path(tempfile.mkdtemp(prefix="town", dir="/tmp"))
    try:
        made = Town(root)
        (root / "bin").mkdir()
        for name in ("ssh", "podman", "skopeo"):
            line = shlex.join([sys.executable, "-m", programs.__name__, name])
            (root / "bin" / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
            (root / "bin" / name).chmod(0o755)
        made.keys["team"] = Key.make(root / "keys", "team")
        for name in (*PEOPLE, "ci"):
            folder = made.machine(name) / (".ssh" if name in PEOPLE else "keys")
            made.keys[name] = Key.make(folder, "id_ed25519")
        for address in addresses:
            signers = made.host(address) / ".config/tidegate/allowed_signers"
            signers.parent.mkdir(parents=True)
            signers.write_text(f"deployer {made.keys['team'].line}\n")
        made.origin.mkdir()
        project = Project(made.origin)
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("config", "user.name", "Somebody")
        project.git("config", "user.email", "somebody@example.com")
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)
