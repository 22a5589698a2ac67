"""The last reader, a real systemd: what it hands to podman is what compose said."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.targets.quadlet.projects import of_project, project, units
from tidegate.lab import Lab
from tidegate.lab.server import Server
from tidegate.testing.quadlet.argv import podman_argv
from tidegate.testing.quadlet.generator import generate

ALPHABET = "ab $%\"'\\\n\t;{}#=,:é漢🚀\x01\x7f"
# podman's place is taken by a program that writes down its arguments, each ended by NUL.
DUMP = '#!/bin/sh\nprintf "%s\\0" "$@" > /tmp/argv.part && mv /tmp/argv.part /tmp/argv\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A lab server of this file's own."""
    lab = Lab.up(["render"], images=False)
    yield lab.server("render")
    lab.down()


def hostile(seed: int) -> list[str]:
    """Some words of characters that mean something to somebody on the way."""
    random_ = random.Random(seed)
    words = ["".join(random_.choices(ALPHABET, k=random_.randint(1, 9))) for _ in range(40)]
    return [*words, "", ";", "%i"]


@pytest.mark.lab
@pytest.mark.parametrize("seed", range(3))
def test_argv(server: Server, seed: int) -> None:
    """Command and variables arrive byte for byte after Quadlet and systemd have read them."""
    words = hostile(seed)
    service = {
        "image": "x",
        "command": words,
        "environment": {f"V{index}": word for index, word in enumerate(words)},
        "labels": {f"l{index}": word for index, word in enumerate(words)},
    }
    loaded = replace(project("services: {web: {image: x}}"), services={"web": service})
    text = generate(units(of_project(loaded)))["p-web-a.service"]
    (line,) = [line for line in text.split("\n") if line.startswith("ExecStart=")]
    unit = f"[Service]\nType=oneshot\n{line.replace('/usr/bin/podman', '/tmp/dump', 1)}\n"
    server.run(["sh", "-c", "cat > /tmp/dump && chmod +x /tmp/dump && rm -f /tmp/argv"], input=DUMP)
    folder = "$HOME/.config/systemd/user"
    server.run(["sh", "-c", f"mkdir -p {folder} && cat > {folder}/argv.service"], input=unit)
    command = "systemctl --user daemon-reload && systemctl --user start argv && cat /tmp/argv"
    found = server.run(["sh", "-c", f"export XDG_RUNTIME_DIR=/run/user/$(id -u); {command}"]).stdout
    argv = found.split("\0")[:-1]
    assert argv[-len(words) :] == words
    for index, word in enumerate(words):
        assert argv[argv.index(f"V{index}={word}") - 1] == "--env"
        assert argv[argv.index(f"l{index}={word}") - 1] == "--label"
    ours = podman_argv(text)[1:]
    assert without_specifiers(argv) == without_specifiers(ours)


def without_specifiers(argv: list[str]) -> list[str]:
    """All but Quadlet's own ``--cidfile=%t/%N.cid``."""
    return [word for word in argv if not word.startswith("--cidfile=")]
