"""Runs on a lab server with the agent's own modules: two services, their front, the edge.

``PYTHONPATH=tidegate.pyz python3 stage.py COMMAND [ARGUMENT …]``; prints one JSON value.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tidegate.host import edge, front, systemd
from tidegate.host.files import write_if_changed
from tidegate.host.layout import mac
from tidegate.traffic.admin import Admin
from tidegate.traffic.model import SLOTS, Check, Claim, Copy, FrontSpec, Port, Published, Route

PROXY, PYTHON = "docker.io/library/haproxy:3.0", "docker.io/library/python:3.12-slim"
HERE = Path(__file__).resolve().parent
PLACES = edge.Places.of(Path.home())
FRONT = HERE / "front"
ADDRESS = {"web-a": 2, "web-b": 3, "api-a": 4, "api-b": 5, "front": 6}
KEYS = ("trial/web", "trial/api")


def place(name: str) -> str:
    """The fixed address of a container."""
    return f"10.93.7.{ADDRESS[name]}"


def podman(*words: str) -> str:
    """What podman says."""
    argv = ("podman", *words)
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def copies(service: str, port: int) -> dict[str, Copy]:
    """Both slots of a service."""
    return {slot: Copy((place(f"{service}-{slot}"),), port) for slot in SLOTS}


def claim(*more: Route) -> Claim:
    """What this project wants of the edge."""
    check, missing = Check("/health", timeout_s=5), Check("/missing", timeout_s=5)
    host = "web.example.com"
    return Claim(
        "trial",
        (
            Published("web", "", 8080, "http", copies("web", 8000), check),
            Published("web", "", 8082, "http", copies("web", 8000), missing),
            Published("web", "", 7070, "tcp", copies("web", 7000)),
            Published("web", "", 7071, "auto", copies("web", 7000)),
            Published("web", "", 8083, "auto", copies("web", 8000)),
            Published("web", "", 8081, "http", copies("web", 8000)),
        ),
        (
            Route("web", host, "/", 8081, copies("web", 8000)),
            Route("api", host, "/api", 8081, copies("api", 8000)),
            Route("api", "*.example.com", "/", 8081, copies("api", 8000)),
            *more,
        ),
    )


def run(name: str) -> str:
    """Start a new copy."""
    service, _, slot = name.partition("-")
    network = f"trial:ip={place(name)},mac={mac(place(name))}"
    return podman("run", "-d", "--name", name, "--network", network, "-v", f"{HERE}:/app:ro",
                  "-v", f"{HERE}/ready:/ready", PYTHON, "python3", "-u", "/app/application.py",
                  service, slot)  # fmt: skip


def up() -> str:
    """Everything runs, slot a is live."""
    podman("network", "create", "--subnet", "10.93.7.0/24", "--ip-range", "10.93.7.128/25", "trial")
    (HERE / "ready").mkdir()
    with ThreadPoolExecutor() as pool:
        pulled = pool.submit(podman, "pull", "-q", PROXY)
        podman("pull", "-q", PYTHON)
        ran = list(pool.map(run, ("web-a", "web-b", "api-a", "api-b")))
        pulled.result()
    assert all(ran)
    front.write_front(FRONT, spec(8000), "a")
    text = front.front_unit(
        name="trial-api-front",
        image=PROXY,
        directory=FRONT,
        networks=[front.FrontNetwork("trial", place("front"), ("api",))],
        labels={},
    )
    write_if_changed(PLACES.quadlets / "trial-api-front.container", text, 0o644)
    systemd.daemon_reload()
    systemd.restart("trial-api-front")
    front.ready(FRONT)
    edge.claim(PLACES, claim())
    edge.set_live(PLACES, dict.fromkeys(KEYS, "a"))
    done = edge.apply(PLACES, PROXY)
    until = time.monotonic() + 20
    while len(list((HERE / "ready").iterdir())) < 4 and time.monotonic() < until:
        time.sleep(0.02)
    return done


def spec(*ports: int) -> FrontSpec:
    """The front of api."""
    slots = {slot: (place(f"api-{slot}"),) for slot in SLOTS}
    return FrontSpec("trial", "api", tuple(Port(port, "http") for port in ports), slots)


def switch(slot: str) -> None:
    """Lead the callers of both services to a slot."""
    edge.set_live(PLACES, dict.fromkeys(KEYS, slot))
    front.set_live(FRONT, slot)


def switches(count: str, pause_s: str) -> None:
    """To and fro; both copies stay."""
    for number in range(int(count)):
        switch(SLOTS[(number + 1) % 2])
        time.sleep(float(pause_s))


def replace(old: str, new: str) -> int:
    """A whole switch: turn, drain, stop the old copies. How many sessions were cut."""
    switch(new)
    cut = sum(edge.drain(PLACES, key, old, 15) for key in KEYS) + front.drain(FRONT, old, 15)
    podman("stop", f"web-{old}", f"api-{old}")
    return cut


def start(slot: str) -> None:
    """The copies of a slot again."""
    podman("start", f"web-{slot}", f"api-{slot}")
    time.sleep(1)


def add_route(host: str) -> dict[str, Any]:
    """One route more, and one port more of the front: both reload."""
    edge.claim(PLACES, claim(Route("api", host, "/", 8081, copies("api", 8000))))
    done = edge.apply(PLACES, PROXY)
    front.write_front(FRONT, spec(8000, 8001))
    return {
        "edge": done,
        "again": edge.apply(PLACES, PROXY),
        "front": front.reload(FRONT),
        "front again": front.reload(FRONT),
        "workers": len(Admin(PLACES.directory).workers()),
    }


def restart() -> None:
    """The edge's process is replaced."""
    systemd.restart(edge.NAME)


