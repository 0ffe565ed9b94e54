"""Exits: each rule, what they compare with, and that nothing is sold that cannot be."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.models.exit_manager import ExitManager, ExitProposal, TooSmall, decide_exit
from polyb0t.models.exit_rules import Entry, ExitRules, ExitTrigger, ExitView, HeldPosition, entry_of
from polyb0t.models.fees import cost_per_share
from polyb0t.models.signals import Belief
from tests.support.decisions import NOW, POLITICS_FEE, a_book, a_market, d

YES = AssetId("tram-yes")
LEAST = Shares(d(5))
AT_ENTRY = a_book(YES, [("0.59", 2_000), ("0.58", 2_000)], [("0.60", 2_000)])


def bought(shares: str = "150", *, closable: str | None = None, paid: str = "91.44") -> HeldPosition:
    """150 shares bought at 60¢ with a fee of 1.44 when the bid was 59¢."""
    return HeldPosition(
        asset_id=YES,
        condition_id=ConditionId("0xtram"),
        shares=Shares(d(shares)),
        closable=Shares(d(closable if closable is not None else shares)),
        cost=Pusd(d(paid)),
        entry=entry_of(AT_ENTRY),
    )


def at_bid(bid: str, ask: str | None = None, *, size: int = 2_000, **changes: Any) -> ExitView:
    """The market later, with this bid; the offer a cent above unless given."""
    over = ask if ask is not None else str(d(bid) + d("0.01"))
    under = str(d(bid) - d("0.01"))
    view = ExitView(
        position=bought(),
        now=NOW,
        market=a_market(),
        book=a_book(YES, [(bid, size), (under, size)], [(over, size)]),
        fee=POLITICS_FEE,
    )
    return replace(view, **changes)


def decided(view: ExitView, rules: ExitRules | None = None) -> ExitProposal | TooSmall | None:
    return decide_exit(view, rules or ExitRules(), LEAST)


def triggers(view: ExitView, rules: ExitRules | None = None) -> tuple[str, ...]:
    answer = decided(view, rules)
    return () if answer is None else tuple(answer.triggers)


class TestStopLoss:
    def test_the_entry_spread_is_no_loss(self) -> None:
        """Bought at 60¢ with the fee: 61¢ a share. The bid of 59¢ is 3 % under the cost already."""
        assert triggers(at_bid("0.59")) == ()

    @pytest.mark.parametrize(("bid", "ask"), [("0.10", "0.13"), ("0.30", "0.33"), ("0.57", "0.60")])
    def test_nor_is_a_wide_spread_with_a_fee_at_any_price(self, bid: str, ask: str) -> None:
        """Measured against cost, each of these would be down by more than 5 % at once."""
        book = a_book(YES, [(bid, 2_000)], [(ask, 2_000)])
        cost = cost_per_share(d(ask), POLITICS_FEE)
        assert d(bid) < cost * d("0.95")
        position = replace(bought(paid=str(cost * 150)), entry=entry_of(book))
        assert triggers(at_bid(bid, ask, position=position, book=book)) == ()

    def test_it_fires_five_per_cent_under_the_bid_at_entry(self) -> None:
        assert triggers(at_bid("0.57")) == ()  # 3.4 %
        assert triggers(at_bid("0.56")) == ("stop_loss",)  # 5.1 %

    def test_its_sentence_names_both_bids(self) -> None:
        answer = decided(at_bid("0.56"))
        assert isinstance(answer, ExitProposal)
        assert answer.reason == "Stop-loss: the bid is 56¢, 5% under the 59¢ at entry."

    def test_without_a_bid_at_entry_it_says_nothing(self) -> None:
        assert triggers(at_bid("0.10", position=replace(bought(), entry=Entry()))) == ()


class TestTakeProfit:
    def test_it_fires_ten_per_cent_above_the_bid_at_entry(self) -> None:
        assert triggers(at_bid("0.64")) == ()  # 8.5 %
        assert triggers(at_bid("0.65")) == ("take_profit",)  # 10.2 %

    def test_a_rise_that_the_fees_eat_is_no_profit(self) -> None:
        """Bid 2¢, offer 5¢ at entry: the bid has doubled, and selling still loses money."""
        book = a_book(YES, [("0.02", 2_000)], [("0.05", 2_000)])
        position = replace(bought(paid="7.785"), entry=entry_of(book))
        assert triggers(at_bid("0.04", "0.05", position=position)) == ()
        assert triggers(at_bid("0.06", position=position)) == ("take_profit",)

    def test_proceeds_are_those_of_the_whole_sale(self) -> None:
        """One share at the top of a thin book is not the price of a hundred and fifty."""
        thin = a_book(YES, [("0.66", 1), ("0.55", 2_000)], [("0.67", 100)])
        assert "take_profit" not in triggers(at_bid("0.66", book=thin))


class TestTime:
    def test_two_days_before_the_scheduled_end(self) -> None:
        ends = a_market(end_date=NOW + timedelta(hours=48))
        later = a_market(end_date=NOW + timedelta(hours=48, seconds=1))
        assert triggers(at_bid("0.59", market=ends)) == ("time",)
        assert triggers(at_bid("0.59", market=later)) == ()

    def test_an_unknown_end_is_no_end(self) -> None:
        assert triggers(at_bid("0.59", market=a_market(end_date=None))) == ()


class TestLiquidity:
    def test_a_spread_much_wider_than_at_entry_for_a_while(self) -> None:
        view = at_bid("0.59", "0.65")
        assert triggers(view) == ()
        assert triggers(replace(view, thin_seconds=119)) == ()
        assert triggers(replace(view, thin_seconds=120)) == ("liquidity",)

    def test_bids_that_are_mostly_gone(self) -> None:
        assert triggers(at_bid("0.59", size=400, thin_seconds=300)) == ("liquidity",)  # 800 of 4,000

    def test_a_wobble_of_two_ticks_is_not_wider(self) -> None:
        assert triggers(at_bid("0.59", "0.62", thin_seconds=300)) == ()

    def test_the_manager_counts_how_long_and_starts_anew_when_it_is_better(self) -> None:
        manager = ExitManager(ExitRules())
        thin, fine = at_bid("0.59", "0.65"), at_bid("0.59")

        def look(view: ExitView, after: float) -> object:
            now = NOW + timedelta(seconds=after)
            assert view.book is not None
            fresh = replace(view, now=now, book=replace(view.book, observed_at=now))
            return manager.decide(fresh, LEAST)

        assert look(thin, 0) is None
        assert look(thin, 60) is None
        assert look(fine, 90) is None
        assert look(thin, 130) is None
        assert isinstance(look(thin, 250), ExitProposal)


class TestEdgeGone:
    def belief(self, q: str) -> Belief:
        return Belief(d(q), d(q) - d("0.03"), d(q) + d("0.03"), d("0.02"))

    def test_when_the_bid_pays_more_than_holding_is_worth(self) -> None:
        """62¢ less a fee of 0.94¢ is 61.06¢."""
        assert triggers(at_bid("0.62", belief=self.belief("0.61"))) == ()
        assert triggers(at_bid("0.62", belief=self.belief("0.60"))) == ("edge_gone",)

    def test_a_model_that_says_nothing_is_no_reason(self) -> None:
        assert triggers(at_bid("0.62", belief=None)) == ()


class TestTheProposal:
    def test_several_triggers_make_one_proposal_that_names_them(self) -> None:
        ends = a_market(end_date=NOW + timedelta(hours=20))
        answer = decided(at_bid("0.50", market=ends))
        assert isinstance(answer, ExitProposal)
        assert answer.triggers == (ExitTrigger.STOP_LOSS, ExitTrigger.TIME)
        assert "Stop-loss" in answer.reason
        assert "Time" in answer.reason

    def test_only_what_is_confirmed_and_free_is_sold_in_whole_hundredths(self) -> None:
        answer = decided(at_bid("0.50", position=bought(closable="120.509")))
        assert isinstance(answer, ExitProposal)
        assert answer.shares == d("120.50")

    def test_nothing_free_means_no_proposal(self) -> None:
        assert decided(at_bid("0.50", position=bought(closable="0"))) is None

    def test_it_says_from_which_probability_holding_would_have_been_better(self) -> None:
        answer = decided(at_bid("0.50"))
        assert isinstance(answer, ExitProposal)
        assert answer.hold_needs == d("0.49")  # 50¢ less the fee of 1¢

    def test_dust_is_said_and_not_proposed_and_said_once(self) -> None:
        manager = ExitManager(ExitRules())
        answer = manager.decide(at_bid("0.50", position=bought(closable="4.99")), LEAST)
        assert isinstance(answer, TooSmall)
        assert answer.reason.endswith("It holds 4.99 shares; the smallest order is 5.")
        assert manager.first_told(answer)
        assert not manager.first_told(answer)
        manager.keep([])
        assert manager.first_told(answer)

    @pytest.mark.parametrize("age", [15.1, 3_600])
    def test_an_old_book_is_no_reason_to_sell(self, age: float) -> None:
        view = at_bid("0.50")
        assert view.book is not None
        old = replace(view.book, observed_at=NOW - timedelta(seconds=age))
        assert decided(replace(view, book=old)) is None

    @pytest.mark.parametrize("trigger", list(ExitTrigger))
    def test_each_rule_has_its_switch(self, trigger: ExitTrigger) -> None:
        ends = a_market(end_date=NOW + timedelta(hours=20))
        belief = Belief(d("0.2"), d("0.1"), d("0.3"), d("0.05"))
        everything = [
            at_bid("0.40", "0.50", market=ends, belief=belief, thin_seconds=999),
            at_bid("0.80", "0.90", market=ends, belief=belief, thin_seconds=999),
        ]
        on = ExitRules(enabled=frozenset({trigger}))
        off = ExitRules(enabled=frozenset(ExitTrigger) - {trigger})
        assert {name for view in everything for name in triggers(view, on)} == {trigger}
        assert trigger not in {name for view in everything for name in triggers(view, off)}


amounts = st.decimals(min_value=0, max_value=5_000, places=6, allow_nan=False)
prices = st.integers(min_value=2, max_value=97).map(lambda cents: f"0.{cents:02d}")


@settings(max_examples=300, deadline=None)
@given(held=amounts, share=st.integers(0, 100), bid=prices, entry=prices, size=st.integers(1, 3_000))
def test_an_exit_never_sells_more_than_can_be_closed(
    held: Decimal, share: int, bid: str, entry: str, size: int
) -> None:
    closable = Shares(held * share / 100)
    position = replace(
        bought(),
        shares=Shares(held),
        closable=closable,
        entry=entry_of(a_book(YES, [(entry, 2_000)], [(str(d(entry) + d("0.01")), 2_000)])),
    )
    answer = decided(at_bid(bid, position=position, size=size, thin_seconds=999))
    if isinstance(answer, ExitProposal):
        assert LEAST <= answer.shares <= closable
        assert answer.shares == answer.shares.quantize(d("0.01"))
        assert answer.triggers


@settings(max_examples=200, deadline=None)
@given(bid=prices, entry=prices, rate=st.sampled_from(["0", "0.02", "0.04", "0.07"]))
def test_a_take_profit_brings_money(bid: str, entry: str, rate: str) -> None:
    fee = FeeSchedule(rate=d(rate), exponent=d(1))
    cost = cost_per_share(d(entry) + d("0.01"), fee) * 150
    book = a_book(YES, [(entry, 2_000)], [(str(d(entry) + d("0.01")), 2_000)])
    position = replace(bought(paid=str(cost)), entry=entry_of(book))
    view = at_bid(bid, position=position, fee=fee)
    if "take_profit" in triggers(view):
        assert view.book is not None
        walk = view.book.take_shares(Side.SELL, Shares(d(150)), Price(d("0.01")))
        paid = sum((fee.rate * d(bid) * (1 - d(bid)) * 150,), Decimal(0))
        assert walk.notional - paid > cost - d("0.001")


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("take_profit_fraction", "0"),
            ("take_profit_fraction", "1"),
            ("take_profit_fraction", "0.04"),
            ("stop_loss_fraction", "0"),
            ("stop_loss_fraction", "1.2"),
            ("depth_fraction", "-0.1"),
            ("time_hours", "0"),
            ("spread_multiple", "1"),
            ("edge_gone_pusd", "0"),
        ],
    )
    def test_an_impossible_threshold_is_refused_by_name(self, name: str, value: str) -> None:
        threshold: Any = {name: d(value)}
        with pytest.raises(ValueError, match=name):
            ExitRules(**threshold)
