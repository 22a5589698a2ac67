"""Fronts and the edge on a real server: switches, reloads, restarts and routes under load."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.traffic.conftest import Stage
from tests.traffic.specs import CASES
from tidegate.testing.load.process import LoadProcess

pytestmark = pytest.mark.lab
KINDS = "keep-alive,new connection,websocket,tcp,internal"


def loaded(stage: Stage, out: Path, kinds: str, *words: tuple[str, ...]) -> dict[str, Any]:
    """What clients see while these commands run one after another."""
    address = stage.server.address
    options = ("--tcp", f"{address}:7070", "--kinds", kinds, "--rate", "2")
    with LoadProcess(f"{address}:8080", out / "load.json", *options) as load:
        time.sleep(1.5)
        for command in words:
            assert not stage.do(*command), command
        time.sleep(0.5)
        report = load.stop()
    if load.process.stdout:
        load.process.stdout.close()
    return report


def get(stage: Stage, port: int, path: str = "/version", host: str = "any") -> str:
    """SERVICE-SLOT of the copy that answers."""
    connection = http.client.HTTPConnection(stage.server.address, port, timeout=5)
    try:
        return ask(connection, path, host)
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, path: str = "/version", host: str = "any") -> str:
    """The same over a connection that may be kept."""
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (answer.status, body)
    who = json.loads(body)
    return f"{who['service']}-{who['version']}"


def test_haproxy_accepts_the_golden_files(stage: Stage) -> None:
    """HAProxy 3.0 has nothing to say of any case, not even a warning."""
    said = stage.do("check").split()
    assert said == [f"/c/{path.name}" for path in sorted(CASES.glob("*.cfg"))]


def test_switches_lose_nothing(stage: Stage, tmp_path: Path) -> None:
    """Ten switches of web and api, the last with the old copies drained and stopped: 0 failed."""
    report = loaded(stage, tmp_path, KINDS, ("switches", "9", "0.5"), ("replace", "b", "a"))
    assert report["failures"] == []
    assert set(report["counts"]) == set(KINDS.split(","))
    seen = {(sight["service"], sight["version"]) for sight in report["seen"]}
    assert seen == {("web", "a"), ("web", "b"), ("api", "a"), ("api", "b")}
    stage.do("start", "b")


def test_old_workers_follow_a_switch(stage: Stage) -> None:
    """A connection that was open across a reload is led to the new copy by the old worker."""
    stage.do("switch", "a")
    kept = http.client.HTTPConnection(stage.server.address, 8080, timeout=5)
    line = socket.create_connection((stage.server.address, 7070), 5)
    assert ask(kept) == "web-a"
    assert told(line, b"who") == b"a:who"
    done = stage.do("add_route", "more.example.org")
    workers = done.pop("workers")
    assert done == {"edge": "reloaded", "again": "none", "front": True, "front again": False}
    assert workers > 1, "no old worker is left to be tested"
    stage.do("switch", "b")
    assert ask(kept) == "web-b"
    assert get(stage, 8080) == "web-b"
    assert told(line, b"who") == b"a:who", "what is no HTTP stays where it is until it ends"
    kept.close()
    line.close()
    assert get(stage, 8081, host="more.example.org") == "api-b"


def test_callers_wait_while_the_edge_is_replaced(stage: Stage, tmp_path: Path) -> None:
    """systemd keeps the sockets: new connections wait, none is refused."""
    report = loaded(stage, tmp_path, "new connection", ("restart",), ("restart",))
    said = stage.server.run(["journalctl", "--user", "-qu", "tidegate-edge", "-n", "60"]).stdout
    assert report["failures"] == [], said
    assert report["requests"] > 10


def test_an_edge_that_crashes_again_and_again_comes_back(stage: Stage) -> None:
    """No limit of starts: systemd would close the sockets with the unit that it gives up."""
    stage.do("crash", "7")
    assert get(stage, 8080).startswith("web-")


@pytest.mark.parametrize(
    ("host", "path", "service"),
    [
        ("web.example.com", "/", "web"),
        ("WEB.example.com:8081", "/version", "web"),
        ("web.example.com", "/api", "api"),
        ("web.example.com", "/api/x", "api"),
        ("web.example.com", "/apix", "web"),
        ("other.example.com", "/", "api"),
        ("a.b.example.com", "/", "api"),
    ],
)
def test_routes(stage: Stage, host: str, path: str, service: str) -> None:
    """Names are read without case and port, the most specific wins, paths end at a slash."""
    assert get(stage, 8081, path, host).startswith(f"{service}-")


def test_a_port_with_routes_may_be_published_too(stage: Stage) -> None:
    """What is published there takes the host names that no route has."""
    assert get(stage, 8081, host="example.com").startswith("web-")


def test_a_failing_check_is_no_outage(stage: Stage) -> None:
    """The only copy serves although its check fails."""
    time.sleep(2)
    assert get(stage, 8082).startswith("web-")


BYTES = {
    "text": b"hello world\r\n",
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "memcached": b"get key\r\n",
    "smtp": b"EHLO x\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00",
    "postgres": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    "h2c": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def told(connection: socket.socket, data: bytes) -> bytes:
    """What the copy says to these bytes."""
    connection.sendall(data)
    return connection.recv(4096)


@pytest.mark.parametrize("port", [7070, 7071])
@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_what_is_not_http_1_passes_untouched(stage: Stage, port: int, data: bytes) -> None:
    """The copy gets the very bytes, whether the port is declared as TCP or finds out."""
    with socket.create_connection((stage.server.address, port), 5) as connection:
        assert told(connection, data)[1:] == b":" + data


def test_http_is_found_out_and_turns(stage: Stage) -> None:
    """A port that finds out switches each request of an open connection to and fro."""
    kept = http.client.HTTPConnection(stage.server.address, 8083, timeout=5)
    met = []
    for slot in ("a", "b", "a"):
        stage.do("switch", slot)
        met.append(ask(kept))
    kept.close()
    assert met == ["web-a", "web-b", "web-a"]


def test_new_copies_meet_new_copies(stage: Stage) -> None:
    """The caller's address decides first, for one caller alone and only until it is forgotten."""
    stage.do("switch", "a")
    first, then, last = ["web-a a", "web-b a"], ["web-a a", "web-b b"], ["web-a a", "web-b a"]
    assert stage.do("callers") == [*first, *then, *last]


def test_a_request_in_flight_ends_where_it_began(stage: Stage) -> None:
    """The drain waits for it although the traffic has turned; then the copy may stop."""
    stage.do("switch", "a")
    kept = http.client.HTTPConnection(stage.server.address, 8080, timeout=10)
    kept.request("GET", "/slow")
    assert stage.do("replace", "a", "b") == 0
    assert json.loads(kept.getresponse().read())["version"] == "a"
    assert ask(kept) == "web-b"
    kept.close()
    stage.do("start", "a")


def test_what_outlives_the_drain_is_cut_and_counted(stage: Stage) -> None:
    """At the deadline an open TCP connection of the old copy ends, and no other."""
    stage.do("switch", "a")
    spot = (stage.server.address, 7070)
    with socket.create_connection(spot, 5) as old:
        assert told(old, b"x") == b"a:x"
        assert stage.do("cut", "a", "b") == 1
        assert old.recv(10) == b""
    with socket.create_connection(spot, 5) as new:
        assert told(new, b"x") == b"b:x"
