"""The shop's API: takes orders, keeps them in PostgreSQL, tells what became of them."""

from __future__ import annotations

import json
from pathlib import Path

import database
from orders import NotAnOrderError, order
from serving import Answer, Request, Routes, Server

VERSION = Path(__file__).parents[1].joinpath("VERSION").read_text().strip()
routes = Routes()


@routes.on("GET", "/health")
def health(_: Request) -> Answer:
    return Answer(200, {"service": "api", "version": VERSION})


@routes.on("POST", "/orders")
def place(request: Request) -> Answer:
    """201 means that the order is committed."""
    try:
        found = order(request.body)
    except NotAnOrderError as error:
        return Answer(422, {"error": str(error)})
    database.place(found)
    return Answer(201, {"id": found.id}, location=f"/orders/{found.id}")


@routes.on("GET", "/orders")
def summary(_: Request) -> Answer:
    return Answer(200, database.summary())


@routes.on("GET", "/orders/{id}")
def one(request: Request) -> Answer:
    found = database.find(request.parts["id"])
    return Answer(200, found) if found else Answer(404, {"error": "there is no such order"})


if __name__ == "__main__":
    print(json.dumps({"service": "api", "version": VERSION, "port": 8000}), flush=True)
    Server(8000, routes).run()
