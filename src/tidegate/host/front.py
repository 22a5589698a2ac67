"""One service's front on this host: its folder, its unit, its maps.

The folder holds everything that the front needs to come back after a power cut on the right
slot: configuration and maps. Files are written first, then the running process is told.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from tidegate.host import systemd
from tidegate.host.errors import HostError
from tidegate.host.files import make_dir, read_text, write_atomic, write_if_changed
from tidegate.host.layout import mac
from tidegate.traffic.admin import Admin, AdminError, NotRunning
from tidegate.traffic.front import LIVE_KEY, front_config
from tidegate.traffic.model import Counts, FrontSpec, checked_address, checked_slot
from tidegate.traffic.proxy import FOLDER, stamp_of

CONFIG = "haproxy.cfg"
LIVE = "live.map"
CALLERS = "callers.map"
# Longer than a request in flight, shorter than a person's patience.
STOP_S = 5
START_S = 30.0


class FrontNetwork(NamedTuple):
    """A network that a front joins: Quadlet's reference, its fixed address, the names there."""

    network: str
    ipv4: str
    aliases: Tuple[str, ...]


def proxy_container(name: str, image: str, directory: Path) -> List[Tuple[str, str]]:
    """The [Container] lines that fronts and the edge share.

    Root in the user's own name space: the sockets in the folder belong to the user then.
    """
    return [
        ("ContainerName", name),
        ("Image", image),
        ("Pull", "never"),
        ("User", "0"),
        ("Volume", f"{directory}:{FOLDER}"),
        ("StopTimeout", str(STOP_S)),
        ("LogDriver", "journald"),
    ]


# A proxy that crashes is started again for as long as it takes: after systemd's start limit its
# unit would stay down, and the sockets that systemd holds for it would be closed with it.
# Source: systemd.unit(5), StartLimitIntervalSec; systemd.socket(5), Result=service-start-limit-hit.
UNIT = [("StartLimitIntervalSec", "0")]
SERVICE = [
    ("Restart", "always"),
    ("RestartSec", "200ms"),
    ("TimeoutStopSec", str(STOP_S + 10)),
]


def command(config: str = CONFIG) -> str:
    """HAProxy with a master: its socket reloads, and reaches workers that are leaving."""
    return f"haproxy -W -db -S {FOLDER}/master.sock,mode,600 -f {FOLDER}/{config}"


def front_unit(
    *,
    name: str,
    image: str,
    directory: Path,
    networks: Sequence[FrontNetwork],
    labels: Mapping[str, str],
) -> str:
    """The text of a front's Quadlet unit (podman-systemd.unit(5), Podman 5.4)."""
    lines = ["[Unit]", f"Description={name}: leads callers to the serving copy"]
    lines += [*(f"{key}={value}" for key, value in UNIT), "", "[Container]"]
    lines += [f"{key}={value}" for key, value in proxy_container(name, image, directory)]
    for network in networks:
        options = [f"ip={network.ipv4}", f"mac={mac(network.ipv4)}"]
        options += [f"alias={alias}" for alias in network.aliases]
        lines.append(f"Network={network.network}:{','.join(options)}")
    lines += [f"Label={key}={value}" for key, value in sorted(labels.items())]
    lines += [f"Exec={command()}", "", "[Service]"]
    lines += [f"{key}={value}" for key, value in SERVICE]
    return "\n".join([*lines, "", "[Install]", "WantedBy=default.target", ""])


def write_front(directory: Path, spec: FrontSpec, live: str = "") -> bool:
    """Write the configuration, and maps where there are none; whether the former changed."""
    make_dir(directory)
    if not (directory / LIVE).exists():
        _write_live(directory, live)
    if not (directory / CALLERS).exists():
        write_atomic(directory / CALLERS, "")
    return write_if_changed(directory / CONFIG, front_config(spec))


def written_stamp(directory: Path) -> str:
    """The stamp of the configuration on disk."""
    return stamp_of(read_text(directory / CONFIG) or "")


def ready(directory: Path, timeout_s: float = 10.0) -> None:
    """Wait until the front answers at all; AdminError when it does not."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if Admin(directory).stamp():
                return
        except AdminError:
            pass
        if time.monotonic() > deadline:
            raise AdminError(f"{directory.name}: the front does not answer")
        time.sleep(0.02)


def started(unit: str, directory: Path) -> None:
    """Wait until a unit's proxy answers; HostError with its last words when it does not."""
    try:
        ready(directory, timeout_s=START_S)
    except AdminError as problem:
        raise HostError(
            "error",
            "proxy-not-running",
            f"{unit} does not start",
            subject=unit,
            hint=f"on the host: systemctl --user status {unit}",
            log=systemd.unit_logs(unit),
        ) from problem


def reload(directory: Path) -> bool:
    """Let the running front take the written configuration; False when it has it already."""
    admin = Admin(directory)
    if admin.stamp() == written_stamp(directory):
        return False
    admin.reload()
    return True


def _write_live(directory: Path, slot: str) -> None:
    write_atomic(directory / LIVE, f"{LIVE_KEY} {checked_slot(slot) if slot else 'none'}\n")


def set_live(directory: Path, slot: str) -> None:
    """From now on callers are led to `slot`; a front that does not run reads the file."""
    _write_live(directory, slot)
    with contextlib.suppress(NotRunning):
        Admin(directory).put(LIVE, LIVE_KEY, slot)


def get_live(directory: Path) -> str:
    """The slot that callers are led to, empty for none."""
    words = (read_text(directory / LIVE) or "").split()
    return words[1] if len(words) == 2 and words[1] != "none" else ""


def set_callers(directory: Path, callers: Mapping[str, str]) -> None:
    """These addresses, and no others, are led to slots of their own."""
    entries: Dict[str, str] = {
        checked_address(address): checked_slot(slot) for address, slot in callers.items()
    }
    text = "".join(f"{address} {slot}\n" for address, slot in sorted(entries.items()))
    if write_if_changed(directory / CALLERS, text):
        with contextlib.suppress(NotRunning):
            Admin(directory).replace(CALLERS, entries)


def counts(directory: Path, slot: str) -> Counts:
    """What a slot answered, over all ports; zeros where the front does not run."""
    try:
        return Admin(directory).counts(lambda name: name.endswith(f":{slot}"))
    except AdminError:
        return Counts()


def drain(directory: Path, slot: str, deadline_s: float) -> int:
    """Wait until nobody is served by `slot`, at most `deadline_s`; returns how many were cut."""
    try:
        return Admin(directory).drain(lambda name: name.endswith(f":{slot}"), deadline_s)
    except AdminError:
        return 0
