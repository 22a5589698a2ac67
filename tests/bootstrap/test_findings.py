"""Facts of a machine become findings, each lack with the command that mends it."""

from __future__ import annotations

import pytest

from tidegate.bootstrap import findings, probe
from tidegate.bootstrap.findings import MISSING, OK, WARNING, Facts, Finding
from tidegate.bootstrap.remedies import podman_remedy

KEY = "ssh-ed25519 AAAAkey"
NOW = 1_800_000_000.0
READY: Facts = {
    "user": "deploy",
    "uid": "1000",
    "distribution": "debian",
    "release": "13",
    "python": "3.13.5",
    "podman": "5.4.2",
    **{f"path_{n}": f"/usr/bin/{n}" for n in ("crun", "netavark", "aardvark-dns", "pasta")},
    "path_newuidmap": "/usr/bin/newuidmap",
    "linger": "yes",
    "subuid": "deploy:100000:65536",
    "subgid": "deploy:100000:65536",
    "bus": "yes",
    "first_port": "80",
    "tun": "yes",
    "controllers": "cpuset cpu io memory pids",
    "kernel_controllers": "cpuset cpu io memory hugetlb pids rdma misc",
    "journal": "yes",
    "disk_free": "20000000",
    "signers": f"{KEY};",
    "clock": "1800000001",
}


def found(facts: Facts, **options: int) -> dict[str, Finding]:
    """The findings of a host, by what was looked at."""
    return {f.check: f for f in findings.host("web-1", facts, KEY, NOW, **options)}


def test_a_ready_host_lacks_nothing() -> None:
    """Every finding of a ready host is ok and needs no remedy."""
    assert {(f.state, f.remedy) for f in found(READY).values()} == {(OK, "")}


@pytest.mark.parametrize(
    ("fact", "value", "check", "state", "remedy"),
    [
        ("python", "3.8.1", "python3", MISSING, "apt-get install python3"),
        ("podman", "5.3.9", "podman", MISSING, "apt-get install podman"),
        ("podman", "", "podman", MISSING, "apt-get install podman"),
        ("path_newuidmap", "", "newuidmap", MISSING, "apt-get install uidmap"),
        ("path_pasta", "", "pasta", MISSING, "apt-get install passt"),
        ("linger", "", "linger", MISSING, "loginctl enable-linger deploy"),
        ("subgid", "", "subgid", MISSING, "usermod --add-subgids"),
        ("bus", "", "user systemd", MISSING, "dbus-user-session"),
        ("first_port", "1024", "ports", WARNING, "ip_unprivileged_port_start=80"),
        ("tun", "", "/dev/net/tun", MISSING, "chmod 666 /dev/net/tun"),
        ("controllers", "memory pids", "cgroups", WARNING, "Delegate=cpu cpuset io memory pids"),
        ("journal", "", "journal", WARNING, "/var/log/journal"),
        ("signers", "ssh-ed25519 other;", "signers", MISSING, "host bootstrap"),
        ("disk_free", "1000000", "disk", WARNING, "prune"),
        ("clock", "1800000009", "clock", WARNING, "set-ntp"),
    ],
)
def test_each_lack_has_its_remedy(
    fact: str, value: str, check: str, state: str, remedy: str
) -> None:
    """One fact amiss gives one finding that is not ok, with a command that mends it."""
    facts = {name: text for name, text in {**READY, fact: value}.items() if text}
    amiss = [f for f in found(facts).values() if f.state != OK]
    assert [(f.check, f.state) for f in amiss] == [(check, state)]
    assert remedy in amiss[0].remedy


def test_each_controller_is_told_with_the_keys_that_need_it() -> None:
    """A host says which limits it enforces, which it does not, and what mends it where it can."""
    some = found({**READY, "controllers": "memory pids"})["cgroups"]
    assert some.state == WARNING
    assert some.detail == (
        "limits are enforced by memory pids; not delegated to deploy: "
        "cpu (cpus, cpu_shares), io (blkio_config), cpuset (cpuset)"
    )
    assert "systemctl restart user@1000.service" in some.remedy
    mixed = {**READY, "controllers": "", "kernel_controllers": "hugetlb"}
    none = found(mixed)["cgroups"]
    assert none.detail.startswith("no limit is enforced; not delegated to deploy: cpu (")
    assert "systemd.unified_cgroup_hierarchy=1" in none.remedy


def test_a_published_port_that_is_too_low_is_a_lack() -> None:
    """A port that the project needs and the user may not open is more than a warning."""
    facts = {**READY, "first_port": "1024"}
    assert found(facts, port=443)["ports"].state == MISSING
    assert found(facts, port=8080)["ports"].state == OK


def test_root_is_warned_of() -> None:
    """A host that is reached as root gets one word about it instead of four about users."""
    checks = found({**READY, "uid": "0", "user": "root"})
    assert checks["user"].state == WARNING
    assert "linger" not in checks


@pytest.mark.parametrize(
    ("distribution", "release", "words"),
    [
        ("debian", "12", "Debian 13"),
        ("ubuntu", "24.04", "Ubuntu 25.04"),
        ("fedora", "40", "Fedora 41"),
        ("rocky", "9.4", "9.6"),
        ("fedora", "42", "dnf install podman"),
        ("debian", "13", "apt-get install podman"),
        ("arch", "", "podman"),
    ],
)
def test_an_old_distribution_is_named(distribution: str, release: str, words: str) -> None:
    """The way to Podman 5.4 is the distribution's own."""
    assert words in podman_remedy({"distribution": distribution, "release": release})


def test_a_machine_without_git_cannot_control() -> None:
    """ssh and git are needed, Podman and skopeo only for building."""
    states = {
        f.check: f.state for f in findings.machine({"path_ssh": "x", "distribution": "fedora"})
    }
    assert states == {"ssh": OK, "git": MISSING, "podman": WARNING, "skopeo": WARNING}


def test_the_probe_knows_this_machine() -> None:
    """probe.sh tells at least who and where we are, and git's version where git is."""
    facts = probe.of_this_machine()
    assert facts["arch"] in ("x86_64", "aarch64")
    assert facts["uid"].isdigit()
    assert findings.version(facts["git"]) > (2,)
