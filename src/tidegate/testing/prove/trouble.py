"""A disk that is full and a clock that jumps, before a deployment and in its middle."""

from __future__ import annotations

import threading
import time

from tidegate.testing.prove.controller import Event
from tidegate.testing.prove.site import INSTANCE, Site

FULL_S = 8.0
DAY_S = 86400
FAKE = """\
[Service]
Environment=LD_PRELOAD={library}
Environment=FAKETIME_TIMESTAMP_FILE=/home/deploy/.clock
Environment=FAKETIME_NO_CACHE=1
Environment=FAKETIME_DONT_FAKE_MONOTONIC=1
"""
DROP_IN = ".config/systemd/user/tidegate@.service.d"


def next_deploy(site: Site) -> list[str]:
    """The next deployment works."""
    wanted = site.next_version()
    outcome = site.deploy()
    if outcome.code != 0:
        return [f"the next deployment ended with {outcome.code}: {outcome.last_words}"]
    now = site.answers()
    return [] if set(now.values()) == {wanted} else [f"{now} serves, not {wanted}"]


def disk_is_full_before(site: Site) -> list[str]:
    """A host without space refuses in *prepare*, with exit code 4, and nothing changes."""
    before = site.answers()
    site.next_version()
    site.server.fill_disk(leave_mb=50)
    outcome = site.deploy()
    site.server.free_disk()
    site.settle()
    found = site.violations()
    if outcome.code != 4:
        found.append(f"a full disk ended with {outcome.code}: {outcome.last_words}")
    if site.answers() != before:
        found.append(f"{site.answers()} serves, not {before}")
    return found + next_deploy(site)


def disk_fills_up(site: Site, phase: str) -> list[str]:
    """The disk fills up in ``phase`` and is free again after a while: whole, by itself."""
    seen = threading.Event()

    def heard(event: Event) -> None:
        if event.name == f"phase {phase} begin":
            seen.set()

    site.next_version()
    run = site.start("deploy", "production", heard=heard)
    if seen.wait(60):
        site.server.fill_disk()
        time.sleep(FULL_S)
        site.server.free_disk()
    run.wait()
    site.settle()
    return site.violations() + next_deploy(site)


def clock_jumps(site: Site, *, killed: bool) -> list[str]:
    """The host's clock jumps by a day, forth and back, while it deploys.

    Nothing depends on it: the deployment succeeds; where the controller is killed, its lease
    runs out neither earlier nor later than usual.
    """
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    words = f"mkdir -p {DROP_IN}; cat > {DROP_IN}/clock.conf; echo +0 > .clock; "
    words += "systemctl --user daemon-reload"
    site.server.run(["sh", "-c", words], input=FAKE.format(library=library))
    try:
        return jump(site, killed=killed)
    finally:
        words = f"rm -r {DROP_IN} .clock; systemctl --user daemon-reload"
        site.server.run(["sh", "-c", words], check=False)


def jump(site: Site, *, killed: bool) -> list[str]:
    """Deploy; a day forth in *prepare*, a day back in *watch*; the controller may die there."""
    jumps = {"phase prepare begin": f"+{DAY_S}", "phase watch begin": f"-{DAY_S}"}

    def heard(event: Event) -> None:
        if event.name in jumps:
            words = f"echo {jumps[event.name]} > .clock"
            site.server.run(["sh", "-c", words], check=False)
            if killed and event.name == "phase watch begin":
                run.kill()

    site.next_version()
    run = site.start("deploy", "production", heard=heard)
    outcome = run.wait()
    settled_s = site.settle()
    found = site.violations()
    if not killed and outcome.code != 0:
        found.append(f"a jump of the clock ended with {outcome.code}: {outcome.last_words}")
    if killed and settled_s > 30:
        found.append(f"after a jump of the clock {INSTANCE} settled only after {settled_s:.0f} s")
    return found
