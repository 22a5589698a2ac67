"""What a deployment costs, beside the same change by Ansible on the same server.

    sudo .venv/bin/python benchmarks/deploy.py [--runs 5] [--json FILE]

Prints a table and JSON. Times in seconds; SSH commands are counted by the server's own sshd.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import ansible_peer

from tidegate.lab import Server
from tidegate.testing.load.process import LoadProcess
from tidegate.testing.prove import evidence
from tidegate.testing.prove.controller import Outcome, Run
from tidegate.testing.prove.project import HELLO, Project
from tidegate.testing.prove.site import fresh

NAME = "bench-deploy"
# What is not ours in the time that a deployment takes: an interval from begin to ok each.
PARTS = {
    "build": ("phase build",),
    "transfer": ("pull", "files"),
    "application_start": ("start", "restart", "job"),
    "watch": ("watch",),
    "drain": ("drain",),
}
LIMITS = {
    "ssh_commands": 4,
    "overhead_s": 2.0,
    "noop_connected_s": 1.0,
    "noop_s": 1.5,
    "rollback_serving_s": 5.0,
    "version_s": 0.08,
}


class Bench:
    """A new server with the example on it."""

    def __init__(self) -> None:
        lab = fresh(NAME)
        self.server: Server = lab.server(NAME)
        folder = Path(tempfile.mkdtemp(prefix="tidegate-bench-"))
        self.runtime = tempfile.mkdtemp(prefix="tgb")
        self.environment = {**lab.env(), "XDG_RUNTIME_DIR": self.runtime}
        self.project = Project.copy(HELLO, folder / "hello")
        self.run("init", "--host", f"deploy@{self.server.address}", events=False)
        self.project.commit("Deploy with Tidegate")
        self.number = 0
        verbose = "echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/50-count.conf"
        self.server.run(["sh", "-c", f"{verbose}; systemctl restart ssh"], user="root")

    def run(self, *words: str, events: bool = True) -> Outcome:
        """A command in the project; it must succeed."""
        run = Run(self.project.folder, *words, environment=self.environment, events=events)
        outcome = run.wait()
        if outcome.code:
            raise RuntimeError(f"tidegate {' '.join(words)} fails:\n{outcome.stderr}")
        return outcome

    def change(self) -> Outcome:
        """One line changes, and is deployed."""
        self.number += 1
        self.project.version(f"1.0.{self.number}")
        return self.run("deploy", "production")

    def disconnect(self) -> None:
        """End every SSH connection of ours, and wait until they are gone."""
        for socket in Path(self.runtime).glob("tidegate/s-*"):
            subprocess.run(
                ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "any"],
                check=False,
                capture_output=True,
            )
        time.sleep(0.3)

    def counted(self, what: Callable[[], Any]) -> tuple[Any, int, int]:
        """The result of ``what``, and the SSH commands and connections it took."""
        since = self.server.run(["date", "+@%s.%N"], user="root").stdout.strip()
        result = what()
        log = self.server.run(
            ["journalctl", "-o", "cat", f"--since={since}", "-t", "sshd-session", "-t", "sshd"],
            user="root",
        ).stdout
        lines = [line for line in log.splitlines() if " for deploy from " in line]
        commands = sum(line.startswith("Starting session:") for line in lines)
        return result, commands, sum(line.startswith("Accepted ") for line in lines)

    def serving(self, wanted: str, what: Callable[[], Outcome]) -> float:
        """Seconds from the start of ``what`` until a client is answered by ``wanted``."""
        took: list[float] = []
        began = time.monotonic()
        url = f"http://{self.server.address}:8080/version"
        words = ("curl", "--silent", "--max-time", "1", url)
        ended = threading.Event()

        def ask() -> None:
            while not took and not ended.is_set():
                said = subprocess.run(words, check=False, capture_output=True, text=True).stdout
                if f'"{wanted}"' in said:
                    took.append(time.monotonic() - began)
                time.sleep(0.01)

        asker = threading.Thread(target=ask)
        asker.start()
        what()
        asker.join(5)
        ended.set()
        return took[0] if took else float("nan")

    def clients(self, port: int) -> LoadProcess:
        """A few clients, whose failures are counted."""
        out = self.project.folder.with_name(f"load-{port}.json")
        kinds = "keep-alive,new connection"
        return LoadProcess(f"{self.server.address}:{port}", out, "--kinds", kinds)


def split(outcome: Outcome) -> dict[str, float]:
    """Seconds of each part, overlaps inside of a part counted once, and what is left."""
    spans: dict[str, list[tuple[float, float]]] = {part: [] for part in PARTS}
    began: dict[str, float] = {}
    for event in outcome.events:
        for part, names in PARTS.items():
            if event.what in names:
                if event.state == "begin":
                    began[event.step] = event.at
                elif event.step in began:
                    spans[part].append((began.pop(event.step), event.at))
    took = {f"{part}_s": covered(found) for part, found in spans.items()}
    others = covered([span for found in spans.values() for span in found])
    return {"total_s": outcome.seconds, **took, "overhead_s": outcome.seconds - others}


def covered(spans: list[tuple[float, float]]) -> float:
    """How long at least one of the spans lasted."""
    total, until = 0.0, 0.0
    for begins, ends in sorted(spans):
        total += max(0.0, ends - max(begins, until))
        until = max(until, ends)
    return total


def ours(bench: Bench, runs: int) -> dict[str, Any]:
    """Every figure of Tidegate."""
    first = bench.change()
    changes = [bench.counted(bench.change) for _ in range(runs)]
    parts = [split(outcome) for outcome, _, _ in changes]
    connected = [bench.counted(lambda: bench.run("deploy", "production")) for _ in range(runs)]
    cold = []
    for _ in range(runs):
        bench.disconnect()
        cold.append(bench.counted(lambda: bench.run("deploy", "production")))
    with bench.clients(8080) as load:
        time.sleep(1)
        bench.change()
        report = load.stop()
    back = []
    for _ in range(min(runs, 3)):
        serving = f"1.0.{bench.number}"
        bench.change()
        back.append(bench.serving(serving, lambda: bench.run("rollback", "production")))
        bench.change()
    return {
        "first_s": first.seconds,
        **{key: median(part[key] for part in parts) for key in parts[0]},
        "ssh_commands": max(commands for _, commands, _ in changes),
        "ssh_connections": max(connections for _, _, connections in changes),
        "noop_connected_s": median(outcome.seconds for outcome, _, _ in connected),
        "noop_s": median(outcome.seconds for outcome, _, _ in cold),
        "noop_ssh_commands": max(commands for _, commands, _ in [*connected, *cold]),
        "rollback_serving_s": median(back),
        "version_s": median(version() for _ in range(10)),
        "requests": report["requests"],
        "failed_requests": report["failed"],
    }


def version() -> float:
    """Seconds that ``tidegate --version`` takes as a process."""
    began = time.monotonic()
    program = str(Path(sys.executable).with_name("tidegate"))
    subprocess.run([program, "--version"], check=True, capture_output=True)
    return time.monotonic() - began


def theirs(bench: Bench, runs: int) -> dict[str, Any]:
    """The same of Ansible."""
    words = ansible_peer.install()
    context = Project.copy(HELLO, bench.project.folder.with_name("ansible")).folder
    peer = ansible_peer.Ansible(bench.server.address, bench.environment, context)
    first = peer.play("2.0.0")
    names = [f"2.0.{number}" for number in range(1, runs + 1)]
    changes = [bench.counted(partial(peer.play, name)) for name in names]
    same = [bench.counted(partial(peer.play, names[-1])) for _ in range(min(runs, 3))]
    with bench.clients(ansible_peer.PORT) as load:
        time.sleep(1)
        peer.play("2.1.0")
        report = load.stop()
    return {
        "program": words,
        "first_s": first,
        "total_s": median(seconds for seconds, _, _ in changes),
        "ssh_commands": max(commands for _, commands, _ in changes),
        "ssh_connections": max(connections for _, _, connections in changes),
        "noop_connected_s": median(seconds for seconds, _, _ in same),
        "noop_ssh_commands": max(commands for _, commands, _ in same),
        "requests": report["requests"],
        "failed_requests": report["failed"],
    }


def median(values: Iterable[float]) -> float:
    """Rounded to milliseconds."""
    return round(statistics.median(values), 3)


def show(figures: dict[str, Any]) -> None:
    """Both beside each other, with the limits that are to be held."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="A deployment of one changed line")
    for name in ("figure", "tidegate", "limit", "ansible"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    own, peer = figures["tidegate"], figures["ansible"]
    for key, value in own.items():
        limit = LIMITS.get(key)
        colour = "" if limit is None else "[green]" if value <= limit else "[bold red]"
        table.add_row(key, f"{colour}{value}", str(limit or ""), str(peer.get(key, "")))
    Console().print(table)


def main() -> int:
    """Measure, print, write. Never judges: a machine may be slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--without-ansible", action="store_true")
    asked = parser.parse_args()
    bench = Bench()
    figures = {
        "commit": evidence.git("rev-parse", "HEAD"),
        "machine": evidence.machine(),
        "limits": LIMITS,
        "tidegate": ours(bench, asked.runs),
        "ansible": {} if asked.without_ansible else theirs(bench, asked.runs),
    }
    bench.disconnect()
    show(figures)
    text = json.dumps(figures, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
