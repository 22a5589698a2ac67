"""A service with a schedule: a unit that ends, a timer that starts it, and nothing at a switch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.targets.quadlet.projects import of_project, project
from tidegate.errors import InputError
from tidegate.host import prepare, timers
from tidegate.host.generations import Generation
from tidegate.host.layout import compute
from tidegate.host.units import place
from tidegate.model.config import Host
from tidegate.plan import plan

COMPOSE = """\
services:
  report: {image: x, command: [count], restart: always, depends_on: [db]}
  db: {image: x}
"""
LATE = "  late: {image: x, depends_on: {report: {condition: service_completed_successfully}}}"
NIGHTLY = {"report": {"schedule": "0 3 * * mon"}}


def made(n: int = 1, **settings: Any) -> Generation:
    """The project as a host has it."""
    release = of_project(project(COMPOSE), settings={**NIGHTLY, **settings})
    laid = compute(release, n, None, None, [], {})
    place(release, laid, None, {})
    return Generation(n, release, "", laid)


def test_its_unit_ends_and_no_deployment_starts_it() -> None:
    """Not RemainAfterExit, no boot, not among what prepare or switch start."""
    now = made()
    text = (now.layout or {})["units"]["report"]["p-report.container"]
    assert "Type=oneshot" in text
    assert "RemainAfterExit=no" in text
    assert "WantedBy" not in text
    assert prepare.started(now, None) == ["db"]
    later = made(2, report={"schedule": "0 4 * * *"})
    assert "report" not in prepare.at_switch(later, now) + prepare.started(later, now)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="asks systemd itself")
def test_its_timer_is_one(tmp_path: Path) -> None:
    """What systemd verifies, of the same name as its service."""
    [(name, text)] = timers.expected(made()).items()
    assert name == "p-report.timer"
    assert "OnCalendar=Mon *-*-* 03:00:00 UTC\nPersistent=true" in text
    (tmp_path / name).write_text(text)
    service = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    (tmp_path / "p-report.service").write_text(service)
    argv = ["systemd-analyze", "--user", "--man=no", "verify", str(tmp_path / name)]
    env = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    said = [line for line in done.stderr.splitlines() if "p-report" in line]
    assert said == []


def test_the_plan_says_so() -> None:
    """Not that it runs, but when it will; a change of it is told in the user's words."""
    first, second = made().release, made(report={"schedule": "@daily"}).release
    assert [
        (a.service, a.what) for a in plan(None, first, {}).actions if a.service == "report"
    ] == [("report", "timed")]
    [change] = plan(first, second, {}).changes
    assert (change.key, change.old, change.new) == ("schedule", "0 3 * * mon", "@daily")


def test_it_runs_on_one_host() -> None:
    """Whatever roles say: the first of them."""
    hosts = {
        name: Host(name, f"deploy@{name}", address=f"10.0.0.{n}", roles=("db",))
        for n, name in enumerate(("one", "two"), 1)
    }
    release = of_project(
        project(COMPOSE), settings={"report": {**NIGHTLY["report"], "on": ("db",)}}, hosts=hosts
    )
    assert [n for n, host in release["hosts"].items() if "report" in host["services"]] == ["one"]


@pytest.mark.parametrize(
    ("compose", "settings", "words"),
    [
        (COMPOSE, {"strategy": "recreate"}, "strategy is recreate"),
        (COMPOSE, {"route": "a.example"}, "routed"),
        (COMPOSE.replace("image: x,", "image: x, scale: 3,"), {}, "3 copies"),
        (
            COMPOSE + LATE,
            {},
            "wait for its end",
        ),
    ],
)
def test_what_cannot_run_by_the_clock(compose: str, settings: dict[str, Any], words: str) -> None:
    """Each is bad input, before anything."""
    with pytest.raises(InputError, match=words):
        of_project(project(compose), settings={"report": {**NIGHTLY["report"], **settings}})
