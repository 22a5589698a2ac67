"""What a service's compose keys mean to podman, by a table that knows nothing of the renderer.

It reads what ``docker compose config`` prints. Each key becomes options as ``spoken`` writes them,
nothing (it says nothing to podman), or nothing because podman has no word for it: then the report
must call it unsupported or leave it to who deploys. A key that is in no table is an error.
Sources: https://github.com/compose-spec/compose-spec/blob/main/05-services.md; podman-run(1) 5.4.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from tidegate.testing.prove.compose import meaning_mounts, spoken
from tidegate.testing.prove.compose.meaning_mounts import full
from tidegate.testing.prove.compose.spoken import Options

Option = tuple[str, str]

PLAIN = {
    "user": "--user",
    "working_dir": "--workdir",
    "stop_signal": "--stop-signal",
    "shm_size": "--shm-size",
    "userns_mode": "--userns",
    "uts": "--uts",
    "cgroup": "--cgroupns",
    "cgroup_parent": "--cgroup-parent",
    "platform": "--platform",
    "runtime": "--runtime",
    "cpus": "--cpus",
    "cpu_shares": "--cpu-shares",
    "cpu_quota": "--cpu-quota",
    "cpu_period": "--cpu-period",
    "cpuset": "--cpuset-cpus",
    "cpu_rt_runtime": "--cpu-rt-runtime",
    "cpu_rt_period": "--cpu-rt-period",
    "mem_limit": "--memory",
    "mem_reservation": "--memory-reservation",
    "memswap_limit": "--memory-swap",
    "mem_swappiness": "--memory-swappiness",
    "oom_score_adj": "--oom-score-adj",
}
EACH = {
    "group_add": "--group-add",
    "dns": "--dns",
    "dns_opt": "--dns-option",
    "dns_search": "--dns-search",
    "expose": "--expose",
    "tmpfs": "--tmpfs",
    "cap_add": "--cap-add",
    "cap_drop": "--cap-drop",
}
PAIRS = {"environment": "--env", "labels": "--label", "annotations": "--annotation"} | {
    "sysctls": "--sysctl",
    "storage_opt": "--storage-opt",
}
FLAGS = {"init": "--init", "tty": "--tty", "stdin_open": "--interactive"} | {
    "privileged": "--privileged",
    "oom_kill_disable": "--oom-kill-disable",
}
# Said in [Unit] and [Service], in other units, at load, by who deploys, or nowhere.
SILENT = frozenset(
    {"build", "container_name", "depends_on", "restart", "scale", "profiles", "links"}
    | {"env_file", "label_file", "develop", "attach", "post_start", "pre_stop", "pre_start"}
    | {"external_links", "provider", "models", "use_api_socket", "pull_refresh_after"}
    | {"cpu_count", "cpu_percent", "isolation", "credential_spec", "mac_address", "domainname"}
    | {"command", "entrypoint", "device_cgroup_rules", "extends"}
)
BLOCK = {
    "weight_device": ("--blkio-weight-device", "weight"),
    "device_read_bps": ("--device-read-bps", "rate"),
    "device_write_bps": ("--device-write-bps", "rate"),
    "device_read_iops": ("--device-read-iops", "rate"),
    "device_write_iops": ("--device-write-iops", "rate"),
}
LOG_DRIVERS = frozenset({"journald", "k8s-file", "json-file", "none", "passthrough"})
LOG_OPTIONS = frozenset({"max-size", "max-file", "compress", "path", "tag", "label"})
PULLS = {"always": "always", "never": "never", "missing": "missing", "if_not_present": "missing"}


@dataclass(frozen=True, slots=True)
class Meant:
    """A service of a project; ``containers`` are the names that containers really have.

    ``folder`` is the project's own; ``variables`` fill configs; ``copy`` counts from 0.
    """

    project: Mapping[str, Any]
    name: str
    containers: Mapping[str, str]
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    copy: int = 0

    @property
    def service(self) -> Mapping[str, Any]:
        """What is written of it."""
        service: Mapping[str, Any] = self.project["services"][self.name]
        return service

    def container(self, reference: str) -> str:
        """``service:x`` and ``container:x`` as podman says it, all else as it is."""
        kind, _, other = reference.partition(":")
        return f"container:{self.containers[other]}" if kind == "service" else reference


def meaning(meant: Meant) -> Options:
    """The options that a service must have, with its image and process; all but its name."""
    found: Options = Counter()
    for key, value in meant.service.items():
        if value is not None:
            found.update(_key(meant, key, value))
    if not meant.service.get("networks") and not meant.service.get("network_mode"):
        found["--network", "none"] += 1
    found["image", image(meant)] += 1
    entrypoint, command = (meant.service.get(key) for key in ("entrypoint", "command"))
    if entrypoint == [""]:
        entrypoint = []
    found[spoken.PROCESS, spoken.process(entrypoint, command)] += 1
    return spoken.once(found)


def _key(meant: Meant, key: str, value: Any) -> Iterator[Option]:
    if _is_void(meant.service, key, value):
        return
    if key in PLAIN:
        yield PLAIN[key], text(value)
    elif key in EACH:
        yield from (spoken.form(EACH[key], text(item)) for item in value if item != "")
    elif key in PAIRS:
        given = {name: item for name, item in value.items() if item is not None}
        yield from ((PAIRS[key], f"{name}={text(item)}") for name, item in given.items())
    elif key in FLAGS:
        yield from [(FLAGS[key], "")] if value else []
    elif key in RULES:
        yield from RULES[key](meant, value)
    elif key not in SILENT and not key.startswith("x-"):
        raise AssertionError(f"what {key} means to podman is not known here")


def _is_void(service: Mapping[str, Any], key: str, value: Any) -> bool:
    """What Docker takes and ignores, and podman refuses."""
    shares = str(service.get("ipc") or "").startswith(("host", "service:", "container:"))
    if key == "shm_size" and shares:
        return True
    if key.startswith("dns") and service.get("network_mode") == "none":
        return True
    return key == "cgroup_parent" and not value.endswith(".slice")


def text(value: Any) -> str:
    """A scalar as podman takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def image(meant: Meant) -> str:
    """The full name of the image; a build's is that of docker compose, on this machine."""
    given = str(meant.service.get("image") or "")
    if not given:
        return f"localhost/{meant.project['name']}-{meant.name}:latest"
    return full(given)


