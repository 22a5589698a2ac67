"""What people are told of deployments, and who: ``notify:`` of tidegate.yaml.

A message is written when a deployment has ended and its lock is free, so nobody waits for one
and none can change how a deployment ends. Values for addresses come from the environment's
variables, its secrets, and the process's own environment, strongest first.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tidegate.config.filled import filled
from tidegate.edges import courier, vault
from tidegate.edges.courier import Letter
from tidegate.edges.signing import owner
from tidegate.errors import TidegateError
from tidegate.model.config import Config, Environment
from tidegate.pipeline.runner import Report
from tidegate.pipeline.states import Phase
from tidegate.ports import Reporter

ENDS: Mapping[Phase, str] = {
    Phase.REVERTED: "failed and was put back",
    Phase.LEFT: "failed, and its hosts put it back by themselves",
    Phase.IN_DOUBT: "is in doubt",
}


class Place(Protocol):
    """Where a deployment goes."""

    @property
    def config(self) -> Config: ...
    @property
    def environment(self) -> Environment: ...
    @property
    def variables(self) -> Mapping[str, str]: ...


class Wish(Protocol):
    """What was asked for."""

    @property
    def reason(self) -> str: ...


Found = TypeVar("Found")
Work = Callable[[Any, Found, Any, Reporter], Report]


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about one event: deployed, failed, rolledback or waiting."""

    event: str
    title: str
    body: str


def announced(event: str) -> Callable[[Work[Found]], Work[Found]]:
    """Let people know how a deployment ended that a function carries out.

    ``event`` is what its success is called. The function's arguments are a ``Place``, anything,
    a ``Wish`` and a ``Reporter``.
    """

    def wrap(work: Work[Found]) -> Work[Found]:
        @functools.wraps(work)
        def run(target: Place, found: Found, wish: Wish, reporter: Reporter) -> Report:
            try:
                report = work(target, found, wish, reporter)
            except TidegateError as problem:
                tell(target, of_error(target, problem, wish.reason), reporter)
                raise
            tell(target, of_report(target, report, event, wish.reason), reporter)
            return report

        return run

    return wrap


def of_report(place: Place, report: Report, event: str, reason: str) -> Notice | None:
    """What is said of a deployment that came to an end; None where none was begun."""
    if not report.deployment:
        return None
    name = f"{place.config.project}: {report.deployment}"
    if report.end is Phase.COMMITTED:
        words = "went back to" if event == "rolledback" else "serves"
        return Notice(
            event, f"{name} {words} {report.version}".rstrip(), _body(report.error, reason)
        )
    return Notice("failed", f"{name} {ENDS[report.end]}", _body(report.error, reason))


def of_error(place: Place, problem: TidegateError, reason: str) -> Notice | None:
    """What is said of a deployment that was not begun: only that it waits for people."""
    if problem.class_ != "waiting":
        return None
    name = f"{place.config.project}: {place.environment.name}"
    return Notice("waiting", f"{name} waits for an approval", _body(problem, reason))


def _body(problem: TidegateError | None, reason: str) -> str:
    lines = [problem.message, problem.hint] if problem else []
    who = f"by {owner()}"
    return "\n".join([*filter(None, lines), f"{who}: {reason}" if reason else who])


def tell(place: Place, notice: Notice | None, reporter: Reporter) -> None:
    """Send a notice to whoever wants its event. Never fails: what is wrong is reported."""
    if notice is None or not place.config.notify:
        return
    for lost in courier.undelivered():
        told = f"{lost['title']!r} of {lost['at']} did not reach {lost['to']}: {lost['why']}"
        reporter.phase("notify", "info", told)
    letters = []
    for index, one in enumerate(place.config.notify):
        if one.on and notice.event not in one.on:
            continue
        try:
            letters.append(Letter(address(place, index), notice.title, notice.body))
        except TidegateError as problem:
            reporter.phase("notify", "info", f"nobody is told: {problem.message}")
    if letters and not courier.dispatch(letters):
        reporter.phase(
            "notify", "info", "not all messages are out yet; a process of its own goes on"
        )


def address(place: Place, index: int) -> str:
    """Where an entry of ``notify`` leads; ``InputError`` where a variable has no value."""
    written = place.config.notify[index].to
    where = place.config.where("notify", index, "to")
    hint = f"tidegate secrets set {place.environment.name} {{name}}, or export {{name}}=…"
    return filled(written, _values(place, written).get, where, hint)


def _values(place: Place, written: str) -> Mapping[str, str]:
    """Every value that an address may use; the secrets are opened only where they are needed."""
    known = {**os.environ, **place.variables}
    file = place.environment.secrets
    if not file or "$" not in written:
        return known
    kept = vault.load(Path(place.config.root, file)).secrets
    hidden = {
        name: vault.value(name, secret, place.variables)
        for name, secret in kept.items()
        if name in written and name not in place.variables
    }
    return {**known, **hidden}


def letters(place: Place, title: str, body: str) -> Sequence[Letter]:
    """A letter for each entry of ``notify``."""
    count = range(len(place.config.notify))
    return [Letter(address(place, index), title, body) for index in count]
