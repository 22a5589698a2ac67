"""Records and rows do what dataclasses and named tuples do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, NamedTuple

import pytest

from tidegate import shapes


@shapes.record(frozen=True, slots=True)
class Frozen:
    """A value."""

    name: str
    number: int = 3
    tags: tuple[str, ...] = ()
    where: str = shapes.field(default="here", compare=False, repr=False)

    @property
    def loud(self) -> str:
        return self.name.upper()


@shapes.record(slots=True)
class Open:
    name: str
    items: list[str] = shapes.field(default_factory=list)


class Line(shapes.Row):
    """A row."""

    name: str
    number: int = 3
    other: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class StandardFrozen:
    name: str
    number: int = 3
    tags: tuple[str, ...] = ()
    where: str = dataclasses.field(default="here", compare=False, repr=False)


class StandardLine(NamedTuple):
    name: str
    number: int = 3
    other: str = ""


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 4), {}),
    (("a",), {"number": 5}),
    ((), {"name": "b"}),
    ((), {}),
    (("a",), {"name": "b"}),
    (("a",), {"nothing": 1}),
    (("a", 1, (), "x", "too many"), {}),
]


@pytest.mark.parametrize(
    ("mine", "standard"), [(Frozen, StandardFrozen), (Line, StandardLine)], ids=["record", "row"]
)
@pytest.mark.parametrize(("given", "named"), CALLS)
def test_takes_the_arguments_that_the_standard_one_takes(
    mine: Any, standard: Any, given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """The same values, the same words for them, and TypeError for the same calls."""
    try:
        wanted = standard(*given, **named)
    except TypeError:
        with pytest.raises(TypeError):
            mine(*given, **dict(named))
        return
    found = mine(*given, **dict(named))
    assert repr(found) == repr(wanted).replace(standard.__name__, mine.__name__)
    assert [getattr(found, key) for key in mine.__match_args__] == [
        getattr(wanted, key) for key in mine.__match_args__
    ]


def test_a_record_is_equal_by_its_compared_fields() -> None:
    """Where it stands makes no difference; another class does."""
    assert Frozen("a", where="x") == Frozen("a", where="y")
    assert hash(Frozen("a", where="x")) == hash(Frozen("a", where="y"))
    assert Frozen("a") != Frozen("b")
    other: object = StandardFrozen("a")
    assert Frozen("a") != other
    assert Open("a") == Open("a")
    with pytest.raises(TypeError):
        hash(Open("a"))


def test_a_frozen_record_stays_as_it_is() -> None:
    """Neither a field nor anything else can be set; an open one's fields can."""
    value = Frozen("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.name
    changed = Open("a")
    changed.name = "b"
    assert changed.name == "b"
    with pytest.raises(AttributeError):
        changed.other = 1  # type: ignore[attr-defined]


def test_defaults_made_anew_are_not_shared() -> None:
    """Each has a list of its own."""
    one, two = Open("a"), Open("b")
    one.items.append("x")
    assert two.items == []


def test_the_standard_module_takes_records() -> None:
    """replace, fields and asdict work, and methods are kept."""
    value = Frozen("a", 7, ("t",), "there")
    assert dataclasses.replace(value, number=8) == Frozen("a", 8, ("t",))
    assert dataclasses.replace(value, number=8).where == "there"
    assert [one.name for one in dataclasses.fields(Frozen) if one.compare] == [
        "name", "number", "tags",
    ]  # fmt: skip
    assert dataclasses.asdict(Open("a", ["x"])) == {"name": "a", "items": ["x"]}
    assert value.loud == "A"


def test_copies_and_pickles_are_equal() -> None:
    """deepcopy and pickle give the same value."""
    for value in (Frozen("a", 7), Open("a", ["x"]), Line("a", 1)):
        assert copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value


def test_a_row_is_a_tuple() -> None:
    """It unpacks, compares and replaces as one."""
    row = Line("a", other="z")
    name, number, other = row
    assert (name, number, other) == row == ("a", 3, "z")
    assert row._replace(number=9) == ("a", 9, "z")
    assert {row: 1}[Line("a", 3, "z")] == 1
    match row:
        case Line("a", 3, last):
            assert last == "z"
        case _:
            pytest.fail("does not match by position")
