"""Any text reaches a real process as it is: argv, environment, labels, health checks."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.semantics.site import Site, until

pytestmark = pytest.mark.lab

# What means something to YAML, compose, Quadlet, systemd, podman or a shell; and every other
# character but those that no unit file can carry, which are errors (see the last test).
SPECIAL = list(
    " \t\n\r\v\f\x01\x1f\x7f$%{}\"'\\;#=:,[]()<>|&*?!~`^@+-./0aZé漢🚀\u00a0\u2028\x85\ufeff"
)
NONCHARACTERS = [chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)]
REFUSED = ["\0", "\x80", *NONCHARACTERS, *map(chr, range(0xFDD0, 0xFDF0))]
ANY = st.characters(exclude_categories=["Cs"], exclude_characters=REFUSED)
TEXT = st.text(st.sampled_from(SPECIAL) | ANY, max_size=16)
NAME = st.text(st.sampled_from(SPECIAL) | ANY, min_size=1, max_size=8).filter(
    lambda name: "=" not in name and name == name.strip()
)
WORDS = st.lists(TEXT, min_size=4, max_size=24)
# podman takes the carriage return out of a line end in a variable.
VALUE = TEXT.filter(lambda text: "\r\n" not in text)
MAP = st.dictionaries(NAME.map(lambda name: f"N{name}"), VALUE, min_size=4, max_size=24)
HARD = settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # each example is a deployment: none to shrink it
    suppress_health_check=list(HealthCheck),
)
STAY = ["sh", "-c", "sleep 1d & wait"]
TRAPS = [
    "", " ", "  a  ", ";", "%h", "%%", "%", "$HOME", "${HOME}", "$$", "$(id)", "`id`", "\\",
    "\\\\", "\\n", "\\x41", "a\\", '"', "'", '"a b"', "a\nb", "\n", "\t", "\r\n", "a;b", "#a",
    "[a]", "{a}", "CMD", "NONE", "--", "-e", "a=b", "%n%i$1", "\u2028", "é", "🚀", "~", "*",
    "null", "true", "0x1", "1e3",
]  # fmt: skip


def escaped(value: Any) -> Any:
    """``value`` for a compose file: a ``$`` of its own is written twice there."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return {name: escaped(item) for name, item in value.items()}


def text_of(value: Any) -> str:
    """``value`` as YAML in ASCII: JSON but for its surrogate pairs, which YAML does not know."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e]", lambda found: _code(ord(found.group())), text)


def _code(number: int) -> str:
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def nul_separated(site: Site, service: str, path: str) -> list[str]:
    """The texts of a file in a container that are ended by NUL, unchanged by any terminal."""
    raw = base64.b64decode(site.exec(service, "base64", path))
    assert raw.endswith(b"\0")
    return raw.decode().split("\0")[:-1]


def project(words: list[str], more: list[str], pairs: dict[str, str]) -> dict[str, Any]:
    """Services that are started in each of the ways in which words can be given."""
    body = {"image": "busybox:1", "stop_signal": "SIGKILL", "restart": "always"}
    record = ["sh", "-c", "cat /proc/$$/cmdline > /checked; true", *words]
    shell = f"printf %s {shlex.quote(''.join(words))} > /checked"
    services = {
        "command": {
            **body,
            "command": [*STAY, *words],
            "environment": pairs,
            "labels": pairs,
            "healthcheck": {"test": ["CMD", *record], "interval": "1h"},
        },
        "both": {
            **body,
            "entrypoint": [*STAY, *words],
            "command": more,
            "environment": [f"{name}={value}" for name, value in pairs.items()],
            "healthcheck": {"test": ["CMD-SHELL", shell], "interval": "1h"},
        },
    }
    return {"services": {name: escaped(service) for name, service in services.items()}}


@HARD
@given(words=WORDS, more=WORDS, pairs=MAP)
@example(words=TRAPS, more=TRAPS, pairs={f"N{i}": t for i, t in enumerate(TRAPS) if t != "\r\n"})
def test_every_text_arrives(
    site: Site, words: list[str], more: list[str], pairs: dict[str, str]
) -> None:
    """Words, values, labels and checks are in the process what they are in the compose file."""
    site.write(text_of(project(words, more, pairs)))
    site.deploy()
    assert nul_separated(site, "command", "/proc/1/cmdline") == [*STAY, *words]
    assert nul_separated(site, "both", "/proc/1/cmdline") == [*STAY, *words, *more]
    for service in ("command", "both"):
        found = nul_separated(site, service, "/proc/1/environ")
        assert {f"{name}={value}" for name, value in pairs.items()} <= set(found)
    labels = site.container("command")["Config"]["Labels"]
    assert {name: labels.get(name) for name in pairs} == pairs
    assert until(lambda: nul_separated(site, "command", "/checked"))[3:] == words
    assert base64.b64decode(site.exec("both", "base64", "/checked")).decode() == "".join(words)


WRONG = [
    ("command", ["sh", "a\0b"]),
    ("entrypoint", ["sh", "a\0b"]),
    ("environment", {"A": "\x80"}),
    ("environment", {"A": "a\r\nb"}),
    ("labels", {"a": "\ufdd0"}),
    ("healthcheck", {"test": ["CMD", "echo", "a\0b"]}),
]


def test_what_cannot_arrive_is_bad_input(site: Site) -> None:
    """It is an error with the key and its line, wherever it stands, before anything changes."""
    for key, value in WRONG:
        lines = ["services:", "  web:", "    image: busybox:1", f"    {key}: {text_of(value)}"]
        site.write("\n".join(lines))
        said = site.deploy(code=2).stderr
        assert f"services.web.{key}" in said
        assert "at compose.yaml:4:" in said, said
