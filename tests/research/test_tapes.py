"""A history is replayed as it became known: nothing before its instant, nothing twice, nothing unsaid."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from polyb0t.core.clock import microseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import AssetId
from polyb0t.research.history.past_markets import write_history
from polyb0t.research.replay.assumptions import Assumptions, Ends, Payment, book_around, mirrored
from polyb0t.research.replay.events import BookLost, BookShown, MarketTold, Resolved, TermsTold, place
from polyb0t.research.replay.file_tape import FileTape
from polyb0t.research.replay.past_market_tape import PastMarketTape, past_market_tape
from polyb0t.research.replay.price_tape import price_tape
from polyb0t.research.replay.scheduled_ends import end_in_words
from polyb0t.research.replay.tape import Fidelity, Sight, Tape
from tests.support.history_files import at, everything, of, parquet, us
from tests.support.shared import shared_path

DAY_US = 86_400_000_000
Row = tuple[Any, ...]
PRICE_COLUMNS = {
    "timestamp": "TIMESTAMPTZ",
    "market_slug": "VARCHAR",
    "question": "VARCHAR",
    "price": "DOUBLE",
    "outcome": "DOUBLE",
    "category": "VARCHAR",
}
ASKED = "Will the ferry run by March 20, 2026?"


def price(hours: float, price: float | None = 0.6, outcome: float | None = None, name: str = "ferry") -> Row:
    return at(hours), name, ASKED, price, outcome, "politics"


FERRY = (price(0), price(1, 0.61), price(2, 0.62), price(30, 0.999, 1.0))


def prices(folder: Path, *rows: Row, **assumed: Any) -> FileTape:
    return price_tape(parquet(folder / "prices.parquet", PRICE_COLUMNS, rows), Assumptions(**assumed))


def past_line(**changes: Any) -> dict[str, Any]:
    line = {
        "market": "0xaa",
        "event": "17",
        "category": "politics",
        "question": "Will it?",
        "named_sides": False,
        "opens_us": us(),
        "ends_us": us(24 * 9),
        "resolved_us": us(24 * 8),
        "pays_e6": 1_000_000,
        "points": [[us(6 * n), 600_000] for n in range(4)],
    }
    return {**line, **changes}


def past(folder: Path, *lines: dict[str, Any], **assumed: Any) -> PastMarketTape:
    write_history(folder / "history.jsonl.gz", lines, source="a test")
    return past_market_tape(folder / "history.jsonl.gz", Assumptions(**assumed))


def in_order(tape: Tape) -> bool:
    told = everything(tape)
    return bool(told) and [place(event) for event in told] == sorted(place(event) for event in told)


class TestAPriceSeries:
    def test_the_market_is_told_with_its_first_price_and_ends_with_its_last(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY)
        told = everything(tape)
        assert in_order(tape)
        assert [event.at_us for event in of(told, MarketTold)] == [us(0)]
        assert [(event.at_us, event.pays_e6) for event in of(told, Resolved)] == [(us(30), (1_000_000, 0))]
        assert tape.about.fidelity is Fidelity.PRICES

    def test_both_outcomes_have_a_book_around_the_price_and_mirror_each_other(self, tmp_path: Path):
        yes, no = of(everything(prices(tmp_path, *FERRY)), BookShown)[:2]
        assert (yes.bids[0][0], yes.asks[0][0]) == (585_000, 615_000)
        assert (no.bids, no.asks) == mirrored(tuple(yes.bids), tuple(yes.asks))
        assert yes.condition == no.condition
        assert yes.asset != no.asset

    def test_nothing_of_the_end_is_told_before_it(self, tmp_path: Path):
        early = everything(prices(tmp_path, *FERRY))[:-3]
        later = prices(tmp_path, *FERRY[:-1], price(30, 0.001, 0.0))
        assert early == everything(later)[:-3]

    def test_a_price_is_forgotten_after_a_day(self, tmp_path: Path):
        lost = of(everything(prices(tmp_path, *FERRY)), BookLost)
        assert {event.at_us for event in lost} == {us(2) + DAY_US}
        assert len(lost) == 2

    def test_money_is_locked_until_the_challenge_period_is_over(self, tmp_path: Path):
        payment = Payment(disputed_e6=0)
        (end,) = of(everything(prices(tmp_path, *FERRY, payment=payment)), Resolved)
        assert end.paid_us - end.at_us == 2 * 3_600_000_000

    def test_a_void_pays_half_to_both(self, tmp_path: Path):
        (end,) = of(everything(prices(tmp_path, price(0), price(1, 0.5, 0.5))), Resolved)
        assert end.pays_e6 == (500_000, 500_000)

    def test_a_market_without_a_result_stays_open_and_is_counted(self, tmp_path: Path):
        tape = prices(tmp_path, price(0), price(1))
        assert of(everything(tape), Resolved) == []
        assert tape.about.problems.counts["not_resolved"] == 1

    def test_part_of_it_begins_with_what_was_known(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY)
        part = list(tape.events(at(1.5), at(3)))
        assert [type(event) for event in part[:2]] == [MarketTold, TermsTold]
        assert {event.at_us for event in of(part, BookShown)} == {us(1), us(2)}
        assert of(part, Resolved) == []

    def test_a_market_that_had_ended_before_the_part_is_not_in_it(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY, price(50, name="other"), price(60, 0.5, 0.5, name="other"))
        markets = of(tape.events(at(40), at(70)), MarketTold)
        assert [event.market.slug for event in markets] == ["other"]

    def test_two_passes_are_the_same(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY)
        assert everything(tape) == everything(tape)


class TestTheScheduledEnd:
    def told_end(self, tape: Tape) -> datetime | None:
        return of(everything(tape), MarketTold)[0].market.end_date

    def test_a_date_in_the_question_stands_in_for_it(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY)
        assert self.told_end(tape) == datetime(2026, 3, 21, tzinfo=UTC)
        assert (tape.about.problems.counts["end_in_words"], tape.about.looks_ahead) == (1, ())

    def test_without_one_it_stays_untold_and_is_counted(self, tmp_path: Path):
        rows = [(when, name, "Will it?", *rest) for when, name, _, *rest in FERRY]
        tape = prices(tmp_path, *rows)
        assert self.told_end(tape) is None
        assert tape.about.problems.counts["no_end"] == 1

    def test_the_last_price_does_it_only_on_demand_and_then_supports_no_claim(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY, ends=Ends.LAST_PRICE)
        assert self.told_end(tape) == at(30)
        assert tape.about.problems.counts["end_not_told"] == 1
        assert "nobody knew" in tape.about.looks_ahead[0]

    def test_somebody_may_say_it(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY, stated_end=at(500))
        assert (self.told_end(tape), tape.about.looks_ahead) == (at(500), ())


@pytest.mark.parametrize(
    ("question", "slug", "day"),
    [
        ("Will it rain by March 20, 2026?", "", (2026, 3, 21)),
        ("Will it rain on 2026-04-02?", "", (2026, 4, 3)),
        ("Will it rain on December 31?", "", (2027, 1, 1)),
        ("Will it rain on January 5?", "", (2027, 1, 6)),
        ("Will it rain on February 25?", "", (2026, 2, 26)),
        ("Elon's posts from March 30 to April 6, 2026", "", (2026, 4, 7)),
        ("Will it rain in February 2028?", "", (2028, 3, 1)),
        ("Will it rain by end of June?", "", (2026, 7, 1)),
        ("Rain?", "rain-on-may-3-2026-21c", (2026, 5, 4)),
        ("Will it rain on February 31?", "", None),
        ("Will the march go on?", "march-go-on", None),
        ("Tyrese Maxey: Assists O/U 6.5", "nba-maxey-6pt5", None),
    ],
)
def test_the_day_that_is_named_is_the_end(question: str, slug: str, day: tuple[int, int, int] | None):
    """Read as on 2 March 2026, when the market was seen first: nothing of later is needed."""
    expected = None if day is None else datetime(*day, tzinfo=UTC)
    assert end_in_words(question, slug, at()) == expected


class TestBadPrices:
    def test_each_kind_is_counted_with_an_example(self, tmp_path: Path):
        """One market for each; the others have nothing wrong with them."""

        def market(name: str, *more: Row) -> list[Row]:
            return [(when, name, *rest) for when, _, *rest in (*FERRY, *more)]

        rows = [
            *market("duplicate_point", FERRY[1]),
            *market("two_prices", price(1, 0.7)),
            *market("price_outside", price(3, 0.0), price(4, 1.0), price(5, None), price(6, float("nan"))),
            *market("gap", price(24 * 9, 0.9, 1.0)),
            *market("two_results", price(40, 0.5, 0.0)),
            price(40, 0.5, 0.7, name="impossible_payout"),
            price(0, 1.5, name="no_prices"),
            *reversed([(when, "out_of_order", *rest) for when, _, *rest in FERRY]),
        ]
        problems = prices(tmp_path, *rows).about.problems
        found = {
            kind: (problems.counts[kind], problems.examples[kind].split()[0]) for kind in problems.counts
        }
        assert {kind: found[kind] for kind in ("duplicate_point", "two_prices", "gap", "no_prices")} == {
            "duplicate_point": (1, "duplicate_point"),
            "two_prices": (1, "two_prices"),
            "gap": (1, "gap"),
            "no_prices": (1, "no_prices"),
        }
        assert found["price_outside"] == (5, "no_prices")
        assert found["impossible_payout"] == (1, "impossible_payout")
        assert found["two_results"] == (1, "two_results:")
        assert problems.counts["out_of_order"] >= 1

    def test_rows_without_a_market_and_markets_with_two_results_are_left_out(self, tmp_path: Path):
        two = price(0, name="bridge", outcome=0.0), price(1, name="bridge", outcome=1.0)
        nameless = (at(0), None, ASKED, 0.5, 1.0, "politics"), (at(1), "", ASKED, 0.5, 1.0, "politics")
        tape = prices(tmp_path, *FERRY, *two, *nameless)
        assert tape.about.markets == 1
        counts = tape.about.problems.counts
        assert (counts["no_market"], counts["two_results"], counts["impossible_payout"]) == (2, 1, 0)

    def test_two_prices_at_one_instant_are_none(self, tmp_path: Path):
        told = everything(prices(tmp_path, *FERRY, price(1, 0.7)))
        assert us(1) not in {event.at_us for event in of(told, BookShown)}

    def test_a_price_that_is_none_makes_no_book(self, tmp_path: Path):
        told = everything(prices(tmp_path, *FERRY, price(3, 0.0), price(4, 1.0)))
        assert not {us(3), us(4)} & {event.at_us for event in of(told, BookShown)}

    def test_times_without_a_zone_are_refused_until_somebody_says_theirs(self, tmp_path: Path):
        columns = {**PRICE_COLUMNS, "timestamp": "TIMESTAMP"}
        naive = [(when.replace(tzinfo=None), *rest) for when, *rest in FERRY]
        path = parquet(tmp_path / "prices.parquet", columns, naive)
        with pytest.raises(ConfigurationError, match="no time zone"):
            price_tape(path)
        told = everything(price_tape(path, Assumptions(zone="Europe/Berlin")))
        assert told[0].at_us == us(-1)  # 00:00 in Berlin is 23:00 UTC the day before

    def test_a_column_that_is_missing_is_named(self, tmp_path: Path):
        columns = {name: kind for name, kind in PRICE_COLUMNS.items() if name != "outcome"}
        path = parquet(tmp_path / "prices.parquet", columns, [(*row[:4], row[5]) for row in FERRY])
        with pytest.raises(ConfigurationError, match="the column outcome is missing"):
            price_tape(path)

    @given(seed=some.integers(0, 2**32))
    @settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_order_and_any_repetition_of_the_rows_is_the_same_history(self, tmp_path: Path, seed: int):
        rows = [*FERRY, *(price(n, 0.3, name="other") for n in range(5)), price(9, 0.2, 0.0, name="other")]
        dice = random.Random(seed)
        again = [dice.choice(rows) for _ in range(dice.randrange(4))]
        shuffled = dice.sample([*rows, *again], len(rows) + len(again))
        plain = prices(tmp_path, *rows)
        expected = everything(plain)
        mixed = prices(tmp_path, *shuffled)
        assert everything(mixed) == expected
        assert mixed.about.problems.counts["duplicate_point"] == len(again)
        assert (mixed.about.starts, mixed.about.ends) == (plain.about.starts, plain.about.ends)


class TestCollectedMarkets:
    def test_prices_between_opening_and_the_end(self, tmp_path: Path):
        tape = past(tmp_path, past_line())
        told = everything(tape)
        assert in_order(tape)
        market = of(told, MarketTold)[0]
        assert (market.at_us, market.market.condition_id) == (us(), "0xaa")
        assert market.market.end_date == at(24 * 9)  # as scheduled; it came a day earlier
        assert of(told, Resolved)[0].at_us == us(24 * 8)

    def test_named_sides_are_no_yes_and_no(self, tmp_path: Path):
        (market,) = of(everything(past(tmp_path, past_line(named_sides=True))), MarketTold)
        assert {each.label for each in market.market.outcomes}.isdisjoint({"Yes", "No"})

    def test_many_markets_come_in_one_order(self, tmp_path: Path):
        lines = [
            past_line(
                market=f"0x{n:02x}", opens_us=us(n), points=[[us(n + 7 * k), 500_000] for k in range(5)]
            )
            for n in range(20)
        ]
        tape = past(tmp_path, *lines)
        assert in_order(tape)
        assert tape.about.markets == 20

    def test_who_is_in_it_only_because_it_ended_early_is_counted(self, tmp_path: Path):
        early = past_line(market="0xbb", ends_us=us(24 * 30), resolved_us=us(24 * 2))
        in_time = past_line(ends_us=us(24 * 8))
        (told,) = [each for each in past(tmp_path, early, in_time).about.assumed if "ended early" in each]
        assert told.startswith("1 of its 2 markets were to end after the last result of the file")
        assert not any("ended early" in each for each in past(tmp_path, in_time).about.assumed)

    def test_an_end_that_is_not_told_is_counted_by_what_stands_in_for_it(self, tmp_path: Path):
        problems = past(tmp_path, past_line(ends_us=None)).about.problems
        assert (problems.counts["no_end"], problems.counts["end_not_told"]) == (1, 0)

    def test_a_file_with_nothing_to_use_is_refused(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match="no market with prices"):
            past(tmp_path, past_line(points=[]))


class TestAssumedBooks:
    @given(price=some.integers(1, 999_999))
    def test_every_level_lies_inside_0_and_1_and_no_side_crosses(self, price: int):
        bids, asks = book_around(price, Assumptions().spread)
        levels = [level for level, _ in (*bids, *asks)]
        assert levels
        assert all(0 < level < 1_000_000 and level % 1_000 == 0 for level in levels)
        assert list(bids) == sorted(bids, reverse=True)
        assert list(asks) == sorted(asks)
        assert not bids or not asks or bids[0][0] < min(price, asks[0][0])

    def test_the_depth_lies_in_ten_parts_half_a_tick_apart(self):
        _, asks = book_around(500_000, Assumptions().spread)
        assert [level for level, _ in asks[:3]] == [515_000, 520_000, 525_000]
        assert sum(shares for _, shares in asks) == 2_000_000_000


class TestPayment:
    def test_the_stated_share_is_disputed_and_takes_two_to_four_days_more(self):
        waits = [Payment(disputed_e6=100_000).paid_us(f"0x{n}", 0) for n in range(2_000)]
        late = [wait for wait in waits if wait > 2 * 3_600_000_000]
        assert 150 < len(late) < 250
        assert all(2 * DAY_US <= wait - 2 * 3_600_000_000 < 4 * DAY_US for wait in late)

    def test_the_same_seed_disputes_the_same_markets(self):
        assert Payment(seed=1).paid_us("0x1", 0) == Payment(seed=1).paid_us("0x1", 0)


class TestTheBooksOfThePast:
    def test_the_last_one_at_or_before_an_instant(self, tmp_path: Path):
        tape = prices(tmp_path, *FERRY)
        asset = AssetId(of(everything(tape), BookShown)[0].asset)
        asked = [Sight(asset, at(hours)) for hours in (-1, 1, 1.9, 2.1, 27, 100)]
        found = tape.past_books().books(asked)
        mids = [found[sight].mid if sight in found else None for sight in asked]
        assert mids == [None, Decimal("0.61"), Decimal("0.61"), Decimal("0.62"), None, None]

    def test_an_asset_that_was_never_seen_is_missing(self, tmp_path: Path):
        assert prices(tmp_path, *FERRY).past_books().books([Sight(AssetId("7"), at(1))]) == {}


def test_that_markets_were_chosen_by_their_end_is_said(tmp_path: Path):
    said = " ".join(prices(tmp_path, *FERRY, price(200, 0.1, 0.0, name="late")).about.assumed)
    assert "1 of its 2 markets ended within the last two days of the file" in said


def test_the_shared_price_series_can_be_replayed():
    tape = price_tape(shared_path("data/mixed_192_resolved_markets.parquet"))
    assert (tape.about.markets, tape.about.problems.counts["duplicate_point"]) == (192, 848)
    day = datetime(2026, 1, 20, tzinfo=UTC)
    told = list(tape.events(day, day + timedelta(hours=6)))
    assert [place(event) for event in told] == sorted(place(event) for event in told)
    assert max(event.at_us for event in told) < microseconds(day + timedelta(hours=6))
    assert min(event.at_us for event in of(told, BookShown)) > microseconds(day) - DAY_US
