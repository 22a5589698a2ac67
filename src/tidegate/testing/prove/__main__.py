"""``python -m tidegate.testing.prove PART [--seed N]``, called by ``scripts/prove``.

Exit code 0 if nothing was violated, else 1. Needs root, for the lab.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import Any

from tidegate.testing.prove import deploy, docs, evidence, kills, protocol, specials, stages
from tidegate.testing.prove.compose import prove as compose
from tidegate.testing.prove.fleet import batch
from tidegate.testing.prove.fleet import prove as fleet

PARTS = ("deploy", "kills", "cases", "compose", "fleet", "protocol", "stages", "docs")
Result = tuple[list[Any], dict[str, Any]]


def run(asked: argparse.Namespace, seed: int) -> Result:
    """The part that was asked for."""
    if asked.part == "deploy":
        return deploy.prove(seed, asked.servers or "prove", asked.deployments)
    if asked.part == "compose":
        server = asked.servers or "ladder"
        return compose.prove(seed, server, asked.corpus, asked.files, asked.damaged)
    if asked.part == "fleet":
        names = (asked.servers or "fleet-1,fleet-2,fleet-3").split(",")
        violations, figures = fleet.prove(seed, names, asked.faults, asked.minutes)
        ten = [f"{names[0]}-batch-{number}" for number in range(1, batch.HOSTS + 1)]
        bad, together = batch.measure(ten)
        return [*violations, *bad], {**figures, "batch": together}
    if asked.part == "stages":
        names = (asked.servers or "stages-1,stages-2,stages-3").split(",")
        return stages.prove(seed, names, asked.moves, asked.minutes)
    if asked.part == "protocol":
        return protocol.prove()
    if asked.part == "docs":
        return docs.prove(seed)
    if asked.part == "cases":
        return specials.prove(asked.servers or "prove", asked.cases)
    names = (asked.servers or "prove,prove-2").split(",")
    return kills.prove(seed, names, asked.instants, asked.minutes, asked.cases)


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="scripts/prove", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seed", type=int, help="any number; a new one each time by default")
    parser.add_argument("--servers", default="", help="lab servers to use; they are made anew")
    parser.add_argument("--deployments", type=int, default=30)
    parser.add_argument("--instants", type=int, default=24, help="kills inside of each phase")
    parser.add_argument("--faults", type=int, default=500, help="of `fleet`")
    parser.add_argument("--moves", type=int, default=150, help="of `stages`")
    parser.add_argument("--minutes", type=float, default=45, help="begin no kill after these")
    parser.add_argument(
        "--cases", default="", help="only those cases besides the kills whose names contain this"
    )
    parser.add_argument("--corpus", type=Path, help="compose files with docker compose's answers")
    parser.add_argument("--files", type=int, default=0, help="so many of the corpus, not all")
    parser.add_argument("--damaged", type=int, default=10_000, help="damaged compose files to try")
    parser.add_argument("--out", type=Path, default=evidence.EVIDENCE, help="a folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a part and write its evidence."""
    asked = arguments().parse_args(argv)
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    sys.stderr.write(f"prove {asked.part} --seed {seed}\n")
    tried, began = evidence.head(asked.part, seed), time.monotonic()
    violations, figures = run(asked, seed)
    minutes = (time.monotonic() - began) / 60
    path = evidence.write(asked.out, tried, minutes, violations, figures)
    for violation in violations:
        sys.stderr.write(f"VIOLATED: {violation}\n")
    sys.stderr.write(f"{'FAILED' if violations else 'passed'}: {path}\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
