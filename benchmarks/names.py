"""How names lead to copies: the candidates of ADR 0002, measured on one rootless lab server.

    sudo .venv/bin/python benchmarks/names.py [--rounds 3] [--switches 20] [--json FILE]

Times in µs (latency, CPU) and ms (switch). CPU is that of all processes of the deploy user,
callers and copies included, so only differences to `direct` belong to a candidate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
from pathlib import Path
from typing import Any

from tidegate.host.build import zipapp
from tidegate.lab import Lab, Server

HERE = Path(__file__).resolve().parent
IMAGE = "docker.io/library/haproxy:3.0"
PYTHON = "docker.io/library/python:3.12-slim"


def measure(server: Server, setup: dict[str, Any]) -> dict[str, Any]:
    """Run the server's part there, and give its answer."""
    server.run(["sh", "-c", "rm -rf bench-names; mkdir bench-names"])
    for name, data in {
        "names_load.py": (HERE / "names_load.py").read_bytes(),
        "names_on_server.py": (HERE / "names_on_server.py").read_bytes(),
        "agent.pyz": zipapp(),
        "setup.json": json.dumps(setup).encode(),
    }.items():
        argv = server.ssh_argv(["sh", "-c", f"cat > bench-names/{name}"])
        subprocess.run(argv, input=data, check=True)
    for image in (IMAGE, PYTHON):
        server.run(["podman", "pull", "-q", image])
    line = "cd bench-names && PYTHONPATH=agent.pyz python3 names_on_server.py setup.json"
    answer: dict[str, Any] = json.loads(server.run(["sh", "-c", line], timeout_s=1800).stdout)
    return answer


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Medians over the rounds, and what each candidate adds to a direct call."""
    rows: dict[str, Any] = {}
    for name, item in found["candidates"].items():
        rounds = item.pop("rounds")
        row = {
            key: round(statistics.median(each[key] for each in rounds))
            for key in ("p50_us", "p99_us", "cpu_us")
        }
        floor = rows.get("direct", row)
        row["added_p50_us"] = row["p50_us"] - floor["p50_us"]
        row["added_cpu_us"] = row["cpu_us"] - floor["cpu_us"]
        rows[name] = {**row, "rounds": rounds, **item}
    return rows


def table(rows: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{'candidate':<18} {'p50 µs':>7} {'p99 µs':>7} {'+p50':>6} {'+CPU µs':>8} "
        f"{'MiB':>5} {'switch ms':>9} {'failed':>14}"
    ]
    for name, row in rows.items():
        under = row.get("under_switches")
        memory = f"{row['memory_kib'] / 1024:.1f}" if "memory_kib" in row else "-"
        failed = f"{under['failed']} of {under['requests']}" if under else "-"
        switch = str(under["switch_ms"]) if under else "-"
        lines.append(
            f"{name:<18} {row['p50_us']:>7} {row['p99_us']:>7} {row['added_p50_us']:>6} "
            f"{row['added_cpu_us']:>8} {memory:>5} {switch:>9} {failed:>14}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and keep the figures where asked."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--server", default="bench-names")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--seconds", type=float, default=4.0)
    words.add_argument("--switches", type=int, default=20)
    words.add_argument("--pause", type=float, default=0.5)
    words.add_argument("--json", type=Path)
    given = words.parse_args()
    server = Lab.up((given.server,)).server(given.server)
    setup = {
        "image": IMAGE, "python": PYTHON, "rounds": given.rounds, "seconds": given.seconds,
        "switches": given.switches, "pause_s": given.pause, "many": 8,
    }  # fmt: skip
    load = os.getloadavg()[0]
    found = measure(server, setup)
    rows = summary(found)
    document = {
        "schema": "tidegate/evidence/1",
        "part": "names",
        "machine": {
            "kernel": platform.release(), "cpus": os.cpu_count(), "load_before": round(load, 1),
            "podman": server.run(["podman", "--version"]).stdout.split()[-1],
        },
        "setup": setup,
        "candidates": rows,
        "edge_answers_for_api": found["edge_answers_for_api"],
        "idle_front_kib": found["idle_front_kib"],
    }  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps(document, indent=1) + "\n")
    print(table(rows))
    print(f"one more idle front: {found['idle_front_kib'] / 1024:.1f} MiB")
    print(f"the edge, asked for api:8000, answers: {found['edge_answers_for_api']}")
    print(json.dumps(document))


if __name__ == "__main__":
    main()
