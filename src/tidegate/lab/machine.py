"""What this machine can do for a lab, and in plain words what it lacks.

Errors: ``InfrastructureError`` naming the command that mends it.
"""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.packages import missing, on_fedora, providing
from tidegate.lab.processes import run

CAP_SYS_RESOURCE = 24  # linux/capability.h
CERTIFICATES = Path("/usr/local/share/ca-certificates")

# Counted per user of the machine, and all servers' root is its root: too little for several
# systemds (inotify(7)) and for the session keyring of each container (keyrings(7)).
SHARED_LIMITS = {
    "fs/inotify/max_user_instances": 1024,
    "kernel/keys/maxkeys": 20_000,
    "kernel/keys/maxbytes": 2_000_000,
}


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that the lab's commands depend on."""

    architecture: str
    raises_limits: bool
    pure_cgroups: bool
    systemd: bool
    mirror: str


def examine() -> Machine:
    """Look at the machine; raise where a lab cannot work on it."""
    if os.geteuid() != 0:
        raise InfrastructureError(
            "the lab needs root: it mounts file systems and makes networks",
            code="lab-no-privileges",
            hint="run it as root or where sudo works",
        )
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
    if platform.system() != "Linux" or architecture is None:
        raise InfrastructureError(
            f"the lab runs on Linux on x86-64 or ARM64, this is {platform.system()} "
            f"on {platform.machine()}",
            code="lab-architecture",
        )
    _require_programs()
    _require_kernel()
    return Machine(
        architecture=architecture,
        raises_limits=_has_capability(CAP_SYS_RESOURCE),
        pure_cgroups=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        systemd=Path("/run/systemd/system").is_dir(),
        mirror=mirror(),
    )


def make_room() -> None:
    """Raise what the servers share with this machine, until it boots again."""
    for name, least in SHARED_LIMITS.items():
        setting = Path("/proc/sys", name)
        if setting.exists() and int(setting.read_text()) < least:
            setting.write_text(str(least))


def _require_programs() -> None:
    lacking = missing()
    if lacking:
        raise InfrastructureError(
            f"the lab needs {', '.join(lacking)}",
            code="lab-missing-package",
            hint=f"{'dnf' if on_fedora() else 'apt-get'} install -y {' '.join(providing(lacking))}",
        )


def _require_kernel() -> None:
    known = Path("/proc/filesystems").read_text().split()
    for name, why in (("cgroup2", "systemd"), ("overlay", "Podman"), ("ext4", "its disks")):
        if name not in known and run(["modprobe", name], check=False).returncode != 0:
            raise InfrastructureError(
                f"this kernel has no {name}, which a lab server needs for {why}",
                code="lab-kernel",
            )
    if not Path("/dev/loop-control").exists():
        raise InfrastructureError(
            "this machine has no loop devices (/dev/loop-control), where the disks of lab "
            "servers are mounted",
            code="lab-no-loop",
            hint="run it on the machine itself or in a virtual machine, not in a container",
        )


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def mirror() -> str:
    """Debian's mirror: the one named, the machine's own apt's, or mmdebstrap's own ('')."""
    named = os.environ.get("TIDEGATE_LAB_MIRROR")
    if named:
        return named
    if shutil.which("apt-get"):
        argv = ["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN)", "Created-By: Packages"]
        for line in run(argv, check=False).stdout.splitlines():
            site, _, origin = line.partition(" ")
            if origin == "Debian" and "security" not in site:
                return site
    return ""
