"""Holds and approvals on a witness, with real keys: who may open the lock, and who cannot."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.gates.people import Key
from tidegate.host import approvals, deployment, facts, gate, generations, ledger, office
from tidegate.host.canon import canonical, digest
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import write_atomic
from tidegate.host.holds import in_force, stops
from tidegate.host.journal import Journal
from tidegate.host.ops import Ops
from tidegate.host.paths import Paths
from tidegate.testing.releases import release

PLAN = digest("the plan")
NAMES = ("anna", "ben", "eve", "deployer")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key]:
    """A key for each name."""
    folder = tmp_path_factory.mktemp("keys")
    return {name: Key.make(folder, name) for name in NAMES}


class Witness:
    """A host's folder, the people's keys, and releases made with them."""

    def __init__(self, home: Path, keys: dict[str, Key]) -> None:
        self.paths = Paths(home, "shop")
        self.keys = keys
        write_atomic(self.paths.allowed_signers, f"deployer {keys['deployer'].line}\n")

    def policy(self, *people: str, count: int = 2, made_by: str = "carl") -> dict[str, Any]:
        """Approvals by these people."""
        lines = {name: self.keys[name].line for name in people}
        rules = [{"by": list(people), "count": count}] if people else []
        return {"people": lines, "approval": rules, "made_by": [f"{made_by}@example.com"]}

    def serve(self, policy: dict[str, Any]) -> None:
        """Let a release with this policy be the one that serves."""
        old = release({}, instance="shop", gates=policy, version="old")
        generations.store(self.paths, 1, old, "", "")
        write_atomic(self.paths.current, "1\n")

    def propose(self, policy: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A signed release that waits."""
        new = release({}, instance="shop", gates=policy, **changes)
        signature = self.keys["deployer"].sign(canonical(new), "tidegate-release")
        args = {"release": new, "signature": signature, "plan": PLAN, "owner": "ci@runner"}
        facts.STANDING["propose"](self.paths, args)
        return new

    def say(self, who: str, new: dict[str, Any], verdict: str = "approved", **signed: str) -> Any:
        """A person's word; ``signed`` is what is signed in place of what is sent."""
        record = {"release": digest(new), "plan": PLAN, "verdict": verdict}
        place = (signed.get("instance", "shop"), signed.get("environment", "production"))
        namespace = signed.get("namespace", approvals.NAMESPACE)
        lie = {key[1:]: value for key, value in signed.items() if key.startswith("_")}
        said = approvals.statement(*place, {**record, **lie})
        args = {**record, "signature": self.keys[who].sign(said, namespace), "owner": who}
        return facts.STANDING["approve"](self.paths, args)

    def admit(self, new: dict[str, Any], plan: str = PLAN, *, automatic: bool = False) -> None:
        """Ask for the lock as a controller does."""
        told = {"release": digest(new), "plan": plan, "automatic": automatic}
        gate.admit(self.paths, {"environment": "production", "gate": told})

    def refusal(self, new: dict[str, Any], plan: str = PLAN) -> tuple[str, str]:
        """Class and words of what keeps the lock shut."""
        with pytest.raises(HostError) as caught:
            self.admit(new, plan)
        return caught.value.class_, caught.value.message


@pytest.fixture
def witness(tmp_path: Path, keys: dict[str, Key]) -> Witness:
    """An empty one."""
    return Witness(tmp_path, keys)


ROLLBACK = {"kind": "rollback", "outcome": "commit", "owner": "anna", "at": "2", "version": "v1"}
HELD = {"event": "hold.set", "scope": "all", "owner": "ben", "at": "1", "reason": "stock"}
LIFTED = {"event": "hold.lifted"}


@pytest.mark.parametrize(
    ("entries", "scope", "by"),
    [
        ([], "", ""),
        ([HELD], "all", "ben"),
        ([HELD, {**HELD, "owner": "eve"}], "all", "eve"),
        ([HELD, LIFTED], "", ""),
        ([{**HELD, "scope": "automatic"}], "automatic", "ben"),
        ([ROLLBACK], "automatic", "anna"),
        ([ROLLBACK, LIFTED], "", ""),
        ([HELD, LIFTED, ROLLBACK], "automatic", "anna"),
        ([HELD, ROLLBACK], "all", "ben"),
        ([{**ROLLBACK, "outcome": "abort"}], "", ""),
        ([{**ROLLBACK, "kind": "deploy"}], "", ""),
    ],
)
def test_which_hold_is_in_force(entries: list[dict[str, str]], scope: str, by: str) -> None:
    """The last one that a person set, else what a rollback left, until it is lifted."""
    hold = in_force(entries)
    assert (hold["scope"], hold["by"]) == (scope, by) if hold else not scope
    assert stops(hold, automatic=True) == bool(scope)
    assert stops(hold, automatic=False) == (scope == "all")


