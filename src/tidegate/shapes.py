"""Values that are cheap to declare: ``record`` is ``dataclass``, ``Row`` is ``NamedTuple``.

A dataclass compiles its methods when it is declared: 0.7 ms each, and 9 ms for what it imports.
A command that must answer within 50 ms cannot declare thirty of them. These do the same with
methods that all of them share, declared in 0.05 ms; to a type checker they are the standard
ones. What else takes dataclasses (``replace``, ``fields``, ``asdict``) takes records, too.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field
    from typing import NamedTuple as Row
else:
    from _collections import _tuplegetter  # what namedtuple uses

    _MISSING = object()

    class _Field:
        """What a class says of one of its fields."""

        __slots__ = ("compare", "default", "factory", "shown")

        def __init__(self, default=_MISSING, factory=_MISSING, *, compare=True, shown=True):
            self.default, self.factory, self.compare, self.shown = default, factory, compare, shown

    def field(*, default=_MISSING, default_factory=_MISSING, compare=True, repr=True):  # noqa: A002 - its name there
        """As ``dataclasses.field``."""
        return _Field(default, default_factory, compare=compare, shown=repr)

    def record(cls=None, /, *, frozen=False, slots=True):
        """As ``dataclasses.dataclass``, always with slots."""
        assert slots
        return _record(cls, frozen) if cls else lambda cls: _record(cls, frozen)

    def _record(cls, frozen):
        space = dict(vars(cls))
        fields = {}
        for name in space.get("__annotations__", ()):
            value = space.pop(name, _MISSING)
            fields[name] = value if isinstance(value, _Field) else _Field(value)
        space.pop("__dict__", None)
        space.pop("__weakref__", None)
        names = tuple(fields)
        space |= {"__slots__": names, "__match_args__": names, "__dataclass_fields__": _Fields()}
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made._shape_ = fields
        _behave(made, frozen)
        return made

    def _behave(cls, frozen):
        """Give a class its methods."""
        fields, names = cls._shape_, cls.__match_args__
        setters = [vars(cls)[name].__set__ for name in names]
        compared = attrgetter(*[name for name in names if fields[name].compare])

        def init(self, *args, **named):
            if named or len(args) != len(setters):
                args = _filled(cls, fields, args, named)
            for put, value in zip(setters, args, strict=True):
                put(self, value)

        def equal(self, other):
            same = other.__class__ is self.__class__
            return compared(self) == compared(other) if same else NotImplemented

        cls.__init__, cls.__eq__ = init, equal
        cls.__hash__ = (lambda self: hash(compared(self))) if frozen else None
        if "__repr__" not in vars(cls):
            cls.__repr__ = _repr
        cls.__reduce__ = lambda self: (cls, tuple(getattr(self, name) for name in names))
        if frozen:
            cls.__setattr__ = cls.__delattr__ = _refuse

    def _repr(self):
        shown = [name for name, one in self._shape_.items() if one.shown]
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({inner})"

    def _refuse(_, name, *__):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _filled(cls, fields, args, named):
        """All values in order, with the defaults of those that were not given."""
        values = list(args)
        for name in list(fields)[len(args) :]:
            one = fields[name]
            if name in named:
                values.append(named.pop(name))
            elif one.default is not _MISSING:
                values.append(one.default)
            elif one.factory is not _MISSING:
                values.append(one.factory())
            else:
                raise TypeError(f"{cls.__name__}() misses the argument {name!r}")
        if named or len(values) > len(fields):
            wrong = next(iter(named), f"number {len(fields) + 1}")
            raise TypeError(f"{cls.__name__}() takes no argument {wrong}")
        return values

    class _Fields:
        """The fields as the standard module wants them, made when it asks."""

        def __get__(self, _, cls):
            import dataclasses as standard

            specs = []
            for name, one in cls._shape_.items():
                given = {"default": one.default, "default_factory": one.factory}
                given = {key: value for key, value in given.items() if value is not _MISSING}
                spec = standard.field(compare=one.compare, repr=one.shown, **given)
                specs.append((name, cls.__annotations__[name], spec))
            cls.__dataclass_fields__ = standard.make_dataclass(
                cls.__name__, specs
            ).__dataclass_fields__
            return cls.__dataclass_fields__

    class _RowType(type):
        """Makes the fields of a row its items."""

        def __new__(cls, name, bases, space):
            names = tuple(space.get("__annotations__", ()))
            shape = {one: _Field(space.pop(one, _MISSING)) for one in names}
            getters = {one: _tuplegetter(at, None) for at, one in enumerate(names)}
            tail = tuple(one.default for one in shape.values())
            while _MISSING in tail:
                tail = tail[1:]
            space |= {"__slots__": (), "_fields": names, "__match_args__": names, "_shape_": shape}
            space["_tail_"] = tail  # the defaults of the last fields
            return super().__new__(cls, name, bases, space | getters)

    class Row(tuple, metaclass=_RowType):
        """As ``typing.NamedTuple``."""

        def __new__(cls, *args, **named):
            missing = len(cls._fields) - len(args)
            if not named and 0 < missing <= len(cls._tail_):
                args += cls._tail_[-missing:]
            elif named or missing:
                args = _filled(cls, cls._shape_, args, named)
            return tuple.__new__(cls, args)

        _make = classmethod(tuple.__new__)

        def _replace(self, **named):
            made = self._make(map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{self.__class__.__name__} has no field {next(iter(named))!r}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            inner = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{self.__class__.__name__}({inner})"

        def __getnewargs__(self):
            return tuple(self)


__all__ = ["Row", "field", "record"]
