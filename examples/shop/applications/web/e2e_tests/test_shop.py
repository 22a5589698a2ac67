"""The shop as a customer has it: what is ordered at the front is done by the worker."""

from __future__ import annotations

import os
import time
import urllib.request
import uuid
from urllib.parse import urlencode

SHOP = os.environ["SHOP_URL"].rstrip("/")
PATIENCE_S = 20.0


def fetched(path: str, form: dict[str, str] | None = None) -> str:
    """A page, after the redirection that an order ends with."""
    data = urlencode(form).encode() if form else None
    with urllib.request.urlopen(f"{SHOP}{path}", data=data, timeout=10) as answer:
        return answer.read().decode()


def test_the_front_page() -> None:
    """The static front leads to the shop."""
    assert 'href="/shop"' in fetched("/")


def test_an_order_is_done() -> None:
    """An order is placed, and its page says after a while that it is done, with the sum."""
    name = str(uuid.uuid4())
    form = {"id": name, "article": "tide-cup", "quantity": "3", "customer": "Ada"}
    page = fetched("/shop/orders", form)
    deadline = time.monotonic() + PATIENCE_S
    while 'data-state="done"' not in page and time.monotonic() < deadline:
        time.sleep(0.2)
        page = fetched(f"/shop/orders/{name}")
    assert 'data-state="done"' in page
    assert "28.50 EUR" in page
