"""A service that runs by the clock of a real systemd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.schemas import check
from tests.semantics.site import Site, until

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web: {image: "busybox:1", init: true, command: sleep 1d}
  report:
    image: busybox:1
    command: sh -c "echo report %(version)s; exit %(status)s"
"""


def report(site: Site) -> dict[str, Any]:
    """What status says of it."""
    data = check(json.loads(site.run("status", "--json").stdout))
    found: dict[str, Any] = next(iter(data["hosts"].values()))
    return {**found["services"]["report"], "drift": found["drift"]}


def write(site: Site, schedule: str, version: str = "1", status: int = 0) -> None:
    """The next version."""
    compose = COMPOSE % {"version": version, "status": status}
    site.write(compose, settings={"services": {"report": {"schedule": schedule}}})


def test_a_schedule(site: Site) -> None:
    """Not at the deployment but when its minute comes; a failed run is shown and no drift."""
    timer = f"{site.name}-report.timer"
    write(site, "* * * * *")
    plan = check(json.loads(site.run("plan", "--json").stdout))
    assert ("report", "timed") in [(a["service"], a["what"]) for a in plan["actions"]]
    site.deploy()
    seen = report(site)
    assert seen["state"] in ("waiting", "running")  # its minute may just have come
    assert seen["schedule"] == "* * * * *"
    assert seen["next"].endswith("UTC")
    assert "next " in site.run("status").stdout
    until(lambda: site.log(f"{site.name}-report"), lambda log: log[:1] == ["report 1"], 75)
    assert "No changes" in site.deploy().stdout

    write(site, "* * * * *", "2", status=1)
    site.deploy()
    until(lambda: site.log(f"{site.name}-report"), lambda log: log[-1:] == ["report 2"], 75)
    until(lambda: report(site)["state"], lambda state: state == "failed")
    assert report(site)["drift"] == []
    assert "No changes" in site.deploy().stdout

    write(site, "0 3 1 1 *", "2", status=1)
    site.deploy()
    assert " 03:00:00 UTC" in report(site)["next"]
    assert "-01-01" in report(site)["next"]
    site.on_server("systemctl", "--user", "disable", "--now", timer)
    assert [item["kind"] for item in report(site)["drift"]] == ["timer"]
    assert timer in site.deploy().stderr
    assert report(site)["drift"] == []
    site.on_server("systemctl", "--user", "is-active", timer)

    # Now, by hand, as a one-off, with its own command.
    assert site.run("run", "--rm", "report", code=1).stdout == "report 2\n"

    site.write(COMPOSE % {"version": "2", "status": 0})
    site.deploy()
    assert site.on_server("systemctl", "--user", "list-timers", "--all", "--output=json").count(
        timer
    ) == 0  # fmt: skip
    assert site.log(f"{site.name}-report-a") == ["report 2"], "a service again, and it is run"


def test_a_failed_deployment_keeps_the_old_schedule(site: Site) -> None:
    """The timer is that of the release that serves; destroying takes it away."""
    timer = f"{site.name}-report.timer"
    write(site, "0 3 1 1 *")
    site.deploy()
    broken = (COMPOSE % {"version": "2", "status": 0}).replace("sleep 1d", "'false'")
    site.write(broken, settings={"services": {"report": {"schedule": "0 4 1 1 *"}}})
    site.deploy(code=1)
    assert " 03:00:00 UTC" in report(site)["next"]
    assert report(site)["drift"] == []
    site.destroy()
    assert timer not in site.on_server("sh", "-c", "ls -R .config/systemd/user")
