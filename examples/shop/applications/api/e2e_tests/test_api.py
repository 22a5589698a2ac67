"""The API as the front page uses it: through nginx, for reading only."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request

import pytest

ORDERS = os.environ["SHOP_URL"].rstrip("/") + "/api/orders"


def test_the_summary() -> None:
    """Everybody may read how many orders there are, and none is done that was not placed."""
    with urllib.request.urlopen(ORDERS, timeout=10) as answer:
        found = json.load(answer)
    assert 0 <= found["done"] <= found["placed"]


def test_nobody_orders_past_the_shop() -> None:
    """nginx lets no order through to the API: prices are the shop's."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(ORDERS, data=b"{}", timeout=10)
    assert caught.value.code == 403
