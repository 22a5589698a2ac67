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


def write(
    part: str, seed: int, began: float, violations: list[Any], figures: dict[str, Any]
) -> Path:
    """Write ``docs/evidence/PART.json``; its path."""
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    path = EVIDENCE / f"{part}.json"
    content = {
        "schema": "tidegate/evidence/1",
        "part": part,
        "passed": not violations,
        "seed": seed,
        "commit": git("rev-parse", "HEAD"),
        "changed_files": [line[3:] for line in git("status", "--short", "src").splitlines()],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "minutes": round((time.time() - began) / 60, 1),
        "machine": machine(),
        "violations": violations,
        **figures,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
