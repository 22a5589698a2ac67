"""Who may have which port and route, and how sockets and backends are called."""

from __future__ import annotations

from typing import Any

import pytest

from tests.traffic import specs
from tidegate.traffic.edge import backend_is, check_claims, edge_config, edge_sockets, socket_name
from tidegate.traffic.model import Claim, Taken


def wants(instance: str, data: dict[str, Any]) -> Claim:
    """A claim in short: ``published`` are ports, ``routes`` are [host, path, port]."""
    spots = [
        {"service": "web", "port": port, "mode": "http", "address": data.get("address", "")}
        for port in data.get("published", [])
    ]
    routes = [
        dict(zip(("host", "path", "port"), route, strict=False), service="web")
        for route in data.get("routes", [])
    ]
    return specs.claim({"instance": instance, "published": spots, "routes": routes})


@pytest.mark.parametrize("case", specs.load("taken.yaml"), ids=lambda case: str(case["claim"]))
def test_taken(case: dict[str, Any]) -> None:
    """What another instance has is refused with that instance's name, and nothing else is."""
    held, wanted = wants(case.get("owner", "other"), case["held"]), wants("shop", case["wanted"])
    if "taken" not in case:
        check_claims([held], wanted)
        return
    with pytest.raises(Taken, match=case["taken"]) as refused:
        check_claims([held, wanted], wanted)
    assert refused.value.owner == "other"


@pytest.mark.parametrize(
    ("listen", "name"),
    [
        (("", 8080), "p8080"),
        (("127.0.0.1", 80), "p80_127_0_0_1"),
        (("::1", 80), "p80___1"),
        (("::", 80), "p80___"),
    ],
)
def test_socket_name(listen: tuple[str, int], name: str) -> None:
    """A socket's name can be a systemd descriptor's, a variable's and HAProxy's."""
    assert socket_name(listen) == name
    assert name.isidentifier()


def test_sockets_are_shared_by_routes() -> None:
    """Each published port and each port with routes is one socket, in order."""
    claims = [
        wants("shop", {"published": [8080, 443], "routes": [["a.example.com", "/"]]}),
        wants("blog", {"routes": [["b.example.com", "/"], ["b.example.com", "/", 81]]}),
    ]
    assert edge_sockets(claims) == [("", 80), ("", 81), ("", 443), ("", 8080)]
    assert edge_sockets([]) == []


@pytest.mark.parametrize(
    ("name", "key", "slot", "expected"),
    [
        ("http:shop:web:p80:a", "shop/web", "a", True),
        ("tcp:shop:web:r0:a", "shop/web", "a", True),
        ("http:shop:web:p80:a", "shop/web", "b", False),
        ("http:shop-web:web:p80:a", "shop/web", "a", False),
        ("http:shop:web2:p80:a", "shop/web", "a", False),
        ("listen:p80", "shop/web", "a", False),
        ("http:80:a", "shop/web", "a", False),
    ],
)
def test_backend_is(name: str, key: str, slot: str, expected: bool) -> None:
    """Counting and draining touch the backends of one slot of one service, no namesake's."""
    assert backend_is(name, key, slot) is expected


def test_every_backend_belongs_to_one_slot() -> None:
    """Each backend of each edge in the cases belongs to just one service and slot."""
    for case in specs.load("configs.yaml").values():
        if "claims" not in case:
            continue
        claims = [specs.claim(each) for each in case["claims"]]
        keys = {f"{each.instance}/{part.service}" for each in claims for part in each.published}
        keys |= {f"{each.instance}/{part.service}" for each in claims for part in each.routes}
        lines = edge_config(claims).splitlines()
        for name in [line.split()[1] for line in lines if line.startswith("backend ")]:
            assert (
                sum(backend_is(name, key, slot) for key in keys for slot in ("a", "b", "none")) == 1
            ), name


def test_most_specific_route_first() -> None:
    """Whole names before wildcards before any name; longer paths before shorter ones."""
    case = specs.load("configs.yaml")["edge-routes"]
    text = edge_config([specs.claim(each) for each in case["claims"]])
    frontend = text.partition("frontend routes:p80\n")[2].partition("\n\n")[0]
    used = [line.split(":")[2] for line in frontend.splitlines() if "use_backend" in line]
    assert list(dict.fromkeys(used)) == ["v2", "api", "web", "deep", "wild", "any"]
