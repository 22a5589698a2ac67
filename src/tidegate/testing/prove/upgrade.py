"""Tidegate itself is upgraded while a deployment is open; or meets what a newer one wrote."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from tidegate.host.deployment import FORMAT
from tidegate.testing.prove.contest import begin
from tidegate.testing.prove.kill import arm
from tidegate.testing.prove.project import ROOT
from tidegate.testing.prove.site import INSTANCE, Site
from tidegate.testing.prove.trouble import next_deploy

OPEN = f".local/share/tidegate/{INSTANCE}/open.json"
LINE = "FORMAT = {}\n"


def previous_tidegate() -> Path:
    """A copy of this one whose records carry the format before: a path for PYTHONPATH."""
    folder = Path(tempfile.mkdtemp(prefix="tidegate-previous-"))
    shutil.copytree(
        ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    record = folder / "src" / "tidegate" / "host" / "deployment.py"
    text = record.read_text()
    if LINE.format(FORMAT) not in text:
        raise RuntimeError(f"{record} has no {LINE.format(FORMAT)}")
    record.write_text(text.replace(LINE.format(FORMAT), LINE.format(FORMAT - 1), 1))
    return folder / "src"


def upgraded_in_the_middle(site: Site, phase: str) -> list[str]:
    """The old controller dies in ``phase``, a new Tidegate comes: refused, then it finishes.

    The new one uploads its tool while the old agent holds the deployment, then the old agent
    is killed: the new tool takes the record of the format before and ends what was begun.
    """
    old = previous_tidegate()
    before = site.answers()
    try:
        run = begin_with(site, phase, {"PYTHONPATH": str(old)})
        run.kill(signal.SIGKILL)
        run.wait()
        second = site.deploy()
        with arm("host tool", site) as weapon:
            weapon.fire(run)
        site.settle()
    finally:
        shutil.rmtree(old.parent)
    found = site.violations()
    if second.code not in (0, 3):
        found.append(f"the newer controller ended with {second.code}: {second.stderr}")
    if second.code == 3 and site.answers() != before:
        found.append(f"{site.answers()} serves after the upgrade, not {before}")
    return found + next_deploy(site)


def begin_with(site: Site, phase: str, environment: dict[str, str]) -> Any:
    """``begin`` of another Tidegate."""
    kept = site.lab_environment
    site.lab_environment = {**kept, **environment}
    try:
        return begin(site, phase)
    finally:
        site.lab_environment = kept


def newer_record_is_refused(site: Site) -> list[str]:
    """What a newer Tidegate has open is refused and left byte for byte; the project serves on."""
    before = site.answers()
    run = begin(site, "watch")
    run.kill(signal.SIGKILL)
    run.wait()
    with arm("host tool", site) as weapon:
        record = json.loads(site.server.run(["cat", OPEN]).stdout)
        newer = json.dumps({**record, "format": FORMAT + 1})
        unit = f"tidegate@{INSTANCE}.service"
        site.server.run(["systemctl", "--user", "stop", unit])
        site.server.run(["sh", "-c", f"cat > {OPEN}"], input=newer)
        weapon.fire(run)
    refused = site.deploy()
    found = []
    if refused.code != 3:
        found.append(f"a newer record ended with {refused.code}: {refused.stderr}")
    if site.server.run(["cat", OPEN]).stdout != newer:
        found.append("a newer record was changed")
    if len(set(site.answers().values())) != 1:
        found.append(f"while a newer record is open {site.answers()} serves")
    site.server.run(["sh", "-c", f"cat > {OPEN}"], input=json.dumps(record))
    site.server.run(["systemctl", "--user", "restart", unit])
    site.settle()
    found += site.violations()
    if site.answers() != before:
        found.append(f"{site.answers()} serves at the end, not {before}")
    return found + next_deploy(site)
