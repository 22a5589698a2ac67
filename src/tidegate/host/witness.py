"""How a host in doubt asks its environment's witness, and how the witness answers.

The question is one SSH command with a key of its own. The witness's authorized_keys binds that
key to `tidegate-host peer --project P`, whatever it asks for: it may propose `abort` for a
deployment of that project, and is told what is recorded. It can do nothing else.

Source: https://man.openbsd.org/sshd.8, AUTHORIZED_KEYS FILE FORMAT (`restrict`, `command`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, TextIO

from tidegate.host import deployment, ledger
from tidegate.host.errors import HostError
from tidegate.host.files import make_dir, read_json, read_text, write_if_changed, write_once
from tidegate.host.paths import Paths
from tidegate.host.protocol import OUTCOMES
from tidegate.host.run import run

ALIAS = "tidegate-witness"
LONGEST = 4096
ANSWER_S = 20.0


def ask(paths: Paths, place: Dict[str, Any], name: str) -> str:
    """Propose abort for deployment `name`; returns what the witness has recorded.

    `place` is how the controller said that the witness is reached: `address`, `port`, `user`
    and `host_keys`. HostError (error, `witness-silent`) when there is no such answer.
    """
    answer = _question(paths, place, {"v": 1, "deployment": name, "outcome": "abort"})
    outcome = str(answer.get("outcome"))
    if outcome not in OUTCOMES:
        raise _silent(place, f"it answered {answer.get('error', {}).get('message', 'nothing')}")
    return outcome


def ask_rollback(paths: Paths) -> Dict[str, Any]:
    """The rollback that the witness serves: its `number`, `token`, `deployment`, `generation`.

    HostError (refused) where it serves something else, (error) where it is silent.
    """
    place = read_json(paths.witness_place) or {}
    answer = _question(paths, place, {"v": 1, "question": "rollback"})
    if "error" in answer:
        problem = answer["error"]
        raise HostError(
            problem["class"], problem["code"], problem["message"], hint=problem.get("hint", "")
        )
    return answer


def _question(paths: Paths, place: Dict[str, Any], question: Dict[str, Any]) -> Dict[str, Any]:
    known = paths.root / "witness_known_hosts"
    write_if_changed(known, "".join(f"{ALIAS} {key}\n" for key in place["host_keys"]), 0o600)
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "5",
        "GlobalKnownHostsFile": os.devnull,
        "HostKeyAlias": ALIAS,
        "IdentitiesOnly": "yes",
        "IdentityFile": str(paths.peer_key),
        "ServerAliveCountMax": "3",
        "ServerAliveInterval": "3",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known),
    }
    argv = ["ssh", "-F", os.devnull, "-T", "-p", str(place.get("port") or 22)]
    argv += [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    done = run(
        [*argv, f"{place['user']}@{place['address']}".lstrip("@"), "peer"],
        stdin=json.dumps(question).encode() + b"\n",
        check=False,
        timeout_s=ANSWER_S,
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _silent(place, (done.stderr.strip().splitlines() or ["no answer"])[-1])
    return answer


def _silent(place: Dict[str, Any], why: str) -> HostError:
    return HostError(
        "error",
        "witness-silent",
        f"the witness {place.get('name', place['address'])} does not answer: {why}",
        subject=str(place["address"]),
        hint="bring it back; if it is lost for good: tidegate resolve",
    )


def answer(paths: Paths, source: TextIO, sink: TextIO) -> int:
    """The witness's side: one question from `source`, one answer to `sink`; the exit status."""
    line = source.readline(LONGEST)
    try:
        found = _rollback(paths) if '"question"' in line else {"outcome": propose(paths, line)}
    except HostError as problem:
        sink.write(json.dumps({"error": problem.as_dict()}) + "\n")
        return 3
    sink.write(json.dumps(found) + "\n")
    return 0


def _rollback(paths: Paths) -> Dict[str, Any]:
    """The rollback that serves here; HostError (refused) where something else does."""
    number = deployment.current_number(paths)
    for entry in reversed(ledger.entries(paths.ledger)):
        if entry.get("generation") and str(entry.get("deployment", "")).endswith(f"/{number}"):
            return {
                "deployment": entry["deployment"],
                "number": number,
                "token": deployment.highest_token(paths),
                "generation": entry["generation"],
            }
    raise HostError(
        "refused",
        "no-rollback",
        "the witness was not rolled back",
        hint=f"there first: tidegate-host rollback --project {paths.instance}",
    )


def propose(paths: Paths, line: str) -> str:
    """Record abort for the deployment that is asked about, unless something is recorded."""
    try:
        question = json.loads(line)
        name, wanted = str(question["deployment"]), question["outcome"]
        environment, _, digits = name.rpartition("/")
        number = int(digits)
        if not environment:
            raise ValueError(name)
    except (ValueError, KeyError, TypeError):
        raise HostError("input", "bad-frame", "this is not the question of a peer") from None
    if wanted != "abort":
        raise HostError("refused", "abort-only", "a peer may propose abort, nothing else")
    record = deployment.load(paths)
    mine = record is not None and record["number"] == number
    if mine and record and (record["environment"] != environment or record.get("witness")):
        raise HostError("refused", "not-the-witness", f"{name} is not decided here", subject=name)
    if not 0 < number <= deployment.last_number(paths):
        raise HostError("refused", "unknown-deployment", f"{name} is not known here", subject=name)
    return write_once(paths.decision(number), "abort\n").strip()


def peer_key(paths: Paths) -> str:
    """This host's public key for asking its witness, made at the first call."""
    if not paths.peer_key.exists():
        make_dir(paths.root)
        comment = f"tidegate-peer:{paths.instance}"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment]
        run([*argv, "-f", str(paths.peer_key)])
    return (read_text(Path(f"{paths.peer_key}.pub")) or "").strip()


def host_keys() -> List[str]:
    """This host's own public host keys, as in a known_hosts file after the name."""
    found = sorted(Path("/etc/ssh").glob("ssh_host_*_key.pub"))
    return [" ".join((read_text(path) or "").split()[:2]) for path in found]


def trust(paths: Paths, keys: Dict[str, str]) -> bool:
    """Let the peers with these public keys, by host, ask about this instance; nobody else may.

    Lines of others are left as they are. Returns whether anything changed.
    """
    path = paths.home / ".ssh/authorized_keys"
    mark = f"tidegate-peer:{paths.instance}:"
    kept = [
        line for line in (read_text(path) or "").splitlines() if not line_of(line).startswith(mark)
    ]
    command = f'restrict,command=".local/bin/tidegate-host peer --project {paths.instance}"'
    lines = [
        f"{command} {' '.join(key.split()[:2])} {mark}{host}" for host, key in sorted(keys.items())
    ]
    make_dir(path.parent)
    return write_if_changed(path, "".join(f"{line}\n" for line in kept + lines), 0o600)


def trusted(paths: Paths) -> Dict[str, str]:
    """The peers' keys that may ask about this instance, by host."""
    mark = f"tidegate-peer:{paths.instance}:"
    found = {}
    for line in (read_text(paths.home / ".ssh/authorized_keys") or "").splitlines():
        if line_of(line).startswith(mark):
            found[line_of(line)[len(mark) :]] = " ".join(line.split()[-3:-1])
    return found


def line_of(line: str) -> str:
    """A key line's comment, by which ours are known."""
    words = line.split()
    return words[-1] if words else ""
