"""What is sold: the articles of the content bundle."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """``id`` is what orders name; the price is in cents."""

    id: str
    name: str
    cents: int

    @property
    def price(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02d} EUR"


def articles(lines: Iterable[str]) -> dict[str, Article]:
    """The articles of a file with the columns id, name and cents; two of one id are an error."""
    found: dict[str, Article] = {}
    for row in csv.DictReader(lines):
        article = Article(row["id"], row["name"], int(row["cents"]))
        if article.id in found:
            raise ValueError(f"two articles are called {article.id}")
        found[article.id] = article
    return found
