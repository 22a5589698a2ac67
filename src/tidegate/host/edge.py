"""The edge of this host: one HAProxy for all projects, its sockets held by systemd.

Each instance's claim is a file; configuration, sockets and units follow from all claims, so
`apply` may be repeated after any kill. A listening socket is a systemd unit of its own that
starts nothing: it stays open while the edge is replaced, and callers wait instead of failing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple

from tidegate.host import front, podman, systemd
from tidegate.host.errors import HostError
from tidegate.host.files import make_dir, read_json, read_text, remove, write_if_changed
from tidegate.traffic.admin import Admin, AdminError, NotRunning
from tidegate.traffic.edge import (
    Listen,
    backend_is,
    check_claims,
    edge_config,
    edge_sockets,
    socket_name,
)
from tidegate.traffic.model import Check, Claim, Copy, Counts, Published, Route, checked_slot

NAME = "tidegate-edge"
HOLDER = f"{NAME}-sockets"
LIVE = "live.map"

HOLDER_UNIT = """\
# Made by tidegate: the edge's sockets must start no service of their own.
[Unit]
Description=Holds the sockets of tidegate's edge

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=true
"""

# Without name service: the edge needs none, and a name server that Podman started for it would
# inherit the listening sockets and keep them open for as long as any container runs.
NETWORK_UNIT = f"""\
[Network]
NetworkName={NAME}
DisableDNS=true
"""

# Which descriptor is which: systemd names them, HAProxy's configuration reads variables.
ENTRY = """\
n=3
for name in $(printf %s "$LISTEN_FDNAMES" | tr : ' '); do
  export "TIDEGATE_FD_$name=$n"
  n=$((n + 1))
done
exec {command}
"""


class Places(NamedTuple):
    """Where the edge's files and units lie."""

    directory: Path
    quadlets: Path
    units: Path

    @classmethod
    def of(cls, home: Path) -> Places:
        """The usual places below a home folder."""
        return cls(
            home / ".local/share/tidegate/_edge",
            home / ".config/containers/systemd",
            home / ".config/systemd/user",
        )


