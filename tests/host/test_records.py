"""Ledger, journal and durable files: whole, or not there; and changes are noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tidegate.host import deployment, journal, ledger, protocol
from tidegate.host.errors import HostError
from tidegate.host.files import sweep, write_once
from tidegate.host.journal import Journal
from tidegate.host.paths import Paths


def test_the_ledger_is_a_chain(tmp_path: Path) -> None:
    """Each entry carries the digest of the one before, and the whole verifies."""
    path = tmp_path / "ledger.jsonl"
    for n in range(3):
        ledger.append(path, {"event": f"e{n}"})
    assert ledger.verify(path) == 3


def test_a_changed_entry_breaks_the_chain(tmp_path: Path) -> None:
    """Rewriting history is found, with the number of the entry."""
    path = tmp_path / "ledger.jsonl"
    for n in range(3):
        ledger.append(path, {"event": f"e{n}"})
    path.write_text(path.read_text().replace('"e1"', '"x1"'))
    with pytest.raises(HostError, match="entry 2"):
        ledger.verify(path)


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    """What a power cut left of a line goes, and the chain goes on."""
    path = tmp_path / "ledger.jsonl"
    ledger.append(path, {"event": "one"})
    with path.open("ab") as file:
        file.write(b'{"event": "to')
    ledger.append(path, {"event": "two"})
    assert [entry["event"] for entry in ledger.entries(path)] == ["one", "two"]
    assert ledger.verify(path) == 2


def test_the_journal_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    """Numbers go on where the last whole event was, and a reader can start anywhere."""
    path = tmp_path / "1.jsonl"
    first = Journal(path)
    first.event("pull:web", "begin")
    first.event("pull:web", "ok")
    first.close()
    with path.open("ab") as file:
        file.write(b'{"seq": 3, "st')
    second = Journal(path)
    second.event("start:web", "begin")
    assert [event["seq"] for event in journal.read(path)] == [1, 2, 3]
    assert [event["step"] for event in journal.read(path, after=2)] == ["start:web"]


def test_the_first_decision_wins(tmp_path: Path) -> None:
    """A second writer is told what the first one wrote."""
    assert write_once(tmp_path / "1", "commit\n") == "commit\n"
    assert write_once(tmp_path / "1", "abort\n") == "commit\n"


ARGS = {"environment": "production", "owner": "anna@laptop", "lease_s": 3}


def test_tokens_and_numbers_only_grow(tmp_path: Path) -> None:
    """A closed deployment's token and number are never given again."""
    paths = Paths(tmp_path, "hello")
    seen = []
    for _ in range(3):
        record = deployment.acquire(paths, ARGS, "now")
        seen.append((record["token"], record["deployment"]))
        deployment.close(paths)
    assert seen == [(1, "production/1"), (2, "production/2"), (3, "production/3")]


def test_one_deployment_at_a_time(tmp_path: Path) -> None:
    """The second is refused with the first one's name."""
    paths = Paths(tmp_path, "hello")
    deployment.acquire(paths, ARGS, "now")
    with pytest.raises(HostError, match="anna@laptop") as caught:
        deployment.acquire(paths, {**ARGS, "owner": "ben@desk"}, "later")
    assert caught.value.class_ == "refused"


def test_a_newer_record_is_left_alone(tmp_path: Path) -> None:
    """What a newer Tidegate wrote is refused and not changed."""
    paths = Paths(tmp_path, "hello")
    text = json.dumps({"format": deployment.FORMAT + 1, "deployment": "production/7"})
    paths.root.mkdir(parents=True)
    paths.open.write_text(text)
    with pytest.raises(HostError) as caught:
        deployment.load(paths)
    assert caught.value.code == "newer-format"
    assert paths.open.read_text() == text


def test_no_state_leads_from_an_end(tmp_path: Path) -> None:
    """Committed and reverted are final, and every state but the first can be reached."""
    assert not [key for key in protocol.TRANSITIONS if key[0] in protocol.ENDED]
    reached = set(protocol.TRANSITIONS.values())
    assert {key[0] for key in protocol.TRANSITIONS} - reached == {"acquired"}
    with pytest.raises(HostError):
        deployment.step(Paths(tmp_path, "x"), {"state": "committed", "deployment": "p/1"}, "switch")


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """Temporary files of processes that are gone go; those of living ones and others stay."""
    gone, living = tmp_path / ".21.4194305.new.4194305.tmp", tmp_path / f".21.{os.getpid()}.tmp"
    for path in (gone, living, tmp_path / "21", tmp_path / ".hidden"):
        path.write_text("commit")
    assert sweep(tmp_path) == 1
    assert not gone.exists()
    assert living.exists()
    assert (tmp_path / ".hidden").exists()
