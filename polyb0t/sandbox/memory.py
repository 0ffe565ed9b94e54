"""A world as plain values and back: what is hashed, what is saved, what a load continues from.

The fields have types, so that a file of many megabytes becomes objects in one go.
"""

import json
from collections import deque
from dataclasses import fields
from functools import cache
from typing import Any, Final

import msgspec

from polyb0t.sandbox.archive import Archive
from polyb0t.sandbox.crowd import Opinion
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.market import HISTORY_LENGTH, OLDER_LENGTH, TAPE_LENGTH, Market
from polyb0t.sandbox.portfolio import Holding
from polyb0t.sandbox.relayed import AutoRedeem, Relayed
from polyb0t.sandbox.settlement import Settling, Trade
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import (
    ActivityRow,
    MarketSpec,
    OrderStatus,
    OrderType,
    PracticeAccount,
    Side,
)

Row = dict[str, Any]
Amounts = list[tuple[str, str, int]]  # wallet, asset, millionths
Samples = list[tuple[int, int]]
_RAW: Final = ("raw", "raw_event", "raw_clob")
_PAIRS: Final = ("first_bids", "first_asks")


class MarketRow(msgspec.Struct):
    """One market. A client's trades stand in its tape by their ids, the crowd's in full."""

    spec: Row
    tick: int
    changed_ms: int
    accepting: bool
    payouts: tuple[int, int] | None
    closed_ms: int | None
    last_price: int | None
    volume: int
    hours: Samples
    sequence: int
    tape: list[str | Trade]
    history: Samples
    older: Samples = []
    opened_ms: int = 0
    proposed: tuple[int, int] | None = None
    disputes: int = 0
    stands_ms: int | None = None


class Memory(msgspec.Struct):
    """Everything that decides the future. What has a default was not known to earlier versions."""

    seed: int
    speed_e3: int
    now_ms: int
    paused: bool
    crowded: bool
    born: int
    fail_next: int
    agenda_number: int
    agenda: list[tuple[int, int, str, str]]
    order_sequence: int
    trade_sequence: int
    accounts: tuple[PracticeAccount, ...]
    deposited: int
    balances: Amounts
    reserved: Amounts
    matched: Amounts
    locked: dict[str, int]
    allowances: list[tuple[str, str, str, str]]
    markets: list[MarketRow]
    orders: list[Row]
    trades: list[Trade]
    opinions: list[Opinion]
    holdings: list[tuple[str, str, Holding]]
    activity: list[ActivityRow]
    archive: tuple[int, int] = (0, 0)
    retry_next: int = 0
    data_lag_ms: int = 0
    liveness_ms: int = 0
    relayed: list[Relayed] = []
    wallet_nonces: list[tuple[str, int]] = []
    chain_block: int = 0
    on_chain: list[str] = []
    settling: Settling = Settling()
    auto_redeem: AutoRedeem = AutoRedeem(on=False)
    sessions: list[tuple[str, str, int]] = []


def memory_of(world: WorldState) -> Memory:
    """The state; equal worlds give equal values."""
    engine, ledger = world.engine, world.ledger
    return Memory(
        seed=world.seed,
        archive=(world.archive.count, world.archive.epoch_ms),
        speed_e3=round(world.speed * 1_000),
        now_ms=world.now_ms,
        paused=world.paused,
        crowded=world.crowded,
        born=world.born,
        fail_next=world.fail_next,
        retry_next=world.retry_next,
        data_lag_ms=world.data_lag_ms,
        liveness_ms=world.liveness_ms,
        relayed=list(world.relayed.values()),
        wallet_nonces=sorted(world.wallet_nonces.items()),
        chain_block=world.chain_block,
        on_chain=sorted(world.on_chain),
        settling=engine.settling,
        auto_redeem=world.auto_redeem,
        agenda_number=world.agenda_number,
        agenda=sorted(world.agenda),
        order_sequence=engine.order_sequence,
        trade_sequence=engine.trade_sequence,
        accounts=world.accounts,
        sessions=[(key, *session) for key, session in sorted(world.sessions.items())],
        deposited=ledger.deposited,
        balances=_amounts(ledger.balances),
        reserved=_amounts(ledger.reserved),
        matched=_amounts(ledger.matched),
        locked={market: amount for market, amount in ledger.locked.items() if amount},
        allowances=[(*key, str(amount)) for key, amount in sorted(engine.funds.allowances.items())],
        markets=[_market_row(market, engine.trades) for market in engine.markets.values()],
        orders=[_row(order) for order in sorted(engine.orders.values(), key=lambda o: o.sequence)],
        trades=list(engine.trades.values()),
        opinions=list(world.crowd.opinions.values()),
        holdings=[
            (wallet, token, holding)
            for wallet, held in world.portfolio.holdings.items()
            for token, holding in held.items()
        ],
        activity=[row for rows in world.portfolio.activity.values() for row in rows],
    )


