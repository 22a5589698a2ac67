"""Holds, proposals and approvals on the witness: kept in its ledger, asked before each lock.

A proposal is a signed release that waits for people. A decision is a person's signature over a
release, a plan and an environment. It is recorded only where it is by somebody whom the serving
release or the proposed one calls a person; it opens the lock by the serving release's rules, so
that whoever makes a release cannot name who approves it. The first release is trusted as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from tidegate.host import approvals, clock, deployment, generations, holds, ledger, signature
from tidegate.host.canon import digest
from tidegate.host.errors import HostError
from tidegate.host.files import read_json, remove, write_atomic
from tidegate.host.paths import Paths

WAITING, DECIDED = "gate.waiting", "gate.decided"
KEPT = 5  # proposals
CARRIED = 100  # decisions that a new witness is told

Args = Dict[str, Any]
Answer = Dict[str, Any]


def hold(paths: Paths, args: Args) -> Answer:
    """Set a hold: `owner` and `reason`; a second one replaces the reason."""
    reason = str(args.get("reason") or "")
    if not reason:
        raise HostError("input", "no-reason", "a hold needs a reason")
    _append(paths, {"event": holds.SET, "scope": holds.ALL, "reason": reason}, args)
    return {"hold": held(paths)}


def unhold(paths: Paths, args: Args) -> Answer:
    """Lift whatever hold is in force; the answer says which one that was."""
    before = held(paths)
    if before is not None:
        event = {"event": holds.LIFTED, "reason": str(args.get("reason") or "")}
        _append(paths, event, args)
    return {"lifted": before, "hold": None}


def held(paths: Paths) -> Optional[Dict[str, str]]:
    """The hold in force."""
    return holds.in_force(ledger.entries(paths.ledger))


def propose(paths: Paths, args: Args) -> Answer:
    """Keep a signed `release` with its `plan` until people have decided."""
    release, plan = args["release"], str(args["plan"])
    generations.check(release, paths.instance, str(args.get("host") or ""))
    signature.verify(release, str(args["signature"]), paths.allowed_signers)
    name = digest(release)
    content = {"release": release, "signature": args["signature"]}
    write_atomic(_place(paths, name), json.dumps(content, sort_keys=True))
    for old in _kept(paths)[:-KEPT]:
        remove(old)
    entries = ledger.entries(paths.ledger)
    if not approvals.about([e for e in entries if e.get("event") == WAITING], name, plan):
        event = {"event": WAITING, "release": name, "plan": plan, "version": release["version"]}
        _append(paths, event, args)
    return {"release": name}


def proposal(paths: Paths, args: Args) -> Answer:
    """The proposed release whose digest or version begins with `release`; without: the newest."""
    wanted = str(args.get("release") or "").replace("sha256:", "")
    for path in reversed(_kept(paths)):
        found: Dict[str, Any] = read_json(path) or {}
        if path.stem.startswith(wanted) or found["release"]["version"].startswith(wanted):
            return found
    raise HostError("input", "nothing-waits", f"no release {wanted} waits here".replace("  ", " "))


def gates(paths: Paths, args: Args) -> Answer:
    """What decides about a `release` and a `plan` now, by this host's clock."""
    return {
        "now": clock.wall(),
        "hold": held(paths),
        "policy": serving(paths),
        "decisions": approvals.about(decisions(paths), str(args["release"]), str(args["plan"])),
    }


def approve(paths: Paths, args: Args) -> Answer:
    """Record who signed `release` and `plan` with a `verdict`; HostError where nobody known did."""
    record = {name: str(args[name]) for name in ("release", "plan", "signature")}
    record["verdict"] = str(args.get("verdict") or approvals.APPROVED)
    proposed = _proposed(paths, record["release"])
    if proposed is None or record["verdict"] not in (approvals.APPROVED, approvals.REJECTED):
        raise HostError("input", "nothing-waits", f"no release {record['release']} waits here")
    policies = (serving(paths), proposed.get("gates") or {})
    people = [item for policy in policies for item in (policy.get("people") or {}).items()]
    said = approvals.statement(paths.instance, proposed["environment"], record)
    for person, line in dict.fromkeys(people):
        if signature.signed_by(person, line, said, record["signature"], approvals.NAMESPACE):
            record.update(person=person, key=approvals.key_of(line), version=proposed["version"])
            return _record(paths, record, args)
    raise HostError(
        "refused",
        "not-a-person",
        "this is not the signature of anybody who may approve here",
        hint=f"people who may: {', '.join(sorted({name for name, _ in people})) or 'nobody'}",
    )


