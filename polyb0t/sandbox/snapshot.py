"""A world as plain values and back: what is hashed, what is saved, what a load continues from.

The file holds the world's id, the state and the state's digest. It is written beside its place and
moved there, so a crash leaves the old file or the new one.
"""

import json
import os
import tempfile
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.archive import Archive
from polyb0t.sandbox.crowd import Opinion
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.market import HISTORY_LENGTH, OLDER_LENGTH, TAPE_LENGTH, Market
from polyb0t.sandbox.portfolio import Holding
from polyb0t.sandbox.settlement import Settling, Trade
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import (
    ActivityRow,
    ActivityType,
    MakerFill,
    MarketSpec,
    OrderStatus,
    OrderType,
    PracticeAccount,
    Side,
    TradeStatus,
    TradeView,
)

FORMAT: Final = 1
Row = dict[str, Any]


class SaveFileError(PolybotError):
    """A world could not be read back."""

    code = "sandbox_file"


@dataclass(frozen=True, slots=True)
class Saved:
    """A save file's content."""

    world_id: str
    state: Row


def text_of(state: dict[str, object]) -> str:
    """The canonical text. The state is plain values already, so the fast encoder gives the same bytes."""
    return json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(state: dict[str, object]) -> str:
    """SHA-256 of the canonical text."""
    return sha256_hex(text_of(state))


