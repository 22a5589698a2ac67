"""Runs on the server, as the user who deploys: builds each candidate, measures it, prints JSON.

    PYTHONPATH=tidegate.pyz python3 driver.py FOLDER [--rounds N] [--switches N]

Everything it makes is called names-…, and is removed at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from containers import memory_kib, pids, podman, running_us

from tidegate.host import front
from tidegate.host.layout import mac
from tidegate.traffic.model import SLOTS, FrontSpec, Port
from tidegate.traffic.proxy import FOLDER, backend, defaults, process, stamped

PYTHON = "docker.io/library/python:3.12-slim"
PROXY = "docker.io/library/haproxy:3.0"
NET, SUBNET = "names", "10.91.0"
HERE = Path(__file__).parent
SERVICES = ("web", "api", "cache")
ADDRESS = {
    **{f"{s}-{x}": f"{SUBNET}.{10 + 2 * i + j}" for i, s in enumerate(SERVICES)
       for j, x in enumerate(SLOTS)},
    **{f"front-{s}": f"{SUBNET}.{30 + i}" for i, s in enumerate(SERVICES)},
    "edge": f"{SUBNET}.40", "edge20": f"{SUBNET}.41", "d-web": f"{SUBNET}.42",
    "client": f"{SUBNET}.50",
}  # fmt: skip
PORTS = (Port(8000, "http"), Port(8001, "auto"), Port(9000, "auto"), Port(7000, "auto"),
         Port(7001, "tcp"))  # fmt: skip


def joined(name: str, aliases: Iterable[str] = ()) -> str:
    """The --network argument of a container with its fixed place."""
    address = ADDRESS[name]
    return f"{NET}:ip={address},mac={mac(address)}" + "".join(f",alias={a}" for a in aliases)


class Bench:
    """The project's network, the copies, and a caller on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ready").mkdir(parents=True, exist_ok=True)

    # -- what runs ----------------------------------------------------------------------------

    def application(self, container: str, service: str, slot: str, network: str) -> None:
        """A copy, made and started."""
        podman("create", "--name", f"names-{container}", "--network", network, "--stop-timeout",
               "5", "-v", f"{HERE}:/b:ro", "-v", f"{self.folder}/ready:/ready", PYTHON, "python3",
               "/b/app.py", service, slot, f"/ready/{container}")  # fmt: skip
        self.start(container)

    def start(self, container: str) -> None:
        """Start a copy, and wait until it listens."""
        ready = self.folder / "ready" / container
        ready.unlink(missing_ok=True)
        podman("start", f"names-{container}")
        until = time.monotonic() + 20
        while not ready.exists():
            if time.monotonic() > until:
                raise RuntimeError(f"{container} does not start")
            time.sleep(0.01)

    def proxy(self, container: str, aliases: Iterable[str]) -> None:
        """A HAProxy on the network, as fronts are."""
        podman("run", "-d", "--name", f"names-{container}", "--network",
               joined(container, aliases), "--user", "0", "-v",
               f"{self.folder}/{container}:{FOLDER}", PROXY, *front.command().split())  # fmt: skip
        front.ready(self.folder / container)

    def fronts(self) -> None:
        """A front per service."""
        for service in SERVICES:
            slots = {x: (ADDRESS[f"{service}-{x}"],) for x in SLOTS}
            spec = FrontSpec("names", service, PORTS, slots)
            front.write_front(self.folder / f"front-{service}", spec, "a")
            self.proxy(f"front-{service}", [service])

    def edges(self) -> None:
        """The edge under the names e-web, e-api, …; and one with twenty services to weigh."""
        for name, services in (
            ("edge", SERVICES),
            ("edge20", tuple(f"{SERVICES[n % 3]}.{n}" for n in range(20))),
        ):
            folder = self.folder / name
            slots = {x: (ADDRESS[f"web-{x}"],) for x in SLOTS}
            front.write_front(folder, FrontSpec("names", "web", PORTS, slots), "a")
            (folder / front.CONFIG).write_text(edge_config(services))
            self.proxy(name, [f"e-{service}" for service in services] if name == "edge" else [])

    def network_per_slot(self) -> None:
        """Copies on networks of their own; the live one is also on the project's, by its name."""
        for slot in SLOTS:
            podman("network", "create", "--subnet", f"10.92.{ord(slot)}.0/24", f"{NET}-{slot}")
            self.application(f"n-web-{slot}", "web", slot, f"{NET}-{slot}")
        podman("network", "connect", "--alias", "n-web", NET, "names-n-web-a")

    # -- what is asked ------------------------------------------------------------------------

    def call(self, *words: object) -> dict[str, Any]:
        """One run of the client."""
        return dict(json.loads(podman("exec", "names-client", "python3", "/b/client.py",
                                      *map(str, words))))  # fmt: skip

    def says(self, code: str, stranger: bool = False) -> str:
        """What a caller on the network sees; a stranger is a container nobody declared."""
        where = ["run", "--rm", "--network", NET, PYTHON] if stranger else ["exec", "names-client"]
        return podman(*where, "python3", "-c", code, check=False) or "nothing"

    def cpu_us(self, containers: Iterable[str]) -> float:
        """CPU time of containers' processes so far."""
        return sum(running_us(pid) for name in containers for pid in pids(name)[1:])

    @contextlib.contextmanager
    def clean(self) -> Iterator[None]:
        """Nothing of ours before and after."""
        self.remove()
        try:
            yield
        finally:
            self.remove()

    def remove(self) -> None:
        """Remove what is called names-…"""
        found = podman("ps", "-aq", "--filter", "name=^names-").split()
        if found:
            podman("rm", "-f", "-t", "0", *found)
        podman("network", "rm", "-f", NET, f"{NET}-a", f"{NET}-b", check=False)


