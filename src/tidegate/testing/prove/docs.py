"""Every page of the documents, followed to the letter on lab servers that are new for each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tidegate.testing.prove.project import ROOT

PAGES = "tests/docs/test_pages.py"


def prove(seed: int) -> tuple[list[Any], dict[str, Any]]:
    """Run the pages' test for all of them; the violations and how long each page took."""
    with tempfile.TemporaryDirectory(prefix="tidegate-prove-") as folder:
        report = Path(folder) / "report.xml"
        words = (sys.executable, "-m", "pytest", "-q", "-n0", "-m", "lab", PAGES)
        done = subprocess.run(
            (*words, f"--junitxml={report}", f"--basetemp={folder}/pages"),
            cwd=ROOT,
            env={**os.environ, "TIDEGATE_PAGES": "all", "TIDEGATE_SEED": str(seed)},
            check=False,
            stdout=sys.stderr,
        )
        if not report.exists():
            return [f"pytest ended with {done.returncode}, and without a report"], {}
        return judged(report.read_text(encoding="utf-8"))


def judged(report: str) -> tuple[list[Any], dict[str, Any]]:
    """What a JUnit report says: each failure with its page, and the seconds of every page."""
    violations: list[Any] = []
    seconds: dict[str, float] = {}
    # Our own pytest wrote it a moment ago.
    for case in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314
        page = str(case.get("name")).partition("[")[2].removesuffix("]")
        seconds[page] = round(float(case.get("time") or 0), 1)
        violations += [
            {"page": page, "said": amiss.get("message") or amiss.text}
            for amiss in (*case.findall("failure"), *case.findall("error"))
        ]
    return violations, {"pages": len(seconds), "seconds": seconds}
