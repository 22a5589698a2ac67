"""The phases of a deployment: what follows what, and what is asked of hosts whatever fails."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tidegate.errors import DeploymentFailed, InfrastructureError, RefusedError, TidegateError
from tidegate.host import parcel
from tidegate.host.canon import canonical
from tidegate.pipeline.lease import Lease
from tidegate.pipeline.runner import Attempt, Report, Runner
from tidegate.pipeline.states import DECIDED, ENDS, TABLE, Outcome, Phase
from tidegate.testing.releases import release, service

GRANTED = {"deployment": "production/42", "number": 42, "token": 7}
GOOD: Mapping[str, Any] = {
    "acquire": GRANTED,
    "watch": {"verdict": "passed", "requests": 3},
    "finish": {"stopped": ["web"], "reverted": []},
}


class Scripted:
    """A host that answers as told and writes down what it was asked."""

    def __init__(self, answers: Mapping[str, Any], name: str = "one") -> None:
        self.name = name
        self.answers = {**GOOD, **answers}
        self.asked: list[str] = []
        self.frames: list[tuple[str, Mapping[str, Any], str, int]] = []

    def begin(
        self, op: str, args: Mapping[str, Any], *, deployment: str = "", token: int = 0
    ) -> Told:
        outcome = f" {args['outcome']}" if "outcome" in args else ""
        self.asked.append(op + outcome)
        self.frames.append((op, args, deployment, token))
        answer = self.answers.get(op + outcome, self.answers.get(op, {}))
        if op == "decide" and isinstance(answer, dict) and not answer:
            answer = {"outcome": args["outcome"]}
        return Told(answer)

    def persist(self, patience_s: float) -> None:
        assert patience_s > 0

    def forward(self, local_port: int) -> int:
        return local_port + 1


class Told:
    """An answer that is there already."""

    answered_at = 0.0

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def result(self, timeout_s: float | None = None) -> Mapping[str, Any]:
        del timeout_s
        if isinstance(self.answer, BaseException):
            raise self.answer
        assert isinstance(self.answer, dict)
        return self.answer


class Silent:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def phase(self, name: str, state: str, message: str = "") -> None:
        del message
        self.heard.append((name, state))

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        raise AssertionError((host, event))


def deployed(*hosts: Scripted, **attempt: Any) -> Report:
    settings = {"environment": "production", "owner": "me@here", "lease_s": 60.0, **attempt}
    return Runner(hosts, Attempt(**settings), Silent()).run()


BAD = DeploymentFailed("web: never healthy", code="unhealthy", log=("boom",))
LOST = InfrastructureError("gone", code="ssh-unreachable")
HELD = RefusedError("held by anna@laptop", code="locked")
PUT_BACK = ["decide abort", "finish abort", "release"]
ALL = ["acquire", "prepare", "switch", "watch", "decide commit", "finish commit", "release"]

CASES: list[tuple[dict[str, Any], Phase, list[str], TidegateError | None]] = [
    ({}, Phase.COMMITTED, ALL, None),
    ({"acquire": HELD}, Phase.REVERTED, ["acquire"], HELD),
    ({"prepare": BAD}, Phase.REVERTED, [*ALL[:2], *PUT_BACK], BAD),
    ({"switch": LOST}, Phase.REVERTED, [*ALL[:3], *PUT_BACK], LOST),
    ({"prepare": LOST, "decide": LOST}, Phase.LEFT, [*ALL[:2], PUT_BACK[0]], LOST),
    ({"switch": BAD, "finish": LOST}, Phase.LEFT, [*ALL[:3], *PUT_BACK[:2]], BAD),
    ({"finish": LOST}, Phase.COMMITTED, ALL[:6], LOST),
    ({"release": LOST}, Phase.COMMITTED, ALL, LOST),
]


@pytest.mark.parametrize(("answers", "end", "asked", "error"), CASES)
def test_each_failure_has_its_way_out(
    answers: dict[str, Any], end: Phase, asked: list[str], error: TidegateError | None
) -> None:
    """Whatever fails, the rest of the table is walked and the first error is kept."""
    host = Scripted(answers)
    report = deployed(host)
    assert (report.end, host.asked, report.error) == (end, asked, error)


def test_a_bad_verdict_is_put_back() -> None:
    """A watch that failed counts as a bad change; the reason is told."""
    host = Scripted({"watch": {"verdict": "failed", "reason": "12 of 30 answers were errors"}})
    report = deployed(host)
    assert report.end is Phase.REVERTED
    assert isinstance(report.error, DeploymentFailed)
    assert "12 of 30" in report.error.message


def test_the_record_wins_over_our_proposal() -> None:
    """A commit that comes after a recorded abort is obeyed as an abort, and the other way."""
    late = Scripted({"decide commit": {"outcome": "abort"}})
    report = deployed(late)
    assert report.end is Phase.REVERTED
    assert late.asked[-2:] == ["finish abort", "release"]
    assert report.error is not None
    assert report.error.code == "lease-lost"
    kept = Scripted({"switch": BAD, "decide abort": {"outcome": "commit"}})
    assert deployed(kept).end is Phase.COMMITTED
    assert kept.asked[-2:] == ["finish commit", "release"]


def test_a_lost_answer_to_commit_is_in_doubt() -> None:
    """Nobody knows whether the decision was recorded: exit code 6, and nothing more is asked."""
    host = Scripted({"decide commit": LOST})
    report = deployed(host)
    assert report.end is Phase.IN_DOUBT
    assert report.error is not None
    assert report.error.exit_code == 6
    assert host.asked[-2:] == ["decide commit", "decision"]


@pytest.mark.parametrize(
    ("recorded", "end"), [("commit", Phase.COMMITTED), ("abort", Phase.REVERTED)]
)
def test_the_witness_resolves_a_doubt(recorded: str, end: Phase) -> None:
    """Where it can be asked afterwards, all hosts are told what it has recorded."""
    answers = {"decide commit": LOST, "decision": {"outcome": recorded}}
    host, other = Scripted(answers), Scripted({}, "two")
    assert deployed(host, other).end is end
    assert other.asked[-2:] == [f"finish {recorded}", "release"]


def test_a_host_that_ended_it_alone_is_believed() -> None:
    """Our lease ran out while we slept: the host has put itself back, and we say so."""
    gone = RefusedError("no deployment is open", code="stale-token")
    host = Scripted({"prepare": gone, "decide": gone})
    report = deployed(host)
    assert (report.end, report.error) == (Phase.REVERTED, gone)
    late = Scripted({"finish": gone})
    report = deployed(late)
    assert (report.end, report.error) == (Phase.COMMITTED, None)


def test_ctrl_c_puts_back_in_order() -> None:
    """An interrupt before the decision is a failure like any other."""
    host = Scripted({"switch": KeyboardInterrupt()})
    report = deployed(host)
    assert report.end is Phase.REVERTED
    assert host.asked[-3:] == PUT_BACK
    assert report.error is not None
    assert report.error.code == "interrupted"


def test_every_request_carries_the_fencing_token() -> None:
    """After the lock, each frame names the deployment and the token that was granted."""
    host = Scripted({})
    used = {"services": {"web": {"secrets": [{"secret": "hello_key"}]}}}
    gate = {"release": "sha256:1", "plan": "sha256:2", "automatic": False}
    deployed(host, release=used, secrets={"hello_key": "eA=="}, blobs_port=4000, gate=gate)
    assert host.frames[0][1]["gate"] == gate
    assert [frame[2:] for frame in host.frames[1:]] == [("production/42", 7)] * (len(ALL))
    prepare = next(frame for frame in host.frames if frame[0] == "prepare")
    assert prepare[1]["blobs"] == {"port": 4001}


@pytest.mark.parametrize("count", [1, 20])
def test_a_large_release_is_packed_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hosts: all get the same parts before any is asked to prepare."""
    packed: list[Mapping[str, Any]] = []

    def counted(value: Any) -> bytes:
        packed.append(value)
        return canonical(value)

    monkeypatch.setattr(parcel, "canonical", counted)
    words = random.Random(1).randbytes(1 << 19).hex()
    hosts = [Scripted({}, f"host-{number}") for number in range(count)]
    report = deployed(*hosts, release=release({"web": service(words=words)}), signature="s")
    assert (report.end, len(packed)) == (Phase.COMMITTED, 1)
    sent = [[args for op, args, *_ in host.frames if op in ("part", "prepare")] for host in hosts]
    assert len(sent[0]) > 2
    assert sent[0][-1]["digest"] == sent[0][0]["digest"]
    assert all(
        one is other for each in sent for one, other in zip(each[:-1], sent[0], strict=False)
    )


