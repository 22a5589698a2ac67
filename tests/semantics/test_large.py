"""A release that is longer than a frame of the host protocol, on a real server."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab


def test_a_long_release_goes_there_and_comes_back(site: Site) -> None:
    """1.2 MB of variables arrive; a plan knows them all; one that changes changes alone."""
    words = random.Random(7)
    services: dict[str, dict[str, Any]] = {
        f"s{number}": {
            "image": "busybox:1",
            "init": True,
            "command": "sleep 1d",
            "environment": {f"VALUE_{n}": words.randbytes(1500).hex() for n in range(100)},
        }
        for number in range(4)
    }
    before = services["s3"]["environment"]["VALUE_99"]
    site.write({"services": services})
    site.deploy()
    assert site.exec("s3", "printenv", "VALUE_99").strip() == before
    assert json.loads(site.run("plan", "--json").stdout)["data"]["empty"]
    services["s3"]["environment"]["VALUE_99"] = "other"
    site.write({"services": services})
    plan = json.loads(site.run("plan", "--json").stdout)["data"]
    assert [change["key"] for change in plan["changes"]] == ["Environment VALUE_99"]
    site.deploy()
    assert site.exec("s3", "printenv", "VALUE_99").strip() == "other"
    site.rollback()
    assert site.exec("s3", "printenv", "VALUE_99").strip() == before
    kept = site.on_server("ls", f".local/share/tidegate/{site.name}").split()
    assert "incoming" not in kept
