"""Which way names should lead to copies: the candidates beside each other on one lab server.

    sudo .venv/bin/python benchmarks/names.py [--rounds 4] [--switches 10] [--out FILE]

direct: the copy's own address (the floor; at a change it is restarted in place) · front: a small
HAProxy per service bears its names · edge: one HAProxy bears all names · network per slot: the
name is moved by `podman network connect --alias` and `disconnect`. Rootless, three to five
minutes. Prints a table and JSON; judges nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tidegate.host.build import zipapp
from tidegate.lab import Lab, Server
from tidegate.testing.prove import evidence

NAME = "bench-names"
PARTS = Path(__file__).with_name("names_on_server")
FOLDER = "/home/deploy/names"
ROWS = (
    ("keep-alive p50, µs", "paths", "keep_p50_us"),
    ("keep-alive p99, µs", "paths", "keep_p99_us"),
    ("new connection p50, µs", "paths", "new_p50_us"),
    ("new connection p99, µs", "paths", "new_p99_us"),
    ("CPU of the proxy per request, µs", "paths", "cpu_proxy_us"),
    ("CPU of the copy per request, µs", "paths", "cpu_copy_us"),
    ("switches", "switches", "switches"),
    ("requests during them", "switches", "requests"),
    ("failed requests", "switches", "failed"),
    ("slowest answered, ms", "switches", "slowest_ms"),
    ("a switch takes, ms", "switches", "switch_ms"),
)


def measure(server: Server, rounds: int, switches: int) -> dict[str, Any]:
    """Upload, run, fetch."""
    server.run(["mkdir", "-p", FOLDER])
    for path in sorted(PARTS.glob("*.py")):
        server.run(["tee", f"{FOLDER}/{path.name}"], input=path.read_bytes())
    server.run(["sh", "-c", f"cat > {FOLDER}/tidegate.pyz"], input=zipapp())
    words = ["env", f"PYTHONPATH={FOLDER}/tidegate.pyz", "python3", f"{FOLDER}/driver.py"]
    words += [f"{FOLDER}/run", "--rounds", str(rounds), "--switches", str(switches)]
    done = server.run(words, check=False, timeout_s=420)
    if done.returncode:
        raise SystemExit(f"the driver fails:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def show(figures: dict[str, Any]) -> None:
    """A column per candidate, and below it what is no row of figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="How names lead to copies")
    table.add_column("")
    for candidate in figures["paths"]:
        table.add_column(candidate, justify="right")
    for title, part, key in ROWS:
        found = (figures[part].get(candidate, {}).get(key, "") for candidate in figures["paths"])
        table.add_row(title, *map(str, found))
    console = Console(width=120)
    console.print(table)
    for part in ("reach", "memory_kib", "server_speaks_first_p50_us", "name_lookup_p50_us"):
        console.print(part, figures[part])


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--switches", type=int, default=10)
    parser.add_argument("--out", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    began = time.time()
    load = Path("/proc/loadavg").read_text().split()[0]
    server = Lab.up((NAME,)).server(NAME)
    figures = {
        "schema": "tidegate/evidence/1",
        "part": "names",
        "commit": evidence.git("rev-parse", "HEAD"),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "machine": evidence.machine(),
        "load_average_before": float(load),
        **measure(server, asked.rounds, asked.switches),
        "load_average_after": float(Path("/proc/loadavg").read_text().split()[0]),
        "minutes": round((time.time() - began) / 60, 1),
    }
    server.remove()
    show(figures)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.TimeoutExpired as problem:
        sys.exit(f"the measurement took too long: {problem}")
