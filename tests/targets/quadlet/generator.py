"""The real Quadlet generator of Podman 5.4 and the real ``systemd-analyze verify``.

They run in the lab's own root file system (Debian trixie), in a mount namespace of their own:
nothing of the machine or of the lab is changed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOTS = Path.home() / ".cache/tidegate/lab/rootfs"
SCRIPT = """
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/mnt"
mkdir "$1/mnt/units" "$1/mnt/out" "$1/mnt/run"
mount --bind "$2" "$1/mnt/units"
mount --bind "$3" "$1/mnt/out"
mount -t proc proc "$1/proc"
chroot "$1" env QUADLET_UNIT_DIRS=/mnt/units \
    /usr/libexec/podman/quadlet -user -no-kmsg-log /mnt/out
[ -z "$4" ] || chroot "$1" sh -c 'cd /mnt/out && XDG_RUNTIME_DIR=/mnt/run systemd-analyze \
    --user --man=no --recursive-errors=no verify *.service'
"""


def generate(folder: Path, units: dict[str, str], *, verify: bool = False) -> dict[str, str]:
    """Service name → text of what Quadlet makes of ``units``; any complaint is a failure."""
    root = next(iter(sorted(ROOTS.glob("base-*"))), None)
    if root is None:
        pytest.skip("the lab's root file system is not built yet: run `tidegate lab up`")
    here, out = folder / "units", folder / "out"
    for place in (here, out):
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            if old.is_file():
                old.unlink()
    for name, text in units.items():
        (here / name).write_text(text, encoding="utf-8")
    arguments = [str(root), str(here), str(out), "1" * verify]
    command = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    said = result.stdout + result.stderr
    assert not said, said
    return {path.name: path.read_text("utf-8") for path in out.glob("*.service")}


def podman_argv(service: str) -> list[str]:
    """The argv of a generated unit's ``ExecStart=``, as systemd 257 hands it to podman."""
    (line,) = [
        line.removeprefix("ExecStart=")
        for line in service.split("\n")
        if line.startswith("ExecStart=")
    ]
    return split(line)


ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}


def split(line: str) -> list[str]:
    """systemd's own splitting: quotes, C escapes, then ``%%`` and ``$$``.

    Written from src/basic/extract-word.c and escape.c of systemd 257, independently of the code
    under test. A specifier other than ``%%`` is kept; an unquoted ``;`` of its own is an error.
    """
    found: list[str] = []
    raw: list[bool] = []
    position = 0
    while position < len(line):
        if line[position] in " \t\n\r":
            position += 1
            continue
        word, quoted, position = _word(line, position)
        found.append(word)
        raw.append(quoted)
    assert not any(w == ";" and not q for w, q in zip(found, raw, strict=True)), "two commands"
    return [word.replace("%%", "%").replace("$$", "$") for word in found]


def _word(line: str, position: int) -> tuple[str, bool, int]:
    word, quote, quoted = "", "", False
    while position < len(line):
        char = line[position]
        if char == "\\":
            text, position = _escape(line, position + 1)
            word += text
            continue
        if quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "\"'":
            quote, quoted = char, True
        elif char in " \t\n\r":
            break
        else:
            word += char
        position += 1
    assert not quote, f"unbalanced quotes in {line!r}"
    return word, quoted, position


def _escape(line: str, position: int) -> tuple[str, int]:
    char = line[position]
    if char in ESCAPES:
        return ESCAPES[char], position + 1
    if char in "\\\"'":
        return char, position + 1
    assert char == "x", f"systemd knows no escape \\{char}"
    return chr(int(line[position + 1 : position + 3], 16)), position + 3


def options(argv: list[str]) -> list[tuple[str, str]]:
    """podman run's options as pairs: ``--a=b`` and ``--a b`` are the same."""
    pairs: list[tuple[str, str]] = []
    index = 2
    while index < len(argv) and argv[index].startswith("-"):
        name, equals, value = argv[index].partition("=")
        if not equals and name not in BARE:
            index += 1
            value = argv[index]
        pairs.append((name, value))
        index += 1
    return [*pairs, *(("", word) for word in argv[index:])]


BARE = frozenset(
    {"--replace", "--rm", "-d", "--init", "--read-only", "--privileged", "--tty", "--interactive"}
    | {"--oom-kill-disable"}
)
