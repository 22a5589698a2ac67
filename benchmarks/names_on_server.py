"""The part of benchmarks/names.py that runs on the server, as the deploy user.

    PYTHONPATH=AGENT.pyz python3 names_on_server.py SETUP.json

Every candidate leads the callers of one service to copy a or b: two small HTTP servers that
answer their own name. All run at once; rounds of load take turns, so that whatever else the
machine does meets all of them alike.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tidegate.host import front
from tidegate.traffic.model import FrontSpec, Port

NET, SUBNET = "bench-names", "10.209.77"
LIVE_NET, LIVE_SUBNET = "bench-names-live", "10.209.78"
FOLDER = Path.home() / "bench-names"
CPU = Path("/sys/fs/cgroup/user.slice/user-1000.slice/cpu.stat")
COPIES = {"a": f"{SUBNET}.11", "b": f"{SUBNET}.12"}
COPY_CONFIG = """\
global
  nbthread 1
defaults
  mode http
  timeout client 1h
  timeout http-keep-alive 1h
frontend app
  bind :8000
  bind :9100
  http-request return status 200 content-type text/plain string {name}
"""


def podman(*words, check=True):
    """Podman's output; its words on stderr when it fails."""
    done = subprocess.run(["podman", *words], capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"podman {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def start_copies(image):
    """Copies a and b of `web`, and one of `api` on the same port."""
    for name, address in [(f"web-{s}", ip) for s, ip in COPIES.items()] + [("api", f"{SUBNET}.13")]:
        folder = FOLDER / name
        folder.mkdir(parents=True)
        (folder / "haproxy.cfg").write_text(COPY_CONFIG.format(name=name))
        podman(
            "run",
            "-d",
            "--name",
            f"bench-{name}",
            "--network",
            f"{NET}:ip={address}",
            "-v",
            f"{folder}:/conf:ro",
            image,
            "haproxy",
            "-db",
            "-f",
            "/conf/haproxy.cfg",
        )


def start_proxy(name, mode, address, aliases, image, ports=(8000, 9100)):
    """A proxy with the product's own configuration, bearing `aliases`."""
    folder = FOLDER / name
    spec = FrontSpec(
        "bench",
        name,
        tuple(Port(port, mode) for port in ports),
        {slot: (ip,) for slot, ip in COPIES.items()},
    )
    front.write_front(folder, spec, "a")
    network = ",".join([f"{NET}:ip={address}", *(f"alias={alias}" for alias in aliases)])
    podman(
        "run",
        "-d",
        "--name",
        f"bench-{name}",
        "--user",
        "0",
        "--network",
        network,
        "-v",
        f"{folder}:/run/tidegate",
        image,
        *front.command().split(),
    )
    front.ready(folder)
    return folder


def move(slot):
    """Network per slot: the name moves with the network that callers are on."""
    other = "b" if slot == "a" else "a"
    podman("network", "connect", "--alias", "web-move", LIVE_NET, f"bench-web-{slot}")
    podman("network", "disconnect", LIVE_NET, f"bench-web-{other}")


def call(target, seconds, keep, new, python, network=NET):
    """A caller's container at work; returns the process."""
    return subprocess.Popen(
        [
            "podman",
            "run",
            "--rm",
            "--network",
            network,
            "-v",
            f"{FOLDER}:/load:ro",
            python,
            "python3",
            "/load/names_load.py",
            target,
            str(seconds),
            str(keep),
            str(new),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process):
    """What a caller printed."""
    out, err = process.communicate(timeout=120)
    if process.returncode:
        raise SystemExit(err)
    return json.loads(out)


def cpu_us():
    """Microseconds that all of this user's processes have used."""
    return int(CPU.read_text().split()[1])


def steady(target, setup, network):
    """One round of load without a switch: latency, and CPU per request of both ends and between."""
    before = cpu_us()
    idle = told(call(target, 0.1, 1, 0, setup["python"], network))
    middle = cpu_us()
    found = told(call(target, setup["seconds"], 4, 0, setup["python"], network))
    overhead = middle - before
    found["cpu_us"] = (cpu_us() - middle - overhead) / max(1, found["requests"] - idle["requests"])
    return found


def switches(target, switch, setup, network):
    """Switch to and fro under load; every failed request counts."""
    seconds = setup["switches"] * setup["pause_s"] + 3
    process = call(target, seconds, 4, 2, setup["python"], network)
    time.sleep(1.5)
    took = []
    for number in range(setup["switches"]):
        begin = time.perf_counter()
        switch("b" if number % 2 == 0 else "a")
        took.append((time.perf_counter() - begin) * 1000)
        time.sleep(max(0.0, setup["pause_s"] - took[-1] / 1000))
    found = told(process)
    return {key: found[key] for key in ("requests", "failed", "failures", "answers")} | {
        "switches": len(took),
        "switch_ms": round(statistics.median(took), 1),
    }


def memory_kib(container):
    """Proportional memory of a container's processes and of its conmon, in KiB."""
    pids = podman("inspect", "--format", "{{.State.ConmonPid}}", container).split()
    pids += podman("top", container, "hpid").split()[1:]
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def many(image, count):
    """Memory for each of `count` more fronts, idle, beside each other."""
    names = [f"more-{number}" for number in range(count)]
    for number, name in enumerate(names):
        start_proxy(name, "http", f"{SUBNET}.{60 + number}", [name], image)
    return round(statistics.mean(memory_kib(f"bench-{name}") for name in names))


def once(target, python, network=NET):
    """Who answers one request, or the failure."""
    found = told(call(target, 0.05, 1, 0, python, network))
    return next(iter(found["answers"] or found["failures"]))


def clean():
    """Remove whatever an earlier run left."""
    names = podman("ps", "-a", "--filter", "name=^bench-", "--format", "{{.Names}}").split()
    if names:
        podman("rm", "-f", "-t", "0", *names)
    podman("network", "rm", "-f", NET, LIVE_NET, check=False)


def candidates(image):
    """name → (what callers call, network, how it switches, its container)."""
    spots = {}
    for number, mode in enumerate(("http", "tcp", "auto")):
        name = f"front-{mode}"
        folder = start_proxy(name, mode, f"{SUBNET}.{20 + number}", [f"web-{mode}"], image)
        spots[name] = (f"web-{mode}", NET, lambda slot, f=folder: front.set_live(f, slot))
    edge = start_proxy("edge", "http", f"{SUBNET}.30", ["web-edge", "api-edge"], image, (8000,))
    spots["edge-with-aliases"] = ("web-edge", NET, lambda slot: front.set_live(edge, slot))
    podman("network", "connect", "--alias", "web-move", LIVE_NET, "bench-web-a")
    spots["network-per-slot"] = ("web-move", LIVE_NET, move)
    return {"direct": (COPIES["a"], NET, None), **spots}


def main():
    """Set up, measure, clean up, print."""
    setup = json.loads(Path(sys.argv[1]).read_text())
    clean()
    for net, subnet in ((NET, SUBNET), (LIVE_NET, LIVE_SUBNET)):
        podman(
            "network", "create", "--subnet", f"{subnet}.0/24", "--ip-range", f"{subnet}.128/25", net
        )
    start_copies(setup["image"])
    spots = candidates(setup["image"])
    result = {name: {"rounds": []} for name in spots}
    for _ in range(setup["rounds"]):
        for name, (host, net, _switch) in spots.items():
            result[name]["rounds"].append(steady(f"{host}:8000", setup, net))
    for name, (host, net, switch) in spots.items():
        result[name]["undeclared_port"] = once(f"{host}:9100", setup["python"], net)
        if name.startswith(("front", "edge")):
            result[name]["memory_kib"] = memory_kib(f"bench-{name}")
        if switch is not None:
            result[name]["under_switches"] = switches(f"{host}:8000", switch, setup, net)
    other = once("api-edge:8000", setup["python"])
    extra = {"edge_answers_for_api": other, "idle_front_kib": many(setup["image"], setup["many"])}
    clean()
    print(json.dumps({"candidates": result, **extra}))


if __name__ == "__main__":
    main()
