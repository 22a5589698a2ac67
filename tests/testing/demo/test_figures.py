"""The figures beside the references are worked out from what was measured, and only from that."""

from __future__ import annotations

from typing import Any

from tidegate.testing.demo.figures import Measured
from tidegate.testing.demo.step import Step


def build(work_s: float, total_s: float, **actions: str) -> dict[str, Any]:
    """The data of ``tidegate build --json``, as far as it is used."""
    applications = [{"name": name, "action": action} for name, action in actions.items()]
    return {"applications": applications, "jobs": 2, "work_s": work_s, "total_s": total_s}


def test_figures() -> None:
    """The longest deployment and pause; hits after the first build; work by wall time and width."""
    measured = Measured(
        builds=[
            build(18.0, 10.0, api="built", web="built"),
            build(4.0, 4.0, api="known", web="built"),
            build(0.0, 0.1, api="known", web="fetched"),
        ],
        deployments={"1.0.0 to staging": 31.2, "1.1.0 to staging": 12.0},
        rollback_s=3.9,
    )
    steps = [
        Step("a quiet one", watched=True, pause_s=0.31),
        Step("nobody looked", pause_s=9.0),
        Step("a slow one", watched=True, pause_s=1.27),
    ]
    found = {figure.what: figure for figure in measured.figures(steps)}
    assert {name: figure.ours for name, figure in found.items()} == {
        "deployment": "31 s",
        "downtime": "1.3 s",
        "rollback": "4 s",
        "build": "10 s",
        "cache hits": "75%",
        "parallel efficiency": "90%",
    }
    assert "1.0.0 to staging" in found["deployment"].how
    assert "a slow one" in found["downtime"].how
    assert "3 of 4 images of 2 commits" in found["cache hits"].how


def test_what_was_not_measured_is_not_told() -> None:
    """A story that broke off early has no figures."""
    assert list(Measured().figures([Step("a new server")])) == []
