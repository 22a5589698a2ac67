"""Podman by its command line: what is here, what runs, what it says.

Source: Podman 5.4's manual pages; 5.4 is the oldest that Tidegate deploys to.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from pathlib import Path
from typing import Any, Collection, Dict, List, Optional, Set

from tidegate.host.errors import HostError
from tidegate.host.run import Result, run

OLDEST = (5, 4)
LABEL = "tidegate.instance"
# On containers that run one command of a person: no release has them, and no deployment minds.
ONCE = "tidegate.once"


def version() -> str:
    """The version of Podman here; HostError when it is missing."""
    return run(["podman", "--version"]).stdout.split()[-1]


def require_version(found: str) -> None:
    """HostError (input) for a Podman that is too old."""
    numbers = tuple(int(part) for part in found.split("-")[0].split(".")[:2])
    if numbers < OLDEST:
        raise HostError(
            "input",
            "podman-too-old",
            f"this host has Podman {found}; Tidegate needs {OLDEST[0]}.{OLDEST[1]} or newer",
            subject="podman",
            hint="run `tidegate host bootstrap`, it names the package to install",
        )


def containers(instance: str, label: str = LABEL) -> List[Dict[str, Any]]:
    """All containers that carry our label for `instance`, running or not."""
    wanted = ["--filter", f"label={label}={instance}"]
    return _list(["podman", "ps", "--all", *wanted, "--format", "json"])


def other_containers(instance: str, names: Collection[str]) -> Set[str]:
    """Which of `names` are containers here that do not carry our label for `instance`."""
    if not names:
        return set()
    wanted = [f"--filter=name=^{name}$" for name in sorted(names)]
    found = _list(["podman", "ps", "--all", "--format", "json", *wanted])
    return {
        str(entry["Names"][0])
        for entry in found
        if (entry.get("Labels") or {}).get(LABEL) != instance
    }


def networks() -> List[Dict[str, Any]]:
    """All networks of this user, with their subnets."""
    return _list(["podman", "network", "ls", "--format", "json"])


def secrets() -> Set[str]:
    """Names of all secrets of this user; never a value."""
    return set(run(["podman", "secret", "ls", "--format", "{{.Name}}"]).stdout.split())


def own_secrets(instance: str) -> Dict[str, str]:
    """The secrets that were made for `instance`, with Podman's id of each.

    Not those that only begin with its name. Who replaces a secret gives it another id.
    """
    names = sorted(name for name in secrets() if name.startswith(f"{instance}_"))
    if not names:
        return {}
    shown = run(["podman", "secret", "inspect", *names], check=False).stdout
    return {
        str(entry["Spec"]["Name"]): str(entry["ID"])
        for entry in json.loads(shown or "[]")
        if (entry["Spec"].get("Labels") or {}).get(LABEL) == instance
    }


def images() -> Set[str]:
    """`name@digest` of all images here, by every digest and name that they go by."""
    found = set()
    for image in _list(["podman", "images", "--format", "json"]):
        for name in image.get("RepoDigests") or []:
            found.add(name)
    return found


def pull(ref: str, registries: Optional[Path], cancel: threading.Event) -> None:
    """Pull one image by digest, through our own mirror entry when `registries` is given."""
    env = {"CONTAINERS_REGISTRIES_CONF": str(registries)} if registries else {}
    result = run(
        ["podman", "pull", "--quiet", ref],
        check=False,
        timeout_s=1800.0,
        env=env,
        cancel=cancel,
    )
    if result.returncode != 0:
        raise _pull_error(ref, result.stderr)


def _pull_error(ref: str, stderr: str) -> HostError:
    log = stderr.strip().splitlines()[-5:]
    text = stderr.lower()
    if "no space left" in text:
        return HostError(
            "error",
            "disk-full",
            f"the disk is full: {ref} could not be stored",
            subject=ref,
            hint="free some space, then deploy again",
            log=log,
        )
    if "manifest unknown" in text or "not found" in text:
        return HostError(
            "input",
            "image-missing",
            f"the image {ref} does not exist",
            subject=ref,
            hint="check the image's name and tag",
            log=log,
        )
    if "unauthorized" in text or "authentication required" in text or "denied" in text:
        return HostError(
            "input",
            "pull-denied",
            f"the registry does not give {ref} to this host",
            subject=ref,
            hint=f"tidegate registry login {ref.partition('/')[0]}",
            log=log,
        )
    return HostError(
        "error",
        "pull-failed",
        f"the image {ref} could not be pulled",
        subject=ref,
        hint="can this host reach the registry?",
        log=log,
    )


def healthcheck(container: str) -> bool:
    """Run the container's own health check now; whether it passed."""
    result = run(["podman", "healthcheck", "run", container], check=False, timeout_s=60.0)
    return result.returncode == 0


