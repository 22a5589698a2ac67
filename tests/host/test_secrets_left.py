"""A secret that came for a deployment which never prepared anything does not stay."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import pytest

from tidegate.host import deployment, generations, podman
from tidegate.host.context import Context
from tidegate.host.files import write_atomic
from tidegate.host.journal import Journal
from tidegate.host.ops import Ops
from tidegate.host.paths import Paths
from tidegate.testing.releases import release

SERVES = "shop_web_TOKEN-1"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What Podman keeps, by name; nobody else is on this host."""
    kept = {SERVES: b"old"}
    monkeypatch.setattr(podman, "own_secrets", lambda _: dict(kept))
    monkeypatch.setattr(podman, "secret_is", lambda name, value, _: kept.get(name) == value)
    monkeypatch.setattr(podman, "create_secret", lambda name, value, _: kept.update({name: value}))
    monkeypatch.setattr(podman, "remove_secret", kept.pop)
    return kept


@pytest.mark.parametrize("end", ["lapse", "release"])
def test_nothing_but_the_secrets_of_what_serves_is_left(
    tmp_path: Path, store: dict[str, bytes], end: str
) -> None:
    """Whether the controller goes away or gives the host back."""
    paths = Paths(tmp_path, "shop")
    generations.store(paths, 1, release({}, instance="shop"), "", "")
    generations.store_layout(
        paths, {"n": 1, "services": {}, "secrets": {"shop_web_TOKEN": SERVES}, "addresses": {}}
    )
    write_atomic(paths.current, "1\n")
    asked = {"environment": "production", "owner": "ci@runner", "reason": ""}
    record = deployment.acquire(paths, asked, "2026-11-22T12:00:00Z")
    ops = Ops(Context(paths, record, Journal(paths.journal(2)), threading.Event()))
    value = base64.b64encode(b"new").decode()
    ops.secrets({"name": "shop_web_TOKEN", "value_b64": value})
    assert len(store) == 2
    getattr(ops, end)()
    assert store == {SERVES: b"old"}
