"""examples/shop on a real server: orders go all the way, under load, and are kept."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.semantics.site import Site, until
from tidegate.lab import Lab
from tidegate.testing.prove.project import ROOT, Project

pytestmark = pytest.mark.lab

SHOP = ROOT / "examples" / "shop"
# A server that is named here is taken as it is and left.
KEPT = os.environ.get("TIDEGATE_SHOP_SERVER", "")
NAME = KEPT or "shop-staging"
NEW_COLUMN = "ALTER TABLE orders ADD COLUMN note text;\n"
OLD_COLUMN = "ALTER TABLE orders DROP COLUMN note;\n"


@dataclass
class Customers:
    """They look around and order without a pause; what fails is kept with its reason."""

    address: str
    ordered: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seen: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def fetch(self, path: str, form: dict[str, str] | None = None) -> str:
        """A page through nginx."""
        data = urlencode(form).encode() if form else None
        url = f"http://{self.address}:8080{path}"
        with urllib.request.urlopen(url, data=data, timeout=20) as answer:
            return str(answer.read().decode())

    def order(self) -> str:
        """Place an order; its name, once the shop has taken it."""
        name = str(uuid.uuid4())
        form = {"id": name, "article": "tide-cup", "quantity": "2", "customer": "Ada"}
        self.fetch("/shop/orders", form)
        return name

    def done(self, name: str) -> bool:
        """Whether the page of an order says that the worker has done it."""
        page = self.fetch(f"/shop/orders/{name}")
        return 'data-state="done"' in page and "19.00 EUR" in page

    def look(self) -> None:
        """One page after the other."""
        while not self.stopping.wait(0.02):
            for path in ("/", "/shop", "/api/orders"):
                self._try(partial(self.fetch, path))

    def buy(self) -> None:
        """One order after the other."""
        while not self.stopping.wait(0.05):
            self._try(lambda: self.ordered.append(self.order()))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
            self.seen += 1
        except OSError as error:
            self.failures.append(f"{time.strftime('%T')} {error!r}")

    def __enter__(self) -> Customers:
        self.threads = [threading.Thread(target=work) for work in (self.look, self.buy, self.buy)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A lab server and a repository of the shop whose staging it is."""
    lab = Lab.up((NAME,))
    server = lab.server(NAME)
    project = Project.copy(SHOP, tmp_path / "shop")
    settings = project.folder / "tidegate.yaml"
    text = settings.read_text()
    assert "203.0.113.9," in text
    settings.write_text(text.replace("203.0.113.9,", f"{server.address},"))
    project.commit("The address of staging")
    yield Site(server, project.folder, "shop", {**os.environ, **lab.env()}, time.time())
    if not KEPT:
        lab.down()


def columns(site: Site) -> set[str]:
    """Those of the table of orders."""
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'"
    return set(site.exec("postgres", "psql", "-U", "postgres", "-d", "shop", "-Atc", asked).split())


def migrated(site: Site) -> list[tuple[str, str]]:
    """What the audit log says of migrations, oldest first."""
    entries = json.loads(site.run("history", "staging", "--json").stdout)["data"]["entries"]
    found = [entry for entry in reversed(entries) if entry["event"].startswith("migration.")]
    return [(entry["event"].partition(".")[2], entry["kind"]) for entry in found]


def test_orders_go_all_the_way_and_are_kept(site: Site) -> None:
    """Front, web, API, PostgreSQL, worker; then a second commit under load loses nothing.

    The second one changes the pages, the API, the worker and the catalogue, and migrates.
    """
    site.run("deploy", "staging", timeout_s=600)
    assert columns(site) >= {"confirmation", "done"}
    assert "channel" not in columns(site)
    customers = Customers(site.server.address)
    assert 'href="/shop"' in customers.fetch("/")
    first = customers.order()
    until(lambda: customers.done(first))
    users = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"
    asked = ("psql", "-U", "postgres", "-d", "shop", "-Atc")
    assert site.exec("postgres", *asked, users).split() == ["api", "postgres", "reader", "worker"]

    def execute(service: str, *words: str) -> None:
        site.run("exec", service, "--environment", "staging", "--", *words)

    for service in ("api", "web", "worker", "front"):
        execute(service, "entrypoints/entrypoint_test.sh")
    for service in ("api", "web"):
        execute(service, "env", "SHOP_URL=http://nginx", "entrypoints/entrypoint_e2e.sh")

    applications = site.folder / "applications"
    for name in ("api", "web", "worker"):
        (applications / name / "VERSION").write_text("1.1.0\n")
    (applications / "api/src/migrations/004_note.sql").write_text(NEW_COLUMN)
    with (applications / "catalogue/src/articles.csv").open("a") as articles:
        articles.write("anchor,Anchor,7000\n")
    Project(site.folder).commit("Anchors, and a note for each order")
    with customers:
        time.sleep(1)
        site.run("deploy", "staging", timeout_s=600)
        time.sleep(1)
    assert customers.failures == []
    assert customers.seen > 50
    page = customers.fetch("/shop")
    assert "Anchor" in page
    assert "version 1.1.0" in page
    for name in [first, *customers.ordered]:
        until(partial(customers.done, name))
    count = site.exec("postgres", *asked, "SELECT count(*), count(note) FROM orders")
    assert int(count.split("|")[0]) >= 1 + len(customers.ordered)
    first_two = [("ran", "expand"), ("contract", "contract"), ("ran", "contract")]
    assert migrated(site) == [*first_two, ("ran", "expand"), ("checked", "contract")]

    bad = applications / "api/src/migrations/005_bad.sql"
    bad.write_text("ALTER TABLE nowhere ADD COLUMN x text;\n")
    Project(site.folder).commit("A migration that fails")
    failed = site.run("deploy", "staging", code=1, timeout_s=600).stderr
    assert 'relation "nowhere" does not exist' in failed
    assert "version 1.1.0" in customers.fetch("/shop")
    site.run("rollback", "staging", timeout_s=600)
    site.run("unhold", "staging")
    bad.unlink()
    (applications / "api/src/migrations/005_no_note.contract.sql").write_text(OLD_COLUMN)
    Project(site.folder).commit("The note was no good")
    with customers:
        site.run("deploy", "staging", timeout_s=600)
        time.sleep(1)
    assert customers.failures == []
    assert "note" not in columns(site)
    refused = site.run("rollback", "staging", code=3).stderr
    assert "contract migration of api" in refused
    command = ".local/bin/tidegate-host rollback --project shop 2>&1"
    by_hand = site.on_server("sh", "-c", command, check=False)
    assert "was contracted in deployment" in by_hand
    site.run("seed", "staging")
    until(partial(customers.done, "seed-1-ada"))
    assert "No changes" in site.run("deploy", "staging", timeout_s=600).stdout
