"""Exported units: every key of every case is reported once, and Quadlet takes the files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.targets.quadlet.projects import project
from tests.targets.quadlet.test_render_cases import UNITS
from tidegate.compose import as_json
from tidegate.targets.quadlet.export import Exported, export
from tidegate.targets.quadlet.sheet import shown
from tidegate.testing.prove.compose import leaves
from tidegate.testing.quadlet.argv import options, podman_argv
from tidegate.testing.quadlet.generator import FOLDER, generate

HELLO = Path(__file__).parents[3] / "examples/hello/compose.yaml"


def exported(case: Mapping[str, Any]) -> Exported:
    """The export of a case's project."""
    return export(project(case["compose"]), variables=case.get("variables", {}))


@pytest.mark.parametrize("case", UNITS)
def test_every_leaf_is_reported_once(case: Mapping[str, Any]) -> None:
    """No leaf of the project is missing, none is there twice, and each entry is well formed."""
    made = exported(case)
    printed = as_json(project(case["compose"]))
    assert list(leaves.check(printed, made.report("compose.yaml"), made.files)) == []


@pytest.mark.lab
@pytest.mark.parametrize("case", UNITS)
def test_generator_accepts(case: Mapping[str, Any]) -> None:
    """Quadlet makes a service of every exported unit, and systemd finds no fault in it."""
    files = {name: text for name, text in exported(case).files.items() if "/" not in name}
    assert len(generate(files, verify=True)) == len(files)


STEADY = """
services:
  web:
    image: nginx
    ports: ["127.0.0.1:8080:80", "[::1]:53:53/udp"]
    networks: {default: {aliases: [www]}}
    depends_on:
      db: {condition: service_healthy, restart: true}
      once: {condition: service_completed_successfully, required: false}
    secrets: [token]
    configs: [{source: text, target: /etc/text}]
    volumes: ["./data:/data"]
    healthcheck: {test: [CMD, a, b], start_interval: 1s}
    container_name: shop
  db: {image: "postgres:17", healthcheck: {test: up}, scale: 2}
  once: {build: ., command: [a]}
secrets: {token: {file: ./token}}
configs: {text: {content: hello}}
"""


def test_the_steady_state() -> None:
    """What a host would add is in the units: names, ports, aliases, order, secrets, jobs."""
    made = export(project(STEADY), variables={})
    web = made.files["p-web.container"].splitlines()
    for line in (
        "Image=docker.io/library/nginx:latest",
        "ContainerName=shop",
        "PublishPort=127.0.0.1:8080:80",
        "PublishPort=[::1]:53:53/udp",
        "Network=p-default.network:alias=web,alias=www",
        "Requires=p-db-1.service p-db-2.service",
        "PartOf=p-db-1.service p-db-2.service",
        "Wants=p-once.service",
        'Secret="p_token,type=mount,target=/run/secrets/token"',
        "Volume=./p-configs/text:/etc/text:ro",
        "Volume=/project/data:/data",
        "HealthStartupInterval=1s",
        'HealthStartupCmd=["a", "b"]',
        "WantedBy=default.target",
    ):
        assert line in web, "\n".join(web)
    assert made.files["p-configs/text"] == "hello"
    assert "ContainerName=p-db-2" in made.files["p-db-2.container"]
    assert "Type=oneshot\nRemainAfterExit=yes" in made.files["p-once.container"]
    assert "Image=localhost/p-once:latest" in made.files["p-once.container"]
    assert not made.unsupported


@pytest.mark.lab
def test_podman_gets_the_files_beside_the_units() -> None:
    """A config's file is found from the unit's own folder."""
    files = export(project(STEADY), variables={}).files
    made = generate({name: text for name, text in files.items() if "/" not in name})
    given = options(podman_argv(made["p-web.service"]))
    assert ("-v", f"{FOLDER}/one/p-configs/text:/etc/text:ro") in given