def test_several_hosts_wait_for_each_other() -> None:
    """No host switches before all are prepared; one that fails sends all back."""
    one, two = Scripted({}), Scripted({"prepare": BAD}, "two")
    report = deployed(one, two)
    assert report.end is Phase.REVERTED
    assert "switch" not in one.asked + two.asked
    assert one.asked == ["acquire", "prepare", "decide abort", "finish abort", "release"]
    assert two.asked == ["join", "prepare", "finish abort", "release"]


def test_hosts_switch_in_batches() -> None:
    """The witness is in the first; a batch begins when the one before has switched."""
    hosts = [Scripted({}, name) for name in ("one", "two", "three")]
    hosts[1].answers["switch"] = BAD
    report = deployed(*hosts, batch=2)
    assert [("switch" in host.asked) for host in hosts] == [True, True, False]
    assert report.end is Phase.REVERTED


def test_hosts_of_a_batch_turn_at_one_instant() -> None:
    """So long after they were asked; a host that switches alone waits for nobody."""
    for batch, waits in ((0, [True, True, True]), (2, [True, True, False])):
        hosts = [Scripted({}, name) for name in ("one", "two", "three")]
        assert deployed(*hosts, batch=batch).end is Phase.COMMITTED
        asked = [args for host in hosts for op, args, *_ in host.frames if op == "switch"]
        assert ["in_ms" in args for args in asked] == waits


