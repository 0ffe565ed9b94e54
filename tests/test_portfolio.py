"""The portfolio from fills: cash to the millionth, average cost, and a naive ledger beside it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, Taken
from polyb0t.data.fills import FILL_TRANSITIONS, Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.models.portfolio import Portfolio, portfolio_of
from polyb0t.models.reckoning import Reckoning
from tests.support.decisions import NOW, d

START = Pusd(d(10_000))
YES = AssetId("yes")


def a_fill(trade: str = "t1", **changes: Any) -> Fill:
    """BUY 152.50 YES at 60 cents, fee 1.464, final."""
    fill = Fill(
        trade_id=TradeId(trade),
        bucket_index=0,
        order_id=OrderId("0xorder"),
        condition_id=ConditionId("0xtram"),
        asset_id=YES,
        side=Side.BUY,
        role=Role.TAKER,
        price=Price(d("0.60")),
        shares=Shares(d("152.50")),
        fee=Pusd(d("1.464")),
        status=FillStatus.CONFIRMED,
        matched_at=NOW,
        transaction_hash="0xhash",
    )
    return replace(fill, **changes)


def a_sale(trade: str = "t2", **changes: Any) -> Fill:
    """SELL 52.50 YES at 67 cents, fee 0.46431, a minute later."""
    sale = a_fill(
        trade,
        side=Side.SELL,
        price=Price(d("0.67")),
        shares=Shares(d("52.50")),
        fee=Pusd(d("0.46431")),
        matched_at=NOW + timedelta(minutes=1),
    )
    return replace(sale, **changes)


def portfolio(*fills: Fill) -> Portfolio:
    return portfolio_of(fills, starting_cash=START)


class TestOnePurchase:
    def test_the_cash_of_the_screen(self) -> None:
        held = portfolio(a_fill())
        assert held.cash == d("9907.036")
        assert held.held_cost == d("92.964")
        assert held.fees == d("1.464")

    def test_the_average_cost_has_the_fee_in_it(self) -> None:
        assert portfolio(a_fill()).positions[YES].average_cost == d("92.964") / d("152.50")

    def test_it_is_worth_what_could_be_had_for_it(self) -> None:
        worth = portfolio(a_fill()).value({YES: Price(d("0.59"))})
        assert worth.positions_pusd == d("89.975")
        assert worth.unrealised_pusd == d("-2.989")
        assert worth.equity_pusd == d("9997.011")

    def test_without_a_bid_equity_is_not_known(self) -> None:
        worth = portfolio(a_fill()).value({})
        assert worth.equity_pusd is None
        assert worth.unmarked == (YES,)

    @pytest.mark.parametrize("status", [FillStatus.MATCHED, FillStatus.MINED, FillStatus.RETRYING])
    def test_before_it_is_final_it_is_provisional_and_cannot_be_closed(self, status: FillStatus) -> None:
        position = portfolio(a_fill(status=status)).positions[YES]
        assert (position.confirmed, position.provisional, position.shares) == (d(0), d("152.50"), d("152.50"))
        assert position.closable(Shares(d(0))) == 0

    def test_a_failed_fill_is_taken_back(self) -> None:
        matched, failed = a_fill(status=FillStatus.MATCHED), a_fill(status=FillStatus.FAILED)
        assert portfolio(matched, failed) == portfolio()
        assert portfolio(failed, matched) == portfolio()


class TestASale:
    def test_it_takes_its_part_of_the_cost_along(self) -> None:
        held = portfolio(a_fill(), a_sale())
        position = held.positions[YES]
        assert position.shares == 100
        assert position.cost == d("60.960000")  # 92.964 x 100 / 152.50
        assert position.realised == d("35.175") - d("0.46431") - d("32.004")
        assert held.cash == d("9907.036") + d("35.175") - d("0.46431")

    def test_a_sale_under_way_cannot_be_sold_again(self) -> None:
        position = portfolio(a_fill(), a_sale(status=FillStatus.MATCHED)).positions[YES]
        assert position.confirmed == d("152.50")
        assert position.closable(Shares(d(0))) == 100
        assert position.closable(Shares(d(30))) == 70
        assert position.closable(Shares(d(300))) == 0

    def test_the_last_share_takes_all_of_the_cost(self) -> None:
        held = portfolio(a_fill(), a_sale(shares=Shares(d("152.50"))))
        assert held.positions[YES].cost == 0
        assert held.held() == ()
        assert held.positions[YES].average_cost is None

    def test_within_one_second_purchases_come_first(self) -> None:
        assert portfolio(a_sale(trade="a", matched_at=NOW), a_fill(trade="b")).contradictions == ()

    def test_selling_what_was_never_bought_is_said(self) -> None:
        held = portfolio(a_sale())
        assert "was sold than these fills had bought" in held.contradictions[0]
        assert held.positions[YES].shares == d("-52.50")


class TestSeenMoreThanOnce:
    def test_a_fill_seen_again_counts_once(self) -> None:
        assert portfolio(a_fill(), a_fill(), a_fill(status=FillStatus.MATCHED)) == portfolio(a_fill())

    def test_another_bucket_of_a_trade_is_another_fill(self) -> None:
        assert portfolio(a_fill(), a_fill(bucket_index=1)).positions[YES].shares == 305

    def test_our_taker_and_our_maker_in_one_trade_are_two(self) -> None:
        maker = a_fill(order_id=OrderId("0xmaker"), role=Role.MAKER, fee=Pusd(d(0)))
        assert portfolio(a_fill(), maker).positions[YES].shares == 305

    def test_failed_and_confirmed_contradict_each_other(self) -> None:
        both = [a_fill(status=FillStatus.FAILED), a_fill(status=FillStatus.CONFIRMED)]
        for order in (both, both[::-1]):
            held = portfolio(*order)
            assert "failed and to be confirmed" in held.contradictions[0]
            assert held.positions[YES].confirmed == d("152.50")  # the chain's yes beats a no


sightings = st.builds(
    a_fill,
    st.sampled_from(["t1", "t2", "t3", "t4"]),
    asset_id=st.sampled_from([YES, AssetId("no")]),
    side=st.sampled_from(Side),
    price=st.integers(1, 999).map(lambda tick: Decimal(tick) / 1000),
    shares=st.integers(1, 10**9).map(lambda e6: Decimal(e6).scaleb(-6)),
    fee=st.integers(0, 10**6).map(lambda e5: Decimal(e5).scaleb(-5)),
    status=st.sampled_from([s for s in FillStatus if s is not FillStatus.FAILED]),
    matched_at=st.integers(0, 5).map(lambda s: NOW + timedelta(seconds=s)),
)


def naive(fills: Sequence[Fill]) -> tuple[Decimal, dict[AssetId, Decimal]]:
    """Cash and shares by adding and subtracting, in the order of arrival."""
    cash, shares = Decimal(START), dict[AssetId, Decimal]()
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        cash -= sign * fill.price * fill.shares + fill.fee
        shares[fill.asset_id] = shares.get(fill.asset_id, Decimal(0)) + sign * fill.shares
    return cash, shares


def as_different_trades(fills: Sequence[Fill]) -> list[Fill]:
    return [replace(fill, trade_id=TradeId(f"t{n}")) for n, fill in enumerate(fills)]


class TestAgainstANaiveLedger:
    @settings(max_examples=150)
    @given(st.lists(sightings, max_size=25))
    def test_cash_and_shares_agree_exactly(self, seen: list[Fill]) -> None:
        fills = as_different_trades(seen)
        held = portfolio(*fills)
        cash, shares = naive(fills)
        assert held.cash == cash
        assert {asset: position.shares for asset, position in held.positions.items()} == shares

    @settings(max_examples=150)
    @given(st.lists(sightings, max_size=25))
    def test_no_fraction_of_money_is_lost_or_made(self, seen: list[Fill]) -> None:
        held = portfolio(*as_different_trades(seen))
        assert held.cash + held.held_cost - held.realised == START

    @settings(max_examples=100)
    @given(st.lists(sightings, max_size=12), st.randoms(use_true_random=False))
    def test_the_order_of_sightings_does_not_matter(self, seen: list[Fill], shuffle: Any) -> None:
        fills = as_different_trades(seen)
        mixed = [*fills, *fills]
        shuffle.shuffle(mixed)
        assert portfolio(*mixed) == portfolio(*fills)

    @settings(max_examples=100)
    @given(st.lists(sightings, min_size=1, max_size=12), st.data())
    def test_a_failure_leaves_no_trace(self, seen: list[Fill], data: st.DataObject) -> None:
        fills = as_different_trades([replace(fill, status=FillStatus.MATCHED) for fill in seen])
        victim = data.draw(st.sampled_from(fills))
        after = portfolio(*fills, replace(victim, status=FillStatus.FAILED))
        assert after == portfolio(*(fill for fill in fills if fill is not victim))


def test_a_later_sighting_moves_forward_only() -> None:
    for old, allowed in FILL_TRANSITIONS.items():
        for new in FillStatus:
            if {old, new} == {FillStatus.FAILED, FillStatus.CONFIRMED}:
                continue
            shares = portfolio(a_fill(status=old), a_fill(status=new)).positions.get(YES)
            wanted = portfolio(a_fill(status=new if new in allowed else old)).positions.get(YES)
            assert shares == wanted, (old, new)


class TestWorkedOutOnlyWhereSomethingChanged:
    """A cycle asks for the portfolio many times between two fills."""

    def test_the_same_fills_are_the_same_portfolio_and_a_new_one_is_not_missed(self) -> None:
        reckoning, first = Reckoning(), (a_fill(),)
        before = reckoning.of(first, START, ())
        assert before == portfolio_of(first, starting_cash=START)
        assert reckoning.of(first, START, ()) is before
        more = (*first, a_fill("t2"))
        assert reckoning.of(more, START, ()) == portfolio_of(more, starting_cash=START) != before

    def test_other_cash_and_fills_that_grew_in_place_are_worked_out_anew(self) -> None:
        reckoning, growing = Reckoning(), [a_fill()]
        cash = reckoning.of(growing, START, ()).cash
        growing.append(a_fill("t2"))
        assert reckoning.of(growing, START, ()).cash < cash
        assert reckoning.of((), Pusd(START + 1), ()).cash == START + 1

    @settings(max_examples=100)
    @given(st.lists(sightings, min_size=1, max_size=10), st.data())
    def test_an_account_that_goes_on_stands_as_one_that_is_gone_through_anew(
        self, seen: list[Fill], data: st.DataObject
    ) -> None:
        """Fills come one or two at a time, behind the others or between them, a few change or fail later, and
        shares are taken from outside at any time."""
        later = st.sampled_from([0, 0, 0, 0, 12])
        fills = [
            replace(fill, matched_at=NOW + timedelta(minutes=5 * number - data.draw(later)))
            for number, fill in enumerate(as_different_trades(seen))
        ]
        at = [
            NOW + timedelta(minutes=data.draw(st.integers(-5, 80)))
            for _ in range(data.draw(st.sampled_from([0, 0, 1, 2])))
        ]
        booked = tuple(taken_away(n, each) for n, each in enumerate(at))
        reckoning, known = Reckoning(), tuple[Fill, ...]()
        while fills:
            step = data.draw(st.integers(1, 2))
            known, fills = (*known, *fills[:step]), fills[step:]
            if data.draw(st.sampled_from([False, False, False, True])):
                known = (replace(known[0], status=FillStatus.FAILED), *known[1:])
            assert reckoning.of(known, START, booked) == portfolio_of(
                known, starting_cash=START, booked=booked
            )


def taken_away(number: int, at: datetime) -> Booked:
    """40 YES shares that were merged beside us."""
    movement = Movement("MERGE", at, f"0x{number}", Pusd(d(40)), Shares(d(40)), asset_id=YES)
    return Booked(movement, (Taken(YES, Shares(d(40)), None),))
