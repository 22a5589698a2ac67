"""The states of an open deployment on one host: one table, and the four rules beside it.

Pure. The agent runs it, and the model (tidegate.testing.model) explores it: what is not in
here decides nothing about how a deployment ends.

Each environment has one witness among its hosts. It has the lock, and the outcome of each
deployment as a record that is written once. A host that switched has voted for commit: from
then on it ends only as the witness's record says. A host that did not vote may undo alone,
for without its vote nobody proposes commit.
"""

from __future__ import annotations

# (state, what happened) -> next state. Nothing else moves a deployment.
#   commit, abort: the outcome as the witness recorded it, or as a host may decide alone
#   lapse: the controller's lease ran out, or a newer deployment asks for the host
TRANSITIONS = {
    ("acquired", "prepare"): "preparing",
    ("acquired", "abort"): "reverted",
    ("acquired", "lapse"): "reverted",
    ("preparing", "prepare"): "preparing",
    ("preparing", "prepared"): "prepared",
    ("preparing", "abort"): "aborting",
    ("preparing", "lapse"): "aborting",
    ("prepared", "switch"): "switching",
    ("prepared", "abort"): "aborting",
    ("prepared", "lapse"): "aborting",
    ("switching", "switch"): "switching",
    ("switching", "switched"): "switched",
    ("switching", "abort"): "aborting",
    ("switching", "lapse"): "aborting",
    ("switched", "commit"): "committing",
    ("switched", "abort"): "aborting",
    ("switched", "lapse"): "in-doubt",
    ("in-doubt", "commit"): "committing",
    ("in-doubt", "abort"): "aborting",
    ("committing", "finished"): "committed",
    ("aborting", "finished"): "reverted",
}
ENDED = ("committed", "reverted")
OUTCOMES = ("commit", "abort")
# States that follow a decision: whoever starts in them goes on, whatever the controller does.
ENDING = {"committing": "commit", "aborting": "abort"}
# What the protocol calls each of them: idle > prepared > switched > committed|reverted.
PUBLIC = {
    "acquired": "idle",
    "preparing": "idle",
    "switching": "prepared",
    "committing": "switched",
    "aborting": "switched",
}


def undoes_alone(state: str) -> bool:
    """Whether a host in `state` has not voted yet, so that nobody can have proposed commit."""
    return TRANSITIONS.get((state, "lapse")) in ("aborting", "reverted")


def may_record(outcome: str, state: str) -> bool:
    """Whether the witness, itself in `state`, may record a first `outcome`.

    commit takes its own vote. abort is always possible, also after the deployment was closed.
    """
    return outcome == "abort" or state == "switched"


def may_obey(outcome: str, known: str) -> bool:
    """Whether a controller's word `outcome` may be followed where `known` is recorded here."""
    return known in ("", outcome)


def may_end(outcome: str, state: str) -> bool:
    """Whether a host in `state` can end with `outcome`, or is on its way there."""
    return (state, outcome) in TRANSITIONS or ENDING.get(state) == outcome


def may_join(token: int, seen: int) -> bool:
    """Whether a deployment with `token` may be opened where `seen` was the highest so far."""
    return token > seen