def _record(paths: Paths, record: Dict[str, str], args: Args) -> Answer:
    """Once for each person and verdict."""
    for known in approvals.about(decisions(paths), record["release"], record["plan"]):
        if (known["key"], known["verdict"]) == (record["key"], record["verdict"]):
            return {"recorded": known["n"], "person": known["person"]}
    event = {"event": DECIDED, "reason": str(args.get("reason") or ""), **record}
    return {"recorded": _append(paths, event, args)["n"], "person": record["person"]}


def admit(paths: Paths, args: Args) -> None:
    """Before the lock is given to a deployment of a release; others say no `gate`."""
    told = args.get("gate")
    if told:
        release = _proposed(paths, str(told["release"]))
        require(paths, args["environment"], told, release)


def require(
    paths: Paths, environment: str, told: Mapping[str, Any], release: Optional[Dict[str, Any]]
) -> None:
    """HostError unless `told` (`release`, `plan`, `automatic`) may be deployed now.

    Class refused for a hold or a rejection, waiting where approvals are missing.
    """
    hold = held(paths)
    if hold is not None and holds.stops(hold, bool(told.get("automatic"))):
        raise HostError(
            "refused",
            "held",
            holds.words(environment, hold),
            subject=hold["by"],
            hint=f"tidegate unhold {environment}",
        )
    proposed = (release or {}).get("gates") or {}
    policies = (serving(paths), proposed)
    about = approvals.about(decisions(paths), str(told["release"]), str(told["plan"]))
    for record in approvals.rejections(policies, about):
        raise HostError(
            "refused",
            "rejected",
            f"{record['person']} rejected this release at {record['at']}: {record['reason']}",
            subject=record["person"],
            hint=f"commit a change, then tidegate deploy {environment}",
        )
    missing = approvals.unmet(policies, about, proposed.get("made_by") or ())
    if missing:
        hint = f"tidegate approve {environment}"
        raise HostError("waiting", "approval-missing", "; ".join(missing), hint=hint)


def serving(paths: Paths) -> Dict[str, Any]:
    """The policy of the release that serves, empty where it has none or nothing serves."""
    found = generations.load(paths, deployment.current_number(paths))
    policy: Dict[str, Any] = (found.whole.get("gates") or {}) if found else {}
    return policy


def decisions(paths: Paths) -> List[Dict[str, Any]]:
    """Every decision of a person, oldest first."""
    return [e for e in ledger.entries(paths.ledger) if e.get("event") == DECIDED]


def waiting(entries: List[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """The last proposal, unless something was deployed since."""
    for entry in reversed(entries):
        if entry.get("outcome") == "commit":
            return None
        if entry.get("event") == WAITING:
            return {name: entry[name] for name in ("release", "plan", "version", "owner", "at")}
    return None


def legacy(paths: Paths) -> Answer:
    """What a new witness must know of holds and decisions."""
    return {"hold": held(paths), "approvals": decisions(paths)[-CARRIED:]}


def inherit(paths: Paths, told: Mapping[str, Any]) -> None:
    """Go on with the holds and decisions of the witness before; `told` is its `legacy`."""
    known = {entry["signature"] for entry in decisions(paths)}
    for entry in told.get("approvals") or ():
        if entry["signature"] not in known:
            chain = ("n", "prev", "hash", "format")
            ledger.append(paths.ledger, {k: v for k, v in entry.items() if k not in chain})
    if "hold" not in told or told["hold"] == held(paths):
        return
    hold = told["hold"]
    if hold is None:
        ledger.append(paths.ledger, {"at": clock.wall(), "event": holds.LIFTED})
    else:
        event = {"event": holds.SET, "scope": hold["scope"], "reason": hold["reason"]}
        ledger.append(paths.ledger, {"at": hold["since"], **event, "owner": hold["by"]})


def _append(paths: Paths, event: Dict[str, Any], args: Args) -> Dict[str, Any]:
    entry = {"at": clock.wall(), "owner": str(args.get("owner") or ""), **event}
    return ledger.append(paths.ledger, entry)


def _proposed(paths: Paths, name: str) -> Optional[Dict[str, Any]]:
    found = read_json(_place(paths, name))
    release: Optional[Dict[str, Any]] = found and found["release"]
    return release


def _place(paths: Paths, name: str) -> Path:
    hexadecimal = name.replace("sha256:", "")
    if not hexadecimal.isalnum():
        raise HostError("input", "bad-digest", f"{name!r} is no digest", subject=name)
    return paths.proposals / f"{hexadecimal}.json"


def _kept(paths: Paths) -> List[Path]:
    """The proposals, oldest first."""
    return sorted(paths.proposals.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
