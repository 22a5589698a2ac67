"""Releases in parts, and frames that hold their limit: on plain files and streams."""

from __future__ import annotations

import io
import json
import random
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tidegate.edges import frames
from tidegate.host import generations, parcel
from tidegate.host.canon import canonical, digest
from tidegate.host.errors import HostError
from tidegate.host.paths import Paths
from tidegate.host.wire import LONGEST, Wire
from tidegate.testing.releases import release, service

LARGE = release({"web": service(words=random.Random(1).randbytes(1 << 20).hex())})
PARTS, NAMED = parcel.split(LARGE)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A host's folder."""
    return Paths(tmp_path, "hello")


def test_each_part_is_a_frame_that_both_ends_take(paths: Paths) -> None:
    """The release is whole with the last of them, in whatever order they come."""
    for part in [*PARTS[1:], PARTS[1]]:
        assert len(frames.request("id", "part", "production/1", 1, part)) <= frames.MAX_FRAME
        parcel.keep(paths, part)
    with pytest.raises(HostError, match=f"only {len(PARTS) - 1} of {len(PARTS)} parts"):
        parcel.take(paths, 1, NAMED["digest"])
    parcel.keep(paths, PARTS[0])
    assert parcel.take(paths, 1, NAMED["digest"]) == LARGE


def test_a_release_that_is_stored_already_needs_no_parts(paths: Paths) -> None:
    """So *prepare* may be repeated after a kill, when the parts are gone."""
    generations.store(paths, 1, LARGE, "", "")
    assert parcel.take(paths, 1, NAMED["digest"]) == LARGE


def test_a_small_release_has_no_parts() -> None:
    """It goes in `prepare` itself, as host protocol 1 has it."""
    small = release({"web": service()})
    assert parcel.split(small) == ([], {"release": small})


def test_parts_of_another_release_make_room(paths: Paths) -> None:
    """A controller that died in the middle leaves nothing behind for ever."""
    parcel.keep(paths, {**PARTS[0], "digest": digest("another")})
    parcel.keep(paths, PARTS[0])
    assert [entry.name for entry in paths.incoming.iterdir()] == [NAMED["digest"][7:]]


@pytest.mark.parametrize(
    "odd",
    [
        {"digest": "sha256:../../../../.ssh"},
        {"digest": "sha256:" + "A" * 64},
        {"n": 0},
        {"n": len(PARTS) + 1},
        {"n": 5000, "of": 5000},
        {"data": "x" * (parcel.PART + 1)},
    ],
)
def test_what_is_no_part_is_refused(odd: dict[str, Any], paths: Paths) -> None:
    """Nothing is written for it, wherever its name would lead."""
    with pytest.raises(HostError, match="no part"):
        parcel.keep(paths, {**PARTS[0], **odd})
    assert not paths.root.exists()


def packed(content: bytes) -> str:
    """As a part's data."""
    return b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (packed(canonical({"other": 1})), "release-damaged"),
        (packed(canonical(LARGE))[:-400], "release-damaged"),
        ("====", "release-damaged"),
        (packed(b" " * (parcel.LARGEST + 1)), "release-too-large"),
    ],
)
def test_what_was_not_sent_never_arrives(data: str, code: str) -> None:
    """Another release, half of one, noise, and a small part that unfolds without end."""
    with pytest.raises(HostError) as refused:
        parcel.unpack([data], NAMED["digest"])
    assert refused.value.code == code


def test_a_long_release_is_fetched_in_parts(paths: Paths) -> None:
    """What the hosts run comes back to a controller that has never seen it."""
    generations.store(paths, 3, LARGE, "", "")
    told = parcel.slim({"release": LARGE, "release_digest": NAMED["digest"]})
    assert told["release"] is None
    args = {"digest": told["release_digest"]}
    came = [parcel.fetch(paths, {**args, "n": n + 1})["data"] for n in range(told["parts"])]
    assert parcel.unpack(came, NAMED["digest"]) == LARGE


def test_a_frame_at_the_limit_is_passed_on() -> None:
    """What came in one frame goes on in one, whatever letters are in it; one more is refused."""
    for letters, kept in (("é" * ((LONGEST - 10) // 2), True), ("x" * LONGEST, False)):
        line = json.dumps({"a": letters}, separators=(",", ":"), ensure_ascii=False).encode()
        sink = io.BytesIO()
        wire = Wire(io.BytesIO(line + b"\n"), sink)
        if kept:
            frame = wire.read()
            assert frame is not None
            assert wire.write(frame)
            assert sink.getvalue() == line + b"\n"
        else:
            with pytest.raises(HostError, match="more than 1048576"):
                wire.read()


def test_too_long_an_answer_says_so() -> None:
    """The controller hears why, under the same id; an event keeps its number and loses words."""
    sink = io.BytesIO()
    wire = Wire(io.BytesIO(), sink)
    wire.answer("7", {"ok": True, "state": "idle", "result": "x" * LONGEST})
    wire.event({"seq": 3, "message": "x" * LONGEST})
    answer, event = (json.loads(line) for line in sink.getvalue().splitlines())
    assert (answer["id"], answer["state"], answer["error"]["code"]) == (
        "7",
        "idle",
        "frame-too-long",
    )
    assert (event["event"]["seq"], len(sink.getvalue()) < LONGEST) == (3, True)
    with pytest.raises(HostError, match="prepare has"):
        wire.write({"op": "prepare", "args": "x" * LONGEST})