def _pull(_meant: Meant, value: str) -> Iterator[Option]:
    if value in PULLS:
        yield "--pull", PULLS[value]


def _hostname(meant: Meant, value: str) -> Iterator[Option]:
    yield "--hostname", ".".join(filter(None, [value, meant.service.get("domainname")]))


def _read_only(_meant: Meant, value: bool) -> Iterator[Option]:
    if value:
        yield "--read-only", ""
        yield "--read-only-tmpfs", "false"


def _shared(option: str) -> Callable[[Meant, str], Iterator[Option]]:
    return lambda meant, value: iter([(option, meant.container(value))])


def _ulimits(_meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    for name, limit in value.items():
        # The schema asks for both, and what is 0 is not printed.
        both = limit if isinstance(limit, Mapping) else {"soft": limit, "hard": limit}
        yield "--ulimit", f"{name}={both.get('soft', 0)}:{both.get('hard', 0)}"


def _pids(_meant: Meant, value: Any) -> Iterator[Option]:
    yield "--pids-limit", str(value) if int(value) > 0 else "-1"


def _blkio(_meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    for name, setting in value.items():
        if name == "weight":
            yield "--blkio-weight", text(setting)
            continue
        option, what = BLOCK[name]
        for device in setting:
            lower = {key.lower(): item for key, item in device.items()}
            yield option, f"{lower['path']}:{text(lower[what])}"


def _devices(_meant: Meant, value: Any) -> Iterator[Option]:
    for one in value:
        target = one.get("target") or one["source"]
        whole = [one["source"], target, one.get("permissions") or "rwm"]
        yield spoken.device(":".join(whole) if one["source"].startswith("/") else one["source"])


def _gpus(_meant: Meant, value: Any) -> Iterator[Option]:
    for one in value:
        if one.get("driver", "nvidia") in ("nvidia", ""):
            count = -1 if one.get("count", -1) == "all" else int(one.get("count", -1))
            names = one.get("device_ids") or (["all"] if count < 0 else range(count))
            yield from (("--device", f"nvidia.com/gpu={name}") for name in names)


def _security(meant: Meant, value: list[str]) -> Iterator[Option]:
    for item in value:
        name, rest = spoken.cut(item)
        if name == "seccomp" and rest not in ("unconfined", "builtin"):
            yield "--security-opt", f"seccomp={PurePosixPath(meant.folder, rest)}"
        elif name == "systempaths" and rest == "unconfined":
            yield "--security-opt", "unmask=ALL"
        elif name in ("seccomp", "label", "mask", "unmask", "apparmor", "proc-opts") or (
            name == "no-new-privileges" and rest.lower() in ("", "true", "1")
        ):
            yield spoken.security(item)


def _logging(_meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    driver, options = value.get("driver"), value.get("options") or {}
    taken = {name: item for name, item in options.items() if name in LOG_OPTIONS}
    if driver and driver not in LOG_DRIVERS:
        return
    if driver or taken:
        yield "--log-driver", driver or "k8s-file"
    yield from (("--log-opt", f"{name}={item}") for name, item in taken.items())


def _ports(meant: Meant, value: Any) -> Iterator[Option]:
    """Each copy takes the next port of a range; a port that is named alone is the first copy's."""
    for port in value:
        first, _, last = str(port.get("published") or "").partition("-")
        free = [str(number) for number in range(int(first or 0), int(last or first or 0) + 1)]
        if first and meant.copy >= len(free):
            continue
        published = free[meant.copy] if first else ""
        words = [str(port.get("host_ip") or ""), published, str(port["target"])]
        yield "--publish", "|".join([*words, port.get("protocol") or "tcp"])


def _hosts(_meant: Meant, value: list[str]) -> Iterator[Option]:
    for item in value:
        name, _, address = item.partition("=")
        yield "--add-host", f"{name}:{address.strip('[]')}"


def _networks(meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    """Every network, under the service's name, its aliases and what others link it by."""
    links = [link.partition(":") for other in _others(meant) for link in other.get("links") or []]
    linked = [alias for target, _, alias in links if target == meant.name and alias]
    mac = meant.service.get("mac_address") or ""
    best = max(value, key=lambda name: (value[name] or {}).get("priority") or 0, default="")
    for name, given in value.items():
        joined = given or {}
        aliases = filter(None, (meant.name, *(joined.get("aliases") or ()), *linked))
        words = {f"alias={alias}" for alias in aliases}
        own = {
            "ip": joined.get("ipv4_address"),
            "ip6": joined.get("ipv6_address"),
            "mac": joined.get("mac_address") or (mac if name == best else ""),
            "interface_name": joined.get("interface_name"),
        }
        words |= {f"{key}={item}" for key, item in own.items() if item}
        real = meant.project["networks"][name].get("name") or name
        words = set() if real in ("host", "none") else words
        yield "--network", "|".join([real, *sorted(words)])


def _others(meant: Meant) -> Iterator[Mapping[str, Any]]:
    yield from meant.project["services"].values()


def _mode(meant: Meant, value: str) -> Iterator[Option]:
    yield "--network", "podman" if value in ("bridge", "default") else meant.container(value)


def _health(_meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    test = value.get("test") or []
    disabled = bool(value.get("disable"))
    if test and not disabled:
        yield spoken.checked_words("--health-cmd", test)
        if value.get("start_interval") and test[0] != "NONE":
            yield spoken.checked_words("--health-startup-cmd", test)
            yield spoken.lasting("--health-startup-interval")(value["start_interval"])
    elif disabled:
        yield spoken.checked_words("--health-cmd", ["NONE"])
    for key in ("interval", "timeout", "start_period"):
        if value.get(key) and spoken.seconds(value[key]) != "0":
            yield spoken.lasting(f"--health-{key.replace('_', '-')}")(value[key])
    if "retries" in value:
        yield "--health-retries", text(value["retries"] or 3)


def _grace(_meant: Meant, value: str) -> Iterator[Option]:
    yield "--stop-timeout", str(math.ceil(float(spoken.seconds(value))) or 10)


def _deploy(meant: Meant, value: Mapping[str, Any]) -> Iterator[Option]:
    resources = value.get("resources") or {}
    limits, reserved = (resources.get(key) or {} for key in ("limits", "reservations"))
    if "cpus" in limits:
        yield "--cpus", text(limits["cpus"])
    if "memory" in limits:
        yield "--memory", text(limits["memory"])
    if "pids" in limits:
        yield from _pids(meant, limits["pids"])
    if "memory" in reserved:
        yield "--memory-reservation", text(reserved["memory"])
    yield from _gpus(meant, reserved.get("devices") or [])


RULES: dict[str, Callable[[Meant, Any], Iterator[Option]]] = {
    "image": lambda _meant, _value: iter(()),
    "pull_policy": _pull,
    "hostname": _hostname,
    "read_only": _read_only,
    "pid": _shared("--pid"),
    "ipc": _shared("--ipc"),
    "ulimits": _ulimits,
    "pids_limit": _pids,
    "blkio_config": _blkio,
    "devices": _devices,
    "gpus": _gpus,
    "security_opt": _security,
    "logging": _logging,
    "ports": _ports,
    "extra_hosts": _hosts,
    "networks": _networks,
    "network_mode": _mode,
    "healthcheck": _health,
    "stop_grace_period": _grace,
    "deploy": _deploy,
    "volumes": lambda meant, value: meaning_mounts.volumes(meant.project, value),
    "volumes_from": lambda meant, value: meaning_mounts.others(meant.containers, value),
    "secrets": lambda meant, value: meaning_mounts.secrets(meant.project, value),
    "configs": lambda meant, value: meaning_mounts.configs(meant.project, value, meant.variables),
}