def crash(count: str) -> None:
    """The edge dies at once, again and again."""
    for _ in range(int(count)):
        podman("kill", "--signal", "KILL", edge.NAME)
        podman("wait", "--ignore", edge.NAME)
        front.ready(PLACES.directory)


def callers() -> list[str]:
    """Whom a caller of api meets: unknown, told to the front as a new copy, forgotten again."""
    code = "import urllib.request as u;print(u.urlopen('http://api:8000/version').read().decode())"
    met = []
    for known in ({}, {place("web-b"): "b"}, {}):
        front.set_callers(FRONT, known)
        for caller in ("web-a", "web-b"):
            said = json.loads(podman("exec", caller, "python3", "-c", code))
            met.append(f"{caller} {said['version']}")
    return met


def cut(old: str, new: str) -> int:
    """Turn and drain without patience: how many sessions of a slot were cut."""
    switch(new)
    return edge.drain(PLACES, "trial/web", old, 0.2)


def check() -> str:
    """What HAProxy says of each file below `configs`; the descriptors are one socket."""
    code = (
        "import re,socket,subprocess,sys,pathlib\n"
        "s=socket.create_server(('127.0.0.1',0))\n"
        "import os;os.dup2(s.fileno(),3)\n"
        "t='for f in /c/*.cfg;do echo $f; haproxy -c -q -f $f||echo refused;done;exit 0'\n"
        "n=sorted({m for f in pathlib.Path(sys.argv[1]).glob('*.cfg') "
        "for m in re.findall(r'\\$\\{(\\w+)\\}',f.read_text())})\n"
        "e=[w for m in n for w in ('-e',m+'=3')]\n"
        "a=['podman','run','--rm','--preserve-fds=1',*e,'-v',sys.argv[1]+':/c:ro','-v',"
        "sys.argv[1]+':/run/tidegate:ro','--entrypoint','sh',sys.argv[2],'-c',t]\n"
        "r=subprocess.run(a,pass_fds=[3],capture_output=True,text=True)\n"
        "print(r.stdout+r.stderr)\n"
    )
    argv = [sys.executable, "-c", code, str(HERE / "configs"), PROXY]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
