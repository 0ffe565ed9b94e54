"""Openings: which trades reach a person, in which order, and what is said about the rest."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.chances import Candidate
from polyb0t.models.decision_desk import Desk
from polyb0t.models.event_stakes import EventBook, Holding
from polyb0t.models.kill_switches import Stance
from polyb0t.models.likely_fill import likely_purchase
from polyb0t.models.limits import CONTROLS
from polyb0t.models.opening import OpeningProposal, Openings
from polyb0t.models.proposal import decide_openings
from polyb0t.models.risk import Exposure, RiskLimits
from polyb0t.models.signals import Abstain, IdentityModel, MarketState, ProbEstimate
from tests.support.decisions import (
    NOW,
    POLITICS_FEE,
    a_book,
    a_desk,
    a_market,
    a_state,
    books_at,
    d,
    terms_of,
)

MODEL = MarketCalibrationModel(packaged_coefficients())


def a_candidate(
    market: Market | None = None, bid: str = "0.79", ask: str = "0.80", **changes: Any
) -> Candidate:
    state = a_state(market or a_market(), bid, ask, **changes)
    return Candidate(state, MODEL.predict(state))


def decide(*candidates: Candidate, **desk: Any) -> Openings:
    return decide_openings(candidates, a_desk(**desk))


def only(openings: Openings) -> OpeningProposal:
    assert len(openings.proposals) == 1, openings
    return openings.proposals[0]


def codes(openings: Openings) -> list[str]:
    return [each.code for each in openings.passed]


class TestOneGoodTrade:
    def test_a_political_favourite_is_bought_with_every_fact(self) -> None:
        proposal = only(decide(a_candidate()))
        assert proposal.outcome.label == "Yes"
        assert (proposal.side, proposal.order_type) == (Side.BUY, "FAK")
        assert proposal.worst_price == d("0.81")
        assert proposal.amount == d("96.15")
        assert proposal.min_shares == d("118.70")
        assert proposal.max_cost == d("99.996")
        assert proposal.likely.notional == d("96.15")
        assert proposal.likely.shares == d("120.1875")
        assert proposal.likely.fee == d("0.76920")  # 120.1875 x 0.04 x 0.8 x 0.2
        assert proposal.reference_price == d("0.80")
        assert proposal.book_hash == "hash-tram-yes"
        assert proposal.book_age_seconds == d("0.8")
        assert proposal.size.bound == "order"

    def test_all_controls_were_run_and_passed(self) -> None:
        proposal = only(decide(a_candidate()))
        assert len(proposal.controls) == len(CONTROLS)
        assert all(control.passed for control in proposal.controls)

    def test_the_edge_is_well_above_what_is_needed_and_less_at_the_worst_price(self) -> None:
        proposal = only(decide(a_candidate()))
        assert proposal.edge_now > proposal.edge_at_worst >= proposal.edge_required >= d("0.015")
        assert proposal.edge_now > d("0.03")

    def test_break_even_is_price_and_fee(self) -> None:
        assert only(decide(a_candidate())).break_even == d("0.816156")

    def test_the_reason_has_view_offer_and_edges(self) -> None:
        assert only(decide(a_candidate())).reason == (
            "The model says 86% (84% to 87%), the offer is 80¢: +3.4¢ a share now, +2.4¢ at the worst price. "
            "Politics one to three months out is priced too close to the middle."
        )

    def test_a_political_outsider_is_bought_as_no_from_the_book_of_no(self) -> None:
        proposal = only(decide(a_candidate(bid="0.20", ask="0.21")))
        assert proposal.outcome.label == "No"
        assert proposal.reference_price == d("0.80")
        assert proposal.book_hash == "hash-tram-no"
        assert proposal.belief.q > d("0.85")

    def test_the_worst_price_stays_inside_the_collar(self) -> None:
        wide = RiskLimits(edge_given_up=d(1), collar_pusd=d("0.015"))
        proposal = only(decide(a_candidate(terms=terms_of(a_market(), tick=Price(d("0.001")))), limits=wide))
        assert proposal.worst_price == d("0.81")  # the mid 79.5 and 1.5 cents

    @pytest.mark.parametrize("price", [72, 76, 80, 84, 88])
    def test_politics_between_70_and_90_cents_a_month_out_is_proposed(self, price: int) -> None:
        market = a_market(end_date=NOW + timedelta(days=25))
        proposal = only(decide(a_candidate(market, str(Decimal(price - 1) / 100), str(Decimal(price) / 100))))
        assert proposal.edge_now > d("0.015")


class TestNothing:
    def test_an_identity_proposes_nothing(self) -> None:
        state = a_state()
        openings = decide(Candidate(state, IdentityModel().predict(state)))
        assert openings.proposals == ()
        assert codes(openings) == ["price_is_right"]

    def test_a_near_miss_says_how_near(self) -> None:
        sports = a_market(category="sports", fee=FeeSchedule(d("0.05"), d(1)))
        openings = decide(a_candidate(sports))
        (miss,) = openings.near_misses
        assert miss.question == sports.question
        assert miss.edge < miss.needed
        assert openings.proposals == ()

    def test_the_nearest_miss_comes_first(self) -> None:
        names = ["far", "near", "middle"]
        asks = {"far": "0.55", "middle": "0.60", "near": "0.64"}
        openings = decide(
            *(a_candidate(a_market(name), str(d(asks[name]) - d("0.01")), asks[name]) for name in names)
        )
        assert [miss.question for miss in openings.near_misses] == [
            "Will near happen?",
            "Will middle happen?",
            "Will far happen?",
        ]

    @pytest.mark.parametrize(
        ("desk", "code"),
        [
            ({"stance": Stance.REDUCING}, "stance"),
            ({"stance": None}, "stance"),
            ({"bankroll_pusd": None}, "balance"),
            ({"spendable_pusd": None}, "balance"),
            ({"exposure": None}, "balance"),
            ({"drawdown": None}, "drawdown"),
            ({"drawdown": d("0.15")}, "size_drawdown"),
            ({"exposure": Exposure(dependent=Pusd(d(2_500)))}, "size_dependent"),
            ({"exposure": Exposure(far=Pusd(d(1_500))), "limits": RiskLimits(far_days=d(30))}, "size_far"),
            ({"exposure": Exposure(by_theme={"trams": Pusd(d(800))})}, "size_theme"),
            ({"live_assets": None}, "duplicate"),
            ({"live_assets": frozenset({AssetId("tram-yes")})}, "duplicate"),
            ({"live_assets": frozenset({AssetId("tram-no")})}, "self_trade"),
            ({"resting_assets": frozenset({AssetId("tram-yes")})}, "resting"),
            ({"sold_assets": frozenset({AssetId("tram-yes")})}, "sold_lately"),
            ({"clock_skew_seconds": None}, "clock_skew"),
            ({"at_most": 0}, "no_slot"),
            ({"regime": "live"}, "model_unvalidated"),
            ({"spendable_pusd": Pusd(d(2_000))}, "size_cash"),
            ({"bankroll_pusd": Pusd(d(200))}, "size_order"),
            ({"limits": RiskLimits(edge_suspicious=d("0.02"))}, "edge_too_good"),
        ],
    )
    def test_each_obstacle_is_named(self, desk: dict[str, Any], code: str) -> None:
        openings = decide(a_candidate(a_market(tags=("trams",))), **desk)
        assert openings.proposals == ()
        assert codes(openings) == [code]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"terms": None}, "fee_unknown"),
            ({"market": a_market(resolution_status="proposed")}, "being_resolved"),
            ({"market": a_market(end_date=NOW + timedelta(days=2))}, "ends_soon"),
            ({"market": a_market(category="tech")}, "no_figure"),
        ],
    )
    def test_each_fault_of_a_market_is_named(self, changes: dict[str, Any], code: str) -> None:
        assert codes(decide(a_candidate(**changes))) == [code]

    def test_a_fee_without_a_ceiling_is_left_alone(self) -> None:
        market = a_market(fee=FeeSchedule(d("0.04"), d("0.9")))
        assert codes(decide(a_candidate(market))) == ["fee_unbounded"]

    def test_a_live_regime_trades_unvalidated_only_when_told_so(self) -> None:
        assert not only(decide(a_candidate(), regime="live", allow_unvalidated=True)).estimate.validated

    def test_an_offer_of_nothing(self) -> None:
        state = a_state()
        yes, _ = state.books
        assert yes is not None
        estimate = MODEL.predict(state)
        assert isinstance(estimate, ProbEstimate)
        empty = replace(state, books=(replace(yes, asks=()), None))
        assert codes(decide(Candidate(empty, estimate))) == ["no_offer"]

    def test_an_abstention_keeps_its_sentence(self) -> None:
        state = a_state()
        openings = decide(Candidate(state, Abstain("odd", "It is odd.")))
        assert openings.passed[0].reason == "It is odd."


class TestBesideWhatIsHeld:
    """The stake alone is 143 pUSD here; the limits are wide."""

    WIDE = RiskLimits(order_fraction=d(1), market_fraction=d(1), event_fraction=d(1), order_max_pusd=d(9_999))
    RED, BLUE = (a_market(name, neg_risk=True, event_id=EventId("race")) for name in ("red", "blue"))

    def spent(self, *holdings: Holding, others: tuple[Candidate, ...] = ()) -> OpeningProposal | None:
        markets = {market.condition_id: market for market in (self.RED, self.BLUE)}
        events = EventBook(holdings=holdings, markets=markets)
        openings = decide(a_candidate(self.RED), *others, limits=self.WIDE, events=events)
        return next(iter(openings.proposals), None)

    def holding(self, market: Market, shares: str, worth: str) -> Holding:
        return Holding(market.condition_id, market.outcomes[0].asset_id, Shares(d(shares)), Pusd(d(worth)))

    def test_what_is_held_is_not_bought_again(self) -> None:
        alone, beside = self.spent(), self.spent(self.holding(self.RED, "100", "80"))
        assert alone is not None
        assert beside is not None
        assert alone.size.event is None
        assert d(78) < alone.max_cost - beside.max_cost < d(82)
        assert beside.size.bound == "event_stake"
        assert "beside 80.00 pUSD held on the event" in beside.size.words

    def test_a_position_that_has_its_size_is_left_alone(self) -> None:
        assert self.spent(self.holding(self.RED, "2000", "1600")) is None

    def test_another_outcome_of_the_event_counts_by_its_price(self) -> None:
        quiet = Candidate(a_state(self.BLUE, "0.10", "0.11"), Abstain("no_figure", "Nothing is known."))
        alone, hedged = self.spent(), self.spent(self.holding(self.BLUE, "300", "30"), others=(quiet,))
        assert alone is not None
        assert hedged is not None
        assert hedged.max_cost > alone.max_cost

    def test_two_names_for_one_bet_are_bought_once(self) -> None:
        """YES of one at 80 cents and NO of the other at 80 win together: one of them has the whole stake."""
        alone, both = self.spent(), self.spent(others=(a_candidate(self.BLUE, "0.20", "0.21"),))
        assert alone is not None
        assert both is not None
        assert both.size.event is not None
        assert both.size.event.others == 1
        assert both.max_cost <= alone.max_cost


class TestSeveral:
    def test_the_one_that_grows_most_comes_first(self) -> None:
        good, better = (
            a_candidate(a_market("good"), "0.75", "0.77"),
            a_candidate(a_market("better"), "0.79", "0.80"),
        )
        assert [p.market.slug for p in decide(good, better).proposals] == ["better", "good"]

    def test_one_per_event(self) -> None:
        first = a_candidate(a_market("one", event_id=EventId("same")))
        second = a_candidate(a_market("two", event_id=EventId("same")), "0.76", "0.77")
        openings = decide(first, second)
        assert [p.market.slug for p in openings.proposals] == ["one"]
        assert codes(openings) == ["same_event"]

    def test_the_second_of_an_event_takes_over_when_the_first_may_not(self) -> None:
        first = a_candidate(a_market("one", event_id=EventId("same"), resolution_status="disputed"))
        second = a_candidate(a_market("two", event_id=EventId("same")))
        assert only(decide(first, second)).market.slug == "two"

    def test_no_more_than_there_is_room_for(self) -> None:
        openings = decide(*(a_candidate(a_market(f"m{n}")) for n in range(5)), at_most=2)
        assert len(openings.proposals) == 2
        assert codes(openings) == ["no_slot"] * 3

    def test_each_is_sized_as_if_the_better_ones_were_filled(self) -> None:
        limits = RiskLimits(category_fraction=d("0.015"))
        openings = decide(*(a_candidate(a_market(f"m{n}")) for n in range(3)), limits=limits)
        assert [p.size.bound for p in openings.proposals] == ["order", "category"]
        assert sum(p.max_cost for p in openings.proposals) <= 150
        assert codes(openings) == ["size_category"]

    def test_cash_is_not_spent_twice(self) -> None:
        openings = decide(*(a_candidate(a_market(f"m{n}")) for n in range(3)), spendable_pusd=Pusd(d(2_150)))
        assert sum(p.max_cost for p in openings.proposals) <= 150

    def test_the_order_of_the_input_does_not_matter(self) -> None:
        candidates = [a_candidate(a_market(f"m{n}"), *prices(n)) for n in range(40)]
        wanted = decide(*candidates)
        for seed in range(3):
            random.Random(seed).shuffle(candidates)
            assert decide(*candidates) == wanted


def prices(n: int) -> tuple[str, str]:
    """Bid and ask of the n-th market, ties included."""
    ask = Decimal(45 + 2 * (n % 23)) / 100
    return str(ask - d("0.01")), str(ask)


class TestLikelyFill:
    def test_it_walks_the_levels_and_pays_each_ones_fee(self) -> None:
        book = a_book("a", asks=[("0.60", 100), ("0.61", 900), ("0.62", 900)])
        likely = likely_purchase(book, Pusd(d(91)), Price(d("0.61")), POLITICS_FEE)
        assert likely.shares == d("150.819672")  # 100 at 60 cents, then 31 pUSD at 61
        assert likely.fee == d("0.96") + d("0.48360")
        assert likely.notional == d("91")

    def test_it_stops_at_the_worst_price(self) -> None:
        book = a_book("a", asks=[("0.60", 100), ("0.62", 900)])
        assert likely_purchase(book, Pusd(d(91)), Price(d("0.61")), POLITICS_FEE).shares == Shares(d(100))

    def test_the_likely_cost_of_the_screen(self) -> None:
        book = a_book("a", asks=[("0.60", 320), ("0.61", 900)])
        likely = likely_purchase(book, Pusd(d("91.50")), Price(d("0.61")), POLITICS_FEE)
        assert (likely.shares, likely.cost) == (d("152.50"), d("92.964"))


def test_the_state_holds_what_was_known_and_no_more() -> None:
    # A desk says nothing about markets and a state nothing about us: a decision needs both and no clock.
    assert not set(MarketState.__slots__) & {"exposure", "stance"}
    assert not set(Desk.__slots__) & {"market", "books"}
    assert a_desk().exposure == Exposure()


price_on_any_grid = st.integers(1, 999).map(lambda tick: Decimal(tick) / 1000)
any_level = st.tuples(
    price_on_any_grid.map(str), st.integers(1, 100_000).map(lambda n: str(Decimal(n) / 100))
)


def odd_book(draw: st.DrawFn, asset: str, condition: str) -> OrderBook:
    bids = sorted(draw(st.lists(any_level, max_size=4)), key=lambda level: -d(level[0]))
    asks = sorted(draw(st.lists(any_level, max_size=4)), key=lambda level: d(level[0]))
    return a_book(asset, bids, asks, condition=condition)


@st.composite
def any_state(draw: st.DrawFn) -> MarketState:
    """A market as it might come: crossed, empty, one-sided, off the grid, dear, thin, odd fees."""
    market = a_market(
        draw(st.sampled_from(["a", "b", "c", "d"])),
        category=draw(st.sampled_from(["politics"] * 6 + ["sports", "weather", "tech", ""])),
        fee=FeeSchedule(
            draw(st.sampled_from([d(0), d("0.04"), d("0.25")])), draw(st.sampled_from([d(1), d("0.5"), d(2)]))
        ),
        end_date=draw(
            st.sampled_from(
                [None, *(NOW + timedelta(hours=h) for h in (-1, 25, 100, 500, 600, 700, 900, 9_000))]
            )
        ),
    )
    if draw(st.booleans()):
        ask = draw(st.integers(5, 95))
        bid = ask - draw(st.integers(0, 4))
        books = books_at(market, f"0.{bid:02d}", f"0.{ask:02d}", size=draw(st.integers(1, 5_000)))
    else:
        books = (
            odd_book(draw, market.outcomes[0].asset_id, market.condition_id),
            odd_book(draw, market.outcomes[1].asset_id, market.condition_id),
        )
    tick = Price(draw(st.sampled_from([d("0.01"), d("0.001"), d("0.1")])))
    return MarketState(market, terms_of(market, tick=tick), books, NOW)


@settings(max_examples=150)
@given(st.lists(any_state(), max_size=6), st.integers(0, 20_000), st.integers(0, 20_000))
def test_whatever_comes_nothing_is_raised_and_every_proposal_keeps_every_limit(
    states: list[MarketState], bankroll: int, cash: int
) -> None:
    desk = a_desk(bankroll_pusd=Pusd(Decimal(bankroll)), spendable_pusd=Pusd(Decimal(cash)))
    openings = decide_openings([Candidate(state, MODEL.predict(state)) for state in states], desk)
    for proposal in openings.proposals:
        assert proposal.reference_price <= proposal.worst_price
        assert proposal.edge_at_worst >= proposal.edge_required
        assert proposal.likely.cost <= proposal.max_cost
        assert proposal.likely.shares >= proposal.min_shares
        assert all(control.passed for control in proposal.controls)
    if openings.proposals:
        floor = desk.limits.cash_floor_fraction * bankroll
        assert cash - sum(p.max_cost for p in openings.proposals) >= floor
    assert len({p.market.event_id for p in openings.proposals}) == len(openings.proposals)
