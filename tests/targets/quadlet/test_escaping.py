"""Any text reaches podman byte for byte: through the real Quadlet, and through systemd's rules."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.targets.quadlet.projects import of_project, project, units
from tidegate.errors import InputError
from tidegate.targets.quadlet import escape
from tidegate.testing.quadlet.argv import health_command, options, podman_argv, split
from tidegate.testing.quadlet.generator import generate

# Everything that means something to YAML, Quadlet, systemd, podman or a shell, and some letters.
HOSTILE = st.text(
    st.sampled_from(
        list("ab0 \t\n\r\v\f\x01\x1f\x7f$%\"'\\;#=:,[]{}()<>|&*?!~`^@+-./éß漢🚀\u00a0\u2028\x85")
    ),
    max_size=12,
)
WORD = HOSTILE.filter(bool)
PATH = WORD.filter(lambda text: "\r" not in text)
BASE = project("services: {web: {image: x}}")
ENTRYPOINT = ["/image's", "own entry point"]


def podman(service: dict[str, Any], *, verify: bool = True) -> list[tuple[str, str]]:
    """podman's options and arguments for a service, as pairs."""
    loaded = replace(BASE, services={"web": {"image": "x", **service}})
    made = of_project(loaded, images={"web": {"entrypoint": ENTRYPOINT}})
    services = generate(units(made), verify=verify)
    name = "p-web-a.service" if "p-web-a.service" in services else "p-web.service"
    return options(podman_argv(services[name]))


def values(pairs: list[tuple[str, str]], option: str) -> list[str]:
    """The values of an option, in order."""
    return [value for name, value in pairs if name == option]


def started(pairs: list[tuple[str, str]]) -> list[str]:
    """The argv that the container is started with, as podman puts it together."""
    (entrypoint,) = values(pairs, "--entrypoint") or [json.dumps(ENTRYPOINT)]
    _, *command = values(pairs, "")
    return [*json.loads(entrypoint), *command]


HARD = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.lab
@HARD
@given(command=st.lists(HOSTILE, min_size=1, max_size=5))
@example(command=["", "a"])
@example(command=["find", ";", "x"])
@example(command=[";"])
@example(command=["%Z", "$HOME", "${HOME}", "$$", "%%", "\\", '"', "a\nb"])
def test_command(command: list[str]) -> None:
    """A command's words arrive as they are, with the entry point of the image before them."""
    assert started(podman({"command": command})) == [*ENTRYPOINT, *command]


@pytest.mark.lab
@HARD
@given(entrypoint=st.lists(HOSTILE, min_size=1, max_size=3), command=st.lists(HOSTILE, max_size=3))
@example(entrypoint=["a"], command=["", ";"])
def test_entrypoint(entrypoint: list[str], command: list[str]) -> None:
    """An entry point and a command together are the container's argv."""
    if entrypoint == [""]:
        entrypoint = ["a"]
    pairs = podman({"entrypoint": entrypoint, "command": command})
    assert started(pairs) == entrypoint + command


@pytest.mark.lab
@HARD
@given(pairs=st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]*", fullmatch=True), HOSTILE))
def test_environment_and_labels(pairs: dict[str, str]) -> None:
    """Variables, labels and annotations keep their values, and none is lost."""
    given = podman({"environment": pairs, "labels": pairs, "annotations": pairs})
    wanted = sorted(f"{name}={value}" for name, value in pairs.items())
    assert sorted(values(given, "--env")) == wanted
    labels = [item for item in values(given, "--label") if not item.startswith("tidegate.")]
    assert sorted(labels) == wanted
    assert sorted(values(given, "--annotation")) == wanted


@pytest.mark.lab
@HARD
@given(text=WORD, more=st.lists(WORD, min_size=1, max_size=3))
def test_single_values(text: str, more: list[str]) -> None:
    """Keys of one value and keys of many keep each value, however Quadlet reads them."""
    given = podman(
        {
            "working_dir": text,
            "user": text,
            "hostname": text,
            "stop_signal": text,
            "shm_size": text,
            "dns_search": more,
            "group_add": more,
            "cap_drop": [item.lower() for item in more],
            "sysctls": {"a": text, "b": more[0]},
            "logging": {"driver": "journald", "options": {"tag": text}},
            "cpuset": text,
            "tmpfs": more,
        },
    )
    for option in ("--workdir", "--user", "--hostname", "--stop-signal", "--shm-size"):
        assert values(given, option) == [text], option
    assert values(given, "--cpuset-cpus") == [text]
    assert values(given, "--log-opt") == [f"tag={text}"]
    for option in ("--dns-search", "--group-add", "--tmpfs"):
        assert sorted(values(given, option)) == sorted(more), option
    assert sorted(values(given, "--cap-drop")) == sorted(item.lower() for item in more)
    assert sorted(values(given, "--sysctl")) == sorted([f"a={text}", f"b={more[0]}"])


@pytest.mark.lab
@HARD
@given(source=PATH, target=PATH)
@example(source="a b", target="c d")
@example(source='a,"b"', target="c:d")
def test_mounts(source: str, target: str) -> None:
    """A bind mount's two paths arrive, in whichever form they can be written."""
    mount = {"type": "bind", "source": f"/{source}", "target": f"/{target}"}
    given = podman({"volumes": [mount]})
    short = f"/{source}:/{target}"
    if values(given, "-v"):
        assert values(given, "-v") == [short]
    else:
        (line,) = values(given, "--mount")
        assert fields(line) == ["type=bind", f"source=/{source}", f"target=/{target}"]


def fields(line: str) -> list[str]:
    """A CSV record as Go's encoding/csv reads it."""
    (record,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    return record


@pytest.mark.lab
@HARD
@given(words=st.lists(WORD, min_size=2, max_size=4), shell=WORD)
def test_health_command(words: list[str], shell: str) -> None:
    """A health check's command is read back by podman as the one that was meant."""
    tests = [["CMD-SHELL", shell]]
    if words[0].upper() not in ("CMD", "NONE", "CMD-SHELL"):
        tests.append(["CMD", *words])
    for test in tests:
        given = podman({"healthcheck": {"test": test}}, verify=False)
        (command,) = values(given, "--health-cmd")
        assert health_command(command) == test


@pytest.mark.parametrize("text", ["a\0b", "a\x80b", "\ud800", "\ufffe", "\ufdd0", "\U0010ffff"])
def test_refused_by_name(text: str) -> None:
    """What no unit file can carry is an error that names the key."""
    loaded = replace(BASE, services={"web": {"image": "x", "environment": {"A": text}}})
    with pytest.raises(InputError, match=r"services\.web\.environment"):
        of_project(loaded)


@given(text=HOSTILE)
def test_word_is_one_word(text: str) -> None:
    """A quoted word is read back by systemd's rules as one word, the same."""
    assert split(escape.word(text)) == [text]
