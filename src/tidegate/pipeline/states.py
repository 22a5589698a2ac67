"""The controller's phases as one table; nothing else decides what comes next.

Up to ``commit`` every failure leads to ``abort``; the recorded decision, not the proposal,
decides which way a deployment ends. Who dies on the way leaves the rest to the hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Phase(StrEnum):
    """What the controller does now; the last four are ends."""

    ACQUIRE = "acquire"
    JOIN = "join"
    SECRETS = "secrets"
    PREPARE = "prepare"
    SWITCH = "switch"
    WATCH = "watch"
    VERIFY = "verify"
    COMMIT = "commit"
    ASK = "ask"
    FINISH = "finish"
    CONTRACT = "contract"
    ABORT = "abort"
    UNDO = "undo"
    RELEASE = "release"
    GIVE_BACK = "give-back"
    COMMITTED = "committed"
    REVERTED = "reverted"
    LEFT = "left"  # out of our reach: the host puts itself back when the lease runs out
    IN_DOUBT = "in-doubt"


class Outcome(StrEnum):
    """How a phase ended.

    ``overruled``: another decision than ours was recorded first. ``gone``: our lease had run
    out, and the host had ended the deployment by itself; where that is the answer to ``commit``,
    the witness is asked what it recorded.
    """

    OK = "ok"
    FAILED = "failed"
    OVERRULED = "overruled"
    GONE = "gone"


ENDS = frozenset({Phase.COMMITTED, Phase.REVERTED, Phase.LEFT, Phase.IN_DOUBT})
# Where a closed deployment is no failure: the host has done what we were about to ask for.
CLOSING = frozenset(
    {Phase.COMMIT, Phase.FINISH, Phase.ABORT, Phase.UNDO, Phase.RELEASE, Phase.GIVE_BACK}
)
# From here on a decision is being recorded or obeyed: an interrupt no longer turns it around.
DECIDED = CLOSING | {Phase.ASK, Phase.CONTRACT}

TABLE: Mapping[tuple[Phase, Outcome], Phase] = {
    (Phase.ACQUIRE, Outcome.OK): Phase.JOIN,
    (Phase.ACQUIRE, Outcome.FAILED): Phase.REVERTED,
    (Phase.JOIN, Outcome.OK): Phase.SECRETS,
    (Phase.JOIN, Outcome.FAILED): Phase.ABORT,
    (Phase.SECRETS, Outcome.OK): Phase.PREPARE,
    (Phase.SECRETS, Outcome.FAILED): Phase.ABORT,
    (Phase.PREPARE, Outcome.OK): Phase.SWITCH,
    (Phase.PREPARE, Outcome.FAILED): Phase.ABORT,
    (Phase.SWITCH, Outcome.OK): Phase.WATCH,
    (Phase.SWITCH, Outcome.FAILED): Phase.ABORT,
    (Phase.WATCH, Outcome.OK): Phase.VERIFY,
    (Phase.WATCH, Outcome.FAILED): Phase.ABORT,
    (Phase.VERIFY, Outcome.OK): Phase.COMMIT,
    (Phase.VERIFY, Outcome.FAILED): Phase.ABORT,
    (Phase.COMMIT, Outcome.OK): Phase.FINISH,
    (Phase.COMMIT, Outcome.OVERRULED): Phase.UNDO,
    (Phase.COMMIT, Outcome.FAILED): Phase.ASK,
    (Phase.COMMIT, Outcome.GONE): Phase.ASK,
    (Phase.ASK, Outcome.OK): Phase.FINISH,
    (Phase.ASK, Outcome.OVERRULED): Phase.UNDO,
    (Phase.ASK, Outcome.FAILED): Phase.IN_DOUBT,
    (Phase.FINISH, Outcome.OK): Phase.CONTRACT,
    (Phase.FINISH, Outcome.GONE): Phase.COMMITTED,
    (Phase.FINISH, Outcome.FAILED): Phase.COMMITTED,
    (Phase.CONTRACT, Outcome.OK): Phase.RELEASE,
    (Phase.CONTRACT, Outcome.FAILED): Phase.RELEASE,
    (Phase.RELEASE, Outcome.OK): Phase.COMMITTED,
    (Phase.RELEASE, Outcome.GONE): Phase.COMMITTED,
    (Phase.RELEASE, Outcome.FAILED): Phase.COMMITTED,
    (Phase.ABORT, Outcome.OK): Phase.UNDO,
    (Phase.ABORT, Outcome.OVERRULED): Phase.FINISH,
    (Phase.ABORT, Outcome.GONE): Phase.REVERTED,
    (Phase.ABORT, Outcome.FAILED): Phase.LEFT,
    (Phase.UNDO, Outcome.OK): Phase.GIVE_BACK,
    (Phase.UNDO, Outcome.GONE): Phase.REVERTED,
    (Phase.UNDO, Outcome.FAILED): Phase.LEFT,
    (Phase.GIVE_BACK, Outcome.OK): Phase.REVERTED,
    (Phase.GIVE_BACK, Outcome.GONE): Phase.REVERTED,
    (Phase.GIVE_BACK, Outcome.FAILED): Phase.LEFT,
}