@contextlib.contextmanager
def _exclusive(places: Places) -> Iterator[None]:
    make_dir(places.directory)
    fd = os.open(str(places.directory / "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def claims(places: Places) -> List[Claim]:
    """What every instance on this host has."""
    folder = places.directory / "claims"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [_decode(read_json(file) or {}) for file in files]


def claim(places: Places, wanted: Claim) -> bool:
    """Record what an instance wants; Taken when another has it. Whether it is new."""
    with _exclusive(places):
        check_claims(claims(places), wanted)
        path = places.directory / "claims" / f"{wanted.instance}.json"
        return write_if_changed(path, json.dumps(_encode(wanted), sort_keys=True))


def release_claim(places: Places, instance: str) -> bool:
    """Forget an instance's claim and its live slots."""
    with _exclusive(places):
        live = {k: v for k, v in get_live(places).items() if not k.startswith(f"{instance}/")}
        _write_live(places, live)
        return remove(places.directory / "claims" / f"{instance}.json")


def apply(places: Places, image: str) -> str:
    """Bring the running edge in line with all claims.

    Returns none, started, restarted, reloaded or removed. Only new or removed sockets, or
    another image, restart it: callers then wait, none is refused.
    """
    with _exclusive(places):
        held = claims(places)
        sockets = edge_sockets(held)
        if not sockets:
            return _remove(places)
        if not (places.directory / LIVE).exists():
            _write_live(places, {})
        write_if_changed(places.directory / front.CONFIG, edge_config(held))
        write_if_changed(places.directory / "entry.sh", ENTRY.format(command=front.command()))
        new, gone = _write_units(places, sockets, image)
        _open_sockets(places, sockets, gone)
        if new or gone or not _active():
            running = _active()
            systemd.reset_failed([NAME])
            _restart(places)
            done = "restarted" if running else "started"
        else:
            done = "none"
        return "reloaded" if front.reload(places.directory) and done == "none" else done


def _restart(places: Places) -> None:
    """To its end: the old process must not be taken for the new one, and a reload of it would
    miss the sockets that only a start passes. A start that fails is tried again by systemd.
    """
    systemd.systemctl("restart", f"{NAME}.service", check=False)
    front.started(NAME, places.directory)


def _active() -> bool:
    return systemd.show([NAME])[NAME].get("ActiveState") == "active"


def _socket_unit(listen: Listen) -> str:
    return f"{NAME}-{socket_name(listen)[1:].replace('_', '-')}"


def _write_units(places: Places, sockets: List[Listen], image: str) -> "tuple[bool, List[str]]":
    """Write what changed; whether the edge must be restarted, and the sockets that go."""
    texts = {places.units / f"{_socket_unit(s)}.socket": _socket_text(s) for s in sockets}
    other = {
        places.units / f"{HOLDER}.service": HOLDER_UNIT,
        places.quadlets / f"{NAME}.network": NETWORK_UNIT,
        places.quadlets / f"{NAME}.container": _edge_unit(places, sockets, image),
    }
    changed = [write_if_changed(path, text, 0o644) for path, text in {**texts, **other}.items()]
    gone = [path.stem for path in places.units.glob(f"{NAME}-*.socket") if path not in texts]
    for name in gone:
        systemd.systemctl("stop", f"{name}.socket", check=False)
        remove(places.units / f"{name}.socket")
        remove(places.units / "sockets.target.wants" / f"{name}.socket")
    if any(changed) or gone:
        systemd.daemon_reload()
    return any(changed), gone


def _socket_text(listen: Listen) -> str:
    address, port = listen
    bracketed = f"[{address}]" if ":" in address else address
    where = f"{bracketed}:{port}" if address else str(port)
    return (
        "# Made by tidegate: a published port.\n"
        "[Unit]\n"
        f"Description=Port {port} of tidegate's edge\n\n"
        "[Socket]\n"
        f"ListenStream={where}\n"
        f"FileDescriptorName={socket_name(listen)}\n"
        f"Service={HOLDER}.service\n"
        "Backlog=4096\n\n"
        "[Install]\n"
        "WantedBy=sockets.target\n"
    )


def _edge_unit(places: Places, sockets: List[Listen], image: str) -> str:
    names = " ".join(f"{_socket_unit(listen)}.socket" for listen in sockets)
    lines = ["# Made by tidegate: the edge of this host.", "[Unit]"]
    lines += ["Description=Leads published ports to the serving copies"]
    lines += [*(f"{key}={value}" for key, value in front.UNIT), "", "[Container]"]
    lines += [
        f"{key}={value}" for key, value in front.proxy_container(NAME, image, places.directory)
    ]
    lines += [f"Network={NAME}.network", "Entrypoint=sh", "Exec=/run/tidegate/entry.sh", ""]
    lines += ["[Service]", f"Sockets={names}"]
    lines += [f"{key}={value}" for key, value in front.SERVICE]
    return "\n".join([*lines, "", "[Install]", "WantedBy=default.target", ""])


def _open_sockets(places: Places, sockets: List[Listen], gone: List[str]) -> None:
    """Start the sockets that are not open, and let them open at boot."""
    if gone:
        systemd.systemctl("reset-failed", *[f"{name}.socket" for name in gone], check=False)
    for listen in sockets:
        name = f"{_socket_unit(listen)}.socket"
        wants = places.units / "sockets.target.wants"
        if not (wants / name).is_symlink():
            make_dir(wants)
            (wants / name).symlink_to(f"../{name}")
        systemd.systemctl("start", name, check=False)
        state = systemd.systemctl("show", "-p", "ActiveState", "--value", name).strip()
        if state != "active":
            raise HostError(
                "input",
                "port-taken",
                f"port {listen[1]} is in use on this host, or not allowed",
                subject=str(listen[1]),
                hint=f"`ss -ltnp 'sport = :{listen[1]}'` on the host says by what; ports below "
                "1024 need `tidegate host bootstrap`",
            )


def _remove(places: Places) -> str:
    if not (places.quadlets / f"{NAME}.container").exists():
        return "none"
    systemd.stop([NAME])
    for path in places.units.glob(f"{NAME}-*.socket"):
        systemd.systemctl("stop", path.name, check=False)
        remove(places.units / "sockets.target.wants" / path.name)
        remove(path)
    systemd.stop([HOLDER, f"{NAME}-network"])
    remove(places.units / f"{HOLDER}.service")
    remove(places.quadlets / f"{NAME}.container")
    remove(places.quadlets / f"{NAME}.network")
    systemd.daemon_reload()
    podman.remove_network(NAME)
    return "removed"


def _write_live(places: Places, live: Mapping[str, str]) -> None:
    text = "".join(f"{key} {slot or 'none'}\n" for key, slot in sorted(live.items()))
    write_if_changed(places.directory / LIVE, text)


def set_live(places: Places, turn: Mapping[str, str]) -> None:
    """Lead the callers of these services (`instance/service`) to these slots, or to none."""
    wanted = {key: checked_slot(slot) if slot else "" for key, slot in turn.items()}
    with _exclusive(places):
        _write_live(places, {**get_live(places), **wanted})
        with contextlib.suppress(NotRunning):
            for key, slot in sorted(wanted.items()):
                Admin(places.directory).put(LIVE, key, slot or "none")


def get_live(places: Places) -> Dict[str, str]:
    """The slot of every service that the edge serves; empty for none."""
    pairs = [line.split() for line in (read_text(places.directory / LIVE) or "").splitlines()]
    return {pair[0]: "" if pair[1] == "none" else pair[1] for pair in pairs if len(pair) == 2}


def _mine(key: str, slot: str) -> Callable[[str], bool]:
    return lambda name: backend_is(name, key, slot)


def ready(places: Places, key: str, slot: str, timeout_s: float) -> bool:
    """Whether the edge's own checks of a slot pass within `timeout_s`; True without checks."""
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(AdminError):
            if Admin(places.directory).passing(_mine(key, slot)):
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def counts(places: Places, key: str, slot: str) -> Counts:
    """What a slot answered through the edge; zeros where the edge does not run."""
    try:
        return Admin(places.directory).counts(_mine(key, slot))
    except AdminError:
        return Counts()


def latencies(places: Places, key: str, slot: str) -> List[float]:
    """Milliseconds of the last requests that a slot answered through the edge."""
    try:
        return Admin(places.directory).latencies(_mine(key, slot))
    except AdminError:
        return []


def drain(places: Places, key: str, slot: str, deadline_s: float) -> int:
    """Wait until the edge serves nobody by this slot; returns how many were cut."""
    try:
        return Admin(places.directory).drain(_mine(key, slot), deadline_s)
    except AdminError:
        return 0


def _encode(value: Claim) -> Dict[str, Any]:
    def part(item: Any) -> Dict[str, Any]:
        return {
            **vars(item),
            "copies": {slot: [list(c.addresses), c.port] for slot, c in item.copies.items()},
            "check": vars(item.check) if item.check else None,
        }

    return {
        "instance": value.instance,
        "published": [part(item) for item in value.published],
        "routes": [part(item) for item in value.routes],
    }


def _decode(value: Dict[str, Any]) -> Claim:
    def part(item: Dict[str, Any]) -> Dict[str, Any]:
        copies = {slot: Copy(tuple(c[0]), int(c[1])) for slot, c in item["copies"].items()}
        return {
            **item,
            "copies": copies,
            "check": Check(**item["check"]) if item["check"] else None,
        }

    return Claim(
        value["instance"],
        tuple(Published(**part(item)) for item in value["published"]),
        tuple(Route(**part(item)) for item in value["routes"]),
    )