def edge_config(services: Iterable[str]) -> str:
    """One proxy for all services: who is meant, the Host header says, if there is one."""
    lines = process(descriptors=10000) + defaults()
    names = list(services)
    for port, kind in ((8000, "http"), (9000, "http"), (7001, "tcp")):
        lines += [f"frontend port:{port}", f"  bind :{port}", f"  mode {kind}"]
        live = f"%[str(live),map({FOLDER}/live.map,none)]"
        meant = "{{ req.hdr(host),host_only,lower -m str e-{0} }}"
        if kind == "http":
            lines += [f"  use_backend {kind}:{port}:{s}:{live} if {meant.format(s)}" for s in names]
        lines += [f"  use_backend {kind}:{port}:{names[0]}:{live}", ""]
        for service in names:
            for slot in SLOTS:
                target = (ADDRESS[f"{service.partition('.')[0]}-{slot}"], port)
                lines += backend(f"{kind}:{port}:{service}:{slot}", kind, [target])
    return stamped(lines)


# -- the measurements -------------------------------------------------------------------------

CANDIDATES: dict[str, tuple[str, int, str, tuple[str, ...], tuple[str, ...]]] = {
    # address, port, name in Host, its proxy, its copies
    "direct": (ADDRESS["web-a"], 8000, "web", (), ("web-a",)),
    "front": (ADDRESS["front-web"], 8000, "web", ("front-web",), ("web-a",)),
    "front, auto": (ADDRESS["front-web"], 8001, "web", ("front-web",), ("web-a",)),
    "edge": (ADDRESS["edge"], 8000, "e-web", ("edge",), ("web-a",)),
    "network per slot": ("n-web", 8000, "n-web", (), ("n-web-a",)),
}


