"""The edge in a real HAProxy: published ports and routes, with sockets passed in."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.traffic.loopback import free_port, get, proxied, served, told
from tidegate.traffic.admin import Admin
from tidegate.traffic.edge import backend_is, edge_config, edge_sockets, socket_name
from tidegate.traffic.model import Claim, Copy, Published, Route

pytestmark = pytest.mark.lab

COPIES = {"a": Copy(("127.0.0.4",), 8000), "b": Copy(("127.0.0.5",), 9000)}


def route(service: str, host: str, path: str = "/", port: int = 80) -> Route:
    """A route to COPIES."""
    return Route(service, host, path, port, COPIES)


def published(service: str, port: int, mode: str = "auto", address: str = "") -> Published:
    """A published port that leads to COPIES."""
    return Published(service, address, port, mode, COPIES)


@pytest.fixture
def ports() -> list[int]:
    """Three free ports: one for routes, two published."""
    return [free_port() for _ in range(3)]


@pytest.fixture
def edge(tmp_path: Path, ports: list[int]) -> Iterator[Admin]:
    """An edge with passed sockets: routes and `rest` on the first port, auto, tcp on others."""
    routes = (
        route("web", "shop.example", port=ports[0]),
        route("api", "shop.example", "/api", ports[0]),
        route("any", "*.shop.example", port=ports[0]),
    )
    spots = (
        published("rest", ports[0]),
        published("web", ports[1], "auto"),
        published("echo", ports[2], "tcp"),
    )
    claims = [Claim("shop", spots, routes)]
    (tmp_path / "haproxy.cfg").write_text(edge_config(claims))
    live = {"web": "a", "api": "b", "any": "b", "rest": "a", "echo": "a"}
    (tmp_path / "live.map").write_text("".join(f"shop/{k} {v}\n" for k, v in live.items()))
    with contextlib.ExitStack() as stack:
        stack.enter_context(served("a", "127.0.0.4", COPIES["a"].port))
        stack.enter_context(served("b", "127.0.0.5", COPIES["b"].port))
        fds = {}
        for spot in edge_sockets(claims):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", spot[1])))
            fds[f"TIDEGATE_FD_{socket_name(spot)}"] = listening.fileno()
        stack.enter_context(proxied(tmp_path, fds))
        yield Admin(tmp_path)


def asked(port: int, host: str, path: str = "/") -> str:
    """Who answers a request to `host`."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        return get(connection, path, host)


@pytest.mark.usefixtures("edge")
def test_the_most_specific_route_answers(ports: list[int]) -> None:
    """Longer paths before shorter, names before wildcards, the published port for the rest."""
    assert asked(ports[0], "shop.example") == "a"
    assert asked(ports[0], f"SHOP.example:{ports[0]}") == "a"
    assert asked(ports[0], "shop.example", "/api") == "b"
    assert asked(ports[0], "shop.example", "/api/x") == "b"
    assert asked(ports[0], "shop.example", "/apix") == "a"
    assert asked(ports[0], "www.shop.example") == "b"
    assert asked(ports[0], "other.example") == "a"


def test_a_line_of_the_map_switches_one_service(edge: Admin, ports: list[int]) -> None:
    """Every port and route of that service turns, those of others do not."""
    edge.put("live.map", "shop/web", "b")
    assert asked(ports[1], "x") == "b"
    assert asked(ports[0], "shop.example") == "b"
    assert asked(ports[0], "other.example") == "a"


def test_tcp_passes_through_the_edge(edge: Admin, ports: list[int]) -> None:
    """A tcp port hands bytes on, and is counted under its service."""
    with socket.create_connection(("127.0.0.1", ports[2]), 5) as connection:
        assert told(connection, b"x") == b"a:x"
    assert edge.counts(lambda name: backend_is(name, "shop/echo", "a")).requests == 1