def test_a_hold_stops_deployments_and_no_rollback(witness: Witness) -> None:
    """It says who, why, since when and what to type, until it is lifted; the ledger is whole."""
    new = release({}, instance="shop")
    facts.STANDING["hold"](witness.paths, {"owner": "anna@laptop", "reason": "stocktaking"})
    class_, words = witness.refusal(new)
    assert class_ == "refused"
    assert "held by anna@laptop since 20" in words
    assert words.endswith(": stocktaking")
    gate.admit(witness.paths, {"environment": "production"})
    lifted = facts.STANDING["unhold"](witness.paths, {"owner": "ben"})["lifted"]
    assert lifted["reason"] == "stocktaking"
    witness.admit(new)
    assert facts.STANDING["unhold"](witness.paths, {"owner": "ben"})["lifted"] is None
    assert ledger.verify(witness.paths.ledger) == 2


def test_a_rollback_holds_automatic_deployments_only(witness: Witness) -> None:
    """What a person asks for goes on."""
    ledger.append(witness.paths.ledger, ROLLBACK)
    new = release({}, instance="shop")
    witness.admit(new)
    with pytest.raises(HostError, match="for automatic deployments by anna"):
        witness.admit(new, automatic=True)


def test_enough_different_people_open_the_lock(witness: Witness) -> None:
    """Each counts once, for this release and this plan."""
    new = witness.propose(witness.policy("anna", "ben"))
    assert witness.refusal(new) == ("waiting", "0 of 2 approvals; anna or ben may")
    first = witness.say("anna", new)
    assert witness.say("anna", new) == first
    assert witness.refusal(new) == ("waiting", "1 of 2 approvals; ben may")
    witness.say("ben", new)
    witness.admit(new)
    assert witness.refusal(new, digest("another plan"))[0] == "waiting"
    other = witness.propose(witness.policy("anna", "ben"), version="2")
    assert witness.refusal(other)[0] == "waiting"


def test_nobody_approves_what_they_made(witness: Witness) -> None:
    """Whoever's mail address is in the key's comment and in the commit."""
    new = witness.propose(witness.policy("anna", "ben", count=1, made_by="Anna"))
    witness.say("anna", new)
    assert witness.refusal(new) == ("waiting", "0 of 1 approvals; ben may, anna made it")
    witness.say("ben", new)
    witness.admit(new)


def test_who_serves_says_who_approves(witness: Witness) -> None:
    """A release that names its own people still needs those of the one before."""
    witness.serve(witness.policy("anna", count=1))
    new = witness.propose(witness.policy("eve", count=1))
    witness.say("eve", new)
    assert witness.refusal(new) == ("waiting", "0 of 1 approvals; anna may")
    nobody = witness.propose({}, version="2")
    assert witness.refusal(nobody)[0] == "waiting"
    witness.say("anna", nobody)
    witness.admit(nobody)


@pytest.mark.parametrize(
    ("who", "signed"),
    [
        ("eve", {}),
        ("deployer", {}),
        ("anna", {"_plan": digest("another")}),
        ("anna", {"_release": digest("another")}),
        ("anna", {"_verdict": "rejected"}),
        ("anna", {"environment": "staging"}),
        ("anna", {"instance": "other"}),
        ("anna", {"namespace": "tidegate-release"}),
    ],
)
def test_a_signature_of_anything_else_is_refused(
    witness: Witness, who: str, signed: dict[str, str]
) -> None:
    """Of another person, release, plan, place or verdict; nothing is recorded."""
    new = witness.propose(witness.policy("anna", "ben"))
    with pytest.raises(HostError) as caught:
        witness.say(who, new, **signed)
    assert (caught.value.class_, caught.value.code) == ("refused", "not-a-person")
    assert gate.decisions(witness.paths) == []