def paths(bench: Bench, rounds: int) -> dict[str, dict[str, float]]:
    """Latency with one connection, CPU with eight; the candidates take turns.

    Of the latencies the least of all rounds: others use this machine too, and what disturbs one
    round is not the candidate's. Of the CPU the median.
    """
    targets = {}
    for name, (address, port, host, _, _) in CANDIDATES.items():
        if not address[0].isdigit():
            address = bench.says(f"import socket;print(socket.gethostbyname('{address}'))")
        targets[name] = (address, port, host)
    latency = bench.call("turns", json.dumps(targets), rounds * 3, 0.25)
    found = {
        name: {key: round(min(values), 1) for key, values in figures.items()}
        for name, figures in latency.items()
    }
    spent: dict[str, dict[str, list[float]]] = {name: {} for name in CANDIDATES}
    for _ in range(rounds):
        for name, (*_, proxies, copies) in CANDIDATES.items():
            address, port, host = targets[name]
            before = bench.cpu_us(proxies), bench.cpu_us(copies)
            got = bench.call("keep", address, port, 1, 8, "/", "--name", host)
            after = bench.cpu_us(proxies), bench.cpu_us(copies)
            values = (after[0] - before[0], after[1] - before[1], got["cpu_us"])
            for word, value in zip(("proxy", "copy", "client"), values, strict=True):
                spent[name].setdefault(f"cpu_{word}_us", []).append(value / got["requests"])
    for name, figures in spent.items():
        found[name].update({k: round(statistics.median(v), 1) for k, v in figures.items()})
    return found


def switches(
    bench: Bench, host: str, count: int, switch: Callable[[str, str], float]
) -> dict[str, Any]:
    """What callers see of `count` switches; `switch` gives the seconds that names were moved in."""
    stop = bench.folder / "ready" / "stop"
    stop.unlink(missing_ok=True)
    argv = ["podman", "exec", "names-client", "python3", "/b/client.py", "mixed", host, "8000",
            "120", "8", "/work", "--until", "/ready/stop"]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
        time.sleep(0.7)
        took = []
        for number in range(count):
            took.append(switch(SLOTS[number % 2], SLOTS[(number + 1) % 2]))
            time.sleep(0.2)
        stop.touch()
        out, _ = client.communicate(timeout=30)
    got = json.loads(out)
    return {
        "switches": count,
        "requests": got["requests"],
        "failed": got["failed"],
        "failures": got["failures"],
        "answers": got["answers"],
        "slowest_ms": round(got["max_us"] / 1000, 1),
        "switch_ms": round(statistics.median(took) * 1000, 2),
    }


def all_switches(bench: Bench, count: int) -> dict[str, dict[str, Any]]:
    """The four ways to lead callers elsewhere."""

    def by_map(folder: str) -> Callable[[str, str], float]:
        def switch(old: str, new: str) -> float:
            bench.start(f"web-{new}")
            began = time.perf_counter()
            front.set_live(bench.folder / folder, new)
            took = time.perf_counter() - began
            front.drain(bench.folder / folder, old, 10)
            podman("stop", f"names-web-{old}")
            return took

        return switch

    def by_network(old: str, new: str) -> float:
        bench.start(f"n-web-{new}")
        began = time.perf_counter()
        podman("network", "connect", "--alias", "n-web", NET, f"names-n-web-{new}")
        podman("network", "disconnect", NET, f"names-n-web-{old}")
        took = time.perf_counter() - began
        podman("stop", f"names-n-web-{old}")
        return took

    def in_place(_old: str, _new: str) -> float:
        began = time.perf_counter()
        podman("stop", "names-d-web")
        bench.start("d-web")
        return time.perf_counter() - began

    for name in ("web-b", "n-web-b"):
        podman("stop", f"names-{name}")
    count -= count % 2
    found = {
        "direct": switches(bench, "d-web", count, in_place),
        "front": switches(bench, "web", count, by_map("front-web")),
        "edge": switches(bench, "e-web", count, by_map("edge")),
        "network per slot": switches(bench, "n-web", count, by_network),
    }
    for name in ("web-b", "n-web-b"):
        bench.start(name)
    return found


def http_code(name: str, port: int, host: str = "") -> str:
    """Python that prints who answers a request."""
    headers = {"Host": host} if host else {}
    return (
        f"import urllib.request as u;r=u.Request('http://{name}:{port}/',headers={headers!r});"
        "print(u.urlopen(r,timeout=3).read().decode().strip())"
    )


