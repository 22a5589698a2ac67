"""Two controllers at once: one waits its turn, and one that slept through its lease is harmless."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from typing import Any

from tidegate.testing.prove.controller import Event, Run
from tidegate.testing.prove.site import INSTANCE, Site

WAIT_S = 60.0


def begin(site: Site, phase: str) -> Run:
    """A deployment of a new version that has just begun ``phase``."""
    seen = threading.Event()

    def heard(event: Event) -> None:
        if event.name == f"phase {phase} begin":
            seen.set()

    site.next_version()
    run = site.start("deploy", "production", heard=heard)
    if not seen.wait(WAIT_S):
        raise RuntimeError(f"the deployment never came to {phase}: {run.wait(5).stderr}")
    return run


def second_is_refused(site: Site) -> list[str]:
    """While one deploys, another gets exit code 3 and the first one's name; the first goes on."""
    first = begin(site, "prepare")
    owner = site.survey()["open"]["owner"]
    second = site.deploy()
    outcome = first.wait()
    found = []
    if second.code != 3:
        found.append(f"the second controller ended with {second.code}: {second.stderr}")
    if owner not in second.stderr:
        found.append(f"the refusal does not name {owner}: {second.stderr}")
    if outcome.code != 0:
        found.append(f"the first controller was disturbed: {outcome.code} {outcome.stderr}")
    return found + site.violations()


def stale_token_is_refused(site: Site) -> list[str]:
    """The host refuses a token that is lower than the one it gave last, and does nothing."""
    with Pipe(site) as pipe:
        granted = pipe.ask("acquire", environment="production", owner="somebody", lease_s=3.0)
        token, name = granted["result"]["token"], granted["result"]["deployment"]
        stale = pipe.ask("switch", token - 1, name, batch=0, percent=100)
        pipe.ask("release", token, name)
    site.settle()
    if stale["ok"] or stale["error"]["class"] != "refused":
        return [f"the host took a stale token: {stale}"]
    return site.violations()


def sleeper_changes_nothing(site: Site, phase: str) -> list[str]:
    """A controller stopped in ``phase`` for longer than its lease wakes up, and nothing changes."""
    before = site.answers()
    run = begin(site, phase)
    run.kill(signal.SIGSTOP)
    site.settle()
    undone = essence(site.survey())
    run.kill(signal.SIGCONT)
    outcome = run.wait()
    site.settle()
    found = site.violations()
    if outcome.code == 0:
        found.append(f"a controller that slept in {phase} says that it has deployed")
    if essence(site.survey()) != undone:
        found.append(f"a controller that slept in {phase} changed something when it woke up")
    if site.answers() != before:
        found.append(f"{site.answers()} serves after {phase}, not {before}")
    return found


def essence(facts: dict[str, Any]) -> dict[str, Any]:
    """What may not change: not how long containers are up."""
    return {
        "current": facts["current"],
        "generations": sorted(facts["generations"]),
        "containers": sorted((c["name"], c["image_id"], c["state"]) for c in facts["containers"]),
        "unit_files": facts["unit_files"],
        "maps": facts["maps"],
    }


class Pipe:
    """The host protocol, spoken by hand."""

    def __init__(self, site: Site) -> None:
        command = [".local/bin/tidegate-host", "attach", "--project", INSTANCE]
        agent = site.server.run(["cat", ".local/bin/tidegate-host"]).stdout
        digest = agent.rpartition("/lib/")[2].partition('"')[0]
        self.process = subprocess.Popen(
            site.server.ssh_argv([*command, "--agent", digest]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.count = 0
        self._line()

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout
        frame: dict[str, Any] = json.loads(self.process.stdout.readline())
        return frame

    def ask(self, op: str, token: int = 0, deployment: str = "", **args: Any) -> dict[str, Any]:
        """A request and its answer; events in between are left out."""
        assert self.process.stdin
        self.count += 1
        ident = f"prove-{self.count}"
        frame = {"v": 1, "id": ident, "op": op, "token": token, "deployment": deployment}
        self.process.stdin.write(json.dumps({**frame, "args": args}) + "\n")
        self.process.stdin.flush()
        while (answer := self._line()).get("id") != ident:
            pass
        return answer
