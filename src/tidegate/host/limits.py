"""Limits that this host cannot enforce: named for the plan, and left out of the unit.

crun does not start a container whose limit has no cgroup controller, or is above what the user
may set (setrlimit(2)). Docker's engine starts it without the limit and says so; so do we.
Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html, podman-run(1) 5.4. Pure.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

Facts = Mapping[str, Any]
Line = Sequence[str]

CONTROLLERS = {
    "--memory": "memory",
    "--memory-reservation": "memory",
    "--memory-swap": "memory",
    "--pids-limit": "pids",
    "--cpus": "cpu",
    "--cpu-shares": "cpu",
    "--cpu-quota": "cpu",
    "--cpu-period": "cpu",
    "--cpuset-cpus": "cpuset",
    "--cpuset-mems": "cpuset",
    "--blkio-weight": "io",
    "--blkio-weight-device": "io",
    "--device-read-bps": "io",
    "--device-write-bps": "io",
    "--device-read-iops": "io",
    "--device-write-iops": "io",
}
# Of cgroup v1 only, which rootless containers do not have.
OLD = frozenset(
    {"--memory-swappiness", "--oom-kill-disable", "--cpu-rt-runtime", "--cpu-rt-period"}
)
KEYS = {"PidsLimit": "--pids-limit", "Ulimit": "--ulimit"}
LIMITING = frozenset({"PodmanArgs", *KEYS})
UNLIMITED = -1
MARK = "# not enforced on this host: "


class Miss(NamedTuple):
    """A limit that does not hold here; `instead` is the line that may stand in its place.

    `limit` is empty for a line that only goes.
    """

    limit: str
    why: str
    instead: Optional[Tuple[str, str]] = None


def fit(lines: Iterable[Line], facts: Optional[Facts]) -> List[Tuple[str, str]]:
    """The [Container] lines as this host can carry them out; what goes stays as a comment."""
    result: List[Tuple[str, str]] = []
    for key, value in lines:
        miss = _miss(key, value, facts or {})
        if miss is None:
            result.append((key, value))
            continue
        if miss.limit:
            result.append((MARK + key, value))
        if miss.instead is not None:
            result.append(miss.instead)
    return result


def missed(unit: Mapping[str, Iterable[Line]], facts: Optional[Facts]) -> List[Miss]:
    """The limits of a service's unit that do not hold on a host with these `facts`."""
    found = [_miss(key, value, facts or {}) for key, value in _limiting(unit)]
    return [miss for miss in found if miss is not None and miss.limit]


def limited(unit: Mapping[str, Iterable[Line]]) -> bool:
    """Whether anything in a service's unit could be a limit, on whatever host."""
    return bool(_limiting(unit))


def _limiting(unit: Mapping[str, Iterable[Line]]) -> List[Line]:
    return [line for line in unit.get("Container", ()) if line[0] in LIMITING]


def holds_now(text: str, unit: Mapping[str, Iterable[Line]], facts: Facts) -> bool:
    """Whether a unit that was written without a limit could have more of them today."""
    return text.count(f"\n{MARK}") > len(missed(unit, facts))


def _miss(key: str, value: str, facts: Facts) -> Optional[Miss]:
    option, _, given = _option(key, value).partition("=")
    if option == "--ulimit":
        return _ulimit(given, facts.get("ulimits") or {})
    there = facts.get("controllers")
    if option in OLD and there is not None:
        return Miss(f"{option[2:]} {given}".strip(), "cgroup v2 has no such limit")
    controller = CONTROLLERS.get(option)
    if controller is None or there is None or controller in there:
        return None
    if option == "--pids-limit" and given == str(UNLIMITED):
        return Miss("", "no limit is not missed, but crun would ask for the controller")
    why = f"the controller {controller} is not delegated to this user"
    return Miss(f"{option[2:]} {given}", why)


def _option(key: str, value: str) -> str:
    if key == "PodmanArgs":
        return value.strip('"')
    return f"{KEYS[key]}={value}" if key in KEYS else ""


def _ulimit(given: str, most: Mapping[str, int]) -> Optional[Miss]:
    name, _, figures = given.partition("=")
    top = most.get(name, UNLIMITED)
    try:
        wanted = [int(figure) for figure in figures.split(":")]
    except ValueError:
        return None
    if top == UNLIMITED or all(UNLIMITED < figure <= top for figure in wanted):
        return None
    # podman itself takes -1 for as much as there is.
    fitting = [min(figure, top) for figure in wanted]
    why = f"{top} is the most that this user may set"
    return Miss(f"ulimit {given}", why, ("Ulimit", f"{name}={':'.join(map(str, fitting))}"))
