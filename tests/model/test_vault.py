"""Secrets as values: named, replaced, rotated, and back from their text."""

from __future__ import annotations

import pytest

from tidegate.errors import InputError
from tidegate.model.vault import Secret, Vault, parse


def test_a_vault_comes_back_from_its_text() -> None:
    """Values, sources, versions and what was revoked; equal vaults are equal texts."""
    vault = Vault(
        {
            "B": Secret("v2", "two\nlines", revoked=("v0", "v1")),
            "A": Secret("v3", variable="CI_TOKEN"),
            "C": Secret("v4", command=("pass", "show", "c")),
        },
        ("age1abc",),
    )
    assert parse(vault.text(), "production.age") == vault
    assert parse(vault.text(), "production.age").text() == vault.text()


def test_rotation_revokes_and_change_does_not() -> None:
    """Going back may need a value that was only changed; one that leaked comes never back."""
    vault = Vault().put("KEY", Secret("v1", "one")).put("KEY", Secret("v2", "two"))
    assert vault.secrets["KEY"] == Secret("v2", "two")
    rotated = vault.rotated("KEY", Secret("v3", "three")).put("KEY", Secret("v4", "four"))
    assert rotated.secrets["KEY"] == Secret("v4", "four", revoked=("v2",))


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A" * 129])
def test_names_are_those_of_variables(name: str) -> None:
    """Whatever compose files can say as ${NAME}."""
    with pytest.raises(InputError, match="cannot name a secret"):
        Vault().put(name, Secret("v", "x"))


def test_an_empty_secret_and_an_unknown_one_are_errors() -> None:
    """Each with the words that help."""
    with pytest.raises(InputError, match="would be empty"):
        Vault().put("A", Secret("v"))
    with pytest.raises(InputError, match="no secret 'B'") as caught:
        Vault().put("A", Secret("v", "x")).without("B")
    assert caught.value.hint == "there are: A"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "recipients": [], "secrets": {}}'])
def test_what_is_no_vault_is_refused(text: str) -> None:
    """Damaged, or of a newer version: named by its file, never taken for empty."""
    with pytest.raises(InputError, match=r"production\.age"):
        parse(text, "production.age")


def test_no_value_is_seen_in_a_repr() -> None:
    """Whoever prints a secret by mistake prints no value."""
    assert "hunter2" not in repr(Vault({"A": Secret("v", "hunter2")}))
