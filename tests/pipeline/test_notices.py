"""Who is told what: every end of a deployment has its words, and none is changed by telling."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.edges.test_courier import Hook, listening
from tidegate.errors import DeploymentFailed, InputError, RefusedError, TidegateError, WaitingError
from tidegate.model.config import Config, Environment, Notification
from tidegate.pipeline import notices
from tidegate.pipeline.runner import Report
from tidegate.pipeline.states import Phase

BAD = DeploymentFailed("web: never healthy", code="unhealthy", hint="look at its log")
WAITS = WaitingError("1 of lead is missing", code="approval-missing")


@dataclass(frozen=True)
class Place:
    """An environment with people to tell."""

    config: Config
    environment: Environment
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    reason: str = "a new shop"


class Heard:
    """A reporter that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def phase(self, name: str, state: str, message: str = "") -> None:
        self.said.append(f"{name} {state} {message}")

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        raise AssertionError((host, event))


def place(*to: Notification, **variables: str) -> Place:
    """The project ``shop``."""
    environment = Environment("production", {})
    config = Config("tidegate.yaml", "/", "shop", (), {"production": environment}, notify=to)
    return Place(config, environment, variables)


def ended(end: Phase, error: TidegateError | None = None) -> Report:
    """A deployment that ended so."""
    return Report(end=end, deployment="production/4", error=error, version="v1.2")


@pytest.mark.parametrize(
    ("report", "success", "event", "title"),
    [
        (ended(Phase.COMMITTED), "deployed", "deployed", "shop: production/4 serves v1.2"),
        (
            ended(Phase.COMMITTED),
            "rolledback",
            "rolledback",
            "shop: production/4 went back to v1.2",
        ),
        (ended(Phase.REVERTED, BAD), "deployed", "failed", "shop: production/4 failed and was put"),
        (ended(Phase.LEFT, BAD), "deployed", "failed", "shop: production/4 failed, and its hosts"),
        (ended(Phase.IN_DOUBT, BAD), "rolledback", "failed", "shop: production/4 is in doubt"),
    ],
)
def test_every_end_has_its_words(report: Report, success: str, event: str, title: str) -> None:
    """The event, the title, and below it why and by whom."""
    notice = notices.of_report(place(), report, success, "because")
    assert notice is not None
    assert notice.event == event
    assert notice.title.startswith(title)
    assert notice.body.endswith(": because")
    assert not report.error or "never healthy\nlook at its log" in notice.body


def test_what_was_refused_is_no_news() -> None:
    """A lock, a hold, a typing error: whoever deploys reads it, and nobody else."""
    refused = RefusedError("held by anna@laptop", code="locked")
    assert notices.of_report(place(), Report(error=refused), "deployed", "") is None
    assert notices.of_error(place(), refused, "") is None
    assert notices.of_error(place(), InputError("odd", code="x"), "") is None
    waiting = notices.of_error(place(), WAITS, "")
    assert waiting is not None
    assert (waiting.event, waiting.title) == ("waiting", "shop: production waits for an approval")


def test_who_wants_an_event_is_told() -> None:
    """And nobody else; an address may be of variables; the result is as it was."""
    with listening(Hook()) as hook:
        to = Notification("http://${PLACE}/hook", ("failed",))
        other = Notification("http://${PLACE}/other", ("deployed",))
        here = place(to, other, PLACE=hook.address)
        report = ended(Phase.REVERTED, BAD)
        work = notices.announced("deployed")(lambda *_: report)
        heard = Heard()
        assert work(here, None, Wish(), heard) is report
        begun = time.monotonic()
        while not hook.heard and time.monotonic() < begun + 60:  # a busy machine
            time.sleep(0.05)
    assert [path for path, _ in hook.heard] == ["/hook"]
    assert "a new shop" in hook.heard[0][1]["message"]
    assert not [line for line in heard.said if "nobody is told" in line]


def test_an_error_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting deployment is announced and still ends as it would; so does one nobody hears of."""
    monkeypatch.delenv("NOWHERE", raising=False)

    def waits(*_: Any) -> Report:
        raise WAITS

    heard = Heard()
    with pytest.raises(WaitingError) as caught:
        notices.announced("deployed")(waits)(place(Notification("${NOWHERE}")), None, Wish(), heard)
    assert caught.value is WAITS
    assert heard.said == ["notify info nobody is told: the variable NOWHERE has no value"]


def test_values_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's variables are stronger than the process's own."""
    monkeypatch.setenv("HOOK", "json://of-the-process")
    one = Notification("${HOOK}")
    assert notices.address(place(one), 0) == "json://of-the-process"
    assert notices.address(place(one, HOOK="json://of-the-file"), 0) == "json://of-the-file"
