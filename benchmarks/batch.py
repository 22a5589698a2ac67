"""How far apart the switches of ten hosts are, in one batch, on lab servers of this machine.

    sudo .venv/bin/python benchmarks/batch.py [--hosts 10] [--rounds 5] [--json FILE]

Prints the time between the first host's switch and the last one's for each deployment. No peer
is beside it: tools for plain servers have no instant at which a fleet switches. Compose, Kamal
and Ansible go from host to host, each with its own restart, seconds apart.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tidegate.testing.prove import evidence
from tidegate.testing.prove.fleet import batch


def main() -> int:
    """Measure, print, write. Judges what runs, never a time: a machine may be slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=batch.HOSTS)
    parser.add_argument("--rounds", type=int, default=batch.ROUNDS)
    parser.add_argument("--prefix", default="batch", help="how the servers' names begin")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    head = {"commit": evidence.git("rev-parse", "HEAD"), "machine": evidence.machine()}
    names = [f"{asked.prefix}-{number}" for number in range(1, asked.hosts + 1)]
    bad, figures = batch.measure(names, asked.rounds)
    text = json.dumps({**head, "violations": bad, **figures}, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(f"{text}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
