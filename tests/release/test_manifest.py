"""A release has one form, one name, and is read back only in a format that is known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.targets.quadlet.projects import release
from tidegate.errors import InputError
from tidegate.host import signature
from tidegate.release.manifest import (
    FORMAT,
    load_release,
    release_bytes,
    release_digest,
    sign_command,
)

HELLO = "services: {web: {image: x, environment: {A: é}}}"


def test_bytes_are_canonical() -> None:
    """Keys are sorted, nothing is blank, text is UTF-8: the order of a file does not matter."""
    made = release(HELLO)
    shuffled = dict(reversed(list(made.items())))
    assert release_bytes(shuffled) == release_bytes(made)
    assert release_digest(shuffled) == release_digest(made)
    assert b": " not in release_bytes({"a": 1, "b": {"c": 2}})
    assert "é".encode() in release_bytes(made)


def test_order_in_the_compose_file_does_not_matter() -> None:
    """The same project in another order is the same release."""
    web = "image: x, labels: {c: d, a: b}, environment: {A: a, B: b}"
    other = "labels: {a: b, c: d}, image: x, environment: [B=b, A=a]"
    one = f"services: {{web: {{{web}}}, db: {{image: y}}}}"
    two = f"services: {{db: {{image: y}}, web: {{{other}}}}}"
    assert release_digest(release(one)) == release_digest(release(two))


def test_any_change_is_another_release() -> None:
    """A changed value has another digest."""
    assert release_digest(release(HELLO)) != release_digest(release(HELLO.replace("é", "e")))


def test_read_back() -> None:
    """What was written is read back the same."""
    made = release(HELLO)
    assert load_release(release_bytes(made)) == made


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (FORMAT + 1, "update tidegate"),
        (0, "make the release again"),
        (True, "make"),
        (None, "make"),
    ],
)
def test_other_formats_are_refused(found: Any, hint: str) -> None:
    """Another format is refused by its number, a newer one with the way out."""
    content = json.dumps({**release(HELLO), "format": found}).encode()
    with pytest.raises(InputError) as caught:
        load_release(content)
    assert caught.value.code == "release-format"
    assert repr(found) in caught.value.message
    assert hint in caught.value.hint


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_anything_else_is_an_input_error(content: bytes) -> None:
    """No bytes make the reader fail in any other way."""
    with pytest.raises(InputError):
        load_release(content)


@pytest.mark.parametrize("name", ["services", "environment", "files"])
def test_a_missing_part_is_named(name: str) -> None:
    """A release without a part, or with one of the wrong kind, is refused by the part's name."""
    made = release(HELLO)
    broken = {key: value for key, value in made.items() if key != name}
    for value in (broken, {**made, name: 1}):
        with pytest.raises(InputError, match=name):
            load_release(json.dumps(value).encode())


def test_signed_bytes_are_what_a_host_verifies(tmp_path: Path) -> None:
    """The signature of ``sign_command`` is one that the host's own check accepts."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    made = release(HELLO)
    signed = subprocess.run(
        sign_command(str(key)), input=release_bytes(made), capture_output=True, check=True
    )
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"{signature.PRINCIPAL} {key.with_suffix('.pub').read_text()}")
    signature.verify(made, signed.stdout.decode(), signers)
    with pytest.raises(Exception, match="not signed"):
        signature.verify({**made, "version": "other"}, signed.stdout.decode(), signers)
