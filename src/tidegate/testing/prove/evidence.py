"""What a proof leaves behind: figures, with the commit, the machine and the seed they come from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from tidegate.testing.prove.project import ROOT

EVIDENCE = ROOT / "docs" / "evidence"


def git(*words: str) -> str:
    """What git says in the checkout; nothing outside of one."""
    done = subprocess.run(
        ("git", "-C", str(ROOT), *words), check=False, capture_output=True, text=True
    )
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    """The machine, without its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "cpu": model,
        "memory_gb": round(memory / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def head(part: str, seed: int) -> dict[str, Any]:
    """What is tried and where, noted before it begins: the checkout may move on meanwhile."""
    return {
        "schema": "tidegate/evidence/1",
        "part": part,
        "seed": seed,
        "commit": git("rev-parse", "HEAD"),
        "changed_files": [line[3:] for line in git("status", "--short", "src").splitlines()],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
    }


def write(
    folder: Path, tried: dict[str, Any], minutes: float, found: list[Any], figures: dict[str, Any]
) -> Path:
    """Write ``folder``/PART.json; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{tried['part']}.json"
    ended = {"passed": not found, "minutes": round(minutes, 1), "violations": found}
    path.write_text(json.dumps({**tried, **ended, **figures}, indent=1) + "\n")
    return path
