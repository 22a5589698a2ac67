"""Migrations of a fleet with a real database: one host migrates for all, and the witness knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fleet.fleet import Fleet

pytestmark = pytest.mark.lab

# A copy of the API is healthy where its table is there: none may start before the migration.
COMPOSE = """\
services:
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: secret, POSTGRES_DB: shop}
    volumes: [data:/var/lib/postgresql/data]
    healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 1s}
  api:
    image: postgres:17
    environment: {PGPASSWORD: secret, VERSION: "%(version)s"}
    init: true
    command: sleep 1d
    depends_on: {db: {condition: service_healthy}}
    healthcheck:
      test: [CMD, psql, -h, db, -U, postgres, shop, -c, "select id from orders"]
      interval: 1s
      retries: 2
volumes: {data: {}}
"""
SHOP = ("psql", "-h", "db", "-U", "postgres", "shop")
COLUMNS = "select string_agg(column_name, ' ') from information_schema.columns"


def settings(**statements: str) -> dict[str, Any]:
    """Settings whose migrations, by kind, are each one statement that fails when it is repeated."""
    migrations = [
        {"kind": kind, "command": [*SHOP, "-v", "ON_ERROR_STOP=1", "-c", statement]}
        for kind, statement in statements.items()
    ]
    return {"db": {"on": "db", "stateful": True}, "api": {"on": "web", "migrate": migrations}}


def columns(fleet: Fleet) -> set[str]:
    """Of the table of orders, as the second host's API sees it."""
    asked = f"{COLUMNS} where table_name = 'orders'"
    return set(fleet.hosts[1].exec("api", *SHOP, "-tAc", asked).split())


def test_one_host_migrates_for_all(fleet: Fleet) -> None:
    """Before any copy, once; a contract after the commit, and then nobody goes back behind it."""
    create = settings(expand="create table orders (id int, old int)")
    fleet.write(COMPOSE % {"version": "1"}, create)
    fleet.deploy()
    name = f"{fleet.site.name}-api.expand"
    assert [host.log(name) for host in fleet.hosts] == [[], ["CREATE TABLE"], []]
    assert "No changes" in fleet.deploy().stdout

    both = settings(
        expand="alter table orders add column fresh int",
        contract="alter table orders drop column old",
    )
    fleet.write(COMPOSE % {"version": "2"}, both)
    shown = fleet.site.run("plan", "production").stdout
    assert "expand: psql" in shown
    assert "contract: psql" in shown
    fleet.deploy()
    assert columns(fleet) == {"id", "fresh"}
    refused = fleet.site.rollback(code=3).stderr
    assert "contract migration of api (production/2)" in refused
    by_hand = f".local/bin/tidegate-host rollback --project {fleet.site.name} 2>&1"
    said = fleet.hosts[0].on_server("sh", "-c", by_hand, check=False)
    assert "the database of api was contracted in deployment 2" in said
    assert fleet.generations() == [2, 2, 2]

    fleet.write(COMPOSE % {"version": "3"}, settings(expand="alter table nowhere add column x int"))
    failed = fleet.deploy(code=1).stderr
    assert 'relation "nowhere" does not exist' in failed
    assert fleet.generations() == [2, 2, 2]
    assert [len(host.containers("api")) for host in fleet.hosts] == [0, 1, 1]
