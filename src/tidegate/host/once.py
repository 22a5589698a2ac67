"""One command in a container of its own: as a service's copies are, but for their names.

The container has the image, configuration, secrets, volumes and networks of the copy that
serves; nobody is led to it, and it is gone when its command ends. What podman is told comes from
Quadlet itself, which reads the copy's own unit.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import uuid
from pathlib import Path
from typing import Any, Dict, List, Tuple

from tidegate.host import podman
from tidegate.host.errors import HostError
from tidegate.host.generations import Generation
from tidegate.host.layout import Layout
from tidegate.host.paths import Paths, runtime_dir
from tidegate.host.run import run
from tidegate.host.touch import placed, serving
from tidegate.host.unitwords import expanded, split

# Where packages put Quadlet: podman-systemd.unit(5), Podman 5.4.
GENERATORS = (
    "/usr/lib/systemd/user-generators/podman-user-generator",
    "/usr/libexec/podman/quadlet",
    "/usr/local/libexec/podman/quadlet",
)
# What only a copy that serves has: its name, its ports, its checks, where its output goes.
LEFT_OUT = re.compile(r"ContainerName|PublishPort|Notify|Health.*|LogDriver|LogOpt|AutoUpdate")
# Of a network: the addresses and names by which others reach the copy.
OWN_PLACE = ("ip", "ip6", "mac", "alias", "interface_name")
# What Quadlet adds for a container that systemd looks after.
FOR_SYSTEMD = re.compile(r"-d|--replace|--cgroups=.*|--sdnotify=.*|--cidfile=.*|--log-driver.*")


def once(paths: Paths, arguments: argparse.Namespace) -> int:
    """Become the command: its streams are ours, and its exit status, too."""
    now, service = serving(paths), arguments.service
    unit = placed(now, service)["units"][0]
    name = f"{paths.instance}-{service}-once-{uuid.uuid4().hex[:6]}"
    text = unit_of(now, service, unit, name, bool(arguments.argv))
    words = _quadlet(name, {**mentioned(now, text), f"{name}.container": text})
    image = str(now.release["services"][service]["image"])
    argv = by_hand(words, image, bool(arguments.tty))
    os.execvp("podman", [*argv, *arguments.argv])  # noqa: S606 - argv, no shell


def by_hand(words: List[str], image: str, tty: bool) -> List[str]:
    """What Quadlet says, for a person in place of systemd; what follows `image` is left alone."""
    verb, end = words.index("run") + 1, words.index(image)
    kept = [word for word in words[verb:end] if not FOR_SYSTEMD.fullmatch(word)]
    flags = ["--interactive", "--log-driver=none", *(["--tty"] if tty else [])]
    return [*words[:verb], *flags, *kept, *words[end:]]


def unit_of(now: Generation, service: str, unit: str, name: str, command: bool) -> str:
    """The unit of a copy as one for a container called `name`; `command`: it gets another one."""
    layout: Layout = now.layout or {}
    lines = layout["units"][service][f"{unit}.container"].splitlines()
    begin = lines.index("[Container]") + 1
    end = next((n for n in range(begin, len(lines)) if lines[n].startswith("[")), len(lines))
    kept = [f"ContainerName={name}"]
    for key, value in (_pair(line) for line in lines[begin:end] if "=" in line):
        if LEFT_OUT.fullmatch(key) or (key == "Exec" and command):
            continue
        if key == "Label" and value.startswith("tidegate."):
            continue
        kept.append(f"{key}={_network(value) if key == 'Network' else value}")
    marks = (f"{podman.ONCE}={now.release['instance']}", f"tidegate.service={service}")
    return "\n".join(["[Container]", *kept, *(f"Label={mark}" for mark in marks), ""])


def _pair(line: str) -> Tuple[str, str]:
    key, _, value = line.partition("=")
    return key, value


def _network(value: str) -> str:
    """The network without the place of the copy on it."""
    name, _, options = value.partition(":")
    words = options.split(",") if options else []
    if not all("=" in word for word in words):
        return value  # container:NAME and the like
    kept = [word for word in words if word.partition("=")[0] not in OWN_PLACE]
    return ":".join([name, ",".join(kept)]) if kept else name


def mentioned(now: Generation, text: str) -> Dict[str, str]:
    """The other units that a unit speaks of, and those that they speak of."""
    layout: Layout = now.layout or {}
    known: Dict[str, str] = dict(layout["shared"])
    for units in layout["units"].values():
        known.update(units)
    found: Dict[str, str] = {}
    texts = [text]
    while texts:
        spoken = texts.pop()
        for name in set(known) - set(found):
            if name in spoken:
                found[name] = known[name]
                texts.append(known[name])
    return found


def _quadlet(name: str, units: Dict[str, str]) -> List[str]:
    """What systemd would run for unit `name` of `units`, word by word."""
    generator = next((path for path in GENERATORS if os.access(path, os.X_OK)), "")
    if not generator:
        raise HostError(
            "error", "quadlet-missing", "Quadlet is not on this host", hint="tidegate doctor"
        )
    with tempfile.TemporaryDirectory(prefix="tidegate-once-") as folder:
        made = Path(folder, "made")
        made.mkdir()
        for file, text in units.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        env = {"QUADLET_UNIT_DIRS": folder}
        done = run([generator, "-user", "-no-kmsg-log", str(made)], env=env, check=False)
        service = made / f"{name}.service"
        if not service.exists():
            raise HostError(
                "error",
                "unit-refused",
                "Quadlet made no unit of it",
                subject=name,
                log=done.stderr.splitlines()[-5:],
            )
        return command_of(service.read_text(encoding="utf-8"), name)


def command_of(service: str, name: str) -> List[str]:
    """The words of a generated unit's `ExecStart=`."""
    start = "ExecStart="
    line = next(entry for entry in service.splitlines() if entry.startswith(start))
    known: Dict[str, Any] = {
        "h": str(Path.home()),
        "t": str(runtime_dir()),
        "N": name,
        "n": f"{name}.service",
        "p": name,
        "i": "",
    }
    return [expanded(word, known) for word in split(line[len(start) :])]