def save(world: WorldState, path: Path) -> None:
    """Write beside `path`, flush to the disk, then move into place."""
    state = state_of(world)
    body = text_of(state)
    text = f'{{"format":{FORMAT},"world_id":"{world.world_id}","sha256":"{sha256_hex(body)}","state":{body}}}'
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> Saved:
    """The file's content, checked against its digest.

    Raises:
        SaveFileError: it is missing, damaged, or of another version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, world_id, state = content["format"], str(content["world_id"]), content["state"]
        intact = content["sha256"] == digest(state)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, f"It cannot be read: {error}.") from error
    if version != FORMAT:
        raise _unreadable(path, f"It has format {version}, this version reads {FORMAT}.")
    if not intact:
        raise _unreadable(path, "Its content does not match its digest.")
    return Saved(world_id, state)


def _unreadable(path: Path, why: str) -> SaveFileError:
    return SaveFileError(
        f"The sandbox's world {path} was not loaded.", why=why, do="Start a new one with --fresh."
    )


def state_of(world: WorldState) -> dict[str, object]:
    """The state as plain values; equal worlds give equal values."""
    engine, ledger = world.engine, world.ledger
    return {
        "seed": world.seed,
        "archive": [world.archive.count, world.archive.epoch_ms],
        "speed_e3": round(world.speed * 1_000),
        "now_ms": world.now_ms,
        "paused": world.paused,
        "crowded": world.crowded,
        "born": world.born,
        "fail_next": world.fail_next,
        "retry_next": world.retry_next,
        "data_lag_ms": world.data_lag_ms,
        "settling": _row(engine.settling),
        "agenda_number": world.agenda_number,
        "agenda": [list(entry) for entry in sorted(world.agenda)],
        "order_sequence": engine.order_sequence,
        "trade_sequence": engine.trade_sequence,
        "accounts": [_row(account) for account in world.accounts],
        "sessions": [[key, *session] for key, session in sorted(world.sessions.items())],
        "deposited": ledger.deposited,
        "balances": _amounts(ledger.balances),
        "reserved": _amounts(ledger.reserved),
        "matched": _amounts(ledger.matched),
        "locked": {market: amount for market, amount in ledger.locked.items() if amount},
        "allowances": [[*key, str(amount)] for key, amount in sorted(engine.funds.allowances.items())],
        "markets": [_market_row(market, engine.trades) for market in engine.markets.values()],
        "orders": [_row(order) for order in sorted(engine.orders.values(), key=lambda o: o.sequence)],
        "trades": [_trade_row(trade) for trade in engine.trades.values()],
        "opinions": [_row(opinion) for opinion in world.crowd.opinions.values()],
        "holdings": [
            [wallet, token, _row(holding)]
            for wallet, held in world.portfolio.holdings.items()
            for token, holding in held.items()
        ],
        "activity": [_row(row) for rows in world.portfolio.activity.values() for row in rows],
    }


def restore(world: WorldState, state: Row) -> None:
    """Fill an empty world with a saved state."""
    engine, ledger = world.engine, world.ledger
    world.seed = engine.seed = state["seed"]
    world.archive = Archive(world.seed, *state.get("archive", (0, 0)))
    world.crowd.speed = state["speed_e3"] / 1_000
    for name in ("now_ms", "paused", "crowded", "born", "fail_next", "agenda_number"):
        setattr(world, name, state[name])
    world.retry_next, world.data_lag_ms = state.get("retry_next", 0), state.get("data_lag_ms", 0)
    engine.settling = Settling(**state.get("settling", {}))
    world.agenda = [(at, number, what, whose) for at, number, what, whose in state["agenda"]]
    engine.order_sequence, engine.trade_sequence = state["order_sequence"], state["trade_sequence"]
    world.accounts = tuple(PracticeAccount(**row) for row in state["accounts"])
    # A world saved before there were session keys has none.
    world.sessions = {key: (wallet, until) for key, wallet, until in state.get("sessions", [])}
    ledger.deposited = state["deposited"]
    for table in ("balances", "reserved", "matched"):
        for wallet, asset, amount in state[table]:
            getattr(ledger, table)[wallet][asset] = amount
    ledger.locked.update(state["locked"])
    engine.funds.allowances = {(a, b, c): int(amount) for a, b, c, amount in state["allowances"]}
    engine.trades = {row["view"]["trade_id"]: _trade(row) for row in state["trades"]}
    for row in state["markets"]:
        engine.add_market(_market(row, engine.trades), world.now_ms)
    for row in state["orders"]:
        _restore_order(world, row)
    world.crowd.opinions = {row["condition_id"]: Opinion(**row) for row in state["opinions"]}
    for wallet, token, row in state["holdings"]:
        world.portfolio.holdings.setdefault(wallet, {})[token] = Holding(**row)
    for row in state["activity"]:
        entry = ActivityRow(**{**row, "kind": ActivityType(row["kind"])})
        world.portfolio.activity.setdefault(entry.wallet, []).append(entry)


def _restore_order(world: WorldState, row: Row) -> None:
    order = Order(
        **{
            **row,
            "side": Side(row["side"]),
            "order_type": OrderType(row["order_type"]),
            "status": OrderStatus(row["status"]),
            "trade_ids": list(row["trade_ids"]),
        }
    )
    if order.status in (OrderStatus.LIVE, OrderStatus.DELAYED):
        world.engine.keep(order)
    else:
        world.engine.orders[order.order_id] = order
    if order.status is OrderStatus.LIVE:
        world.engine.markets[order.condition_id].book.side(bid=order.bid).add(order)


def _row(record: Any) -> Row:
    """A flat dataclass as a mapping of its constructor's arguments."""
    return {name: getattr(record, name) for name in _names(record.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.init)


def _amounts(table: Any) -> list[list[object]]:
    return [
        [wallet, asset, amount]
        for wallet, held in sorted(table.items())
        for asset, amount in sorted(held.items())
        if amount
    ]


def _trade_row(trade: Trade) -> Row:
    view = _row(trade.view)
    view["maker_orders"] = [_row(fill) for fill in trade.view.maker_orders]
    return {
        "view": view,
        "legs": [list(leg) for leg in trade.legs],
        "minted": trade.minted,
        "status": trade.status,
        "update_ms": trade.update_ms,
        "hashed": trade.hashed,
        "attempt": trade.attempt,
    }


def _trade(row: Row) -> Trade:
    view = row["view"]
    makers = tuple(MakerFill(**{**fill, "side": Side(fill["side"])}) for fill in view["maker_orders"])
    matched = TradeView(
        **{**view, "side": Side(view["side"]), "status": TradeStatus(view["status"]), "maker_orders": makers}
    )
    legs = tuple((wallet, asset, amount) for wallet, asset, amount in row["legs"])
    return Trade(
        view=matched,
        legs=legs,
        minted=row["minted"],
        status=TradeStatus(row["status"]),
        update_ms=row["update_ms"],
        hashed=row.get("hashed", True),
        attempt=row.get("attempt", 0),
    )


_RAW: Final = ("raw", "raw_event", "raw_clob")
_PAIRS: Final = ("first_bids", "first_asks")


def _market_row(market: Market, trades: dict[str, Trade]) -> Row:
    spec = _row(market.spec)
    for name in _RAW:  # recorded numbers are floats; as text they have one form
        raw = spec[name]
        spec[name] = None if raw is None else json.dumps(raw, sort_keys=True)
    return {
        "spec": spec,
        "tick": market.tick,
        "changed_ms": market.changed_ms,
        "accepting": market.accepting,
        "payouts": market.payouts,
        "closed_ms": market.closed_ms,
        "last_price": market.last_price,
        "volume": market.volume,
        "hours": [list(hour) for hour in market.hours.items()],
        "sequence": market.sequence,
        "tape": [
            trade.view.trade_id if trade.view.trade_id in trades else _trade_row(trade)
            for trade in market.tape
        ],
        "opened_ms": market.opened_ms,
        "history": [list(sample) for sample in market.history],
        "older": [list(sample) for sample in market.older],
    }


def _samples(rows: Iterable[list[int]], most: int) -> deque[tuple[int, int]]:
    return deque(((at, price) for at, price in rows), maxlen=most)


def _market(row: Row, trades: dict[str, Trade]) -> Market:
    spec = dict(row["spec"])
    for name in _RAW:
        spec[name] = None if spec[name] is None else json.loads(spec[name])
    for name in _PAIRS:
        spec[name] = tuple((price, size) for price, size in spec[name])
    for name in ("tags", "outcomes", "token_ids"):
        spec[name] = tuple(spec[name])
    tape = (trades[entry] if isinstance(entry, str) else _trade(entry) for entry in row["tape"])
    return Market(
        spec=MarketSpec(**spec),
        tick=row["tick"],
        changed_ms=row["changed_ms"],
        accepting=row["accepting"],
        payouts=None if row["payouts"] is None else (row["payouts"][0], row["payouts"][1]),
        closed_ms=row["closed_ms"],
        last_price=row["last_price"],
        volume=row["volume"],
        hours=dict(row["hours"]),
        sequence=row["sequence"],
        tape=deque(tape, maxlen=TAPE_LENGTH),
        opened_ms=row.get("opened_ms", 0),
        history=_samples(row["history"], HISTORY_LENGTH),
        older=_samples(row.get("older", ()), OLDER_LENGTH),
    )
