"""What judges the ladder of compose files sees what is lost, added or said twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tidegate.testing.prove.compose import argvs, leaves, meaning_units
from tidegate.testing.prove.compose.spoken import spoken

WEB: dict[str, Any] = {
    "image": "x",
    "command": ["a", ""],
    "entrypoint": None,
    "networks": {"default": None},
    "environment": {"A": "50% $HOME"},
    "volumes": [{"type": "bind", "source": "/s", "target": "/t", "read_only": True}],
    "depends_on": {"db": {"condition": "service_started", "required": True}},
    "restart": "always",
}
DB = {"image": "y", "command": None, "entrypoint": None, "networks": {"default": None}}
PROJECT: dict[str, Any] = {
    "name": "p",
    "services": {"web": WEB, "db": DB},
    "networks": {"default": {"name": "p_default"}},
}
START = "podman run --name {name} --rm --replace -d --sdnotify=conmon --network {network}"
SAID = (
    START.format(name="p-web", network="p_default:alias=web")
    + ' --env "A=50%% $$HOME" -v /s:/t:ro docker.io/library/x:latest a %i'
)
ORDER = "[Unit]\nRequires=p-db.service\nAfter=p-db.service\n[Service]\nRestart=always\n"
UNITS = {
    "p-web.service": f"{ORDER}ExecStart={SAID}\n",
    "p-db.service": "[Service]\nExecStart="
    + START.format(name="p-db", network="p_default:alias=db")
    + " docker.io/library/y:latest\n",
}


def differences(old: str, new: str) -> list[str]:
    """What is found when one text of the web service is another."""
    units = {**UNITS, "p-web.service": UNITS["p-web.service"].replace(old, new)}
    assert not old or units != UNITS
    found = list(argvs.compare(PROJECT, {"entries": []}, units, {}))
    made = {name: [f"p-{name}.service"] for name in PROJECT["services"]}
    return [*found, *meaning_units.check(PROJECT, made, units)]


def test_the_same_is_no_difference() -> None:
    """A unit that says what the file means has no fault."""
    assert differences("", "") == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (":alias=web", "", "lost: --network p_default|alias=web"),
        (":alias=web", ":alias=web,alias=db", "added: --network p_default|alias=db|alias=web"),
        ("%% $$HOME", "%% $$home", "lost: --env A=50% $HOME"),
        (' --env "A=50%% $$HOME"', "", "lost: --env"),
        ("/t:ro", "/t", "lost: mount bind|/s|/t|ro"),
        (" a %i", " a", "lost: process"),
        (" -d", " -d --privileged", "added: --privileged"),
        ("x:latest", "y:latest", "lost: image docker.io/library/x:latest"),
        ("--name p-web", "--name p-db", "2 containers are called p-db"),
        ("Requires=", "Wants=", "Requires= lacks p-db.service"),
        ("After=", "Before=", "After= lacks p-db.service"),
        ("Restart=always", "Restart=no", "Restart=no, not always"),
    ],
)
def test_a_difference_is_found(old: str, new: str, found: str) -> None:
    """Whatever is lost, added or changed is named."""
    assert any(found in line for line in differences(old, new)), differences(old, new)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-v /a:/b:ro,z", '--mount type=bind,"source=/a",target=/b,ro=true,relabel=shared'),
        ("--publish 80:80", "--publish 80:80/tcp"),
        ("--device /dev/x", "--device=/dev/x:/dev/x:rwm"),
        ("--health-interval 1m30s", "--health-interval=90s"),
        ("--secret s,type=mount,target=t", "--secret s,type=mount,target=/run/secrets/t"),
        ("--cap-add sys_admin", "--cap-add SYS_ADMIN"),
        ("", "--label tidegate.x=y --env TIDEGATE_X=1 -v /a:/run/tidegate/a"),
    ],
)
def test_two_ways_to_say_the_same(one: str, other: str) -> None:
    """The short and the long form are one, and what Tidegate may add is not seen."""
    first, second = (
        spoken(["podman", "run", *words.replace('"', "").split(), "x"]) for words in (one, other)
    )
    assert first == second


ENTRY = {"path": "services.db.image", "class": "native", "to": "Image", "reason": ""}
FILES = {"p-db.container": '[Container]\nImage=y\nPodmanArgs="--tty"\n\n[Service]\nRestart=no\n'}


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([ENTRY], ""),
        ([], "not in the report"),
        ([ENTRY, ENTRY], "2 entries"),
        ([{**ENTRY, "to": "Exec"}], "'Exec' stands in no unit"),
        ([{**ENTRY, "to": "Restart"}], "'Restart' stands in no unit"),
        ([{**ENTRY, "class": "unit", "to": "Restart"}], ""),
        ([{**ENTRY, "class": "podman-args", "to": "--tty"}], ""),
        ([{**ENTRY, "class": "podman-args", "to": "--init"}], "'--init' stands in no unit"),
        ([{**ENTRY, "to": None}], "no reason"),
        ([{**ENTRY, "class": "unsupported", "to": None}], "no reason"),
        ([{**ENTRY, "class": "dropped"}], "no class"),
        ([ENTRY, {**ENTRY, "path": "services.db.user"}], "not in the file"),
    ],
)
def test_the_report_is_read(entries: list[Mapping[str, Any]], found: str) -> None:
    """A leaf without an entry, one with two, and an entry that is not true are named."""
    project = {"services": {"db": {"image": "y"}}}
    faults = list(leaves.check(project, {"entries": entries}, FILES))
    assert any(found in line for line in faults) if found else faults == []
