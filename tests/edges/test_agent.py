"""The agent's client against the real tool on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tidegate.edges.agent import Agent
from tidegate.edges.agent_install import artifact
from tidegate.edges.process import Command
from tidegate.edges.ssh import Ssh
from tidegate.errors import RefusedError
from tidegate.lab import Server

pytestmark = pytest.mark.lab
LOCK = {"environment": "test", "owner": "anna@laptop", "reason": "", "lease_s": 20}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwlOxBeImeJwkLSGy2Gx8owKAK9JTcr3N/UQVwS7AU6 test"


@pytest.fixture
def ssh(server: Server) -> Iterator[Ssh]:
    """A connection of our own."""
    found = Ssh(f"deploy@{server.address}", name="test-edges")
    yield found
    found.disconnect()


def attached(ssh: Ssh, heard: list[Mapping[str, Any]] | None = None) -> Agent:
    """A client that is attached and has been answered."""
    events = [] if heard is None else heard

    def listen(host: str, event: Mapping[str, Any]) -> None:
        assert host == "test-edges"
        events.append(event)

    agent = Agent(ssh, "agenttest", artifact(), listen, lambda: KEY)
    [seen] = agent.attach(("observe", {"full": True}))
    assert seen.result(60)["generation"] == 0
    return agent


def test_the_tool_is_uploaded_once(ssh: Ssh) -> None:
    """A bare host gets it with one command; the next deployment finds it there."""
    ssh.run(Command(("rm", "-rf", ".local/bin/tidegate-host")))
    first = attached(ssh)
    first.close()
    second = attached(ssh)
    second.close()
    assert (first.installed, second.installed) == (True, False)
    assert second.hello["agent"] == artifact().digest


def test_a_broken_tool_is_replaced(ssh: Ssh) -> None:
    """One that cannot even start (an old Python's, a torn file) counts as missing."""
    attached(ssh).close()
    ssh.run(Command(("sh", "-c", "echo 'exit 1' > .local/bin/tidegate-host")))
    agent = attached(ssh)
    agent.close()
    assert agent.installed


def test_several_bring_the_tool_at_once(ssh: Ssh) -> None:
    """Who comes second does not take away what the first one runs already."""
    ssh.run(Command(("sh", "-c", "rm -rf .local/bin/tidegate-host .local/share/tidegate/lib")))
    with ThreadPoolExecutor(6) as pool:
        agents = list(pool.map(lambda _: attached(ssh), range(6)))
    for agent in agents:
        agent.close()
    assert sum(agent.installed for agent in agents) > 1, "they did not meet"


def test_a_lost_connection_is_mended_and_nothing_is_done_twice(ssh: Ssh) -> None:
    """The master dies with a request under way: it is answered over a new connection."""
    heard: list[Mapping[str, Any]] = []
    agent = attached(ssh, heard)
    granted = agent.call("acquire", LOCK, timeout_s=60)
    name, token = str(granted["deployment"]), int(granted["token"])
    agent.persist(20)
    ssh.disconnect()
    sent = agent.begin("renew", {"lease_s": 20}, deployment=name, token=token)
    assert sent.result(30) == {}
    assert any(event["step"] == "connection" for event in heard)
    numbers = [event["seq"] for event in heard if event["seq"]]
    assert numbers == sorted(set(numbers))
    agent.call("release", {}, deployment=name, token=token, timeout_s=60)
    agent.close()


def test_two_controllers_meet(ssh: Ssh) -> None:
    """The second is refused with the first one's name; a stale token is refused by the host."""
    first, second = attached(ssh), attached(ssh)
    granted = first.call("acquire", LOCK, timeout_s=60)
    with pytest.raises(RefusedError, match="anna@laptop"):
        second.call("acquire", {**LOCK, "owner": "ben@desk"}, timeout_s=60)
    name, token = str(granted["deployment"]), int(granted["token"])
    with pytest.raises(RefusedError) as stale:
        second.call("renew", {"lease_s": 9}, deployment=name, token=token - 1, timeout_s=60)
    assert stale.value.code == "stale-token"
    first.call("release", {}, deployment=name, token=token, timeout_s=60)
    for agent in (first, second):
        agent.close()
