"""No feature looks ahead, and each computes what its name says."""

import math
from dataclasses import fields, replace

import pytest

from polyb0t.core.errors import ConfigurationError
from polyb0t.research.features.feature import Feature, key
from polyb0t.research.features.look_ahead import LookAheadError, Sample, begun, check_feature, poisoned
from polyb0t.research.features.point_in_time import Book, PointInTime, Record, Schedule, Trade
from polyb0t.research.features.registry import FEATURES, WINDOW_US, named
from polyb0t.research.features.series import HOUR_US, Series
from tests.support.cheats import Cheat
from tests.support.records import DAY_US, MINUTE_US, START_US, a_record, samples

AT = START_US + 13 * DAY_US
BY_NAME = {each.name: each for each in FEATURES}


def value(name: str, record: Record, at_us: int = AT) -> float | None:
    return BY_NAME[name].value(record, at_us)


class TestLookingAhead:
    @pytest.mark.parametrize("feature", FEATURES, ids=key)
    def test_no_feature_changes_with_the_future_or_with_more_of_the_past_than_it_says(self, feature: Feature):
        assert check_feature(feature, samples()) == 6

    @pytest.mark.parametrize("feature", FEATURES, ids=key)
    def test_each_has_a_value_where_that_is_checked(self, feature: Feature):
        for sample in samples():
            assert all(feature.value(sample.record, at) is not None for at in sample.instants)

    def test_what_was_known_holds_nothing_of_the_end(self):
        named_so = {each.name for each in fields(PointInTime)}
        assert not named_so & {"winner", "outcome", "closed", "resolved_us", "outcome_prices", "volume"}
        record = a_record()
        assert record.known_at(AT, WINDOW_US) == record.until(AT).known_at(AT, WINDOW_US)

    def test_a_view_holds_no_instant_outside_its_window(self):
        view = a_record().known_at(AT, 2 * HOUR_US)
        assert view.trades is not None
        instants = [*view.prices.at, *(each.at_us for each in view.trades), view.event[0].at[0]]
        assert AT - 2 * HOUR_US <= min(instants) <= max(instants) <= AT

    def test_the_future_that_is_made_false_is_false_in_every_part(self):
        record = a_record()
        false = poisoned(record, AT)
        for part in fields(Record):
            if part.name not in {"market", "opens_us", "schedule"}:
                assert getattr(false, part.name) != getattr(record, part.name), part.name
        assert poisoned(record, AT - 2 * DAY_US).schedule != record.schedule
        assert false.until(AT).known_at(AT, WINDOW_US).trades == record.known_at(AT, WINDOW_US).trades


def centred_mean(record: Record, at_us: int) -> float:
    inside = record.prices.cut(at_us - HOUR_US, at_us + HOUR_US).values
    return sum(inside) / len(inside)


def against_the_mean(record: Record, at_us: int) -> float:
    """Standardised with the mean of all there is, as one does to a column."""
    return (record.prices.last(at_us, DAY_US) or 0) - sum(record.prices.values) / len(record.prices)


CHEATS = (
    Cheat("centred_window", centred_mean),
    Cheat("against_the_mean_of_all", against_the_mean),
    Cheat("final_price", lambda record, _: record.prices.values[-1]),
    Cheat("next_price", lambda record, at: record.prices.last(at + 1, DAY_US)),
    Cheat("the_winner", lambda record, _: record.outcome),
    Cheat("hours_to_resolution", lambda record, at: ((record.resolved_us or 0) - at) / HOUR_US),
    Cheat("final_volume", lambda record, _: sum(abs(each.shares) for each in record.trades or ())),
    Cheat("end_as_moved_later", lambda record, _: float(record.schedule[-1].ends_us or 0)),
    Cheat("others_tomorrow", lambda record, at: record.event[0].last(at + DAY_US, HOUR_US)),
    Cheat("book_to_come", lambda record, at: next(b.bids[0][1] for b in record.books if b.at_us > at)),
)  # fmt: skip


class TestCheating:
    @pytest.mark.parametrize("cheat", CHEATS, ids=lambda each: each.name)
    def test_a_feature_that_looks_ahead_is_refused_by_name_and_instant(self, cheat: Cheat):
        found = a_record()
        at = START_US + 9 * DAY_US + (29 * MINUTE_US + 59_999_999 if cheat.name == "next_price" else 0)
        with pytest.raises(LookAheadError) as refused:
            check_feature(cheat, [Sample(found, [at])])
        assert refused.value.code == "looks_ahead"
        assert cheat.name in refused.value.what
        assert "2026-01-10T00:" in refused.value.why

    def test_one_that_looks_further_back_than_it_says_is_refused(self):
        week = replace(BY_NAME["logit_change_7d"], window_us=2 * DAY_US, name="short")  # type: ignore[type-var]
        long = Cheat("longer", lambda record, at: record.prices.last(at - 3 * DAY_US, DAY_US), 2 * DAY_US)
        assert week.value(a_record(), AT) is None  # a view does not even hold it
        with pytest.raises(LookAheadError, match="before its window"):
            check_feature(long, samples())

    def test_a_record_that_begins_later_keeps_what_a_market_is(self):
        later = begun(a_record(), AT)
        assert (later.opens_us, later.schedule) == (a_record().opens_us, a_record().schedule)
        assert later.prices.at[0] >= AT


