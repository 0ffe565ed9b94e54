"""What other markets' prices say about one: intervals at executable prices, nudges, gaps, sums to one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price
from polyb0t.data.declared_links import parse_links
from polyb0t.data.markets import Catalogue, Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.coherence import CoherenceModel, Quote, intervals, quotes_of
from polyb0t.models.exhaustive_sets import renormalise, renormalised, set_sum
from polyb0t.models.logit import logit
from polyb0t.models.pooling import UNEARNED, PooledModel, Weight, Weights
from polyb0t.models.price_gaps import gaps
from polyb0t.models.relations import Relation, RelationKind, relations_among
from polyb0t.models.signals import Abstain, IdentityModel, MarketState, ProbEstimate
from polyb0t.runtime.coherence_watch import OBSERVED, CoherenceWatch, latest_gaps
from polyb0t.runtime.own_voices import OwnVoices
from polyb0t.runtime.position_views import PositionViews
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import NOW, a_book, a_market, a_state, books_at, d, terms_of

JUNE, DECEMBER = datetime(2027, 6, 30, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)
ONE_PAYS = RelationKind.AT_MOST_ONE


def sooner(bid: str, ask: str, **changes: Any) -> MarketState:
    market = a_market("sooner", question="Ceasefire by June 30?", end_date=JUNE, **changes)
    return a_state(market, bid=bid, ask=ask)


def later(bid: str, ask: str) -> MarketState:
    return a_state(
        a_market("later", question="Ceasefire by December 31?", end_date=DECEMBER), bid=bid, ask=ask
    )


def a_set(*quotes: tuple[str, str], neg_risk: bool = True, **changes: Any) -> list[MarketState]:
    one = EventId("set")
    return [
        a_state(
            a_market(f"m{n}", event_id=one, event_title="Mayor", neg_risk=neg_risk, **changes), bid=b, ask=a
        )
        for n, (b, a) in enumerate(quotes)
    ]


def said(states: Sequence[MarketState], at: int = 0) -> ProbEstimate:
    answer = CoherenceModel().estimate_all(states)[at]
    assert isinstance(answer, ProbEstimate), answer
    return answer


def silent(states: Sequence[MarketState], at: int = 0) -> str:
    answer = CoherenceModel().estimate_all(states)[at]
    assert isinstance(answer, Abstain), answer
    return answer.code


def found_gaps(states: Sequence[MarketState]):
    return gaps(states, CoherenceModel().relations(states))


WHOLE = parse_links(
    """
