"""The shop's pages. Pure: what comes from outside is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from string import Template
from typing import Any

from catalogue import Article

PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width">$head
<link rel="stylesheet" href="/shop.css">
<h1>$title</h1>
$body
<footer><a href="/">The tide shop</a>, version $version</footer>
</html>
""")
FORM = Template("""<form method="post" action="/shop/orders">
<input type="hidden" name="id" value="$id">
<input type="hidden" name="article" value="$article">
<b>$name</b> $price
<input type="number" name="quantity" value="1" min="1" max="99" aria-label="How many">
<input name="customer" placeholder="Your name" required maxlength="80" aria-label="Your name">
<button>Order</button>
</form>
""")
AGAIN = '<meta http-equiv="refresh" content="1">'


def shop(articles: Iterable[Article], ids: Iterable[str], version: str) -> str:
    """All articles, each with its form; ``ids`` are for the orders to come."""
    forms = [
        FORM.substitute(
            id=escape(order),
            article=escape(article.id),
            name=escape(article.name),
            price=escape(article.price),
        )
        for article, order in zip(articles, ids, strict=False)
    ]
    return _page("The tide shop", "".join(forms), version)


def order(found: Mapping[str, Any], version: str) -> str:
    """What became of an order; the page comes again until it is done."""
    done = found["state"] == "done"
    said = found["confirmation"] if done else "We are at it."
    body = (
        f'<p data-state="{escape(found["state"])}">Thank you, {escape(found["customer"])}.</p>'
        f"<p>{escape(said or '')}</p>"
    )
    return _page(f"Order {escape(found['id'])}", body, version, "" if done else AGAIN)


def trouble(message: str, version: str) -> str:
    """Something that the customer should know."""
    return _page("Not ordered", f"<p>{escape(message)}</p>", version)


def _page(title: str, body: str, version: str, head: str = "") -> str:
    return PAGE.substitute(title=title, body=body, version=escape(version), head=head)
