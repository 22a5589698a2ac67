"""What gates decide, as data; and windows held against every minute of a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tidegate.config import read_config
from tidegate.gates import Checked, Facts, Soak, Verdict, decide, policy, window
from tidegate.model.config import Config
from tidegate.testing.releases import release

CASES = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
NOW = "2026-11-21T12:00:00Z"
HINTED = ("window", "soak", "check")
PEOPLE = {name: f"ssh-ed25519 AAAA{name} {name}@example.com" for name in ("anna", "ben")}


def config(gates: Any) -> Config:
    """An environment p with these gates, after an environment s."""
    text = {
        "version": 1,
        "people": PEOPLE,
        "environments": {
            "s": {"hosts": {"a": {"ssh": "a@192.0.2.1"}}},
            "p": {"hosts": {"b": {"ssh": "b@192.0.2.2"}}, "gates": gates},
        },
    }
    return read_config(yaml.safe_dump(text), "tidegate.yaml", root="/x")


def image(name: str) -> dict[str, Any]:
    """The images of a release whose only service has this one."""
    return {"web": {"ref": name}}


def soak(case: Any) -> Soak:
    """What s runs."""
    told = case.get("soak")
    if not told:
        return Soak(None, None)
    names = {"commit": told["commit"], "version": told["version"]}
    there = release({}, images=image(told.get("image", "same")), **names)
    return Soak(there, datetime.fromisoformat(told["since"]), told.get("failed", ""))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["claim"].replace(" ", "-"))
def test_what_gates_decide(case: Any) -> None:
    """Each gate that is not passed says just what the case says, in its order."""
    gates = config(case["gates"]).environments["p"].gates
    names = {"commit": "abc1234f", "version": case.get("version", "abc1234")}
    facts = Facts(
        environment="p",
        release=release({}, images=image("same"), **names),
        now=datetime.fromisoformat(case.get("now", NOW)),
        automatic=case.get("automatic", False),
        hold=case.get("hold"),
        policies=(policy(PEOPLE, gates, []),),
        decisions=[{"at": "1", "reason": "it locks", **d} for d in case.get("decisions", ())],
        soaks={"s": soak(case)},
        checks={
            tuple(c["command"]): Checked(c["status"], c.get("said", ""))
            for c in case.get("checks", ())
        },
    )
    told = [d for d in decide(gates, facts) if d.verdict is not Verdict.PASSED]
    shown = [
        f"{d.gate} {d.verdict}: {d.reason}{f' ({d.hint})' if d.gate in HINTED else ''}"
        for d in told
    ]
    assert shown == case["expected"]
    assert all(d.hint for d in told)


@settings(deadline=None)
@given(
    days=st.sets(st.integers(0, 6), min_size=1),
    ends=st.lists(st.integers(0, 1439), min_size=2, max_size=2, unique=True),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
)
def test_a_closed_window_opens_when_it_says(
    days: set[int], ends: list[int], zone: str, now: datetime
) -> None:
    """It is open then and was closed before, in weeks without a change of the clocks."""
    said = {"days": tuple(days), "hours": (ends[0], ends[1]), "zone": zone}
    moment = now.replace(second=0, microsecond=0, tzinfo=UTC)
    if window.opened(said, moment):
        return
    local = window.opens(said, moment)
    assume(local.utcoffset() == moment.astimezone(local.tzinfo).utcoffset())
    opens = local.astimezone(UTC)
    assert window.opened(said, opens)
    for minutes in range(0, int((opens - moment).total_seconds()) // 60, 31):
        assert not window.opened(said, moment + timedelta(minutes=minutes))
