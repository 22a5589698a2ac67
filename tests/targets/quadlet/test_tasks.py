"""Migrations and seed data as units: the service itself, with other words and nobody to call it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.targets.quadlet.projects import release, units
from tidegate.errors import InputError
from tidegate.host import aside, tasks
from tidegate.host.generations import Generation
from tidegate.host.layout import compute
from tidegate.model.config import Migration, Seed
from tidegate.testing.quadlet.generator import generate

COMPOSE = """
services:
  db: {image: postgres, volumes: ["data:/var/lib/postgresql/data"]}
  api:
    image: api
    command: [serve, "--port=8000"]
    environment: {DATABASE_URL: "postgresql://api@db/shop"}
    ports: ["8000:8000"]
    networks: {default: {aliases: [backend]}}
    volumes: ["uploads:/srv/uploads"]
    healthcheck: {test: [CMD, /ask, "http://127.0.0.1:8000/"], interval: 5s}
    restart: always
    stop_grace_period: 20s
    post_start: [{command: [/warm]}]
    depends_on: [db]
volumes: {data: , uploads: }
"""
WORDS = ("migrate", "--to=$HOME 100%", 'a "b"')
EXPAND = Migration(WORDS, ("migrate", "--check"), timeout_s=90.5)


def made(**settings: Any) -> dict[str, Any]:
    """The release with settings of the API."""
    return release(COMPOSE, settings={"api": settings})


def generation(new: dict[str, Any]) -> Generation:
    """It as a host's first one."""
    return Generation(1, new, "", compute(new, 1, None, None, [], {}))


def test_a_migration_is_the_service_with_another_command() -> None:
    """Image, variables, volumes and network are the service's; ports, names and checks are not.

    What systemd and podman get to read is asked of the real generator.
    """
    new = made(migrate=(EXPAND,))
    [body] = new["services"]["api"]["migrate"]
    assert (body["command"], body["check"], body["timeout_s"]) == (
        list(WORDS), list(EXPAND.check), 90.5,
    )  # fmt: skip
    before = [["ExecStartPre", "/usr/bin/mkdir %h/marks/1-api.expand"]]
    marked = {**body["unit"], "Service": [*body["unit"].get("Service", ()), *before]}
    text = aside.unit_text(generation(new), "api", "p-api.expand", marked)
    found = generate({**units(new), "p-api.expand.container": text}, verify=True)
    unit = found["p-api.expand.service"].splitlines()
    [line] = [line for line in unit if line.startswith("ExecStart=")]
    argv = shlex.split(line.replace("$$", "$").replace("%%", "%"))
    assert argv[-3:] == list(WORDS)
    assert "DATABASE_URL=postgresql://api@db/shop" in argv
    assert any(word.startswith("p_uploads:/srv/uploads") for word in argv)
    assert argv[argv.index("--network") + 1] == "p_default"
    gone = [word for word in argv if word.startswith("--publish") or "backend" in word]
    assert gone == []
    assert argv[argv.index("--health-cmd") + 1] == "none"
    assert {"Type=oneshot", "RemainAfterExit=yes", "TimeoutStartSec=91"} <= set(unit)
    assert before[0][1] in "".join(unit)
    assert not [
        line for line in unit if line.startswith(("Restart=", "ExecStartPost=", "WantedBy"))
    ]


def test_tasks_do_not_touch_the_copies() -> None:
    """A migration that is added or changed is a change of settings: what runs goes on."""
    from tidegate.host.diff import change

    plain = made()["services"]["api"]
    assert change(plain, made(migrate=(EXPAND,), seed=Seed(("fill",)))["services"]["api"]) == (
        "settings"
    )
    assert "seed" not in plain
    assert plain["migrate"] is None


def test_a_job_has_none_of_its_own() -> None:
    """Settings that would never be carried out are refused."""
    with pytest.raises(InputError, match="api is a job"):
        made(migrate=(EXPAND,), strategy="job")


def test_a_service_may_not_be_called_as_a_task() -> None:
    """Its unit would be the migration's."""
    text = COMPOSE.replace("  db:", "  api.expand: {image: x}\n  db:")
    assert release(text)
    settings = {"api": {"migrate": (EXPAND,)}, "api.expand": {"strategy": "recreate"}}
    with pytest.raises(InputError, match=r"p-api\.expand\.service") as clash:
        release(text, settings=settings)
    assert clash.value.code == "unit-name-clash"


def test_marks_are_forgotten_with_their_deployments(tmp_path: Path) -> None:
    """Those of deployments that are kept stay, so that nothing of theirs runs twice."""
    from tidegate.host.paths import Paths

    paths = Paths(tmp_path, "p")
    for name in ("3-api.expand", "4-api.contract"):
        (paths.root / "tasks" / name).mkdir(parents=True)
    tasks.prune(paths, {4})
    assert [entry.name for entry in (paths.root / "tasks").iterdir()] == ["4-api.contract"]
