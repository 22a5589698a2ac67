"""The shop as pages: shows what is sold, hands orders to the API, shows what became of them."""

from __future__ import annotations

import itertools
import json
import os
import re
import uuid
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote
from urllib.request import Request as Call
from urllib.request import urlopen

import pages
from catalogue import articles
from serving import Answer, Request, Routes, Server

VERSION = Path(__file__).parents[1].joinpath("VERSION").read_text().strip()
API = os.environ.get("API_URL", "http://api:8000")
routes = Routes()


def call(path: str, data: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """What the API says: its status and its data; 503 where it says nothing of use."""
    body = None if data is None else json.dumps(data).encode()
    try:
        try:
            answer = urlopen(Call(f"{API}{path}", data=body), timeout=5)
        except HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.load(answer)
    except (OSError, ValueError) as error:
        print(f"{API}{path}: {error!r}", flush=True)
        return 503, {"error": "The shop takes no orders just now. Please try again."}


def sold() -> dict[str, Any]:
    """The catalogue as it is now."""
    return articles(Path(os.environ["CATALOGUE"]).read_text("utf-8").splitlines())


@routes.on("GET", "/health")
def health(_: Request) -> Answer:
    return Answer(200, {"service": "web", "version": VERSION, "articles": len(sold())})


@routes.on("GET", "/shop")
def shop(_: Request) -> Answer:
    ids = (str(uuid.uuid4()) for _ in itertools.count())
    return Answer(200, pages.shop(sold().values(), ids, VERSION))


@routes.on("POST", "/shop/orders")
def place(request: Request) -> Answer:
    """303 to the order's page once the API has it."""
    form = {
        key: values[0] for key, values in parse_qs(request.body.decode(errors="replace")).items()
    }
    article = sold().get(form.get("article", ""))
    quantity = form.get("quantity", "")
    if article is None or not re.fullmatch("[0-9]{1,2}", quantity):
        return Answer(422, pages.trouble("There is no such article, or not so many.", VERSION))
    order = {
        "id": form.get("id") or str(uuid.uuid4()),
        "customer": form.get("customer", ""),
        "article": article.id,
        "quantity": int(quantity),
        "cents": article.cents,
    }
    status, answer = call("/orders", order)
    if status != 201:
        return Answer(status, pages.trouble(answer["error"], VERSION))
    return Answer(303, location=f"/shop/orders/{answer['id']}")


@routes.on("GET", "/shop/orders/{id}")
def order(request: Request) -> Answer:
    status, answer = call(f"/orders/{quote(request.parts['id'], safe='')}")
    if status != 200:
        return Answer(status, pages.trouble(answer["error"], VERSION))
    return Answer(200, pages.order(answer, VERSION))


if __name__ == "__main__":
    kinds = len(sold())
    print(json.dumps({"service": "web", "version": VERSION, "articles": kinds}), flush=True)
    Server(8000, routes).run()
