"""What is on a server, asked from outside of Tidegate: by HTTP, by podman, in the database."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tidegate.lab import Server
from tidegate.testing.demo.repository import PORT
from tidegate.testing.demo.whole import Facts
from tidegate.testing.load.clients import VERSION
from tidegate.testing.prove.site import SURVEY

INSTANCE = "shop"
LOOK = Path(__file__).with_name("look.py")
ORDERS = "psql -U postgres -d shop -Atc 'SELECT id FROM orders'"
# Three questions in one connection, each answered by a line.
ASK = """\
python3 - {instance} <<'SURVEY'
{survey}
SURVEY
echo
python3 - {instance} <<'LOOK'
{look}
LOOK
echo
podman exec {instance}-postgres {orders} 2> /dev/null | tr '\\n' ' '
"""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server says; ``orders`` are those of its database, where it has one."""

    survey: Facts
    containers: Sequence[Facts]
    orders: set[str]
    page: str


def ask(servers: Sequence[Server]) -> dict[str, Answer]:
    """Ask servers for all that there is to judge, by name."""
    words = ASK.format(
        instance=INSTANCE, survey=SURVEY.read_text(), look=LOOK.read_text(), orders=ORDERS
    )

    def one(server: Server) -> Answer:
        said = server.run(["sh", "-s"], input=words).stdout.splitlines()
        survey, containers, *orders = (line for line in said if line)
        taken = {name for line in orders for name in line.split()}
        return Answer(json.loads(survey), json.loads(containers), taken, page(server))

    with ThreadPoolExecutor(len(servers)) as pool:
        return dict(zip((server.name for server in servers), pool.map(one, servers), strict=True))
