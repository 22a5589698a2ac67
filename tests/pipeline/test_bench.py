"""An image that a release has already is neither built nor tested again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tidegate.config import load_config
from tidegate.edges import builders
from tidegate.edges.builders import Images
from tidegate.edges.registry import Registry
from tidegate.edges.store import Store
from tidegate.errors import InputError
from tidegate.images.recipe import recipe
from tidegate.pipeline.applications import Application
from tidegate.pipeline.bench import Bench, Result, candidate
from tidegate.pipeline.known import Known

CONFIG = "version: 1\nproject: shop\nenvironments: {p: {hosts: {a: {ssh: a@192.0.2.1}}}}\n"


class Silent:
    """Hears nothing."""

    def phase(self, name: str, state: str, message: str = "") -> None: ...
    def event(self, host: str, event: Mapping[str, Any]) -> None: ...


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Application:
    """An application with tests, on a machine where nothing can be built."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(builders, "detect", _no_builder)
    (tmp_path / "tidegate.yaml").write_text(CONFIG)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY value /\n")
    (tmp_path / "value").write_text("1")
    (tmp_path / "entrypoint_test.sh").write_text("false\n")
    made = recipe({"context": str(tmp_path)}, platform="", secrets={}, where=lambda _: None)
    return Application("api", "application", made, tests=str(tmp_path / "entrypoint_test.sh"))


def _no_builder() -> None:
    raise InputError("nothing here builds images", code="builder-missing")


def blob(store: Store, value: Mapping[str, Any]) -> str:
    content = json.dumps(value).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    store.path(digest).parent.mkdir(parents=True, exist_ok=True)
    store.path(digest).write_bytes(content)
    return digest


def bench(api: Application, store: Store, known: Known) -> Bench:
    config = load_config(Path(api.tests).parent / "tidegate.yaml")
    found = {"api": api}
    return Bench(config, found, store, Registry(), Silent(), known=lambda: known)


def test_what_a_release_has_is_taken(api: Application) -> None:
    """The key is that of the files and of the tests: other ones are another image."""
    store = Store()
    config = {"size": 2, "digest": blob(store, {"architecture": "amd64", "config": {}})}
    digest = blob(store, {"config": config, "layers": []})
    key = Images(store, str).key(api.recipe).value
    entry = {"ref": f"localhost/shop/api@{digest}", "via": "controller", "tag": ""}
    release = {"images": {"web": {**entry, "key": candidate(Result(api, key=key))}}}
    found = bench(api, store, Known([release])).ensure(api)
    assert (found.action, found.tests) == ("fetched", "known")
    assert found.reference is not None and found.reference.digest == digest
    Path(api.tests).write_text("true\n")
    with pytest.raises(InputError, match="nothing here builds"):
        bench(api, store, Known([release])).ensure(api)
