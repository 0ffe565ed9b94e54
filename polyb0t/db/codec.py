"""Reads canonical JSON back into the frozen value that wrote it, strictly.

The counterpart of `core.canonical`: decimals from strings, instants from microseconds, enums by value.
A field that is unknown, of another type, or missing without a default raises ValueError; nothing is
guessed.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from polyb0t.core.clock import from_microseconds
from polyb0t.core.units import parse_decimal

T = TypeVar("T")
Decoder = Callable[[Any], Any]


def decode(kind: type[T], value: object) -> T:
    """`value`, as JSON types, as a `kind`.

    Raises:
        ValueError: it is not what `kind` writes.
    """
    reader: Callable[[object], T] = _decoder(kind)  # type: ignore[arg-type]  # mypy: a type is hashable
    return reader(value)


@cache
def _decoder(kind: Any) -> Decoder:
    kind = getattr(kind, "__supertype__", kind)  # NewType
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional(next(part for part in arguments if part is not types.NoneType))
    if origin is tuple:
        return _tuple_of(arguments[0])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_of(arguments[1])
    if is_dataclass(kind):
        return _record(kind, {field.name for field in fields(kind) if field.default is MISSING})
    if issubclass(kind, tuple):  # a NamedTuple, which is written as its fields
        return _record(kind, set(kind._fields) - set(kind._field_defaults))
    if kind is Decimal:
        return parse_decimal
    if kind is datetime:
        return lambda value: from_microseconds(_exactly(int, value))
    if issubclass(kind, Enum):
        return partial(_member, kind)
    return lambda value: _exactly(kind, value)


def _member(kind: type[Enum], value: object) -> Enum:
    return kind(value)


def _exactly(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise ValueError(f"{value!r:.60} is not {kind.__name__}")
    return value


def _optional(part: Any) -> Decoder:
    inner = _decoder(part)
    return lambda value: None if value is None else inner(value)


def _tuple_of(part: Any) -> Decoder:
    inner = _decoder(part)
    return lambda value: tuple(inner(item) for item in _exactly(list, value))


def _mapping_of(part: Any) -> Decoder:
    inner = _decoder(part)
    return lambda value: {key: inner(item) for key, item in _exactly(dict, value).items()}


def _record(kind: Any, required: set[str]) -> Decoder:
    names = kind._fields if issubclass(kind, tuple) else [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    decoders = {name: _decoder(hints[name]) for name in names}

    def read(value: object) -> Any:
        content = _exactly(dict, value)
        odd = sorted(content.keys() - decoders.keys() | required - content.keys())
        if odd:
            raise ValueError(f"{kind.__name__} has other fields: {', '.join(odd)}")
        return kind(**{name: decoders[name](item) for name, item in content.items()})

    return read
