"""The pages without an API: what is sold, what is escaped, what a customer hears of trouble."""

from __future__ import annotations

from pathlib import Path

import app
import pages
import pytest
from catalogue import Article, articles

CSV = ["id,name,cents", "tide-cup,Cup & saucer,950", "buoy,Buoy,12005"]


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small catalogue, and an API that nobody answers for."""
    file = tmp_path / "articles.csv"
    file.write_text("\n".join(CSV))
    monkeypatch.setenv("CATALOGUE", str(file))
    monkeypatch.setattr(app, "API", "http://127.0.0.1:9")


def test_articles() -> None:
    """Prices are whole cents; two articles of one id are an error."""
    assert [article.price for article in articles(CSV).values()] == ["9.50 EUR", "120.05 EUR"]
    with pytest.raises(ValueError, match="buoy"):
        articles([*CSV, CSV[-1]])


def test_the_shop_lists_what_is_sold() -> None:
    """Every article has a form, its name escaped, and each form an order of its own."""
    page = app.routes.answer("GET", "/shop").content
    assert "Cup &amp; saucer" in page
    ids = [part.split('"')[0] for part in page.split('name="id" value="')[1:]]
    assert len(set(ids)) == len(ids) == 2


def test_what_customers_write_is_escaped() -> None:
    """A customer's name is text on the page, never markup."""
    found = {"id": "abcdef", "state": "placed", "customer": "<script>", "confirmation": None}
    page = pages.order(found, "1")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert pages.AGAIN in page
    assert pages.AGAIN not in pages.order({**found, "state": "done", "confirmation": "x"}, "1")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"article=nothing&quantity=1", 422), (b"article=buoy&quantity=-1", 422), (b"", 422)],
)
def test_what_is_not_sold(body: bytes, status: int) -> None:
    """Only articles of the catalogue can be ordered, and only in whole numbers."""
    assert app.routes.answer("POST", "/shop/orders", body).status == status


def test_without_the_api() -> None:
    """A customer hears that it does not work now, with a status that says so."""
    answer = app.routes.answer("POST", "/shop/orders", b"article=buoy&quantity=1&customer=Ada")
    assert answer.status == 503
    assert "try again" in answer.content


def test_a_price() -> None:
    """Less than ten cents keep their zero."""
    assert Article("x", "X", 5).price == "0.05 EUR"
