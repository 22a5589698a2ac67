"""The command that mends a lack, in the words of the machine's own distribution. Pure.

Podman's versions per release: https://repology.org/project/podman/versions (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping

# Program -> package, where Debian's and Fedora's names differ.
_DEBIAN = {"newuidmap": "uidmap", "pasta": "passt", "ssh": "openssh-client"}
_FEDORA = {
    "newuidmap": "shadow-utils",
    "pasta": "passt",
    "ssh": "openssh-clients",
    "dbus-user-session": "dbus-daemon",
}
# The drop-in that `tidegate host bootstrap` writes, too.
DELEGATION = "user@.service.d/tidegate.conf"
_DNF = ("fedora", "rhel", "centos", "almalinux", "rocky")


def install(facts: Mapping[str, str], program: str) -> str:
    """The command that installs the package of a program."""
    if facts.get("distribution") in _DNF:
        return f"sudo dnf install {_FEDORA.get(program, program)}"
    return f"sudo apt-get install {_DEBIAN.get(program, program)}"


def podman_remedy(facts: Mapping[str, str]) -> str:
    """How a machine gets Podman of at least 5.4."""
    release = facts.get("release", "")
    match facts.get("distribution"):
        case "debian" if before(release, 13):
            return f"upgrade to Debian 13, whose Podman is 5.4 (Debian {release} has 4)"
        case "ubuntu" if before(release, 25.04):
            return f"upgrade to Ubuntu 25.04 or later (Ubuntu {release} has Podman 4)"
        case "rhel" | "centos" | "almalinux" | "rocky" if before(release, 9.6):
            return "sudo dnf upgrade to release 9.6 or 10, whose Podman is 5.4 or later"
        case "fedora" if before(release, 41):
            return "upgrade to Fedora 41 or later, whose Podman is 5.4 or later"
    return install(facts, "podman")


def delegate(facts: Mapping[str, str]) -> str:
    """How the user's systemd gets the controllers; nothing there can if the kernel keeps them.

    Rules: systemd.resource-control(5), Delegate=; on a machine of mixed cgroup versions the
    controllers belong to version 1 (https://systemd.io/CGROUP_DELEGATION/).
    """
    known = facts.get("kernel_controllers", "").split()
    if not {"cpu", "memory", "pids"} <= set(known):
        return (
            "cgroup v1 has them on this machine: boot it with systemd.unified_cgroup_hierarchy=1 "
            "on the kernel's command line"
        )
    unit = f"user@{facts.get('uid', '1000')}.service"
    return (
        f"sudo mkdir -p /etc/systemd/system/{DELEGATION.rpartition('/')[0]} && "
        "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
        f"sudo tee /etc/systemd/system/{DELEGATION} && sudo systemctl daemon-reload && "
        f"sudo systemctl restart {unit} (which restarts its containers)"
    )


def before(release: str, wanted: float) -> bool:
    """Whether a distribution's release is older than the wanted one; unknown ones are not."""
    try:
        return float(release) < wanted
    except ValueError:
        return False
