"""Which host is the witness of an environment, and how another one becomes it.

Each host remembers who it is. The office moves while the lock is held and all is well: the old
witness writes the new one's name, and from then on gives no lock; then the new one takes over
tokens, numbers and decisions. A controller that dies in between leaves nobody in office, and
the next one goes on: the old witness still tells what the new one needs.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

from tidegate.host import clock, deployment, gate, generations, ledger
from tidegate.host.errors import HostError
from tidegate.host.files import read_text, write_atomic, write_if_changed, write_once
from tidegate.host.paths import Paths


def holder(paths: Paths) -> str:
    """The witness's name as this host knows it, empty before the first fleet's deployment."""
    return (read_text(paths.witness) or "").strip()


def claim(paths: Paths, mine: str) -> None:
    """On whom a lock is asked for: HostError (refused) where another host is in office.

    `mine` is this host's name; without one, what the serving release calls it, which is nothing
    in an environment of one host.
    """
    known = holder(paths)
    mine = mine or generations.host_of(paths, deployment.current_number(paths))
    if mine and known and known != mine:
        raise not_here(known, mine)
    if mine and not known:
        write_atomic(paths.witness, f"{mine}\n")


def not_here(known: str, mine: str = "this host") -> HostError:
    """The refusal of a host that is not the witness: `known` is."""
    return HostError(
        "refused",
        "not-the-witness",
        f"{known} is the witness of this environment, not {mine}",
        subject=known,
        hint=f"say `witness: true` at {known}; if it is lost for good: tidegate resolve",
    )


def follow(paths: Paths, witness: str) -> None:
    """Remember who is in office."""
    if witness and holder(paths) != witness:
        write_atomic(paths.witness, f"{witness}\n")


def elsewhere(paths: Paths) -> bool:
    """Whether another host is the witness."""
    mine = generations.host_of(paths, deployment.current_number(paths))
    return bool(mine) and holder(paths) not in ("", mine)


def remember(paths: Paths, place: Dict[str, Any]) -> None:
    """Remember who is in office, and how it is reached when nobody is there to say so."""
    if place:
        write_if_changed(paths.witness_place, json.dumps(place, sort_keys=True))
        follow(paths, str(place.get("name") or ""))


def legacy(paths: Paths, _args: Dict[str, Any]) -> Dict[str, Any]:
    """What a new witness needs to know from this one."""
    folder = paths.root / "decisions"
    files = folder.iterdir() if folder.is_dir() else ()
    return {
        "witness": holder(paths),
        "token": deployment.highest_token(paths),
        "number": deployment.last_number(paths),
        "decisions": {
            entry.name: (read_text(entry) or "").strip() for entry in files if entry.name.isdigit()
        },
        **gate.legacy(paths),
    }


def lost(paths: Paths) -> List[str]:
    """Hosts that are gone for good, as a person said."""
    return (read_text(paths.lost) or "").split()


def take_over(paths: Paths, args: Dict[str, Any]) -> Dict[str, Any]:
    """Become the witness: `legacy` of the one before, `mine` this host's name, `reason` why.

    `lost` is the name of the one before, where it is gone for good.

    HostError (refused) while a deployment is open here.
    """
    record = deployment.load(paths)
    if record is not None:
        raise deployment.locked(record)
    told = args["legacy"]
    with deployment.exclusive(paths):
        token = max(int(told["token"]), deployment.highest_token(paths))
        number = max(int(told["number"]), deployment.last_number(paths))
        write_atomic(paths.token, f"{token}\n")
        write_atomic(paths.root / "number", f"{number}\n")
        for name, outcome in sorted(told["decisions"].items()):
            write_once(paths.decision(int(name)), f"{outcome}\n")
        ledger.append(
            paths.ledger,
            {
                "at": clock.wall(),
                "event": "witness.moved",
                "owner": str(args.get("owner", "")),
                "reason": str(args.get("reason", "")),
            },
        )
        gate.inherit(paths, told)
        if args.get("lost"):
            write_atomic(
                paths.lost, "".join(f"{n}\n" for n in sorted({*lost(paths), args["lost"]}))
            )
        write_atomic(paths.witness, f"{args['mine']}\n")
    return {"token": token, "number": number}