class TestWhatTheySay:
    book = Book(AT, [(0.48, 300.0), (0.47, 100.0)], [(0.50, 100.0), (0.51, 100.0)])
    some = Record("m", Series([AT], [0.49]), books=(book,))

    def test_names_are_unique_and_said_in_words(self):
        assert len({each.name for each in FEATURES}) == len(FEATURES) == 16
        assert all(each.says and each.requires and each.version >= 1 for each in FEATURES)

    def test_imbalance_and_microprice_lean_to_the_side_with_more_shares(self):
        assert value("imbalance_best", self.some) == pytest.approx(0.5)
        assert value("imbalance_5", self.some) == pytest.approx(200 / 600)
        assert value("microprice_less_mid", self.some) == pytest.approx(0.495 - 0.49)
        assert value("spread", self.some) == pytest.approx(0.02)
        assert value("depth_5", self.some) == 600

    def test_one_side_alone_has_no_middle(self):
        bids = replace(self.some, books=(Book(AT, [(0.48, 3.0)], []),))
        assert value("imbalance_best", bids) == 1
        assert value("microprice_less_mid", bids) is None
        assert value("spread", bids) is None

    def test_a_book_of_long_ago_is_none(self):
        assert value("spread", self.some, AT + 16 * MINUTE_US) is None

    def test_volume_is_signed_by_the_taker_and_unknown_with_one_side_that_was_not_told(self):
        trades = [Trade(AT - 30 * MINUTE_US, 50.0), Trade(AT - MINUTE_US, -20.0), Trade(AT, 5.0)]
        record = replace(self.some, trades=trades)
        assert value("signed_volume_10m", record) == -15
        assert value("signed_volume_1h", record) == 35
        hidden = replace(record, trades=[Trade(AT - 30 * MINUTE_US, 50.0, known=False), *trades[1:]])
        assert value("signed_volume_10m", hidden) == -15
        assert value("signed_volume_1h", hidden) is None
        assert value("signed_volume_1h", self.some) is None  # nobody listened

    @pytest.mark.parametrize(
        ("name", "span"),
        [("1h", HOUR_US), ("6h", 6 * HOUR_US), ("24h", DAY_US), ("7d", 7 * DAY_US)],
    )
    def test_change_is_in_log_odds_from_the_price_that_was_known_then(self, name: str, span: int):
        prices = Series([AT - span - 60, AT - span + 60, AT - 1], [0.5, 0.9, 0.75])
        assert value(f"logit_change_{name}", replace(self.some, prices=prices)) == pytest.approx(math.log(3))
        old = Series([AT - 3 * span, AT - 1], [0.5, 0.75])
        assert value(f"logit_change_{name}", replace(self.some, prices=old)) is None

    def test_hours_since_a_jump(self):
        steps = Series([AT - 30 * HOUR_US, AT - 20 * HOUR_US, AT - 5 * HOUR_US], [0.5, 0.65, 0.66])
        assert value("hours_since_jump", replace(self.some, prices=steps)) == 20
        calm = Series([AT - 30 * HOUR_US, AT - 5 * HOUR_US], [0.5, 0.51])
        assert value("hours_since_jump", replace(self.some, prices=calm)) == 168

    def test_markets_that_move_together_correlate_and_sixty_hours_are_the_least(self):
        hours = [AT - hour * HOUR_US for hour in range(100, -1, -1)]
        up = Series(hours, [0.5 + 0.001 * (at * 7 % 11) for at in range(101)])
        down = Series(hours, [1 - each for each in up.values])
        assert value("event_comovement", Record("m", up, event=(up,))) == pytest.approx(1)
        assert value("event_comovement", Record("m", up, event=(down,))) == pytest.approx(-1)
        assert value("theme_comovement", Record("m", up, theme=(down,))) == pytest.approx(-1)
        few = Series(hours[-60:], up.values[-60:])
        assert value("event_comovement", Record("m", up, event=(few,))) is None
        assert value("event_comovement", Record("m", up)) is None
        still = Series(hours, [0.5] * 101)
        assert value("event_comovement", Record("m", up, event=(still,))) is None

    def test_the_end_is_the_one_that_was_scheduled_then(self):
        moved = replace(self.some, schedule=(Schedule(0, AT + 9 * DAY_US), Schedule(AT + 1, AT + DAY_US)))
        assert value("days_to_end", moved) == 9
        assert value("days_to_end", self.some) is None
        assert value("age_days", replace(self.some, opens_us=AT - 3 * DAY_US)) == 3
        assert value("age_days", replace(self.some, opens_us=AT + 1)) is None

    def test_a_name_that_no_feature_has_is_refused(self):
        assert named(["spread"]) == (BY_NAME["spread"],)
        with pytest.raises(ConfigurationError) as refused:
            named(["spread", "horoscope"])
        assert refused.value.code == "unknown_feature"
