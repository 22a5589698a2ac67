"""Tests in their service's place: what of its unit they have, and what they do not."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tidegate.host import suites
from tidegate.host.generations import Generation
from tidegate.targets.quadlet.e2e import SEARCH, e2e
from tidegate.testing.releases import release, service

UNIT = {
    "Unit": [["Description", "web of shop"], ["Requires", "other.service"]],
    "Container": [
        ["Image", "web@sha256:1"],
        ["Environment", '"SITE=its-own"'],
        ["Exec", "serve"],
        ["Entrypoint", '["/run"]'],
        ["PodmanArgs", '"--entrypoint="'],
        ["PodmanArgs", '"--tz=UTC"'],
        ["HealthCmd", "ask"],
        ["HealthInterval", "1s"],
        ["Notify", "healthy"],
        ["LogDriver", "none"],
        ["Volume", "shop-data.volume:/data"],
    ],
    "Service": [["Restart", "always"], ["MemoryMax", "1G"], ["ExecStartPre", "x"]],
}
LAYOUT = {
    "n": 1,
    "services": {"web": {"slot": "a", "units": ["shop-web-a"]}},
    "addresses": {"web/a/1": {"default": "10.210.0.5"}},
    "secrets": {"shop_token": "shop_token-7"},
    "networks": {},
}


def unit(timeout_s: float = 90.0) -> list[str]:
    """The lines of the unit that tests web."""
    web = service(
        unit=UNIT,
        secrets=[{"secret": "shop_token", "type": "env", "target": "TOKEN"}],
        published=[{"address": "", "port": 80, "target": 8000, "protocol": "tcp"}],
        depends_on={"db": {}},
    )
    told = e2e(["web"], {"SITE": "s.example.com"}, "staging")
    found = Generation(1, release({"web": web, "db": service()}, instance="shop"), "", LAYOUT)
    lines = told["e2e"]["services"]["web"]["lines"]
    return suites.unit_text(found, "web", "shop-web.e2e", lines, timeout_s).splitlines()


def test_tests_have_what_their_service_has() -> None:
    """Image, environment, the secret's own version, volumes, network and limits."""
    lines = unit()
    wanted = [
        "Image=web@sha256:1",
        "Secret=shop_token-7,type=env,target=TOKEN",
        "Volume=shop-data.volume:/data",
        "Network=shop-default.network",
        "MemoryMax=1G",
        'PodmanArgs="--tz=UTC"',
        'Environment="TIDEGATE_ENVIRONMENT=staging"',
        "ContainerName=shop-web.e2e",
        "Type=oneshot",
        "TimeoutStartSec=90",
    ]
    assert [line for line in wanted if line not in lines] == []
    own = lines.index('Environment="SITE=its-own"')
    assert lines.index('Environment="SITE=s.example.com"') < own


def test_tests_are_called_by_nobody_and_start_alone() -> None:
    """No port, no name, no address, no check, no restart, nothing at a boot, nothing before."""
    text = "\n".join(unit())
    for word in ("PublishPort", "alias=", "ip=10", "HealthInterval", "Notify", "Restart=", "serve"):
        assert word not in text, word
    for word in ("WantedBy", "ExecStartPre", "--entrypoint", "LogDriver", "other.service", "db"):
        assert word not in text, word
    assert text.count("Entrypoint=") == 1
    assert "HealthCmd=none" in text


@pytest.mark.parametrize(
    ("place", "mode", "status"),
    [
        ("entrypoint_e2e.sh", 0o644, 7),
        ("entrypoints/entrypoint_e2e.sh", 0o755, 7),
        ("elsewhere/entrypoint_e2e.sh", 0o755, 127),
    ],
)
def test_the_script_is_found(tmp_path: Path, place: str, mode: int, status: int) -> None:
    """In the working directory or in entrypoints/ there, executable or not."""
    script = tmp_path / place
    script.parent.mkdir(exist_ok=True)
    script.write_text("#!/bin/sh\nexit 7\n")
    script.chmod(mode)
    done = subprocess.run(["/bin/sh", "-c", SEARCH], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == status
    assert (b"COPY it" in done.stderr) == (status == 127)


def test_a_long_log_keeps_its_end() -> None:
    """Whole lines, as many as fit in their share of an answer."""
    lines = [f"{n:04} {'ä' * 40}" for n in range(1000)]
    kept = suites.cut(lines, 10_000)
    assert kept[-1] == lines[-1]
    assert 9_000 < len(json.dumps(kept)) <= 10_000
    assert suites.cut(["x" * 200], 100) == []


def test_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processors run two tests at once; results keep the order, logs share the room."""
    both = threading.Barrier(2, timeout=10)

    def test(service: str) -> Any:
        both.wait()
        return {"service": service, "log": ["x" * (suites.LOG_BYTES // 2 + 1), service]}

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    found = suites.side_by_side(["b", "a"], test)
    assert [(one["service"], one["log"]) for one in found] == [("b", ["b"]), ("a", ["a"])]