def execute(container: str, argv: List[str], timeout_s: float) -> Result:
    """Run a command in a container."""
    return run(["podman", "exec", container, *argv], check=False, timeout_s=timeout_s)


def inspect(names: List[str]) -> List[Dict[str, Any]]:
    """`podman container inspect` of those that exist."""
    if not names:
        return []
    result = run(["podman", "container", "inspect", *names], check=False)
    found: List[Dict[str, Any]] = json.loads(result.stdout or "[]")
    return found


def listening(pid: int) -> Set[int]:
    """TCP ports on which the container of process `pid` listens to others than itself.

    Read from the process's own view of its network: proc(5), /proc/PID/net/tcp, state 0A.
    """
    ports = set()
    for name, loopback in (("tcp", "0100007F"), ("tcp6", "0" * 24 + "01000000")):
        try:
            lines = Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == "0A" and address != loopback:
                ports.add(int(port, 16))
    return ports


def age_s(pid: int) -> float:
    """Seconds since a process started, 0.0 where it is gone: proc(5), `starttime` of stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def volume_exists(name: str) -> bool:
    """Whether this user has a volume of that name."""
    return run(["podman", "volume", "exists", name], check=False).returncode == 0


def kill(container: str) -> None:
    """SIGKILL to a container; one that is gone is no error."""
    run(["podman", "kill", container], check=False)


def remove_containers(names: List[str]) -> bool:
    """Remove containers with their anonymous volumes; whether none is left, or there was none."""
    words = ["podman", "rm", "--force", "--ignore", "--volumes", "--time", "10"]
    return not names or run([*words, *names], check=False).returncode == 0


def remove_image(ref: str) -> bool:
    """Remove an image that nothing uses; whether it went."""
    return run(["podman", "rmi", "--ignore", ref], check=False).returncode == 0


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write below `folder`."""
    found = folder
    while not found.exists():
        found = found.parent
    stat = os.statvfs(str(found))
    return stat.f_bavail * stat.f_frsize


def _list(argv: List[str]) -> List[Dict[str, Any]]:
    found: Optional[List[Dict[str, Any]]] = json.loads(run(argv).stdout or "[]")
    return found or []


def remove_network(name: str) -> None:
    """Remove a network and what is still attached to it."""
    run(["podman", "network", "rm", "--force", name], check=False)


def remove_volume(name: str) -> None:
    """Remove a volume with its data."""
    run(["podman", "volume", "rm", "--force", name], check=False)


def remove_secret(name: str) -> None:
    """Remove a secret; unknown ones are no error."""
    run(["podman", "secret", "rm", "--ignore", name], check=False)


def secret_is(name: str, value: bytes, instance: str) -> bool:
    """Whether the secret `name` of `instance` holds `value`, any bytes; it goes nowhere else."""
    shown = f'{{{{index .Spec.Labels "{LABEL}"}}}} {{{{printf "%x" .SecretData}}}}'
    result = run(
        ["podman", "secret", "inspect", "--showsecret", "--format", shown, name], check=False
    )
    return result.returncode == 0 and result.stdout.strip() == f"{instance} {value.hex()}"


def create_secret(name: str, value: bytes, instance: str) -> None:
    """Store a secret; the value is read from standard input, it is in no argv.

    What podman or a driver of its own says of a failure is told without the value.
    """
    argv = ["podman", "secret", "create", f"--label={LABEL}={instance}", name, "-"]
    result = run(argv, stdin=value, check=False)
    if result.returncode == 0:
        return
    full = "no space left" in result.stderr.lower()
    raise HostError(
        "error",
        "disk-full" if full else "secret-not-stored",
        f"{'the disk is full: ' if full else ''}the secret {name} could not be stored",
        subject=name,
        hint="free some space, then deploy again" if full else "what podman said follows",
        log=masked(result.stderr, value).strip().splitlines()[-10:],
    )


def masked(text: str, value: bytes) -> str:
    """`text` without the value of a secret, however it is written there."""
    plain = value.decode("utf-8", "replace")
    forms = [plain, base64.b64encode(value).decode("ascii"), value.hex(), *plain.split("\n")]
    for form in forms:
        if form.strip():
            text = text.replace(form, "***")
    return text
