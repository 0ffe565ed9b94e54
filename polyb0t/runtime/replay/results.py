"""Reads what a replay left behind, for the same analytics as any account's."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from polyb0t.core.clock import SystemClock, from_iso
from polyb0t.core.errors import ConfigurationError, NotFoundError, PolybotError
from polyb0t.core.units import Pusd, parse_decimal
from polyb0t.db.stores import open_stores, peek_scope
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Stores
from polyb0t.research.analytics.records import EquityPoint, NoBooks, Records
from polyb0t.research.analytics.runs import Run
from polyb0t.research.replay.tape import PastBooks
from polyb0t.runtime.analysing import flows_of, paid_out
from polyb0t.runtime.replay.backtests import Backtests, tape_of
from polyb0t.runtime.replay.records import EQUITY
from polyb0t.runtime.replay.request import Request
from polyb0t.runtime.replay.running import BOOK
from polyb0t.runtime.replay.settings import replay_settings

_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Result:
    """A replay with everything that it recorded."""

    run: Run
    records: Records
    folder: Path


def read_result(backtests: Backtests, prefix: str) -> Result:
    """The replay whose id begins with `prefix`.

    Raises:
        NotFoundError: `no_backtest`. ConfigurationError: `backtest_damaged`. DatabaseError: not read.
    """
    told = backtests.told(prefix)
    folder = backtests.folder / told["id"]
    books, doubts = _books(backtests, told)
    run = Run.of(told, doubts)
    return Result(run, _records(run, folder, books), folder)


def _books(backtests: Backtests, told: Mapping[str, Any]) -> tuple[PastBooks, tuple[str, ...]]:
    """Of the history that was replayed, where it is still there and still the same."""
    request = Request.from_dict(told["request"])
    try:
        tape = tape_of(replay_settings(backtests.flags, {}), request)
    except PolybotError as error:
        return NoBooks(), (f"Markouts are not known: the history cannot be read again. {error.what}",)
    if tape.about.data_hash != told["data"]["hash"]:
        return NoBooks(), ("Markouts are not known: the history is not the one that was replayed any more.",)
    return tape.past_books(), ()


def _records(run: Run, folder: Path, books: PastBooks) -> Records:
    stores = _stores(folder / BOOK)
    try:
        return _read(stores, run, equity_points(folder / EQUITY), books)
    finally:
        stores.close()


def _read(stores: Stores, run: Run, equity: tuple[EquityPoint, ...], books: PastBooks) -> Records:
    fills, booked = stores.orders.fills(), stores.books.movements()
    opening, prices = stores.books.opening(Regime.PAPER), stores.prices.all()
    ended = max([run.until, *(point.at for point in equity), *(each.movement.at for each in booked)])
    return Records(
        regime=Regime.PAPER,
        since=run.since,
        until=ended + _MOMENT,
        intents=stores.intents.list(limit=None),
        orders=stores.orders.orders(limit=None),
        fills=fills,
        booked=booked,
        bids={asset: price.bid for asset, price in prices.items() if price.bid is not None},
        pays={
            **paid_out(booked),
            **{asset: price.payout for asset, price in prices.items() if price.payout is not None},
        },
        opening_pusd=opening.pusd if opening else None,
        equity=equity,
        flows=flows_of(fills, booked),
        books=books,
        people=frozenset({"user", "token", "engine"}),  # as whom the simulated person decides
        watched=lambda at: at <= run.until,
    )


def equity_points(path: Path) -> tuple[EquityPoint, ...]:
    """Rows of `equity.csv`; of one instant the last.

    Raises:
        ConfigurationError: `backtest_damaged`.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(from_iso(row["at"]), row["equity_pusd"]) for row in csv.DictReader(file)]
        found: dict[datetime, Pusd] = {at: Pusd(parse_decimal(equity)) for at, equity in rows}
    except (OSError, KeyError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    return tuple(EquityPoint(at, equity) for at, equity in found.items())


def _stores(path: Path) -> Any:
    url = f"sqlite:///{path}"
    scope = peek_scope(url) if path.is_file() else None
    if scope is None:
        raise NotFoundError(
            f"The replay's database is not there: {path}.",
            do="Run it again: polyb0t backtest run --again RUN",
            code="no_backtest",
        )
    return open_stores(url, scope, SystemClock(), opening_cooldown_seconds=0.0, lease_seconds=1.0)


def _damaged(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The replay cannot be read: {path.name} is damaged.",
        why=f"{why:.200}",
        do="Run it again: polyb0t backtest run --again RUN",
        code="backtest_damaged",
    )
