"""Pictures of tables: every arrow is drawn, from box to box, over no box, with its words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tidegate.cli import reference
from tidegate.cli.diagram import Arrow, Box, drawing, place

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = {
    "host": (reference.host_picture(), reference.HOST_PLACES, reference.host_arrows()),
    "controller": (
        reference.controller_picture(),
        reference.CONTROLLER_PLACES,
        reference.controller_arrows(),
    ),
}
LINE = re.compile(r"M([\d.-]+),([\d.-]+) L([\d.-]+),([\d.-]+)$")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_every_state_and_word(name: str) -> None:
    """Each state is a box, each pair of states an arrow, each word of the table is read."""
    text, places, arrows = PICTURES[name]
    root = ElementTree.fromstring(text)
    texts = [one.text or "" for one in root.iter(f"{SVG}text") if one.get("class") != "label"]
    labels = [one.text or "" for one in root.iter(f"{SVG}text") if one.get("class") == "label"]
    assert sorted(texts) == sorted(places)
    assert {state for start, end, _ in arrows for state in (start, end)} == set(places)
    words = " ".join(labels).replace(" or ", " ").split()
    assert sorted(words) == sorted(word for pair in _joined(arrows).values() for word in pair)
    drawn = [path for path in root.iter(f"{SVG}path") if path.get("d", "")[0] == "M"]
    assert len(drawn) == len(_joined(arrows)) + 2  # the first state's, and the arrow's own head


def _joined(arrows: list[Arrow]) -> dict[tuple[str, str], list[str]]:
    joined: dict[tuple[str, str], list[str]] = {}
    for start, end, word in arrows:
        joined.setdefault((start, end), []).append(word)
    return joined


@pytest.mark.parametrize("name", PICTURES)
def test_no_arrow_runs_through_a_box(name: str) -> None:
    """A line only touches the boxes that it joins: nothing seems to come from where it does not."""
    text, places, _ = PICTURES[name]
    for path in ElementTree.fromstring(text).iter(f"{SVG}path"):
        found = LINE.match(path.get("d", ""))
        if found is None:
            continue
        x1, y1, x2, y2 = map(float, found.groups())
        points = [(x1 + (x2 - x1) * t / 50, y1 + (y2 - y1) * t / 50) for t in range(51)]
        crossed = {
            state for state, box in places.items() if any(_inside(box, x, y) for x, y in points)
        }
        assert crossed == set(), f"{found[0]} runs through {crossed}"


def _inside(box: Box, x: float, y: float) -> bool:
    return box.x[0] < x < box.x[1] and box.y[0] < y < box.y[1]


def test_a_state_without_a_place_is_told() -> None:
    """A table that has grown cannot be drawn by halves."""
    with pytest.raises(KeyError, match="new"):
        drawing("A table", {"old": place(0, 0)}, [("old", "new", "grew")], ())
