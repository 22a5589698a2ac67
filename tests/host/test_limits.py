"""A limit that a host cannot enforce is named, and does not keep its container from starting."""

from __future__ import annotations

import pytest

from tidegate.host.limits import MARK, fit, holds_now, missed

NONE = {"controllers": [], "ulimits": {"nofile": 20000, "core": -1, "memlock": 8}}
ALL = {"controllers": ["cpu", "cpuset", "io", "memory", "pids"], "ulimits": {}}


@pytest.mark.parametrize(
    ("key", "value", "left", "limit"),
    [
        ("PodmanArgs", '"--memory=67108864"', [], "memory 67108864"),
        ("PodmanArgs", '"--cpus=0.5"', [], "cpus 0.5"),
        ("PodmanArgs", '"--device-read-bps=/dev/sda:1"', [], "device-read-bps /dev/sda:1"),
        ("PidsLimit", "20", [], "pids-limit 20"),
        ("PidsLimit", "-1", [], ""),
        ("Ulimit", "nofile=64:70000", [("Ulimit", "nofile=64:20000")], "ulimit nofile=64:70000"),
        ("Ulimit", "memlock=-1:-1", [("Ulimit", "memlock=-1:-1")], "ulimit memlock=-1:-1"),
        ("Ulimit", "core=0:0", [("Ulimit", "core=0:0")], ""),
        ("PodmanArgs", '"--shm-size=5"', [("PodmanArgs", '"--shm-size=5"')], ""),
        ("Environment", '"A=--memory=1"', [("Environment", '"A=--memory=1"')], ""),
    ],
)
def test_without_controllers(key: str, value: str, left: list[tuple[str, str]], limit: str) -> None:
    """Limits that need one leave the unit and are told; all else stays as it is."""
    lines = fit([(key, value)], NONE)
    assert [line for line in lines if not line[0].startswith(MARK)] == left
    assert [miss.limit for miss in missed({"Container": [(key, value)]}, NONE)] == [limit][
        : bool(limit)
    ]
    assert fit([(key, value)], ALL) == fit([(key, value)], None) == [(key, value)]


def test_what_cgroup_v2_lacks_goes_everywhere() -> None:
    """crun would refuse to start the container."""
    for option in ("--memory-swappiness=10", "--oom-kill-disable", "--cpu-rt-runtime=1"):
        (miss,) = missed({"Container": [("PodmanArgs", f'"{option}"')]}, ALL)
        assert miss.why == "cgroup v2 has no such limit"


def test_a_limit_that_can_be_had_now_is_noticed() -> None:
    """A unit that was written without a limit asks to be written again, once, where it helps."""
    unit = {"Container": [("PidsLimit", "20"), ("PodmanArgs", '"--memory=5"')]}
    text = "\n" + "\n".join(f"{key}={value}" for key, value in fit(unit["Container"], NONE))
    assert not holds_now(text, unit, NONE)
    assert holds_now(text, unit, {**NONE, "controllers": ["memory"]})
    assert not holds_now("\nPidsLimit=20", unit, ALL)
