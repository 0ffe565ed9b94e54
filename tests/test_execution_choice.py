"""Take now or rest: what decides, what forbids resting, and that nothing is promised that is not there."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Price, floor_to
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.data.order_book import OrderBook
from polyb0t.models.chances import Candidate, Chance, find_chance
from polyb0t.models.execution_choice import (
    ExecutionRules,
    Moment,
    NotResting,
    RestingOffer,
    came_true,
    fill_chance,
    rest,
)
from polyb0t.models.movement import MidHistory, Movement
from polyb0t.models.opening import OpeningProposal, Openings
from polyb0t.models.pricing import NO_RESERVE, Purchase, reserve_for
from polyb0t.models.proposal import decide_openings
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import ProbEstimate
from tests.support.decisions import NOW, a_book, a_desk, a_market, a_state, books_at, d, levels, terms_of

AUTO = ExecutionRules(allowed=True, life_seconds=21_600)
CALM = Movement(most=d("0.3"), least=d("0.3"))
NEEDED = d("0.015")


def a_moment(market: Market | None = None, bid: str = "0.78", ask: str = "0.80", **changes: Any) -> Moment:
    market = market or a_market()
    book, _ = books_at(market, bid, ask)
    return replace(Moment(market, terms_of(market), book, CALM, NOW), **changes)


def offer(moment: Moment | None = None, q: str = "0.84", **rules: Any) -> RestingOffer | NotResting:
    return rest(moment or a_moment(), d(q), NO_RESERVE, NEEDED, replace(AUTO, **rules))


def offered(*args: Any, **kwargs: Any) -> RestingOffer:
    found = offer(*args, **kwargs)
    assert isinstance(found, RestingOffer), found
    return found


def a_view(q: str, **changes: Any) -> ProbEstimate:
    """A model that says `q` of the first outcome."""
    view = ProbEstimate(
        q=d(q),
        low=d(q) - d("0.01"),
        high=d(q) + d("0.01"),
        sd=d("0.006"),
        anchor=Price(d("0.79")),
        spread=d("0.02"),
        model="market calibration",
        version="1",
        validated=True,
        independent=False,
        parts=(),
        because="Politics is priced too close to the middle.",
    )
    return replace(view, **changes)


def decide(q: str = "0.83", bid: str = "0.78", ask: str = "0.80", **desk: Any) -> Openings:
    market = desk.pop("market", a_market())
    candidate = Candidate(a_state(market, bid, ask), a_view(q))
    given = {"execution": AUTO, "movement_of": lambda _market: CALM}
    return decide_openings([candidate], a_desk(**{**given, **desk}))


def only(openings: Openings) -> OpeningProposal:
    assert len(openings.proposals) == 1, openings
    return openings.proposals[0]


class TestThePrice:
    def test_golden_worst_price_of_a_taker(self) -> None:
        """q 66%, 1.5 cents of edge, a fee rate of 4%, no reserve."""
        taker = Purchase(d("0.66"), FeeSchedule(d("0.04"), d(1)))
        assert floor_to(taker.highest_price(NEEDED), d("0.0001")) == d("0.6357")

    def test_golden_worst_price_of_a_maker_is_what_is_left_without_a_fee(self) -> None:
        assert Purchase(d("0.66"), FeeSchedule(d(0), d(1))).highest_price(NEEDED) == d("0.645")

    def test_it_rests_at_the_bid_and_pays_no_fee(self) -> None:
        found = offered()
        assert found.price == d("0.78")
        assert found.edge_before == d("0.84") - d("0.78")

    def test_what_a_fill_tells_is_the_way_from_the_middle_to_a_tick_under_its_price(self) -> None:
        found = offered()
        assert found.told == d("0.79") - d("0.77")
        assert found.edge == d("0.04")

    def test_the_gate_is_judged_after_what_a_fill_tells(self) -> None:
        assert offered(q="0.815").edge == NEEDED
        assert offer(q="0.8149") is NotResting.TOO_DEAR

    def test_it_stands_behind_what_is_bid_at_its_price(self) -> None:
        assert offered().depth == d(2_000)


class TestTheChanceOfAFill:
    def test_it_is_the_reflection_principle_on_log_odds(self) -> None:
        way = math.log(0.79 / 0.21) - math.log(0.77 / 0.23)
        expected = math.erfc(way / (0.3 * math.sqrt(21_600 / 86_400) * math.sqrt(2)))
        assert float(offered().chance) == pytest.approx(expected, abs=1e-4)

    @pytest.mark.parametrize("seconds", [600, 3_600, 21_600])
    def test_a_longer_life_fills_more(self, seconds: int) -> None:
        shorter = fill_chance(d("0.5"), d("0.48"), d("0.3"), seconds)
        assert shorter < fill_chance(d("0.5"), d("0.48"), d("0.3"), seconds * 2)

    def test_what_does_not_move_fills_nothing(self) -> None:
        assert fill_chance(d("0.5"), d("0.48"), d(0), 3_600) == 0

    def test_there_is_no_price_below_the_lowest(self) -> None:
        assert fill_chance(d("0.02"), d(0), d("0.3"), 3_600) == 0

    def test_only_the_smaller_measure_of_movement_is_counted_on(self) -> None:
        bouncing = a_moment(movement=Movement(most=d("0.4"), least=d("0.2")))
        assert offered(bouncing).chance < offered().chance

    def test_what_hardly_ever_fills_is_not_worth_a_minute(self) -> None:
        assert offer(a_moment(movement=Movement(d("0.1"), d("0.1")))) is NotResting.UNLIKELY


class TestWhatCameTrue:
    """Stated chances are held against what became of the orders that rested."""

    def test_nothing_is_known_at_first(self) -> None:
        assert came_true([]) == 1

    def test_promised_fills_that_did_not_come_make_every_next_chance_smaller(self) -> None:
        assert came_true([(d("0.5"), False)] * 10) == d("0.5")
        assert came_true([(d("0.5"), True), (d("0.5"), False)] * 10) == 1
        assert offered(came_true=d("0.5")).chance == floor_to(offered().chance / 2, d("0.0001"))
        assert offer(came_true=d("0.2")) is NotResting.UNLIKELY

    def test_more_fills_than_promised_make_none_larger(self) -> None:
        assert came_true([(d("0.1"), True)] * 50) == 1


class TestWhatForbidsIt:
    @pytest.mark.parametrize(
        ("moment", "why"),
        [
            (a_moment(a_market(fee=None)), NotResting.FEE),
            (a_moment(a_market(fee=FeeSchedule(d("0.04"), d(1), taker_only=False))), NotResting.FEE),
            (a_moment(movement=None), NotResting.MOVEMENT_UNKNOWN),
            (a_moment(movement=Movement(d("0.41"), d("0.3"))), NotResting.RESTLESS),
            (a_moment(a_market(end_date=None)), NotResting.ENDS_SOON),
            (a_moment(a_market(end_date=NOW + timedelta(days=7))), NotResting.ENDS_SOON),
            (a_moment(a_market(game_start=NOW + timedelta(minutes=30))), NotResting.EVENT),
            (a_moment(a_market(game_start=NOW + timedelta(hours=7))), NotResting.EVENT),
            (a_moment(a_market(game_start=NOW - timedelta(days=1))), NotResting.EVENT),
            (a_moment(a_market(category="sports", tags=())), NotResting.EVENT),
            (a_moment(a_market(category="", tags=("esports",))), NotResting.EVENT),
            (a_moment(bid="0.79"), NotResting.NARROW),
            (a_moment(bid="0.775"), NotResting.NO_BOOK),
            (a_moment(book=a_book("tram-yes", [("0.78", 10)])), NotResting.NO_BOOK),
            (a_moment(book=a_book("tram-yes", asks=[("0.80", 10)])), NotResting.NO_BOOK),
            (a_moment(terms=terms_of(a_market(), tick=Price(d("0.001")))), NotResting.NO_BOOK),
            (a_moment(a_market(), "0.83", "0.86"), NotResting.TOO_DEAR),
        ],
    )
    def test_resting_is_out_of_the_question(self, moment: Moment, why: NotResting) -> None:
        assert offer(moment) is why

    def test_a_game_after_its_life_and_an_hour_does_not_disturb(self) -> None:
        assert offered(a_moment(a_market(category="sports", game_start=NOW + timedelta(hours=7.1))))

    def test_by_default_nothing_rests(self) -> None:
        assert rest(a_moment(), d("0.84"), NO_RESERVE, NEEDED, ExecutionRules()) is NotResting.NOT_ALLOWED
        assert only(decide("0.84", execution=ExecutionRules())).order_type == "FAK"

    @pytest.mark.parametrize("seconds", [599, 21_601])
    def test_a_life_is_ten_minutes_to_six_hours(self, seconds: int) -> None:
        with pytest.raises(ValueError, match="ten minutes"):
            ExecutionRules(allowed=True, life_seconds=seconds)


class TestTheChoice:
    """At a bid of 78 and an offer of 80 cents, a fee of 4% and an hour."""

    @pytest.mark.parametrize(
        ("q", "chosen"),
        [
            ("0.825", None),  # neither leaves enough once the reserve is off
            ("0.832", "GTD"),  # taking leaves too little, resting enough
            ("0.838", "FAK"),  # both do, and taking is certain
            ("0.87", "FAK"),
        ],
    )
    def test_it_depends_on_what_is_left(self, q: str, chosen: str | None) -> None:
        openings = decide(q)
        assert [each.order_type for each in openings.proposals] == ([chosen] if chosen else [])

    def test_a_likely_fill_beats_taking_a_dear_offer(self) -> None:
        """The wider the spread, the more waiting saves."""
        moves, calm = Movement(d("0.4"), d("0.4")), Movement(d("0.25"), d("0.25"))
        wide = {"bid": "0.48", "ask": "0.51"}
        assert only(decide("0.546", **wide, movement_of=lambda _market: moves)).order_type == "GTD"
        assert only(decide("0.546", **wide, movement_of=lambda _market: calm)).order_type == "FAK"

    def test_a_purchase_that_rests_is_bounded_in_shares_without_a_fee_and_passes_every_control(self) -> None:
        proposal = only(decide("0.832"))
        assert proposal.resting is not None
        assert proposal.worst_price == proposal.resting.price == d("0.78")
        assert proposal.max_cost == proposal.min_shares * d("0.78")
        assert proposal.break_even == d("0.78")
        assert proposal.edge_now > proposal.edge_at_worst >= proposal.edge_required
        assert not any((proposal.likely.shares, proposal.likely.notional, proposal.likely.fee))
        assert all(control.passed for control in proposal.controls)

    def test_it_may_be_no_larger_than_a_quarter_of_the_bids_it_stands_behind(self) -> None:
        market = a_market()
        book = replace(books_at(market, "0.78", "0.80")[0], bids=levels(("0.78", 100)))
        state = a_state(market, books=(book, None))
        openings = decide_openings(
            [Candidate(state, a_view("0.832"))], a_desk(execution=AUTO, movement_of=lambda _market: CALM)
        )
        assert only(openings).min_shares <= 25

    def test_the_reason_says_why_it_rests_and_until_when(self) -> None:
        assert only(decide("0.832")).reason == (
            "The model says 83% (82% to 84%). Taking the offer of 80¢ leaves +1.1¢ a share; resting at 78¢ "
            "without a fee leaves +1.7¢ even after what a fill tells, with a chance of 44% to fill within 6 h. "
            "Politics is priced too close to the middle."
        )

    def test_the_other_outcome_rests_in_its_own_book(self) -> None:
        proposal = only(decide("0.168", "0.20", "0.22"))
        assert (proposal.outcome.label, proposal.order_type, proposal.worst_price) == ("No", "GTD", d("0.78"))

    def test_the_market_that_is_asked_about_is_the_one_that_is_judged(self) -> None:
        asked: list[ConditionId] = []

        def movement_of(market: Market) -> Movement | None:
            asked.append(market.condition_id)
            return None

        assert decide("0.832", movement_of=movement_of).proposals == ()
        assert asked == [ConditionId("0xtram")]


class TestTheWholeSize:
    """A thin best offer promises an edge that the whole amount does not get."""

    def thin(self, **changes: Any) -> OpeningProposal:
        market = a_market()
        asks = levels(("0.80", 5), ("0.81", 2_000))
        book = replace(books_at(market, "0.79", "0.80")[0], asks=asks)
        state = a_state(market, books=(book, None))
        return only(decide_openings([Candidate(state, a_view("0.86"))], a_desk(**changes)))

    def test_the_average_of_the_walk_and_its_distance_from_the_best_offer_are_told(self) -> None:
        proposal = self.thin()
        paid = proposal.likely.notional / proposal.likely.shares
        assert d("0.80") < paid < d("0.81")
        assert proposal.slippage == paid - d("0.80")
        assert "+3.9¢ a share now, +2.9¢ at the worst price. All of it would leave +2.9¢." in proposal.reason

    def test_the_edge_of_the_whole_amount_is_less_than_at_the_best_offer_and_still_enough(self) -> None:
        proposal = self.thin()
        assert proposal.likely.edge is not None
        assert proposal.edge_now > proposal.likely.edge >= proposal.edge_at_worst >= proposal.edge_required

    def test_near_the_gate_the_worst_price_is_where_the_edge_is_still_enough(self) -> None:
        """On a fine grid: two cents of edge would let a third of them be given up, the gate does not."""
        market = a_market()
        book = replace(books_at(market, "0.799", "0.800")[0], tick=Price(d("0.001")))
        fine = terms_of(market, tick=Price(d("0.001")))
        state = a_state(
            market, books=(replace(book, asks=levels(("0.800", 5), ("0.803", 9_000))), None), terms=fine
        )
        proposal = only(decide_openings([Candidate(state, a_view("0.84"))], a_desk()))
        assert proposal.worst_price == d("0.803")
        assert proposal.edge_at_worst >= proposal.edge_required
        assert proposal.edge_at_worst - d("0.002") < proposal.edge_required

    def test_a_fee_by_which_the_middle_of_the_walk_is_dearer_than_its_end_is_refused(self) -> None:
        """A schedule beyond anything published: the worst price is not the dearest one any more."""
        fee = FeeSchedule(d(6), d(2))
        market = a_market(fee=fee)
        asks = levels(("0.690", 5), ("0.697", 9_000), ("0.704", 9_000))
        book = replace(books_at(market, "0.689", "0.690")[0], asks=asks, tick=Price(d("0.001")))
        buying = Purchase(d("0.999"), fee, reserve_for(market, NOW))
        assert buying.edge(d("0.690")) > buying.edge(d("0.704")) > buying.edge(d("0.697"))
        state = a_state(market, books=(book, None), terms=terms_of(market, tick=Price(d("0.001"))))
        strict = replace(LOOSE, edge_min=buying.edge(d("0.704")))
        openings = decide_openings([Candidate(state, a_view("0.999"))], a_desk(limits=strict))
        (passed,) = openings.passed
        assert passed.code == "edge_low"
        assert passed.reason == (
            "The whole amount would leave +1.7¢ a share: the best offer is too small for it."
        )


LOOSE = RiskLimits(edge_suspicious=d(1), collar_pusd=d("0.2"), edge_given_up=d(1), price_high=d("0.99"))

prices = st.integers(5, 90)


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    bid = draw(prices)
    ask = draw(st.integers(bid + 1, 95))
    days = draw(st.one_of(st.none(), st.integers(1, 60)))
    start = draw(st.one_of(st.none(), st.integers(-5, 60)))
    moves = st.decimals("0.01", "0.8", places=2)
    movement = draw(
        st.one_of(st.none(), st.builds(lambda a, b: Movement(max(a, b), min(a, b)), moves, moves))
    )
    market = a_market(
        end_date=None if days is None else NOW + timedelta(days=days),
        game_start=None if start is None else NOW + timedelta(hours=start),
        category=draw(st.sampled_from(["politics", "sports", ""])),
    )
    return a_moment(market, str(Decimal(bid) / 100), str(Decimal(ask) / 100), movement=movement)


@settings(max_examples=300, deadline=None)
@given(moments(), st.integers(5, 99), st.sampled_from([600, 3_600, 21_600]))
def test_whatever_the_market_resting_keeps_its_promises(moment: Moment, q: int, life: int) -> None:
    found = offer(moment, q=str(Decimal(q) / 100), life_seconds=life)
    if isinstance(found, NotResting):
        return
    book, tick = moment.book, moment.terms.tick
    assert book.best_ask is not None
    assert book.mid is not None
    assert found.price < book.best_ask, "it would take"
    assert found.price % tick == 0, "off the grid"
    value_when_filled = Decimal(q) / 100 - (book.mid - (found.price - tick))
    assert found.edge <= value_when_filled - found.price, "worth less than was stated"
    assert found.edge >= NEEDED
    assert 0 < found.chance < 1
    assert moment.movement is not None
    assert moment.movement.most <= d("0.4")
    assert moment.market.end_date is not None
    assert moment.market.end_date - NOW > timedelta(days=7)
    start = moment.market.game_start
    assert start is None or start > NOW + timedelta(seconds=life)
    assert start is not None or moment.market.category != "sports"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(60, 70), st.integers(1, 400)), min_size=1, max_size=6),
    st.integers(64, 80),
)
def test_whatever_the_depth_the_whole_amount_passes_the_gate(asks: list[tuple[int, int]], q: int) -> None:
    shown: dict[int, int] = {}
    for price, shares in asks:
        shown[price] = shown.get(price, 0) + shares
    offers = levels(*((str(Decimal(price) / 100), shares) for price, shares in sorted(shown.items())))
    market = a_market()
    book: OrderBook = replace(books_at(market, "0.59", "0.60")[0], asks=offers)
    candidate = Candidate(a_state(market, books=(book, None)), a_view(str(Decimal(q) / 100)))
    for proposal in decide_openings([candidate], a_desk(limits=LOOSE)).proposals:
        likely = proposal.likely
        assert likely.edge is not None
        assert likely.edge >= proposal.edge_required
        assert likely.notional >= proposal.amount - d("0.01"), "the depth holds all of it"


class TestHowMuchAMarketMoves:
    def seen(self, mids: list[str], seconds: float = 300) -> Movement | None:
        history = MidHistory()
        for index, mid in enumerate(mids):
            history.observe({ConditionId("0xtram"): d(mid)}, 1_000 + index * seconds)
        return history.movement(ConditionId("0xtram"))

    def test_nothing_is_known_before_two_hours(self) -> None:
        assert self.seen(["0.50"] * 24) is None
        assert self.seen(["0.50"] * 25) == Movement(d(0), d(0))

    def test_nothing_is_known_of_another_market(self) -> None:
        assert MidHistory().movement(ConditionId("0xbus")) is None

    def test_a_price_that_bounces_is_wild_over_minutes_and_still_over_hours(self) -> None:
        found = self.seen(["0.50", "0.51"] * 20)
        assert found is not None
        assert found.most == pytest.approx(d("0.68"), abs=d("0.01"))
        assert found.least == 0

    def test_a_price_that_drifts_is_wild_over_hours(self) -> None:
        found = self.seen([str(d("0.40") + d("0.005") * step) for step in range(37)])
        assert found is not None
        assert found.most > 3 * found.least

    def test_a_gap_counts_with_the_time_it_took(self) -> None:
        history = MidHistory()
        for index in range(25):
            history.observe({ConditionId("0xtram"): d("0.50")}, index * 300)
        history.observe({ConditionId("0xtram"): d("0.60")}, 25 * 300 + 36_000)
        found = history.movement(ConditionId("0xtram"))
        assert found is not None
        assert found.most < d("0.8")

    def test_what_is_seen_between_two_samples_is_left_out_and_a_day_later_forgotten(self) -> None:
        history = MidHistory()
        for second in range(0, 7_500, 10):
            history.observe({ConditionId("0xtram"): d("0.50")}, second)
        assert history.movement(ConditionId("0xtram")) is not None
        history.observe({}, 7_500 + 86_400)
        assert history.movement(ConditionId("0xtram")) is None

    def test_a_price_outside_of_zero_to_one_is_left_out(self) -> None:
        assert self.seen(["0", "1"] * 30) is None


def test_find_chance_of_a_taker_is_what_it_was() -> None:
    candidate = Candidate(a_state(bid="0.79", ask="0.80"), a_view("0.86"))
    found, chosen = find_chance(candidate, RiskLimits()), find_chance(candidate, RiskLimits(), AUTO, CALM)
    assert isinstance(found, Chance)
    assert isinstance(chosen, Chance)
    assert found.resting is chosen.resting is None  # one tick of spread: nothing to be saved
    assert chosen == found
