"""Facts of a machine become findings: what is well, what is missing, the command that mends it.

Pure. The facts are those that ``probe.sh`` prints; ``now`` is seconds of Unix time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidegate.bootstrap.remedies import delegate, install, podman_remedy

OK, WARNING, MISSING = "ok", "warning", "missing"
LEAST_PODMAN = (5, 4)
LEAST_PYTHON = (3, 9)
LEAST_DISK_KB = 2 * 1024 * 1024
MOST_SKEW_S = 5.0
# Each cgroup controller, and the compose keys that need it.
CONTROLLERS = {
    "cpu": "cpus, cpu_shares",
    "memory": "mem_limit, mem_reservation, memswap_limit",
    "pids": "pids_limit",
    "io": "blkio_config",
    "cpuset": "cpuset",
}
Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``remedy`` is a command or a short instruction, empty when ok."""

    subject: str
    check: str
    state: str
    detail: str
    remedy: str = ""


def parse(text: str) -> dict[str, str]:
    """The facts in what ``probe.sh`` printed."""
    pairs = (line.partition("\t") for line in text.splitlines() if "\t" in line)
    return {name: value.strip() for name, _, value in pairs}


def version(text: str) -> tuple[int, ...]:
    """``5.4.2`` as (5, 4, 2); empty for no version."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def machine(facts: Facts) -> Iterator[Finding]:
    """What this machine needs as a controller: ssh and git always, builders for ``build:``."""
    here = "this machine"
    for name, why in (("ssh", "reaching hosts"), ("git", "naming commits")):
        if f"path_{name}" in facts:
            yield Finding(here, name, OK, facts.get(name, ""))
        else:
            yield Finding(here, name, MISSING, f"needed for {why}", install(facts, name))
    for name, why in (("podman", "building images"), ("skopeo", "copying images")):
        if f"path_{name}" in facts:
            yield Finding(here, name, OK, facts.get(name, ""))
        else:
            yield Finding(here, name, WARNING, f"needed for {why}", install(facts, name))


def host(subject: str, facts: Facts, signer: str, now: float, port: int = 0) -> Iterator[Finding]:
    """What a host needs; ``signer`` is our public key, ``port`` the lowest published one."""
    yield from programs(subject, facts)
    yield from rootless(subject, facts)
    yield from system(subject, facts, port)
    yield trusted(subject, facts, signer)
    yield disk(subject, facts)
    yield clock(subject, facts, now)


def programs(subject: str, facts: Facts) -> Iterator[Finding]:
    """Python, Podman and the programs that Podman calls."""
    python = facts.get("python", "")
    good = version(python)[:2] >= LEAST_PYTHON
    yield verdict(subject, "python3", good, python or "none", install(facts, "python3"))
    podman = facts.get("podman", "")
    if not podman:
        yield Finding(subject, "podman", MISSING, "none", podman_remedy(facts))
    else:
        good = version(podman)[:2] >= LEAST_PODMAN
        detail = podman if good else f"{podman}, and 5.4 is needed"
        yield verdict(subject, "podman", good, detail, podman_remedy(facts))
    for name in ("crun", "netavark", "aardvark-dns", "pasta", "newuidmap"):
        found = facts.get(f"path_{name}", "")
        yield verdict(subject, name, bool(found), found or "none", install(facts, name))


def rootless(subject: str, facts: Facts) -> Iterator[Finding]:
    """What a user needs to run containers that outlive a login."""
    user = facts.get("user", "deploy")
    if facts.get("uid") == "0":
        yield Finding(
            subject,
            "user",
            WARNING,
            "logs in as root: containers run rootless under a user of their own",
            "put ssh: deploy@… into tidegate.yaml, then tidegate host bootstrap",
        )
        return
    linger = "linger" in facts
    remedy = f"sudo loginctl enable-linger {user}"
    yield verdict(subject, "linger", linger, "on" if linger else "off", remedy)
    for kind in ("subuid", "subgid"):
        found = facts.get(kind, "")
        remedy = f"sudo usermod --add-{kind}s 100000-165535 {user}"
        yield verdict(subject, kind, bool(found), found or f"no range for {user}", remedy)
    bus = "bus" in facts
    detail = "runs" if bus else "no systemd for this user"
    remedy = install(facts, "dbus-user-session") + f" && sudo loginctl enable-linger {user}"
    yield verdict(subject, "user systemd", bus, detail, remedy)


def system(subject: str, facts: Facts, port: int) -> Iterator[Finding]:
    """Ports, /dev/net/tun, cgroups, the journal."""
    first = int(facts.get("first_port") or 1024)
    wanted = port or 80
    state = OK if first <= wanted else MISSING if port else WARNING
    remedy = f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={min(wanted, 80)}"
    yield Finding(subject, "ports", state, f"from {first} on", "" if state == OK else remedy)
    tun = "tun" in facts
    detail = "readable" if tun else "not readable by this user"
    yield verdict(subject, "/dev/net/tun", tun, detail, "sudo chmod 666 /dev/net/tun")
    yield limits(subject, facts)
    journal = "journal" in facts
    detail = "persistent" if journal else "volatile: a user cannot read its own logs"
    remedy = "sudo mkdir -p /var/log/journal && sudo systemctl restart systemd-journald"
    yield verdict(subject, "journal", journal, detail, remedy, WARNING)
    if "wait_exists" in facts:
        masked = "wait_masked" in facts
        unit = "podman-user-wait-network-online.service"
        detail = "masked" if masked else "can hold units back for 90 s at boot"
        remedy = f"sudo systemctl --global mask {unit}"
        yield verdict(subject, "network wait", masked, detail, remedy, WARNING)


def limits(subject: str, facts: Facts) -> Finding:
    """Which limits of compose files are enforced: those whose controller the user has."""
    delegated = facts.get("controllers", "").split()
    there = [name for name in CONTROLLERS if name in delegated]
    absent = [name for name in CONTROLLERS if name not in delegated]
    enforced = f"limits are enforced by {' '.join(there)}" if there else "no limit is enforced"
    if not absent:
        return Finding(subject, "cgroups", OK, enforced)
    keys = ", ".join(f"{name} ({CONTROLLERS[name]})" for name in absent)
    detail = f"{enforced}; not delegated to {facts.get('user', 'deploy')}: {keys}"
    return Finding(subject, "cgroups", WARNING, detail, delegate(facts))


def trusted(subject: str, facts: Facts, signer: str) -> Finding:
    """Whether the host takes releases that we sign."""
    key = " ".join(signer.split()[:2])
    known = [entry for entry in facts.get("signers", "").split(";") if entry.strip()]
    if any(key and key in entry for entry in known):
        return Finding(subject, "signers", OK, "our key is known")
    remedy = "tidegate host bootstrap adds it"
    if known:
        return Finding(subject, "signers", MISSING, "our signing key is not among them", remedy)
    return Finding(subject, "signers", OK, "none yet: the first deployment sets ours")


def disk(subject: str, facts: Facts) -> Finding:
    """Room for images: 2 GiB at least."""
    free = int(facts.get("disk_free") or 0)
    detail = f"{free / 1024 / 1024:.1f} GiB free"
    remedy = "free some: podman system prune, or a larger disk"
    return verdict(subject, "disk", free >= LEAST_DISK_KB, detail, remedy, WARNING)


def clock(subject: str, facts: Facts, now: float) -> Finding:
    """The two clocks within 5 s of each other."""
    skew = float(facts.get("clock") or 0) - now
    detail = f"{skew:+.0f} s against ours" if abs(skew) >= 1 else "as ours"
    remedy = "sudo timedatectl set-ntp true"
    return verdict(subject, "clock", abs(skew) <= MOST_SKEW_S, detail, remedy, WARNING)


def verdict(
    subject: str, check: str, good: bool, detail: str, remedy: str, otherwise: str = MISSING
) -> Finding:
    """A finding that is ok, or ``otherwise`` with its remedy."""
    if good:
        return Finding(subject, check, OK, detail)
    return Finding(subject, check, otherwise, detail, remedy)