def test_a_rejection_stays(witness: Witness) -> None:
    """Approvals after it change nothing; another release is free of it."""
    new = witness.propose(witness.policy("anna", "ben", count=1))
    witness.say("ben", new, "rejected")
    witness.say("anna", new)
    assert witness.refusal(new)[0] == "refused"
    other = witness.propose(witness.policy("anna", "ben", count=1), version="2")
    assert witness.refusal(other)[0] == "waiting"


def test_only_what_a_signer_made_waits(witness: Witness) -> None:
    """An unsigned release is no proposal, and nobody can approve it."""
    new = release({}, instance="shop", gates=witness.policy("anna"))
    args = {"release": new, "signature": "", "plan": PLAN}
    with pytest.raises(HostError, match="not signed"):
        gate.propose(witness.paths, args)
    with pytest.raises(HostError, match="waits here"):
        witness.say("anna", new)


def test_the_release_that_comes_is_the_one_that_was_approved(witness: Witness) -> None:
    """A controller that names one and sends another is refused before anything is prepared."""
    good = witness.propose(witness.policy("anna", count=1))
    witness.say("anna", good)
    told = {"release": digest(good), "plan": PLAN, "automatic": False}
    args = {"environment": "production", "owner": "ci", "gate": told}
    gate.admit(witness.paths, args)
    record = deployment.acquire(witness.paths, args, "now")
    journal = Journal(witness.paths.journal(1))
    ops = Ops(Context(witness.paths, record, journal, threading.Event()))
    other = release({}, instance="shop", gates=witness.policy("anna", count=1), version="x")
    with pytest.raises(HostError, match="0 of 1"):
        ops.prepare({"release": other, "signature": ""})
    assert record["state"] == "acquired"
    with pytest.raises(HostError, match="not signed"):
        ops.prepare({"release": good, "signature": ""})


def test_a_new_witness_knows_holds_and_approvals(witness: Witness, tmp_path: Path) -> None:
    """The office moves with all that people have said."""
    new = witness.propose(witness.policy("anna", count=1))
    witness.say("anna", new)
    gate.hold(witness.paths, {"owner": "ben", "reason": "stock"})
    told = office.legacy(witness.paths, {})
    other = Witness(tmp_path / "other", witness.keys)
    for _ in range(2):
        office.take_over(other.paths, {"legacy": told, "mine": "web-2"})
    assert gate.held(other.paths) == gate.held(witness.paths)
    assert len(gate.decisions(other.paths)) == 1
    other.propose(witness.policy("anna", count=1))
    gate.unhold(witness.paths, {"owner": "ben"})
    args = {"legacy": office.legacy(witness.paths, {}), "mine": "web-2"}
    office.take_over(other.paths, args)
    other.admit(new)
    assert ledger.verify(other.paths.ledger) == 7


def test_another_host_records_nothing(witness: Witness) -> None:
    """A host that knows somebody else as the witness sends people there."""
    generations.store(witness.paths, 1, release({}, instance="shop"), "", "web-2")
    write_atomic(witness.paths.current, "1\n")
    write_atomic(witness.paths.witness, "web-1\n")
    with pytest.raises(HostError, match="web-1 is the witness"):
        facts.STANDING["hold"](witness.paths, {"owner": "ben", "reason": "stock"})
    assert ledger.entries(witness.paths.ledger) == []


def test_two_writers_of_a_ledger_lose_nothing(tmp_path: Path) -> None:
    """A deployment that ends and a person who approves write at the same time."""
    path = tmp_path / "ledger.jsonl"

    def write() -> None:
        for _ in range(20):
            ledger.append(path, {"event": "e"})

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert ledger.verify(path) == 80


def test_old_proposals_are_forgotten(witness: Witness) -> None:
    """The newest are kept, and found by version or digest."""
    made = [witness.propose({}, version=f"v{n}") for n in range(gate.KEPT + 2)]
    assert gate.proposal(witness.paths, {})["release"]["version"] == f"v{gate.KEPT + 1}"
    assert gate.proposal(witness.paths, {"release": "v3"})["release"] == made[3]
    short = digest(made[4])[:19]
    assert gate.proposal(witness.paths, {"release": short})["release"] == made[4]
    with pytest.raises(HostError, match="no release v1 waits"):
        gate.proposal(witness.paths, {"release": "v1"})
