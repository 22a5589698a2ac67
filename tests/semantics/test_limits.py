"""Limits: in the unit, in podman's argv, in the container, and enforced where they can be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.semantics.site import Site, until
from tidegate.testing.quadlet.argv import podman_argv

pytestmark = pytest.mark.lab

SLEEP: dict[str, Any] = {"image": "busybox:1", "init": True, "command": "sleep 1d"}
MIB = 1 << 20
DEPLOYED = {
    "limits": {"memory": "64M", "cpus": "0.5", "pids": 20},
    "reservations": {"memory": "32M", "cpus": "0.1"},
}
LIMITED: dict[str, dict[str, Any]] = {
    "memory": {"mem_limit": "64m", "memswap_limit": "64m", "mem_reservation": "32m"},
    "cpu": {"cpus": 0.5, "cpu_shares": 512},
    "cores": {"cpuset": "0"},
    "pids": {"pids_limit": 20},
    "disk": {"blkio_config": {"weight": 300}},
    "deployed": {"deploy": {"resources": DEPLOYED}},
    # Limits of processes, which need no controller.
    "own": {
        "shm_size": "2m",
        "oom_score_adj": 700,
        "ulimits": {"nofile": {"soft": 64, "hard": 128}, "core": 0, "nproc": 10**9},
    },
}
# What podman inspect says of them, in HostConfig.
KNOWN: dict[str, dict[str, Any]] = {
    "memory": {"Memory": 64 * MIB, "MemorySwap": 64 * MIB, "MemoryReservation": 32 * MIB},
    "cpu": {"NanoCpus": 500_000_000, "CpuShares": 512},
    "cores": {"CpusetCpus": "0"},
    "pids": {"PidsLimit": 20},
    "disk": {"BlkioWeight": 300},
    "deployed": {
        "Memory": 64 * MIB,
        "MemoryReservation": 32 * MIB,
        "NanoCpus": 500_000_000,
        "PidsLimit": 20,
    },
    "own": {"ShmSize": 2 * MIB, "OomScoreAdj": 700},
}
# The controller of each limit as the plan names it, and the files of a cgroup that hold it.
NEEDS = {
    "memory": (
        "memory",
        ["memory 67108864", "memory-swap 67108864", "memory-reservation 33554432"],
    ),
    "cpu": ("cpu", ["cpus 0.5", "cpu-shares 512"]),
    "cores": ("cpuset", ["cpuset-cpus 0"]),
    "pids": ("pids", ["pids-limit 20"]),
    "disk": ("io", ["blkio-weight 300"]),
}
FILES = {
    "memory": {"memory.max": "67108864", "memory.low": "33554432", "memory.swap.max": "0"},
    "cpu": {"cpu.max": "50000 100000"},
    "cores": {"cpuset.cpus": "0"},
    "pids": {"pids.max": "20"},
}
PROJECT = {"services": {name: {**SLEEP, **body} for name, body in LIMITED.items()}}
# What only a unit gives a container: without them, one is created that nobody starts.
OF_UNITS = ("--cgroups=split", "--sdnotify=", "--replace", "--rm", "-d", "--cidfile")


def created(site: Site) -> dict[str, dict[str, Any]]:
    """HostConfig of the containers that the exported units' own argv create, by service."""
    there, out = "/tmp/semantics-limits", site.folder / "out"
    site.run("export", "quadlet", "--project", site.name, "--out", str(out))
    site.on_server("sh", "-c", f"rm -rf {there}; mkdir {there}")
    for path in out.iterdir():
        site.on_server("sh", "-c", f"cat > {there}/{path.name}", given=path.read_text())
    make = ["env", f"QUADLET_UNIT_DIRS={there}", "/usr/libexec/podman/quadlet", "-user", "-dryrun"]
    text = site.on_server(*make)
    found = {}
    for name in LIMITED:
        unit = text.partition(f"---{site.name}-{name}.service---")[2].partition("\n---")[0]
        argv = podman_argv(unit)
        words = [word for word in argv[2:] if not word.startswith(OF_UNITS)]
        words[words.index("--network") + 1] = "none"
        made = site.podman("create", *words).strip()
        (found[name],) = json.loads(site.podman("inspect", "--format=[{{json .HostConfig}}]", made))
        site.podman("rm", made)
    return found


def delegated(site: Site) -> set[str]:
    """The controllers that the user's systemd has, read from the server itself."""
    path = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers"
    return set(site.on_server("cat", path).split())


def test_limits(site: Site) -> None:
    """Each is carried to the container; where the server cannot enforce one, that is said."""
    site.write(PROJECT)
    hosts = created(site)
    for name, keys in KNOWN.items():
        assert {key: hosts[name][key] for key in keys} == keys, name

    there = delegated(site)
    said = site.deploy().stderr
    plan = json.loads(site.run("plan", "--json").stdout)["data"]
    told = {(item["service"], item["limit"]) for item in plan["unenforced"]}
    for name, (controller, limits) in NEEDS.items():
        for limit in limits:
            assert ((name, limit) in told) == (controller not in there), limit
            assert (f"{name}: {limit} is not enforced" in said) == (controller not in there)
        if controller in there:
            enforced(site, name)
    assert ("own", "ulimit nproc=1000000000:1000000000") in told
    doctor = json.loads(site.run("doctor", "--json", code=None).stdout)["data"]["findings"]
    (finding,) = [found for found in doctor if found["check"] == "cgroups"]
    for controller in ("cpu", "memory", "pids", "io", "cpuset"):
        absent = finding["detail"].partition("not delegated")[2]
        assert (f" {controller} (" in absent) == (controller not in there), finding
    assert bool(finding["remedy"]) == (finding["state"] == "warning")
    of_processes(site)


def enforced(site: Site, name: str) -> None:
    """The kernel has the limit, and a process that oversteps it is stopped."""
    host = site.container(name)["HostConfig"]
    assert {key: host[key] for key in KNOWN[name]} == KNOWN[name]
    for file, text in FILES.get(name, {}).items():
        assert site.exec(name, "cat", f"/sys/fs/cgroup/{file}").strip() == text
    container = site.container(name)["Name"]
    if name == "memory":
        eat = ["podman", "exec", container, "dd", "if=/dev/zero", "of=/dev/null", "bs=200M"]
        assert site.server.run(eat, check=False).returncode == 137
    if name == "pids":
        fork = ["sh", "-c", "for i in $(seq 40); do sleep 5 & done"]
        done = site.server.run(["podman", "exec", container, *fork], check=False)
        assert "fork" in done.stderr


def of_processes(site: Site) -> None:
    """Open files, core dumps, shared memory and the OOM score are limited in the container."""
    limits = site.exec(
        "own", "sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/1/oom_score_adj"
    )
    assert limits.split() == ["64", "128", "0", "700"]
    fill = "dd if=/dev/zero of=/dev/shm/x bs=1M count=3 2>&1; true"
    assert "No space left" in site.exec("own", "sh", "-c", fill)
    many = 'for i in $(seq 3 70); do eval "exec $i</dev/null" || break; done 2>&1; true'
    until(lambda: site.exec("own", "sh", "-c", many, check=False), lambda text: "open" in text)