def restore(world: WorldState, state: Memory) -> None:
    """Fill an empty world with a saved state."""
    engine = world.engine
    world.seed = engine.seed = state.seed
    world.archive = Archive(world.seed, *state.archive)
    world.crowd.speed = state.speed_e3 / 1_000
    world.now_ms, world.paused, world.crowded = state.now_ms, state.paused, state.crowded
    world.born, world.agenda_number, world.agenda = state.born, state.agenda_number, state.agenda
    world.fail_next, world.retry_next = state.fail_next, state.retry_next
    world.data_lag_ms, engine.settling = state.data_lag_ms, state.settling
    world.auto_redeem = state.auto_redeem
    world.liveness_ms, world.wallet_nonces = state.liveness_ms, dict(state.wallet_nonces)
    world.chain_block, world.on_chain = state.chain_block, set(state.on_chain)
    world.relayed = {batch.id: batch for batch in state.relayed}
    engine.order_sequence, engine.trade_sequence = state.order_sequence, state.trade_sequence
    world.accounts = state.accounts
    world.sessions = {key: (wallet, until) for key, wallet, until in state.sessions}
    _restore_ledger(world, state)
    engine.trades = {trade.view.trade_id: trade for trade in state.trades}
    for row in state.markets:
        engine.add_market(_market(row, engine.trades), world.now_ms)
    for order in state.orders:
        _restore_order(world, order)
    world.crowd.opinions = {opinion.condition_id: opinion for opinion in state.opinions}
    for wallet, token, holding in state.holdings:
        world.portfolio.holdings.setdefault(wallet, {})[token] = holding
    for entry in state.activity:
        world.portfolio.activity.setdefault(entry.wallet, []).append(entry)


def _restore_ledger(world: WorldState, state: Memory) -> None:
    ledger = world.ledger
    ledger.deposited = state.deposited
    for table, rows in (
        (ledger.balances, state.balances),
        (ledger.reserved, state.reserved),
        (ledger.matched, state.matched),
    ):
        for wallet, asset, amount in rows:
            table[wallet][asset] = amount
    ledger.locked.update(state.locked)
    world.engine.funds.allowances = {(a, b, c): int(amount) for a, b, c, amount in state.allowances}


def _restore_order(world: WorldState, row: Row) -> None:
    order = Order(
        **{
            **row,
            "side": Side(row["side"]),
            "order_type": OrderType(row["order_type"]),
            "status": OrderStatus(row["status"]),
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


def _amounts(table: Any) -> Amounts:
    return [
        (wallet, asset, amount)
        for wallet, held in sorted(table.items())
        for asset, amount in sorted(held.items())
        if amount
    ]


def _market_row(market: Market, trades: dict[str, Trade]) -> MarketRow:
    spec = _row(market.spec)
    for name in _RAW:  # recorded numbers are floats; as text they have one form
        raw = spec[name]
        spec[name] = None if raw is None else json.dumps(raw, sort_keys=True)
    return MarketRow(
        spec=spec,
        tick=market.tick,
        changed_ms=market.changed_ms,
        accepting=market.accepting,
        payouts=market.payouts,
        closed_ms=market.closed_ms,
        last_price=market.last_price,
        volume=market.volume,
        hours=list(market.hours.items()),
        sequence=market.sequence,
        tape=[trade.view.trade_id if trade.view.trade_id in trades else trade for trade in market.tape],
        opened_ms=market.opened_ms,
        proposed=market.proposed,
        disputes=market.disputes,
        stands_ms=market.stands_ms,
        history=list(market.history),
        older=list(market.older),
    )


def _market(row: MarketRow, trades: dict[str, Trade]) -> Market:
    spec = dict(row.spec)
    for name in _RAW:
        spec[name] = None if spec[name] is None else json.loads(spec[name])
    for name in _PAIRS:
        spec[name] = tuple((price, size) for price, size in spec[name])
    for name in ("tags", "outcomes", "token_ids"):
        spec[name] = tuple(spec[name])
    tape = (trades[entry] if isinstance(entry, str) else entry for entry in row.tape)
    return Market(
        spec=MarketSpec(**spec),
        tick=row.tick,
        changed_ms=row.changed_ms,
        accepting=row.accepting,
        payouts=row.payouts,
        closed_ms=row.closed_ms,
        last_price=row.last_price,
        volume=row.volume,
        hours=dict(row.hours),
        sequence=row.sequence,
        tape=deque(tape, maxlen=TAPE_LENGTH),
        opened_ms=row.opened_ms,
        proposed=row.proposed,
        disputes=row.disputes,
        stands_ms=row.stands_ms,
        history=deque(row.history, maxlen=HISTORY_LENGTH),
        older=deque(row.older, maxlen=OLDER_LENGTH),
    )
