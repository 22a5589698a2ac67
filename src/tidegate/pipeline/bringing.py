"""Gives hosts the images of a release that waits for people, while nothing else happens there."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tidegate.edges.agent import Agent
from tidegate.errors import TidegateError
from tidegate.host.blobs import needed
from tidegate.host.placement import Views
from tidegate.pipeline.fleet import Fleet
from tidegate.ports import Reporter
from tidegate.release.manifest import release_digest

PHASE = "bring"
PULL_S = 1800.0


def bring(fleet: Fleet, release: Mapping[str, Any], port: int, reporter: Reporter) -> None:
    """To every host what it will run; ``port`` is our blob server's, 0 for none.

    One that cannot take them is told of: it gets them when the release is deployed.
    """
    views, name = Views(dict(release)), release_digest(dict(release))

    def one(agent: Agent) -> None:
        images = sorted(needed(views.of(agent.name)))
        args: dict[str, Any] = {"release": name, "images": images}
        agent.call(PHASE, {**args, "port": agent.forward(port) if port else 0}, timeout_s=PULL_S)

    reporter.phase(PHASE, "begin")
    with ThreadPoolExecutor(len(fleet.agents)) as pool:
        for agent, done in [(agent, pool.submit(one, agent)) for agent in fleet.agents]:
            try:
                done.result()
            except TidegateError as problem:
                reporter.phase(PHASE, "info", f"{agent.name} has not all images: {problem.message}")
    reporter.phase(PHASE, "ok", "the hosts have the images of what waits")