def test_a_host_that_closed_by_itself_stops_nobody() -> None:
    """Its lease ran out after the decision: the others end as decided, the lock goes."""
    gone = RefusedError("no deployment is open", code="stale-token")
    one, two = Scripted({}), Scripted({"finish": gone, "release": gone}, "two")
    report = deployed(one, two)
    assert (report.end, report.error) == (Phase.COMMITTED, None)
    assert one.asked[-2:] == ["finish commit", "release"]


def test_a_silent_host_costs_no_other_its_lease() -> None:
    """Leases are renewed on all hosts, again and again, whoever does not answer."""
    never = threading.Event()

    class Hung(Told):
        def result(self, timeout_s: float | None = None) -> Mapping[str, Any]:
            del timeout_s  # whatever it is, it is too long
            never.wait(30)
            return {}

    class Silent(Scripted):
        def begin(self, op: str, args: Mapping[str, Any], **_: Any) -> Told:
            self.asked.append(op)
            return Hung(args)

    silent, other = Silent({}), Scripted({}, "two")
    lease = Lease((silent, other), 0.3)
    lease.begin("production/42", 7)
    for _ in range(100):
        if len(other.asked) > 2:
            break
        time.sleep(0.1)
    lease.end()
    never.set()
    assert other.asked[:3] == silent.asked[:3] == ["renew"] * 3


def test_a_host_that_does_not_keep_the_release_is_given_it() -> None:
    """Going back, the others need only its number; also a host that the release does not know."""
    hosts = [Scripted({}, name) for name in ("one", "two", "new")]
    entries = {name: {"address": "", "services": []} for name in ("one", "two")}
    old = {"services": {}, "hosts": entries}
    given = {"generation": 3, "release": old, "signature": "signed", "lacking": ["two", "new"]}
    assert deployed(*hosts, kind="rollback", **given).end is Phase.COMMITTED
    asked = [args for host in hosts for op, args, *_ in host.frames if op == "prepare"]
    assert [args["generation"] for args in asked] == [3, 3, 3]
    told = [(args.get("release"), args.get("signature")) for args in asked]
    assert told == [(None, None), (old, "signed"), (old, "signed")]


def test_the_table_is_whole() -> None:
    """Every phase that is no end says what follows success and failure, and leads to an end."""
    for phase in set(Phase) - ENDS:
        assert {(phase, Outcome.OK), (phase, Outcome.FAILED)} <= set(TABLE)
    assert set(TABLE.values()) == set(Phase) - {Phase.ACQUIRE}
    assert {phase for phase, outcome in TABLE if outcome is Outcome.OVERRULED} == {
        Phase.COMMIT,
        Phase.ASK,
        Phase.ABORT,
    }
    assert not DECIDED & ENDS
