"""``prove kills``: the controller, its connection, the host's tool and the host die at any instant.

After each kill, with no hand on it: one whole release serves, the chain is whole, nothing is
orphaned, every acknowledged row is there, and the next deployment works. Where the host itself
stayed up, no client noticed anything.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from tidegate.testing.prove.aim import PHASES, Aim, aims, span
from tidegate.testing.prove.controller import Event, Outcome
from tidegate.testing.prove.kill import arm
from tidegate.testing.prove.progress import Progress
from tidegate.testing.prove.site import Site
from tidegate.testing.prove.specials import specials

RATE = 0.5  # of the load of `prove deploy`: several servers share this machine's processors
# A file that a killed process was writing lies there until the next deployment sweeps it.
SWEPT = "temporary file "
LATE_S = 60.0  # a run in which the aimed event never comes is not waited for longer


@dataclass(slots=True)
class Shot:
    """What one kill did."""

    number: int
    aim: Aim
    server: str
    hit: str = ""
    code: int = 0
    settled_s: float = 0.0
    ended: str = ""
    failed_requests: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    trace: list[str] = field(default_factory=list)


def shoot(site: Site, aim: Aim, number: int, seed: int) -> Shot:
    """One deployment killed as aimed, and everything that is looked at afterwards."""
    began = time.monotonic()
    name = f"k{site.number}"
    before = site.answers().get("web", "")
    tried = site.next_version()
    with site.load(name, seed, "--rate", str(RATE)) as load:
        code, hit = kill(site, aim)
        settled_s = site.settle()
        found = [text for text in site.violations() if not text.startswith(SWEPT)]
        served = site.answers().get("web", "")
        if served not in (before, tried):
            found.append(f"version {served} serves, neither {before} nor {tried}")
        following = site.next_version()
        outcome = site.deploy()
        if outcome.code != 0:
            found.append(f"the next deployment ended with {outcome.code}: {outcome.last_words}")
        report = load.stop()
    found += site.violations(report["acknowledged"])
    if (now := site.answers().get("web")) != following:
        found.append(f"after the next deployment {now} serves, not {following}")
    failed = report["failures"]
    if aim.kind != "power" and failed:
        kinds = Counter(f"{failure['kind']}: {failure['what']}" for failure in failed)
        found.append(f"clients noticed it: {dict(kinds)}")
    ended = "new" if served == tried else "old"
    seconds = round(time.monotonic() - began, 1)
    return Shot(
        number, aim, site.server.name, hit, code, settled_s, ended, len(failed), found, seconds
    )


def kill(site: Site, aim: Aim) -> tuple[int, str]:
    """Deploy, and kill at the instant; the run's exit code and what was hit."""
    seen = threading.Event()

    def heard(event: Event) -> None:
        if event.name == aim.after:
            seen.set()

    with arm(aim.kind, site) as weapon:
        run = site.start("deploy", "production", heard=heard)
        hit = "nothing: the event never came"
        if wait(run.process.poll, seen):
            time.sleep(aim.delay_s)
            hit = weapon.fire(run)
        if aim.kind == "power":
            site.server.start()
        return run.wait(LATE_S).code, hit


def wait(ended: Any, seen: threading.Event) -> bool:
    """Until the event is heard; False when the run ends without it."""
    deadline = time.monotonic() + LATE_S
    while not seen.wait(0.05):
        if ended() is not None or time.monotonic() > deadline:
            return seen.is_set()
    return True


def prove(
    seed: int, names: list[str], instants: int, minutes: float, cases: str
) -> tuple[list[Any], dict[str, Any]]:
    """Run it on these servers side by side; the violations and the figures.

    After ``minutes`` no further kill is begun. ``cases`` chooses those besides the kills.
    """
    progress = Progress("kills")
    sites = [Site.up(name, number * 1000) for number, name in enumerate(names)]
    try:
        progress.say("a first deployment on each server, then one that is measured")
        baseline, *_ = [measured(site) for site in sites]
        shots: list[Shot] = []
        queue = deque(enumerate(aims(seed, baseline.events, instants), 1))
        fire = partial(gunner, queue=queue, shots=shots, seed=seed, minutes=minutes)
        with ThreadPoolExecutor(len(sites)) as pool:
            list(pool.map(lambda site: fire(site, progress=progress), sites))
        bad, held = specials(sites[0], progress, cases)
        if queue:
            bad.append({"violations": [f"no time for {len(queue)} more kills"]})
        return [*violations(shots, seed), *bad], {**figures(shots, baseline), **held}
    finally:
        for site in sites:
            site.close()


def gunner(
    site: Site,
    queue: deque[tuple[int, Aim]],
    shots: list[Shot],
    seed: int,
    minutes: float,
    progress: Progress,
) -> None:
    """Take one aim after the other until there is none, or no time."""
    while progress.minutes() < minutes:
        try:
            number, aim = queue.popleft()
        except IndexError:
            return
        try:
            shot = shoot(site, aim, number, seed + number)
        except Exception as error:
            shot = Shot(number, aim, site.server.name, violations=[f"broke off: {error!r}"])
            site.server.start()
            site.settle()
        if shot.violations:
            shot.trace = site.trace()
        shots.append(shot)
        bad = f"  VIOLATED {shot.violations}" if shot.violations else ""
        place = f"{aim.where} +{aim.delay_s:.2f} s"
        ended = f"{shot.ended} serves, {shot.seconds} s{bad}"
        of = len(shots) + len(queue)
        progress.step(len(shots), of, f"{aim.kind}, {place}: hit {shot.hit}; {ended}")


def measured(site: Site) -> Outcome:
    """The first deployment, and a second one, whose events say how long the phases take."""
    for _ in range(2):
        site.next_version()
        outcome = site.deploy()
        if outcome.code != 0:
            raise RuntimeError(f"a deployment that nobody disturbs fails:\n{outcome.stderr}")
    return outcome


def violations(shots: list[Shot], seed: int) -> list[Any]:
    """Every shot that broke something, with all that is needed to shoot it again."""
    return [{"seed": seed, **asdict(shot)} for shot in shots if shot.violations]


def figures(shots: list[Shot], baseline: Outcome) -> dict[str, Any]:
    """Counts by kind and place, and how long things took."""
    settled = sorted(shot.settled_s for shot in shots) or [0.0]
    spans = {phase: span(baseline.events, phase) for phase in PHASES}
    return {
        "kills": len(shots),
        "by_kind": dict(Counter(shot.aim.kind for shot in shots)),
        "by_place": dict(Counter(shot.aim.where for shot in shots)),
        "hit_nothing": sum("nothing" in shot.hit for shot in shots),
        "ended": dict(Counter(shot.ended for shot in shots)),
        "failed_requests_without_power_cut": sum(
            shot.failed_requests for shot in shots if shot.aim.kind != "power"
        ),
        "settled_s": {"median": settled[len(settled) // 2], "max": settled[-1]},
        "phases_s": {p: round(s[1] - s[0], 3) for p, s in spans.items() if s},
        "shots": [asdict(shot) for shot in shots],
    }