def tcp_code(name: str, port: int) -> str:
    """Python that prints whose first line a TCP client gets."""
    return (
        f"import socket;s=socket.create_connection(('{name}',{port}),3);s.settimeout(3);"
        "print(s.makefile().readline().strip())"
    )


def reach(bench: Bench) -> dict[str, dict[str, str]]:
    """Who answers whom, when slot a is live and b runs too; `web` and `api` use equal ports."""
    found: dict[str, dict[str, str]] = {}
    for candidate, dot in (("front", ""), ("edge", "e-"), ("network per slot", "n-")):
        web, api = f"{dot}web", f"{dot}api"
        both = candidate != "network per slot"
        found[candidate] = {
            "undeclared caller of web": bench.says(http_code(web, 8000), stranger=True),
            "undeclared port of web": bench.says(http_code(web, 9000)),
            "api, the same port, HTTP": bench.says(http_code(api, 8000)) if both else "as direct",
            "api, another Host header": (
                bench.says(http_code(api, 8000, "example.com")) if both else "as direct"
            ),
            "api, the same port, TCP": bench.says(tcp_code(api, 7001)) if both else "as direct",
        }
    known = bench.folder / "front-web"
    front.set_callers(known, {ADDRESS["client"]: "b"})
    found["front"]["new copy asks for web"] = bench.says(http_code("web", 8000))
    front.set_callers(known, {})
    return found


def weigh() -> dict[str, dict[str, int]]:
    """Memory of each kind of container; three fronts share the pages of one image."""
    fronts = [memory_kib(f"front-{service}") for service in SERVICES]
    return {
        "front": {key: round(statistics.mean(f[key] for f in fronts)) for key in fronts[0]},
        "edge, 3 services": memory_kib("edge"),
        "edge, 20 services": memory_kib("edge20"),
        "copy": memory_kib("web-a"),
    }


def main() -> None:
    """Everything, in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--switches", type=int, default=10)
    asked = parser.parse_args()
    bench = Bench(asked.folder)
    with bench.clean():
        podman("network", "create", "--subnet", f"{SUBNET}.0/24", "--ip-range",
               f"{SUBNET}.128/25", NET)  # fmt: skip
        for service in SERVICES:
            for slot in SLOTS:
                container = f"{service}-{slot}"
                bench.application(container, service, slot, joined(container))
        bench.application("d-web", "web", "only", joined("d-web", ["d-web"]))
        podman("run", "-d", "--name", "names-client", "--network", joined("client"), "-v",
               f"{HERE}:/b:ro", "-v", f"{asked.folder}/ready:/ready", "--init", PYTHON, "sleep",
               "3600")  # fmt: skip
        bench.fronts()
        bench.edges()
        bench.network_per_slot()
        address = ADDRESS["front-web"]
        figures = {
            "reach": reach(bench),
            "memory_kib": weigh(),
            "paths": paths(bench, asked.rounds),
            "server_speaks_first_p50_us": {
                "direct": bench.call("banner", ADDRESS["web-a"], 7000, 1, 1, "/")["p50_us"],
                "front, tcp": bench.call("banner", address, 7001, 1, 1, "/")["p50_us"],
                "front, auto": bench.call("banner", address, 7000, 2, 1, "/")["p50_us"],
            },
            "name_lookup_p50_us": lookup(bench),
            "switches": all_switches(bench, asked.switches),
        }
        figures["podman"] = podman("version", "-f", "{{.Client.Version}}")
        figures["haproxy"] = podman("exec", "names-edge", "haproxy", "-v").split()[2]
    print(json.dumps(figures))


def lookup(bench: Bench) -> float:
    """What asking the network's name server costs, whichever way names lead to copies."""
    code = (
        "import socket,time\nfound=[]\nfor _ in range(200):\n b=time.perf_counter()\n"
        " socket.gethostbyname('web');found.append(time.perf_counter()-b)\n"
        "print(round(sorted(found)[100]*1e6,1))"
    )
    return float(bench.says(code))


if __name__ == "__main__":
    main()
