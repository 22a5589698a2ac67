"""A release says which images a commit means, the same way every time."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.errors import InputError
from tidegate.release.contents import (
    Contents,
    Own,
    Service,
    contents,
    contents_bytes,
    contents_digest,
    parse,
    variable,
    version_env,
)
from tidegate.release.difference import difference

A, B = f"tidegate.internal/shop/api@sha256:{'a' * 64}", f"r.example/shop/web@sha256:{'b' * 64}"
DB = f"docker.io/library/postgres@sha256:{'d' * 64}"
OWN = {"api": Own(A, "key-1"), "web": Own(B, "key-2")}
SERVICES = {"db": Service(DB, "", "docker.io/library/postgres:17"), "api": Service(A, "api")}


def made(**given: Any) -> Contents:
    values: dict[str, Any] = {
        "project": "shop", "commit": "c" * 40, "tree": "e" * 40, "applications": OWN,
        "services": SERVICES, **given,
    }  # fmt: skip
    return contents(**values)


def test_equal_releases_have_one_digest() -> None:
    """Whatever the order in which they were found; any other fact makes another one."""
    again = made(applications=dict(reversed(OWN.items())), services=dict(SERVICES))
    assert contents_bytes(again) == contents_bytes(made())
    others = [
        made(commit="f" * 40),
        made(tree="f" * 40),
        made(applications={"api": OWN["api"]}),
        made(services={**SERVICES, "db": Service(B, "", "x")}),
    ]
    assert len({contents_digest(one) for one in [made(), *others]}) == 5


def test_a_kept_release_is_read_back() -> None:
    """What is none, or of another format, is refused by name."""
    assert parse(contents_bytes(made()), "20261121-235959") == made()
    for text, code in (
        (b"", "release-broken"),
        (b"[]", "release-broken"),
        (contents_bytes({**made(), "format": 2}), "release-format"),
        (contents_bytes({**made(), "services": []}), "release-broken"),
    ):
        with pytest.raises(InputError) as found:
            parse(text, "x")
        assert found.value.code == code


@pytest.mark.parametrize(
    ("name", "wanted"), [("api", "API_TAG"), ("api-v2", "API_V2_TAG"), ("2048", "_2048_TAG")]
)
def test_variables_of_applications(name: str, wanted: str) -> None:
    """What compose files write: ${API_TAG}."""
    assert variable(name) == wanted


def test_version_env_keeps_what_it_does_not_know() -> None:
    """Comments, other versions and their order stay; ours are replaced where they stand."""
    before = "# versions\nPOSTGRES_TAG=17\nexport API_TAG = old\nAPI_TAG_OTHER=1\n"
    pinned = version_env(before, OWN, pinned=True)
    assert pinned.splitlines() == [
        "# versions",
        "POSTGRES_TAG=17",
        f"API_TAG=key-1@sha256:{'a' * 64}",
        "API_TAG_OTHER=1",
        f"WEB_TAG=key-2@sha256:{'b' * 64}",
    ]
    assert version_env(pinned, OWN, pinned=True) == pinned
    assert version_env("", {"api": OWN["api"]}, pinned=False) == "API_TAG=key-1\n"


def test_what_two_releases_differ_in() -> None:
    """Images that are new, gone or changed; a service that runs one of ours is told once."""
    after = made(
        applications={"api": Own(B, "key-3"), "worker": OWN["web"]},
        services={"api": Service(B, "api"), "cache": SERVICES["db"]},
    )
    found = [(one.kind, one.name, one.what) for one in difference(made(), after)]
    assert found == [
        ("application", "api", "changed"),
        ("application", "web", "gone"),
        ("application", "worker", "new"),
        ("service", "cache", "new"),
        ("service", "db", "gone"),
    ]
    assert difference(made(), made(commit="f" * 40)) == []
