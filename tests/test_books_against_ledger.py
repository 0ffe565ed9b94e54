"""Our books against the sandbox's ledger, after ten thousand random actions: equal to the millionth.

The sandbox keeps its own ledger and computes its own fees. Our side sees what a client sees: its own
fills and the rows of the wallet's activity, through the same parser as the exchange's.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import takewhile
from random import Random
from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId, Wallet
from polyb0t.core.units import ZERO, Price, Pusd, Shares, from_e6
from polyb0t.data.cash_flows import Booked, numbered
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.models.bookkeeping import ledger_of, unexplained
from polyb0t.models.cash_flows import foreign_part, may_take, shares_taken
from polyb0t.models.fees import taker_fee
from polyb0t.models.portfolio import fill_key, portfolio_of
from polyb0t.sandbox import data_rows
from polyb0t.sandbox.treasury import CREDITS
from polyb0t.sandbox.types import MILLION, MarketSpec, Refusal, TradeStatus
from polyb0t.sandbox.world import World
from polyb0t.venue.activity import parse_activity
from polyb0t.venue.parsing import decode_json
from tests.sandbox.worlds import BOB, market_of, request

ACTIONS: Final = 10_000
DORA: Final = "0x" + "D0" * 20
CREDITED: Final = tuple(kind for kind in CREDITS if kind != "NOVELTY")


@dataclass
class Client:
    """What polyb0t would know of Dora's wallet. `own` are the orders that it placed."""

    world: World
    own: set[str] = field(default_factory=set)
    fills: list[Fill] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)
    seen_rows: int = 0
    seen_trades: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.opening = Pusd(from_e6(self.world.balance(DORA)))
        self.seen_rows = len(self.world.portfolio.activity.get(DORA, []))
        self.of_asset: defaultdict[AssetId, list[Fill]] = defaultdict(list)
        self.taken_of: defaultdict[AssetId, list[Booked]] = defaultdict(list)

    def catch_up(self) -> None:
        """Read trades, then the activity, as the reconciler and the books do."""
        new = takewhile(lambda each: each not in self.seen_trades, reversed(self.world.engine.trades))
        for trade_id in reversed(list(new)):
            self.seen_trades.add(trade_id)
            self._trade(trade_id)
        rows = self.world.portfolio.activity.get(DORA, [])[self.seen_rows :]
        self.seen_rows += len(rows)
        page = [
            data_rows.activity(row, self.world.market(row.condition_id).spec if row.condition_id else None)
            for row in rows
            if row.side != "PART"
        ]
        answer = {"data": page, "pagination": {"has_more": False, "next_cursor": None}}
        movements, _ = parse_activity(decode_json(msgspec.json.encode(answer)), Wallet(DORA))
        for movement in numbered(movements):
            if foreign_part(movement, self._near(movement.transaction_hash)) is None:
                continue
            entry = Booked(movement)
            if may_take(movement):
                own, held = self._candidates(movement.condition_id, movement.outcome_label, movement.kind)
                entry = Booked(movement, shares_taken(movement, own, held))
            self.booked.append(entry)
            for one in entry.taken:
                self.taken_of[one.asset_id].append(entry)

    def own_shares(self, asset: AssetId) -> Shares:
        found = portfolio_of(
            self.of_asset[asset], starting_cash=Pusd(ZERO), booked=self.taken_of[asset]
        ).positions.get(asset)
        return Shares(ZERO) if found is None else found.confirmed

    def _near(self, transaction: str) -> list[Fill]:
        return [fill for fill in self.fills[-200:] if fill.transaction_hash == transaction]

    def _candidates(
        self, condition: ConditionId | None, label: str, kind: str
    ) -> tuple[dict[AssetId, Shares], dict[AssetId, Shares]]:
        """Our shares that the row can be about, and how many of them the chain still has."""
        spec = self.world.market(str(condition)).spec
        specs = [spec]
        if kind == "CONVERSION":
            specs = [view.spec for view in self.world.markets() if view.spec.event_id == spec.event_id]
        tokens = [
            AssetId(token)
            for each in specs
            for token, outcome in zip(each.token_ids, each.outcomes, strict=True)
            if kind != "REDEEM" or outcome == label
        ]
        own = {token: shares for token in tokens if (shares := self.own_shares(token)) > 0}
        held = {token: Shares(from_e6(self.world.balance(DORA, token))) for token in own}
        return own, held

    def _trade(self, trade_id: str) -> None:
        trade = self.world.engine.trades[trade_id]
        view = trade.current()
        spec = self.world.market(view.condition_id).spec
        fee = FeeSchedule(Decimal(spec.fee_rate), Decimal(spec.fee_exponent))
        parts = [(view.taker_order_id, view.token_id, view.side, view.size_e6, view.price_e6, Role.TAKER)]
        parts += [
            (each.order_id, each.token_id, each.side, each.matched_e6, each.price_e6, Role.MAKER)
            for each in view.maker_orders
        ]
        for order, token, side, shares, price, role in parts:
            if order in self.own:
                size, at = Shares(from_e6(shares)), Price(from_e6(price))
                paid = taker_fee(size, at, fee) if role is Role.TAKER else Pusd(ZERO)
                self._add(
                    Fill(
                        TradeId(trade_id),
                        0,
                        OrderId(order),
                        ConditionId(view.condition_id),
                        AssetId(token),
                        Side(side.value),
                        role,
                        at,
                        size,
                        paid,
                        _status(view.status),
                        datetime.fromtimestamp(view.match_ms // 1000, UTC),
                        view.transaction_hash,
                    )
                )

    def _add(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.of_asset[fill.asset_id].append(fill)


def _status(status: TradeStatus) -> FillStatus:
    return FillStatus.FAILED if status is TradeStatus.FAILED else FillStatus.CONFIRMED


class Day:
    """Random actions of Dora's, of polyb0t's on her wallet, and of the market around."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = market_of("neg_risk", "v2_neg_risk", "tick_0.001", "tick_0.005")
        self.world.pause()
        self.world.fund(DORA, 100_000 * MILLION)
        self.client = Client(self.world)
        self.kinds = dict.fromkeys(
            (
                "buy",
                "sell",
                "foreign",
                "split",
                "merge",
                "convert",
                "redeem",
                "resolve",
                "pay",
                "take",
                "fail",
            ),
            0,
        )

    def act(self, number: int) -> None:
        kinds = ["buy"] * 5 + ["sell"] * 3 + ["foreign"] * 2 + ["split", "merge", "pay", "take", "fail"]
        kinds += ["convert"] if number % 3 == 0 else []
        kinds += ["redeem"] if number % 40 == 0 else []
        kinds += ["resolve"] if number % 150 == 0 else []
        kind = self.random.choice(kinds)
        with suppress(Refusal, ConflictError):
            getattr(self, kind)()
            self.kinds[kind] += 1
        self.world.step(9_000)

    def buy(self) -> None:
        self._take("BUY", self.shares(200))

    def sell(self) -> None:
        spec, outcome = self._where()
        own = self.client.own_shares(AssetId(spec.token_ids[outcome]))
        if own < 5:
            raise ConflictError("There is nothing to sell.")
        self._take("SELL", float(min(own, Shares(Decimal(self.shares(200))))), (spec, outcome))

    def foreign(self) -> None:
        """Dora herself rests an order on the website, and Bob takes it: her maker pays no fee."""
        spec, outcome = self._where()
        side, price = self.random.choice([("BUY", "SELL"), ("SELL", "BUY")]), self._price()
        size = self.shares(100)
        try:
            self._order(DORA, side[0], spec, outcome, size, price, "GTC")
            self._order(BOB, side[1], spec, outcome, size, price, "GTC")
        finally:
            self.world.cancel_all(f"key of {BOB}")
            self.world.cancel_all(f"key of {DORA}")

    def split(self) -> None:
        self.world.split(DORA, self._where()[0].condition_id, round(self.shares(100) * MILLION))

    def merge(self) -> None:
        self.world.split(DORA, self._where()[0].condition_id, -round(self.shares(100) * MILLION))

    def convert(self) -> None:
        spec = self._where()[0]
        event = [
            view.spec.condition_id for view in self.world.markets() if view.spec.event_id == spec.event_id
        ]
        chosen = self.random.sample(event, self.random.randint(1, len(event)))
        self.world.convert(DORA, chosen, round(self.shares(20) * MILLION))

    def resolve(self) -> None:
        open_markets = [view for view in self.world.markets() if not view.closed]
        if len(open_markets) <= 4:
            raise ConflictError("Enough are resolved.")
        first = self.random.choice([MILLION, 0, MILLION // 2])
        self.world.resolve(self.random.choice(open_markets).spec.condition_id, (first, MILLION - first))

    def redeem(self) -> None:
        closed = [view.spec.condition_id for view in self.world.markets() if view.closed]
        if not closed:
            raise ConflictError("Nothing is resolved.")
        self.world.redeem(DORA, self.random.choice(closed))

    def pay(self) -> None:
        amount = self.random.randint(1, 50 * MILLION)
        if self.random.random() < 0.5:
            self.world.fund(DORA, amount)
        else:
            self.world.credit(DORA, self.random.choice(CREDITED), amount)

    def take(self) -> None:
        self.world.alter_balance(DORA, -self.random.randint(1, 50 * MILLION))

    def fail(self) -> None:
        self.world.fail_next = 1
        self.buy()

    def shares(self, most: int) -> float:
        return self.random.randint(500, most * 100) / 100

    def _price(self) -> float:
        return self.random.randint(5, 95) / 100

    def _where(self) -> tuple[MarketSpec, int]:
        return self.random.choice(self.world.markets()).spec, self.random.randint(0, 1)

    def _take(self, side: str, size: float, where: tuple[MarketSpec, int] | None = None) -> None:
        """Bob offers, polyb0t takes; sometimes over the opposite outcome, which mints or merges."""
        spec, outcome = where or self._where()
        price = self._price()
        if self.random.random() < 0.5:
            self._order(BOB, "SELL" if side == "BUY" else "BUY", spec, outcome, size, price, "GTC")
        else:
            self._order(BOB, side, spec, 1 - outcome, size, round(1 - price, 3), "GTC")
        try:
            self.client.own.add(self._order(DORA, side, spec, outcome, size, price, "FAK"))
        finally:
            self.world.cancel_all(f"key of {BOB}")

    def _order(
        self, who: str, side: str, spec: MarketSpec, outcome: int, shares: float, price: float, kind: str
    ) -> str:
        terms = request(
            who,
            side,
            spec.token_ids[outcome],
            shares=shares,
            pusd=round(shares * price, 2),
            price=price,
            kind=kind,
            tick_e6=spec.tick_e6,
        )
        self.world.place(terms)
        return terms.order_id


def agree(day: "NaiveDay") -> None:
    """Cash to the millionth, nothing unexplained, and no share counted that is not there."""
    client, world = day.client, day.world
    ledger = ledger_of(client.opening, client.fills, client.booked)
    cash = from_e6(world.balance(DORA))
    assert ledger.cash == cash
    assert ledger.portfolio.contradictions == ()
    settled = {fill_key(fill) for fill in client.fills}
    assert unexplained(Pusd(cash), client.opening, client.fills, client.booked, settled) == 0
    for asset, position in ledger.portfolio.positions.items():
        assert position.confirmed == day.naive[asset], asset
        assert 0 <= position.confirmed <= from_e6(world.balance(DORA, asset))


class NaiveDay(Day):
    """Beside the books the plainest model of what is ours: what we bought and did not sell, as far as it is
    still there when we look."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.naive: defaultdict[AssetId, Decimal] = defaultdict(Decimal)
        self._counted = 0

    def look(self) -> None:
        self.client.catch_up()
        for fill in self.client.fills[self._counted :]:
            if fill.status is FillStatus.CONFIRMED:
                self.naive[fill.asset_id] += fill.shares if fill.side is Side.BUY else -fill.shares
        self._counted = len(self.client.fills)
        for asset in self.naive:
            self.naive[asset] = min(self.naive[asset], from_e6(self.world.balance(DORA, asset)))


def test_ten_thousand_random_actions_leave_the_books_equal_to_the_ledger() -> None:
    day, tried = NaiveDay(seed=7), 0
    while sum(day.kinds.values()) < ACTIONS:  # what the exchange refused is no action
        tried += 1
        day.act(tried)
        day.look()
        if tried % 1_000 == 0:
            agree(day)
    agree(day)
    assert min(day.kinds.values()) >= 5, day.kinds
    assert sum(fill.status is FillStatus.FAILED for fill in day.client.fills) > 20
    assert any(entry.taken for entry in day.client.booked)
    day.world.ledger.check(
        (view.spec.condition_id, view.spec.token_ids) for view in day.world.markets() if not view.closed
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_any_morning_of_any_account(seed: int) -> None:
    day = NaiveDay(seed)
    for number in range(80):
        day.act(number)
        day.look()
    agree(day)
