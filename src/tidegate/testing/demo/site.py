"""What is on a server, asked from outside of Tidegate: by HTTP, by podman, in the database."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tidegate.lab import Server
from tidegate.testing.demo.repository import PORT
from tidegate.testing.demo.whole import Seen
from tidegate.testing.load.clients import VERSION
from tidegate.testing.prove.site import SURVEY

INSTANCE = "shop"
LOOK = Path(__file__).with_name("look.py")
ORDERS = ("psql", "-U", "postgres", "-d", "shop", "-Atc", "SELECT id FROM orders")


def page(server: Server) -> str:
    """The version at the foot of the shop's page."""
    connection = http.client.HTTPConnection(server.address, PORT, timeout=10)
    try:
        connection.request("GET", "/shop")
        found = VERSION.search(connection.getresponse().read().decode(errors="replace"))
        return found[1] if found else "nothing of use"
    except (OSError, http.client.HTTPException) as problem:
        return f"nothing ({type(problem).__name__})"
    finally:
        connection.close()


def pages(servers: Sequence[Server]) -> str:
    """The same of several, for people: one version, or several where they differ."""
    return " and ".join(sorted({page(server).partition("+")[0] for server in servers}))


def orders(server: Server) -> set[str]:
    """Every order in the database that is on this server."""
    return set(server.run(["podman", "exec", "shop-postgres", *ORDERS]).stdout.split())


def look(servers: Sequence[Server], status: Mapping[str, Any]) -> dict[str, Seen]:
    """All that there is to judge, by host; ``status`` is the answer of ``tidegate status``."""

    def script(server: Server, file: Path) -> Any:
        done = server.run(["python3", "-", INSTANCE], input=file.read_text())
        return json.loads(done.stdout)

    def one(server: Server) -> Seen:
        survey, containers = script(server, SURVEY), script(server, LOOK)
        return Seen(status["hosts"][server.name], survey, containers, page(server))

    with ThreadPoolExecutor(len(servers)) as pool:
        return dict(zip((server.name for server in servers), pool.map(one, servers), strict=True))
