"""A project on a lab server: deployed by the command line, looked at from the server's side.

What a service does is asked of its real container by podman, systemd and HTTP, never of Tidegate.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tidegate.lab import Server
from tidegate.testing.prove.project import Project

Done = subprocess.CompletedProcess[str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with a compose file and a tidegate.yaml, and the server that it goes to."""

    server: Server
    folder: Path
    name: str
    environment: Mapping[str, str]
    began: float

    @classmethod
    def make(cls, server: Server, folder: Path, name: str, lab: Mapping[str, str]) -> Site:
        """A new repository; ``name`` is the project's, so containers begin with it."""
        folder.mkdir(parents=True, exist_ok=True)
        site = cls(server, folder, name, {**os.environ, **lab, "NO_COLOR": "1"}, time.time())
        project = Project(folder)
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("config", "user.name", "Somebody")
        project.git("config", "user.email", "somebody@example.com")
        return site

    # -- the folder ---------------------------------------------------------------------------

    def write(
        self,
        compose: str | Mapping[str, Any],
        files: Mapping[str, str | bytes] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        **environment: Any,
    ) -> None:
        """The next version, committed: it replaces every file that was there.

        ``settings`` are more keys of tidegate.yaml, the other arguments (``variables``,
        ``switch``) keys of its environment ``production``.
        """
        for old in self.folder.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        text = compose if isinstance(compose, str) else json.dumps(compose)  # JSON is YAML
        hosts = {self.server.name: {"ssh": f"deploy@{self.server.address}"}}
        production = {"hosts": hosts, "switch": {"watch": "300ms"}, **environment}
        config = {"version": 1, "project": self.name, "environments": {"production": production}}
        everything = {
            "compose.yaml": text,
            "tidegate.yaml": json.dumps({**config, **(settings or {})}, indent=1),
            **(files or {}),
        }
        for name, content in everything.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        Project(self.folder).commit("The next version")

    # -- the command line ---------------------------------------------------------------------

    def run(self, *words: str, code: int | None = 0, timeout_s: float = 300.0) -> Done:
        """``tidegate WORDS`` in the folder; ``code`` is the exit code it must end with."""
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        said = f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, said
        return done

    def deploy(self, *words: str, code: int | None = 0) -> Done:
        """``tidegate deploy``; 1: failed and put back, 2: bad input."""
        return self.run("deploy", "production", *words, code=code)

    def rollback(self, *words: str, code: int | None = 0) -> Done:
        """``tidegate rollback``."""
        return self.run("rollback", "production", *words, code=code)

    def destroy(self) -> Done:
        """``tidegate destroy``, volumes too."""
        return self.run("destroy", "production", "--volumes", "--yes")

    # -- the server ---------------------------------------------------------------------------

    def on_server(self, *command: str, check: bool = True, given: str | None = None) -> str:
        """What a command on the server says, run as the user of all containers."""
        return self.server.run(command, check=check, input=given).stdout

    def podman(self, *words: str, check: bool = True) -> str:
        """``podman WORDS`` on the server."""
        return self.on_server("podman", *words, check=check)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What ``podman inspect`` says of every container of a service, ended ones too."""
        wanted = ["--filter", f"label=tidegate.instance={self.name}"]
        if service:
            wanted += ["--filter", f"label=tidegate.service={service}"]
        listed = ("ps", "--all", "--sort", "names", "--format={{.Names}}", *wanted)
        while True:
            names = self.podman(*listed).split()
            said = self.podman("inspect", *names, check=False) if names else "[]"
            found: list[dict[str, Any]] = json.loads(said or "[]")
            if len(found) == len(names):  # else one went away in between: ask again
                return found

    def container(self, service: str) -> dict[str, Any]:
        """The one container of a service that runs."""
        found = [one for one in self.containers(service) if one["State"]["Running"]]
        assert len(found) == 1, [(one["Name"], one["State"]["Status"]) for one in found]
        return found[0]

    def exec(self, service: str, *command: str, check: bool = True) -> str:
        """What a command in the service's one container says."""
        return self.podman("exec", self.container(service)["Name"], *command, check=check)

    def logs(self, *containers: str) -> dict[str, list[str]]:
        """Everything that containers of these names wrote since the site was made."""
        words = ["journalctl", "--user", "-q", "-o", "json", f"--since=@{self.began:.0f}"]
        found: dict[str, list[str]] = {name: [] for name in containers}
        for line in self.on_server(
            *words, *(f"CONTAINER_NAME={c}" for c in containers)
        ).splitlines():
            entry = json.loads(line)
            found[entry["CONTAINER_NAME"]] += entry["MESSAGE"].splitlines()
        return found

    def log(self, container: str) -> list[str]:
        """The same of one."""
        return self.logs(container)[container]

    def unit(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of the systemd unit NAME.service of the user."""
        words = ["systemctl", "--user", "show", f"{name}.service"]
        lines = self.on_server(*words, *(f"--property={key}" for key in properties)).splitlines()
        return {key: value for key, _, value in (line.partition("=") for line in lines)}

    def get(self, port: int, path: str = "/") -> str:
        """What a published port answers to us."""
        url = f"http://{self.server.address}:{port}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode().strip())

    def closed(self, port: int) -> bool:
        """Whether nobody answers there."""
        try:
            self.get(port)
        except (urllib.error.URLError, OSError):
            return True
        return False


def until(ask: Callable[[], T], holds: Callable[[T], bool] = bool, patience_s: float = 15.0) -> T:
    """The first answer that holds; the last one fails the test when none does."""
    deadline = time.monotonic() + patience_s
    while True:
        answer = ask()
        if holds(answer):
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {patience_s:g} s"
        time.sleep(0.2)


def sh(*lines: str) -> Sequence[str]:
    """A compose ``command:`` that runs these lines in the image's shell."""
    return ["sh", "-c", "\n".join(lines)]