[[link]]
name = "mayor"
relation = "exhaustive"
members = ["slug:m0", "slug:m1", "slug:m2"]
reason = "One of them is elected."
"""
)


class TestQuotes:
    def test_both_books_say_what_yes_costs(self) -> None:
        market = a_market()
        first, second = books_at(market, "0.40", "0.44")
        better = a_book("tram-no", [("0.57", 100)], [("0.59", 100)])
        (quote,) = quotes_of([a_state(market, books=(first, better))]).values()
        assert quote == Quote(d("0.41"), d("0.43"))
        assert quotes_of([a_state(market, books=(first, second))])[market.condition_id].bid == d("0.40")

    def test_a_price_for_less_than_a_least_order_is_none(self) -> None:
        book = a_book("tram-yes", [("0.45", 1), ("0.40", 100)], [("0.46", 2), ("0.50", 100)])
        (quote,) = quotes_of([a_state(books=(book, None))]).values()
        assert quote == Quote(d("0.40"), d("0.50"))

    def test_nobody_bids_is_nothing_and_nobody_offers_is_one(self) -> None:
        (quote,) = quotes_of([a_state(books=(a_book("tram-yes"), None))]).values()
        assert quote == Quote(d(0), d(1))

    @pytest.mark.parametrize("age", [15.1, -1.0])
    def test_an_old_book_or_one_from_the_future_says_nothing(self, age: float) -> None:
        market = a_market()
        assert quotes_of([a_state(market, books=books_at(market, "0.4", "0.5", age_seconds=age))]) == {}


class TestDates:
    def test_the_later_one_is_worth_what_is_bid_for_the_earlier(self) -> None:
        answer = said([later("0.30", "0.32"), sooner("0.40", "0.42")])
        assert answer.q == d("0.40")
        assert answer.anchor == d("0.31")
        assert "40.0% to 100.0%" in answer.because

    def test_the_earlier_one_is_worth_at_most_what_the_later_is_offered_at(self) -> None:
        assert said([sooner("0.40", "0.42"), later("0.30", "0.32")]).q == d("0.32")

    def test_mids_that_contradict_each_other_are_no_contradiction(self) -> None:
        # mids 0.41 and 0.40, and nobody can buy the later below what the earlier one is bid
        states = [sooner("0.40", "0.42"), later("0.39", "0.41")]
        assert silent(states, 0) == silent(states, 1) == "coherent"
        assert found_gaps(states) == []

    def test_a_chain_binds_its_ends(self) -> None:
        middle = a_market(
            "mid", question="Ceasefire by September 30?", end_date=datetime(2027, 9, 30, tzinfo=UTC)
        )
        blank = a_state(middle, books=(a_book("mid-yes"), None))
        assert said([later("0.30", "0.32"), blank, sooner("0.40", "0.42")]).q == d("0.40")

    def test_the_nudge_is_in_logits_and_as_uncertain_as_the_quotes_behind_it(self) -> None:
        answer = said([later("0.30", "0.32"), sooner("0.40", "0.42")])
        (name, nudge), wide = answer.parts[0], said([later("0.30", "0.32"), sooner("0.40", "0.60")])
        assert name == "coherence"
        assert abs(nudge - (logit(d("0.40")) - logit(d("0.31")))) < d("0.0001")
        assert answer.low < answer.q < answer.high
        assert wide.sd > answer.sd

    def test_it_never_counts_as_information_from_outside(self) -> None:
        assert not said([later("0.30", "0.32"), sooner("0.40", "0.42")]).independent


class TestSets:
    def test_what_is_bid_for_the_others_is_missing_here(self) -> None:
        states = a_set(("0.50", "0.52"), ("0.40", "0.42"), ("0.30", "0.32"))
        assert said(states).q == d("0.30")
        assert said(states, 2).q == d("0.10")

    def test_a_set_that_is_not_declared_whole_has_no_least_price(self) -> None:
        states = a_set(("0.10", "0.12"), ("0.10", "0.12"))
        assert silent(states) == "coherent"
        assert found_gaps(states) == []

    def test_one_that_is_declared_whole_has(self) -> None:
        states = a_set(("0.10", "0.12"), ("0.20", "0.22"), ("0.20", "0.22"))
        answer = CoherenceModel(WHOLE).estimate_all(states)[0]
        assert isinstance(answer, ProbEstimate)
        assert answer.q == d("0.56")
        assert "declared in the link mayor" in answer.because

    def test_a_leg_without_a_price_leaves_the_whole_unknown(self) -> None:
        states = a_set(("0.10", "0.12"), ("0.20", "0.22"), ("0.20", "0.22"))
        states[2] = replace(states[2], books=(None, None))
        answer = CoherenceModel(WHOLE).estimate_all(states)[0]
        assert isinstance(answer, Abstain)

    def test_a_market_that_nothing_belongs_to_is_left_alone(self) -> None:
        assert silent([a_state()]) == "no_relation"

    def test_others_that_contradict_each_other_say_nothing_of_a_third(self) -> None:
        states = a_set(("0.10", "0.12"), ("0.60", "0.62"), ("0.60", "0.62"))
        assert silent(states) == "others_disagree"


class TestGaps:
    def test_a_gap_is_what_is_left_after_the_fees_of_all_legs(self) -> None:
        (gap,) = found_gaps([sooner("0.40", "0.42"), later("0.30", "0.32")])
        fees = d("0.04") * (d("0.40") * d("0.60") + d("0.32") * d("0.68"))
        assert (gap.gross, gap.net) == (d("0.08"), d("0.08") - fees)
        assert "'Ceasefire by June 30?' is bid 40¢" in gap.sentence

    def test_a_set_is_counted_by_its_bids(self) -> None:
        (gap,) = found_gaps(a_set(("0.50", "0.52"), ("0.40", "0.42"), ("0.30", "0.32")))
        assert gap.gross == d("0.20")
        assert "3 markets add up to 120¢" in gap.sentence

    def test_a_fee_that_is_not_known_hides_the_gap_and_invents_none(self) -> None:
        state = sooner("0.40", "0.42", fee=None, fees_enabled=None)
        unknown = replace(state, terms=None)
        assert found_gaps([unknown, later("0.30", "0.32")]) == []

    @given(st.lists(st.integers(1, 90), min_size=2, max_size=6), st.integers(1, 8))
    def test_prices_around_probabilities_that_fit_together_never_contradict(
        self, shares: list[int], half: int
    ) -> None:
        truth = [d(each) / (sum(shares) + 5) for each in shares]  # five parts are for nobody who is listed
        cents = [(max(d("0.001"), p - d(half) / 200), min(d("0.999"), p + d(half) / 200)) for p in truth]
        states = a_set(*((str(bid), str(ask)) for bid, ask in cents))
        assert found_gaps(states) == []


class TestIntervals:
    @given(
        st.lists(
            st.tuples(st.integers(1, 999), st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=8
        )
    )
    def test_an_ordered_set_of_truths_lies_inside(self, drawn: list[tuple[int, int, int]]) -> None:
        truths = sorted(d(p) / 1000 for p, _, _ in drawn)
        quotes = _around(truths, drawn)
        relation = Relation(RelationKind.ORDERED, tuple(quotes), "It is so.")
        self.hold(truths, intervals(quotes, [relation]))

    @given(
        st.lists(
            st.tuples(st.integers(1, 999), st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=8
        )
    )
    def test_so_do_the_truths_of_a_whole_set(self, drawn: list[tuple[int, int, int]]) -> None:
        truths = [Decimal(p) / sum(each[0] for each in drawn) for p, _, _ in drawn]
        quotes = _around(truths, drawn)
        relations = [
            Relation(kind, tuple(quotes), "It is so.") for kind in (ONE_PAYS, RelationKind.AT_LEAST_ONE)
        ]
        self.hold(truths, intervals(quotes, relations))

    def hold(self, truths: Sequence[Decimal], found: Mapping[ConditionId, Any]) -> None:
        tiny = d("1e-20")
        for truth, interval in zip(truths, found.values(), strict=True):
            assert interval.low.at - tiny <= truth <= interval.high.at + tiny


def _around(truths: Sequence[Decimal], drawn: Sequence[tuple[int, int, int]]) -> dict[ConditionId, Quote]:
    return {
        ConditionId(f"0x{at}"): Quote(max(d(0), truth - d(below) / 1000), min(d(1), truth + d(above) / 1000))
        for at, (truth, (_, below, above)) in enumerate(zip(truths, drawn, strict=True))
    }


class TestSumToOne:
    @given(st.lists(st.integers(1, 999_999), min_size=1, max_size=12), st.integers(0, 900_000))
    def test_with_what_is_kept_they_are_exactly_one(self, named: list[int], kept: int) -> None:
        scaled = renormalised([d(each) / 1_000_000 for each in named], d(kept) / 1_000_000)
        assert sum(scaled) + d(kept) / 1_000_000 == 1

    def test_other_keeps_its_mass(self) -> None:
        states = a_set(("0.44", "0.46"), ("0.34", "0.36"), ("0.24", "0.26"))
        states[2] = replace(states[2], market=replace(states[2].market, placeholder=True))
        model = MarketCalibrationModel(packaged_coefficients())
        before = model.estimate_all(states)
        after = renormalise(states, before, [[state.market.condition_id for state in states]])
        assert sum(each.q for each in after[:2] if isinstance(each, ProbEstimate)) + d("0.25") == 1
        assert after[2] == before[2]

    def test_the_sum_of_the_mids_is_told_with_what_is_kept(self) -> None:
        states = a_set(("0.44", "0.46"), ("0.34", "0.36"), ("0.24", "0.26"))
        states[2] = replace(states[2], market=replace(states[2].market, placeholder=True))
        by_market = {state.market.condition_id: state for state in states}
        total = set_sum(list(by_market), by_market)
        assert total is not None
        assert (total.mids, total.kept) == (d("1.05"), d("0.25"))

    def test_only_a_set_that_a_person_declared_is_scaled(self) -> None:
        states = a_set(("0.50", "0.52"), ("0.40", "0.42"), ("0.30", "0.32"))
        base = MarketCalibrationModel(packaged_coefficients())
        alone = base.estimate_all(states)
        assert [
            each.q for each in PooledModel(base).estimate_all(states) if isinstance(each, ProbEstimate)
        ] == [each.q for each in alone if isinstance(each, ProbEstimate)]
        scaled = PooledModel(base, links=WHOLE).estimate_all(states)
        assert sum(each.q for each in scaled if isinstance(each, ProbEstimate)) == 1
        assert all(each.parts[-1][0] == "sum to one" for each in scaled if isinstance(each, ProbEstimate))

    def test_a_set_with_a_price_that_is_not_known_stays_as_it_is(self) -> None:
        states = a_set(("0.50", "0.52"), ("0.40", "0.42"), ("0.30", "0.32"))
        states[1] = replace(states[1], books=(None, None))
        base = MarketCalibrationModel(packaged_coefficients())
        assert PooledModel(base, links=WHOLE).estimate_all(states) == PooledModel(base).estimate_all(states)


class Room:
    """A watch on a real store and a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.stores = sqlite_stores(folder, self.clock, scope=a_scope())
        self.engine = self.stores.engine
        lease = self.engine.acquire(
            "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.DRY_RUN
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        self.watch = CoherenceWatch(CoherenceModel(), self.engine, lease, self.clock)

    def shown(self) -> list[str]:
        return [gap["sentence"] for gap in (latest_gaps(self.engine) or {"gaps": []})["gaps"]]


WRONG = [sooner("0.40", "0.42"), later("0.30", "0.32")]
RIGHT = [sooner("0.30", "0.32"), later("0.40", "0.42")]


class TestTheAlarm:
    def test_a_gap_is_told_when_it_has_lasted_a_minute(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        room.watch.look(WRONG)
        room.clock.advance(seconds=59)
        room.watch.look(WRONG)
        assert room.shown() == []
        room.clock.advance(seconds=1)
        room.watch.look(WRONG)
        assert len(room.shown()) == 1

    def test_one_that_was_gone_in_between_begins_anew(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        for states in (WRONG, RIGHT, WRONG):
            room.watch.look(states)
            room.clock.advance(seconds=40)
        assert room.shown() == []

    def test_less_than_a_cent_after_fees_is_noise(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        small = [sooner("0.40", "0.42"), later("0.36", "0.375")]
        for _ in range(3):
            room.watch.look(small)
            room.clock.advance(seconds=60)
        assert room.shown() == []

    def test_sums_of_mids_are_written_down_once_an_hour(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        states = a_set(("0.44", "0.46"), ("0.34", "0.36"), ("0.14", "0.16"))
        states[2] = replace(states[2], market=replace(states[2].market, placeholder=True))
        for _ in range(3):
            room.watch.look(states)
            room.clock.advance(minutes=30)
        told = latest_gaps(room.engine)
        assert told is not None
        assert told["sums"] == [{"event": "Mayor", "markets": 3, "mids": "0.95", "kept": "0.15"}]
        assert len([entry for entry in room.engine.journal() if entry.kind == OBSERVED]) == 2

    def test_it_is_written_down_when_it_begins_and_when_it_is_over(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        for states in (RIGHT, WRONG, WRONG, WRONG, RIGHT, RIGHT):
            room.watch.look(states)
            room.clock.advance(seconds=60)
        entries = [entry for entry in room.engine.journal() if entry.kind == OBSERVED]
        assert [entry.payload.count("sentence") for entry in entries] == [0, 1, 0]


def test_what_it_says_is_kept_once_an_hour_so_that_it_can_earn_a_weight() -> None:
    voices = OwnVoices(CoherenceModel())
    first = voices.of(WRONG, NOW)
    assert {(view.source, view.condition_id) for view in first} == {
        ("polyb0t/coherence", "0xsooner"),
        ("polyb0t/coherence", "0xlater"),
    }
    assert {view.known_at for view in first} == {NOW}
    assert voices.of(WRONG, NOW + timedelta(minutes=59)) == ()
    assert voices.of(RIGHT, NOW + timedelta(minutes=60)) == ()
    assert voices.of([], NOW) == ()


def test_with_an_earned_weight_it_moves_the_price_that_does_not_fit() -> None:
    earned = Weights("w", NOW + timedelta(days=1), {("coherence", "politics"): Weight(d("0.5"), d("0.1"))})
    moved = PooledModel(IdentityModel(), [CoherenceModel()], earned).estimate_all(WRONG)[1]
    assert isinstance(moved, ProbEstimate)
    assert moved.anchor < moved.q < d("0.40")
    assert not moved.independent


class Shown:
    """The two markets of `WRONG`, as an exchange would show them now."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def catalogue(self) -> Catalogue:
        quotes: dict[str, Any] = {"best_bid": Price(d("0.30")), "best_ask": Price(d("0.32"))}
        return Catalogue(tuple(replace(each.market, **quotes) for each in WRONG), (), self.clock.now())

    def terms(self, condition_ids: Sequence[ConditionId]) -> dict[ConditionId, TradingTerms]:
        return {state.market.condition_id: terms_of(state.market) for state in WRONG}

    def books(self, asset_ids: Sequence[AssetId]) -> dict[AssetId, OrderBook]:
        seen = [book for state in WRONG for book in state.books if book is not None]
        return {book.asset_id: replace(book, observed_at=self.clock.now()) for book in seen}

    read = books

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        pass

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]:
        return []


def test_what_is_held_is_judged_beside_the_other_markets_as_an_opening_is(tmp_path: Path) -> None:
    room = Room(tmp_path)
    shown = Shown(room.clock)
    rules = WatchSettings(UniverseRules(most_days_to_end=None), refresh_seconds=300)
    watch = MarketWatch(shown, shown, shown, room.clock, rules)
    watch.refresh()
    watch.read_books()
    earned = Weights("w", NOW + timedelta(days=900), {("coherence", "politics"): Weight(d("0.5"), d("0.1"))})
    market = WRONG[1].market
    expected: list[Decimal | None] = []
    for weights in (UNEARNED, earned):
        model = PooledModel(IdentityModel(), [CoherenceModel()], weights)
        opening = model.estimate_all(watch.states(room.clock.now()))[1]
        expected.append(opening.q if isinstance(opening, ProbEstimate) else None)
        views = PositionViews(room.stores, room.lease, watch, model, room.clock, shown)
        belief = views.belief(market, market.outcomes[0].asset_id, room.clock.now())
        assert (belief.q if belief is not None else None) == expected[-1]
    assert expected[0] is None
    assert expected[1] is not None


def test_it_is_the_same_whatever_order_the_markets_come_in() -> None:
    states = [*a_set(("0.50", "0.52"), ("0.40", "0.42"), ("0.30", "0.32")), *WRONG]
    there = dict(zip(states_of(states), CoherenceModel().estimate_all(states), strict=True))
    back = dict(zip(states_of(states[::-1]), CoherenceModel().estimate_all(states[::-1]), strict=True))
    assert there == back


def states_of(states: Sequence[MarketState]) -> list[ConditionId]:
    return [state.market.condition_id for state in states]


def test_nothing_is_concluded_of_books_from_after_the_instant() -> None:
    early = [replace(state, now=NOW - timedelta(minutes=5)) for state in WRONG]
    assert silent(early) == "no_relation"
    assert len(relations_among(state.market for state in early)) == 1
