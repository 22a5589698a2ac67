"""Ten hosts in one batch: the time between the first and the last switch, as deploy prints it.

One small service on every host, so that what is measured is Tidegate and the machine: all hosts
share its processors here, which real ones do not.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tidegate.testing.prove.controller import Outcome, Run
from tidegate.testing.prove.fleet.party import get
from tidegate.testing.prove.progress import Progress
from tidegate.testing.prove.project import Project
from tidegate.testing.prove.site import fresh

HOSTS = 10
ROUNDS = 5
LIMIT_MS = 300
SAID = re.compile(r"^all hosts switched within \d+ ms$", re.MULTILINE)
COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "echo %d > /tmp/index.html && exec httpd -f -p 8000 -h /tmp"
    ports: ["8080:8000"]
"""


class Batch:
    """New servers, and the project on them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.lab = fresh(*names)
        self.folder = Path(tempfile.mkdtemp(prefix="tidegate-batch-"))
        self.runtime = Path(tempfile.mkdtemp(prefix="tgb"))
        self.project = Project(self.folder)
        self.project.git("init", "--quiet", "--initial-branch=main")
        self.project.git("config", "user.name", "Somebody")
        self.project.git("config", "user.email", "somebody@example.com")
        hosts = {
            server.name: {"ssh": f"deploy@{server.address}", "roles": ["web"]}
            for server in self.lab.servers
        }
        config = {
            "version": 1,
            "project": "batch",
            "services": {"web": {"on": "web"}},
            "environments": {
                # Ten hosts that start containers on two processors are slow to answer.
                "production": {"hosts": hosts, "switch": {"watch": "300ms", "lease": "60s"}}
            },
        }
        (self.folder / "tidegate.yaml").write_text(json.dumps(config))

    def deploy(self, version: int, *words: str) -> Outcome:
        """The next version; it must succeed."""
        (self.folder / "compose.yaml").write_text(COMPOSE % version)
        self.project.commit(f"Version {version}")
        mine = {"XDG_RUNTIME_DIR": str(self.runtime), "NO_COLOR": "1"}
        run = Run(
            self.folder, "deploy", "production", *words, environment={**self.lab.env(), **mine}
        )
        outcome = run.wait(600)
        if outcome.code:
            raise RuntimeError(f"a deployment to {len(self.lab.names)} hosts: {outcome.stderr}")
        return outcome

    def releases(self) -> dict[str, str]:
        """What each server itself says that it runs: the digest of the release, and the answer."""
        found = {}
        for server in self.lab.servers:
            told = server.run(["sh", "-c", ".local/bin/tidegate-host status --project batch"])
            digest = json.loads(told.stdout)["release_digest"]
            found[server.name] = f"{digest} {get(server.address, 8080, '/').strip()}"
        return found

    def close(self) -> None:
        """Take the servers down."""
        self.lab.down()
        for folder in (self.folder, self.runtime):
            shutil.rmtree(folder, ignore_errors=True)


def measure(names: Sequence[str], rounds: int = ROUNDS) -> tuple[list[str], dict[str, Any]]:
    """What was not as it must be, and the figures of ``rounds`` deployments; no time is judged."""
    bad: list[str] = []
    spreads, totals = [], []
    progress, batch = Progress("batch"), Batch(names)
    try:
        first = batch.deploy(0)
        if not SAID.search(first.stdout):
            bad.append(f"the time between the switches is not printed:\n{first.stdout}")
        for version in range(1, rounds + 1):
            facts = json.loads(batch.deploy(version, "--json").stdout)["data"]
            spreads.append(float(facts["spread_ms"]))
            totals.append(float(facts["total_s"]))
            served = batch.releases()
            if len(set(served.values())) != 1 or not all(
                answer.endswith(f" {version}") for answer in served.values()
            ):
                bad.append(f"not one release on all hosts: {served}")
            told = f"{len(names)} hosts switched within {spreads[-1]:.0f} ms, {totals[-1]:.1f} s"
            progress.step(version, rounds, told)
    finally:
        batch.close()
    return bad, {
        "hosts": len(names),
        "limit_ms": LIMIT_MS,
        "spread_ms": spreads,
        "spread_ms_median": median(spreads),
        "total_s_median": median(totals),
    }
