"""The witness's side of a doubt, who is the witness, and how the office moves. On plain files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.host import deployment, office, witness
from tidegate.host.errors import HostError
from tidegate.host.files import write_once
from tidegate.host.paths import Paths

ARGS = {"environment": "production", "owner": "anna@laptop", "lease_s": 3}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A host's folder."""
    return Paths(tmp_path, "shop")


def asked(paths: Paths, **question: Any) -> dict[str, Any]:
    """What a peer is answered."""
    sink = io.StringIO()
    good = {"v": 1, "deployment": "production/1", "outcome": "abort"}
    code = witness.answer(paths, io.StringIO(json.dumps({**good, **question}) + "\n"), sink)
    answer: dict[str, Any] = json.loads(sink.getvalue())
    assert (code == 0) == ("outcome" in answer)
    return answer


def test_a_peer_is_told_what_is_recorded(paths: Paths) -> None:
    """Its abort is recorded where nothing was, with the deployment open or closed."""
    deployment.acquire(paths, ARGS, "now")
    assert asked(paths) == {"outcome": "abort"}
    deployment.close(paths)
    deployment.acquire(paths, ARGS, "now")
    write_once(paths.decision(2), "commit\n")
    assert asked(paths, deployment="production/2") == {"outcome": "commit"}
    assert asked(paths) == {"outcome": "abort"}


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"outcome": "commit"}, "abort-only"),
        ({"outcome": None}, "abort-only"),
        ({"deployment": "production/2"}, "unknown-deployment"),
        ({"deployment": "production/0"}, "unknown-deployment"),
        ({"deployment": "production/-1"}, "unknown-deployment"),
        ({"deployment": "staging/1"}, "not-the-witness"),
        ({"deployment": "production/../1"}, "not-the-witness"),
        ({"deployment": 7}, "bad-frame"),
    ],
)
def test_a_peer_can_do_nothing_else(paths: Paths, question: dict[str, Any], code: str) -> None:
    """Whatever else it asks for is refused, and nothing is recorded."""
    deployment.acquire(paths, ARGS, "now")
    assert asked(paths, **question)["error"]["code"] == code
    assert not (paths.root / "decisions").exists()


@pytest.mark.parametrize("line", ["", "\n", "[]\n", '"x"\n', "x" * 5000])
def test_noise_is_no_question(paths: Paths, line: str) -> None:
    """Refused in a frame, without a traceback."""
    sink = io.StringIO()
    assert witness.answer(paths, io.StringIO(line), sink) == 3
    assert json.loads(sink.getvalue())["error"]["code"] == "bad-frame"


def test_keys_of_peers_replace_each_other_and_nobody_elses(paths: Paths) -> None:
    """The file of authorized keys keeps every line that is not ours."""
    file = paths.home / ".ssh/authorized_keys"
    file.parent.mkdir()
    others = "ssh-ed25519 AAAA anna\n# a comment\n\nssh-ed25519 BBBB tidegate-peer:other:web-2\n"
    file.write_text(others)
    assert witness.trust(paths, {"web-2": "ssh-ed25519 CCCC x", "web-3": "ssh-ed25519 DDDD y"})
    assert witness.trusted(paths) == {"web-2": "ssh-ed25519 CCCC", "web-3": "ssh-ed25519 DDDD"}
    assert witness.trust(paths, {"web-3": "ssh-ed25519 DDDD"})
    assert not witness.trust(paths, {"web-3": "ssh-ed25519 DDDD"})
    line = 'restrict,command=".local/bin/tidegate-host peer --project shop" ssh-ed25519 DDDD'
    assert file.read_text() == f"{others}{line} tidegate-peer:shop:web-3\n"


def test_a_newer_deployment_joins_and_an_older_one_never(paths: Paths) -> None:
    """By its token; what is still open ends first."""
    joined = {**ARGS, "number": 5, "token": 7, "witness": {"name": "a"}}
    record = deployment.join(paths, joined, "now")
    assert record is not None
    assert (record["deployment"], record["format"]) == ("production/5", 2)
    assert deployment.join(paths, joined, "later") == record
    assert deployment.join(paths, {**joined, "number": 6, "token": 8}, "now") is None
    deployment.close(paths)
    for token in (6, 7):
        with pytest.raises(HostError, match="has seen 7"):
            deployment.join(paths, {**joined, "token": token, "number": 6}, "now")
    assert deployment.join(paths, {**joined, "number": 6, "token": 8}, "now")


def test_only_one_host_is_in_office(paths: Paths, tmp_path: Path) -> None:
    """It moves with tokens, numbers and decisions, and the one before gives no lock any more."""
    old, new = paths, Paths(tmp_path / "new", "shop")
    office.claim(old, "a")
    office.follow(new, "a")
    with pytest.raises(HostError, match="a is the witness"):
        office.claim(new, "b")
    deployment.acquire(old, ARGS, "now")
    write_once(old.decision(1), "commit\n")
    deployment.close(old)
    office.follow(old, "b")
    with pytest.raises(HostError, match="b is the witness"):
        office.claim(old, "a")
    office.take_over(new, {"legacy": office.legacy(old, {}), "mine": "b"})
    office.claim(new, "b")
    assert deployment.acquire(new, ARGS, "now")["deployment"] == "production/2"
    assert (new.decision(1)).read_text() == "commit\n"


def test_an_environment_of_one_host_asks_nobody(paths: Paths) -> None:
    """There a host may be renamed at will."""
    office.claim(paths, "a")
    office.claim(paths, "")
    assert office.holder(paths) == "a"
