"""A state machine as an SVG picture: its boxes placed by hand, its arrows from the table.

A picture and not Mermaid's words, because it is then seen wherever it is read: on GitHub, in the
built site without the internet, and in an editor. Pure. (SVG 1.1, https://www.w3.org/TR/SVG11/.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import hypot

COLUMN, ROW = 162, 92  # from the middle of one place to the middle of the next
WIDTH, HEIGHT = 96, 36  # of a box in one place
NEAR, LINE = 26, 13  # from an arrow's start to its label; the height of a label's line
MARGIN = 12
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1c2733; text-anchor: middle }
.label { font-size: 11px; fill: #4a5a6a; paint-order: stroke; stroke: #fff; stroke-width: 5px }
rect { fill: #eef4fb; stroke: #4878a8; stroke-width: 1.5 }
.end { fill: #e3f1e6; stroke: #3d7a4c }
path { fill: none; stroke: #66788a; stroke-width: 1.3; marker-end: url(#arrow) }
#paper { fill: #fff; stroke: none }
#arrow path { fill: #66788a; stroke: none; marker-end: none }
"""


@dataclass(frozen=True, slots=True)
class Box:
    """The places that a state takes: rows and columns, the last ones included."""

    top: int
    left: int
    right: int
    bottom: int

    @property
    def x(self) -> tuple[float, float]:
        """Its left and right edge."""
        middle = COLUMN / 2 + MARGIN
        return middle + self.left * COLUMN - WIDTH / 2, middle + self.right * COLUMN + WIDTH / 2

    @property
    def y(self) -> tuple[float, float]:
        """Its upper and lower edge."""
        middle = ROW / 2 + MARGIN
        return middle + self.top * ROW - HEIGHT / 2, middle + self.bottom * ROW + HEIGHT / 2


Arrow = tuple[str, str, str]  # from, to, what happened
Line = tuple[float, float, float, float]


def place(row: int, left: int, right: int | None = None, bottom: int | None = None) -> Box:
    """A box of one place, or one that reaches to another column or row."""
    return Box(row, left, left if right is None else right, row if bottom is None else bottom)


def drawing(
    title: str, places: Mapping[str, Box], arrows: Sequence[Arrow], ends: Iterable[str]
) -> str:
    """The picture of all boxes and arrows; the first state of the table has an arrow from nowhere.

    A state of an arrow that has no place is a ``KeyError``: the table has grown.
    """
    joined: dict[tuple[str, str], list[str]] = {}
    for start, end, happened in arrows:
        joined.setdefault((start, end), []).append(happened)
    width = max(box.x[1] for box in places.values()) + MARGIN
    height = max(box.y[1] for box in places.values()) + MARGIN
    drawn = [_arrow(places[start], places[end], words) for (start, end), words in joined.items()]
    body = [_entry(places[arrows[0][0]]), *(line for line, _ in drawn)]
    body += [_box(name, box, name in ends) for name, box in places.items()]
    body += [label for _, label in drawn]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
            f' width="{width:g}" height="{height:g}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            ' markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
            '<rect id="paper" width="100%" height="100%"/>',
            *body,
            "</svg>\n",
        ]
    )


def _box(name: str, box: Box, is_end: bool) -> str:
    (left, right), (top, bottom) = box.x, box.y
    kind = ' class="end"' if is_end else ""
    return (
        f'<rect{kind} x="{left:g}" y="{top:g}" width="{right - left:g}"'
        f' height="{bottom - top:g}" rx="6"/>'
        f'<text x="{(left + right) / 2:g}" y="{(top + bottom) / 2 + 4:g}">{escape(name)}</text>'
    )


def _entry(first: Box) -> str:
    (left, right), top = first.x, first.y[0]
    middle = (left + right) / 2
    return f'<path d="M{middle:g},{top - 28:g} L{middle:g},{top:g}"/>'


def _arrow(start: Box, end: Box, words: Sequence[str]) -> tuple[str, str]:
    """The line, and the label: above a level line, else on the line near its start."""
    if start == end:
        return _loop(start, words)
    x1, y1, x2, y2 = _between(start, end)
    line = f'<path d="M{x1:g},{y1:g} L{x2:g},{y2:g}"/>'
    if y1 == y2:
        return line, _label((x1 + x2) / 2, y1 - 6 - LINE * (len(words) - 1), words)
    part = NEAR * (1 if x1 == x2 else 2) / hypot(x2 - x1, y2 - y1)
    at = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part + 2
    return line, _label(*at, (" or ".join(words),))


def _loop(box: Box, words: Sequence[str]) -> tuple[str, str]:
    middle, top = sum(box.x) / 2, box.y[0]
    line = (
        f'<path d="M{middle - 18:g},{top:g} C{middle - 26:g},{top - 28:g}'
        f' {middle + 26:g},{top - 28:g} {middle + 18:g},{top - 1:g}"/>'
    )
    return line, _label(middle, top - 23, words)


def _label(x: float, y: float, lines: Sequence[str]) -> str:
    return "".join(
        f'<text class="label" x="{x:.4g}" y="{y + LINE * number:.4g}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def _between(start: Box, end: Box) -> Line:
    """Straight across where the two share a row, straight up or down where a column, else askew."""
    shared_rows = _shared((start.top, start.bottom), (end.top, end.bottom))
    shared_columns = _shared((start.left, start.right), (end.left, end.right))
    x1, x2 = (start.x[1], end.x[0]) if start.right < end.left else (start.x[0], end.x[1])
    y1, y2 = (start.y[1], end.y[0]) if start.bottom < end.top else (start.y[0], end.y[1])
    if shared_rows is not None:
        y = ROW / 2 + MARGIN + shared_rows * ROW
        return x1, y, x2, y
    if shared_columns is not None:
        x = COLUMN / 2 + MARGIN + shared_columns * COLUMN
        return x, y1, x, y2
    return x1, y1, x2, y2


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float | None:
    """The middle of what two ranges share."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low + high) / 2 if low <= high else None
