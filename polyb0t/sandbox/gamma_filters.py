"""What a query of the catalogue asks for, read once and then asked of every market."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from polyb0t.core.units import parse_decimal
from polyb0t.sandbox.gamma_json import tag_id, tag_slug
from polyb0t.sandbox.identifiers import event_of_position, short
from polyb0t.sandbox.types import MarketView
from polyb0t.sandbox.wire import WireError

Query = Mapping[str, list[str]]
Predicate = Callable[[MarketView], bool]


def _is_v2(view: MarketView) -> bool:
    return view.spec.version == "v2"


# Parameters that may be repeated: a market is kept when one of its values is among those asked for.
_VALUES: Final[Mapping[str, Callable[[MarketView], Iterable[str]]]] = {
    "id": lambda view: (view.spec.gamma_id,),
    "slug": lambda view: (view.spec.slug,),
    "condition_ids": lambda view: (
        (view.spec.condition_id, short(view.spec.condition_id)) if _is_v2(view) else (view.spec.condition_id,)
    ),
    "clob_token_ids": lambda view: () if _is_v2(view) else view.spec.token_ids,
    "position_ids": lambda view: view.spec.token_ids if _is_v2(view) else (),
    "request_ids": lambda view: (view.spec.condition_id,) if _is_v2(view) else (),
    "onchain_event_ids": lambda view: (
        (event_of_position(int(view.spec.token_ids[0])),) if _is_v2(view) else ()
    ),
    "question_ids": lambda view: (view.spec.question_id,),
    "version": lambda view: (view.spec.version,),
    "tag_slug": lambda view: map(tag_slug, view.spec.tags),
    "tag_id": lambda view: map(tag_id, view.spec.tags),
}
_NUMBERS: Final[Mapping[str, Callable[[MarketView], int]]] = {
    "volume_num": lambda view: view.volume_e6,
    "liquidity_num": lambda view: view.liquidity_e6,
}
_DATES: Final[Mapping[str, Callable[[MarketView], int]]] = {
    "start_date": lambda view: view.spec.start_ms,
    "end_date": lambda view: view.spec.end_ms,
}


def wanted(query: Query) -> tuple[Predicate, ...]:
    """What a market has to satisfy, only what the query names, so that a plain listing asks little.

    Raises:
        WireError: a number or a date that is none.
    """
    found: list[Predicate] = [
        _any_of(values, frozenset(query[name])) for name, values in _VALUES.items() if name in query
    ]
    found += _flags(query)
    found += _ranges(query, _NUMBERS, _millionths)
    found += _ranges(query, _DATES, _instant)
    return tuple(found)


def _any_of(values: Callable[[MarketView], Iterable[str]], asked: frozenset[str]) -> Predicate:
    return lambda view: not asked.isdisjoint(values(view))


def _flags(query: Query) -> list[Predicate]:
    """`closed` is false unless asked for; every market here is active and none archived."""
    closed = query.get("closed", ["false"])[-1].lower()
    found: list[Predicate] = [lambda view: closed == str(view.closed).lower()] if closed else []
    for name, value in (("active", "true"), ("archived", "false")):
        asked = query.get(name, [""])[-1].lower()
        if asked and asked != value:
            found.append(lambda _view: False)
    return found


def _ranges(
    query: Query,
    fields: Mapping[str, Callable[[MarketView], int]],
    read: Callable[[Query, str], int],
) -> list[Predicate]:
    found: list[Predicate] = []
    for name, value in fields.items():
        if f"{name}_min" in query:
            found.append(_at_least(value, read(query, f"{name}_min")))
        if f"{name}_max" in query:
            found.append(_at_most(value, read(query, f"{name}_max")))
    return found


def _at_least(value: Callable[[MarketView], int], least: int) -> Predicate:
    return lambda view: value(view) >= least


def _at_most(value: Callable[[MarketView], int], most: int) -> Predicate:
    return lambda view: value(view) <= most


def _millionths(query: Query, name: str) -> int:
    try:
        return int(parse_decimal(query[name][-1]).scaleb(6))
    except ValueError as error:
        raise WireError(422, f"{name} must be a number", {"type": "validation error"}) from error


def _instant(query: Query, name: str) -> int:
    """Unix milliseconds of an ISO date; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(query[name][-1].replace(" ", "+"))
    except ValueError as error:
        raise WireError(422, f"{name} must be a date", {"type": "validation error"}) from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000