def tidegate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command line."""
    command = [sys.executable, "-m", "tidegate", "export", "quadlet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command(tmp_path: Path) -> None:
    """The command writes the units of the example and a report, into an empty folder only."""
    out, report = tmp_path / "units", tmp_path / "report.json"
    arguments = ("-f", str(HELLO), "-p", "hello", "--out", str(out), "--report", str(report))
    first = tidegate(*arguments)
    assert first.returncode == 0, first.stderr
    assert {path.name for path in out.iterdir()} == {
        "hello-web.container",
        "hello-postgres.container",
        "hello-redis.container",
        "hello-data.volume",
        "hello-default.network",
    }
    assert json.loads(report.read_text())["file"] == str(HELLO)
    second = tidegate(*arguments)
    assert second.returncode == 2
    assert "is not empty" in second.stderr


def test_strict(tmp_path: Path) -> None:
    """With --strict a key that is not carried out is an error, and nothing is written."""
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: x, external_links: [old]}}")
    out = tmp_path / "units"
    strict = tidegate("-f", str(file), "-p", "p", "--out", str(out), "--strict")
    assert strict.returncode == 2
    assert "services.web.external_links" in strict.stderr
    assert not out.exists()
    loose = tidegate("-f", str(file), "-p", "p", "--out", str(out))
    assert loose.returncode == 0
    assert "warning: services.web.external_links" in loose.stderr


CLASHES = """
services:
  web: {image: x, scale: 2}
  web-1: {image: x}
  data-volume: {image: x, container_name: p-web-1}
  ref: {image: x, volumes_from: [web], volumes: [/a/b, /a-b, "data:/d"]}
volumes: {data: }
"""


def test_no_two_units_share_a_name() -> None:
    """A copy, a volume or a container steps aside for what has the better right to a name."""
    made = export(project(CLASHES), variables={})
    containers = [
        line
        for text in made.files.values()
        for line in text.splitlines()
        if line.startswith("ContainerName=")
    ]
    assert len(set(containers)) == 5
    assert "ContainerName=p-web-1" in made.files["p-data-volume.container"]
    assert "ContainerName=p-web-1_2" in made.files["p-web-1.container"]
    assert "VolumeName=p_data" in made.files["p-data_2.volume"]
    ref = made.files["p-ref.container"]
    assert "Volume=p-data_2.volume:/d" in ref
    assert 'PodmanArgs="--volumes-from=p-web-1_2_2"' in ref
    assert len([line for line in ref.splitlines() if "p-ref-anonymous-a-b" in line]) == 2
    (entry,) = [e for e in made.report("f")["entries"] if e["path"] == "services.web"]
    assert entry["to"] == "p-web-1_2.container,p-web-2.container"


ODD = """
services:
  web: {image: "Not An Image", networks: [theirs], volumes: ["data:/d"]}
  ask: {provider: {type: model}}
  app: {image: x, depends_on: [ask], network_mode: "service:ask"}
networks: {theirs: {external: true, name: host}, odd: {name: "%"}}
volumes: {data: {name: -v}}
"""


def test_whatever_loads_is_exported() -> None:
    """What no unit can say is left out and named, and the rest is written."""
    made = export(project(ODD), variables={})
    assert "Network=host" in made.files["p-web.container"].splitlines()
    assert "p-ask.container" not in made.files
    assert "Requires=" not in made.files["p-app.container"]
    assert made.files["p-data.volume"] == "\n"
    missing = {shown(entry.path) for entry in made.unsupported}
    assert {
        "services.web.image",
        "services.ask.provider.type",
        "services.app.network_mode",
        "volumes.data.name",
    } <= missing


def test_copies_take_the_ports_of_a_range() -> None:
    """A range is for the copies, one each; what only one can have is the first copy's."""
    text = 'services: {web: {image: x, scale: 3, ports: ["80-81:8", "90:9", "7"]}}'
    made = export(project(text), variables={}).files
    ports = [
        [line for line in made[f"p-web-{n}.container"].splitlines() if "PublishPort" in line]
        for n in (1, 2, 3)
    ]
    assert ports == [
        ["PublishPort=80:8", "PublishPort=90:9", "PublishPort=7"],
        ["PublishPort=81:8", "PublishPort=7"],
        ["PublishPort=7"],
    ]
