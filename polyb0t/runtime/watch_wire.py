"""A look as text, and back: exact to the last digit, and every trade in it hashed again by who reads it.

This is how `polyb0t intents watch --url` and the API talk to each other. It is versioned as a whole and no
promise: programs of others use the routes beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from polyb0t.core.canonical import canonical_text
from polyb0t.core.errors import ConflictError, PolybotError
from polyb0t.db.codec import decode
from polyb0t.execution.standing import StandingApproval
from polyb0t.runtime.watch_look import Brief, WatchLook

VERSION: Final = "polyb0t-watch-v1"
T = TypeVar("T")


def written(look: WatchLook) -> str:
    """The canonical text of a look."""
    return canonical_text(_plain(look))


def read(text: str) -> WatchLook:
    """The look that `written` wrote.

    Raises:
        ConflictError: it is not one, or a trade in it is not what its digest says.
    """
    look = _decoded(WatchLook, text)
    for row in look.rows:
        if row.record.intent.digest != row.record.digest:
            raise other_version(f"{row.record.id} is not what its digest says.")
    return look


def brief(look: WatchLook) -> str:
    """Of a look only what changes all the time."""
    return canonical_text(_plain(Brief(look.now, look.onlookers, look.books)))


def briefed(look: WatchLook, text: str) -> WatchLook:
    """`look` with what `brief` wrote later.

    Raises:
        ConflictError: it is not one.
    """
    newer = _decoded(Brief, text)
    return replace(look, now=newer.now, onlookers=newer.onlookers, books=newer.books)


def content(value: StandingApproval) -> str:
    """Exits as they are offered."""
    return canonical_text(_plain(value))


def exits(text: str) -> StandingApproval:
    """Raises ConflictError: it is no standing approval."""
    return _decoded(StandingApproval, text)


def _decoded(kind: type[T], text: str) -> T:
    try:
        return decode(kind, json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise other_version(f"It cannot be read: {error}") from error


def other_version(why: str) -> PolybotError:
    """What came is not what this version writes."""
    return ConflictError(
        "Not shown: what the API answered is not what this program expects.",
        why=why,
        do="Use the same version of polyb0t here and where the API runs: polyb0t version",
        code="other_version",
    )


def _plain(value: object) -> Any:
    """Dataclasses as mappings of their fields, all the way down."""
    names = getattr(type(value), "__dataclass_fields__", None)
    if names is not None:
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    fields = getattr(value, "_fields", None)
    if fields is not None:  # a named tuple is read by its names
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
