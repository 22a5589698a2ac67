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
        while not self.stopping.wait(0.2):
            for path in ("/", "/shop", "/api/orders"):
                self._try(partial(self.fetch, path))

    def buy(self) -> None:
        """One order after the other."""
        while not self.stopping.wait(0.2):
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A lab server and a repository of the shop whose staging it is, deployed once."""
    lab = Lab.up((NAME,))
    server = lab.server(NAME)
    project = Project.copy(SHOP, tmp_path_factory.mktemp("shop") / "shop")
    settings = project.folder / "tidegate.yaml"
    text = settings.read_text()
    assert "203.0.113.9," in text
    settings.write_text(text.replace("203.0.113.9,", f"{server.address},"))
    project.commit("The address of staging")
    made = Site(server, project.folder, "shop", {**os.environ, **lab.env()}, time.time())
    made.run("deploy", "staging", timeout_s=600)
    yield made
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


def commit(site: Site, message: str, **migrations: str) -> None:
    """The next commit; the API gets these migrations (``__`` in a name stands for a dot)."""
    folder = site.folder / "applications/api/src/migrations"
    for name, text in migrations.items():
        (folder / f"{name[1:].replace('__', '.')}.sql").write_text(text)
    Project(site.folder).commit(message)


ASKED = ("psql", "-U", "postgres", "-d", "shop", "-Atc")


def test_it_stands_as_it_should(site: Site) -> None:
    """Users of users.csv, a migrated database, and every application passes its own tests."""
    users = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"
    assert site.exec("postgres", *ASKED, users).split() == ["api", "postgres", "reader", "worker"]
    assert columns(site) >= {"confirmation", "done"}
    assert "channel" not in columns(site)
    assert migrated(site) == [("ran", "expand"), ("contract", "contract"), ("ran", "contract")]
    customers = Customers(site.server.address)
    assert 'href="/shop"' in customers.fetch("/")
    first = customers.order()
    until(lambda: customers.done(first))

    def execute(service: str, *words: str) -> None:
        site.run("exec", service, "--environment", "staging", "--", *words)

    for service in ("api", "web", "worker", "front"):
        execute(service, "entrypoints/entrypoint_test.sh")
    for service in ("api", "web", "front"):
        execute(service, "env", "SHOP_URL=http://nginx", "entrypoints/entrypoint_e2e.sh")


def test_orders_go_all_the_way_and_are_kept(site: Site) -> None:
    """A second commit under load loses nothing, though it migrates.

    It changes the pages, the API, the worker and the catalogue.
    """
    customers = Customers(site.server.address)
    applications = site.folder / "applications"
    for name in ("api", "web", "worker"):
        (applications / name / "VERSION").write_text("1.1.0\n")
    with (applications / "catalogue/src/articles.csv").open("a") as articles:
        articles.write("anchor,Anchor,7000\n")
    commit(site, "Anchors, and a note for each order", _004_note=NEW_COLUMN)
    with customers:
        time.sleep(1)
        site.run("deploy", "staging", timeout_s=600)
        time.sleep(1)
    assert customers.failures == []
    assert customers.seen > 50
    page = customers.fetch("/shop")
    assert "Anchor" in page
    assert "version 1.1.0" in page
    for name in customers.ordered:
        until(partial(customers.done, name))
    count = site.exec("postgres", *ASKED, "SELECT count(*), count(note) FROM orders")
    assert int(count.split("|")[0]) >= 1 + len(customers.ordered)
    assert migrated(site)[-2:] == [("ran", "expand"), ("checked", "contract")]


def test_a_failing_migration_changes_nothing(site: Site) -> None:
    """What PostgreSQL said is told, what served goes on, and going back is possible."""
    customers = Customers(site.server.address)
    before = columns(site)
    commit(site, "A migration that fails", _005_bad="ALTER TABLE nowhere ADD COLUMN x text;\n")
    with customers:
        failed = site.run("deploy", "staging", code=1, timeout_s=600).stderr
    assert 'relation "nowhere" does not exist' in failed
    assert customers.failures == []
    assert "version 1.1.0" in customers.fetch("/shop")
    assert columns(site) == before
    assert migrated(site)[-1] == ("failed", "expand")
    (site.folder / "applications/api/src/migrations/005_bad.sql").unlink()
    site.run("rollback", "staging", timeout_s=600)
    site.run("unhold", "staging")
    assert "version 1.0.0" in customers.fetch("/shop")


def test_behind_a_contract_there_is_no_way_back(site: Site) -> None:
    """It runs under load when the old copies are gone; then a rollback is refused, by name."""
    customers = Customers(site.server.address)
    commit(site, "The note was no good", _005_no_note__contract=OLD_COLUMN)
    with customers:
        site.run("deploy", "staging", timeout_s=600)
        time.sleep(1)
    assert customers.failures == []
    assert "note" not in columns(site)
    refused = site.run("rollback", "staging", code=3).stderr
    assert "contract migration of api" in refused
    command = ".local/bin/tidegate-host rollback --project shop 2>&1"
    assert "was contracted in deployment" in site.on_server("sh", "-c", command, check=False)
    assert "version 1.1.0" in customers.fetch("/shop")


def test_seed_data_comes_when_it_is_asked_for(site: Site) -> None:
    """Its orders are done like all others, and asking again changes nothing."""
    customers = Customers(site.server.address)
    for _ in range(2):
        site.run("seed", "staging")
        until(lambda: 'data-state="done"' in customers.fetch("/shop/orders/seed-1-ada"))
    many = "SELECT count(*) FROM orders WHERE id LIKE 'seed-%'"
    assert site.exec("postgres", *ASKED, many).strip() == "3"
    assert "No changes" in site.run("deploy", "staging", timeout_s=600).stdout
