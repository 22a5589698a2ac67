"""Secrets that are not what was stored for the release that serves."""

from __future__ import annotations

import base64

import pytest

from tidegate.host.drift import other_secrets
from tidegate.host.generations import Generation
from tidegate.host.podman import masked

STORED = {"hello_key": "hello_key-1", "hello_url": "hello_url-7", "theirs": "theirs"}
IDS = {"hello_key-1": "aaa", "hello_url-7": "bbb"}
LAYOUT = {"secrets": STORED, "secret_ids": IDS}


@pytest.mark.parametrize(
    ("here", "found"),
    [
        (IDS, {}),
        ({**IDS, "hello_key-2": "ccc"}, {}),
        ({**IDS, "hello_key-1": "ccc"}, {"hello_key": "the secret hello_key-1 was replaced"}),
        ({"hello_key-1": "aaa"}, {"hello_url": "the secret hello_url-7 is gone"}),
    ],
)
def test_a_secret_that_changed_is_drift(here: dict[str, str], found: dict[str, str]) -> None:
    """Gone or replaced; external ones are their owner's, and may change."""
    assert other_secrets(Generation(1, {}, "", LAYOUT), here) == found


def test_a_generation_of_an_older_tidegate_knows_no_ids() -> None:
    """Of its secrets only those that are gone are seen."""
    layout = {"secrets": STORED}
    assert other_secrets(Generation(1, {}, "", layout), {**IDS, "hello_key-1": "ccc"}) == {}
    assert set(other_secrets(Generation(1, {}, "", layout), {})) == {"hello_key", "hello_url"}
    assert other_secrets(None, {}) == {}


@pytest.mark.parametrize("value", ["sesame", "two\nlines", "postgres://shop:sesame@db"])
def test_what_podman_says_is_told_without_the_value(value: str) -> None:
    """As it is, in base64, in hex, or one line of it."""
    raw = value.encode()
    forms = [value, base64.b64encode(raw).decode(), raw.hex(), value.splitlines()[0]]
    for form in forms:
        told = masked(f"Error: cannot store {form} here", raw)
        assert told == "Error: cannot store *** here"
