"""Best prices, trades, recordings and several histories at once: each told from when it was seen."""

import gzip
import json
import os
import random
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.clock import microseconds
from polyb0t.core.errors import ConfigurationError, NotFoundError, UsageError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.data.outside_views import OWN, OutsideView
from polyb0t.research.convert import convert
from polyb0t.research.history.past_markets import write_history
from polyb0t.research.observing import Observation, SeenTrade
from polyb0t.research.recorder import Changes
from polyb0t.research.replay.assumptions import Assumptions, Payment
from polyb0t.research.replay.events import (
    BookLost,
    BookShown,
    Event,
    Graded,
    MarketTold,
    Resolved,
    TermsTold,
    Traded,
    ViewTold,
    place,
)
from polyb0t.research.replay.file_tape import NO_EVENTS, FileTape
from polyb0t.research.replay.opening import open_tape
from polyb0t.research.replay.recorded_books import recorded_books
from polyb0t.research.replay.recorder_tape import RecorderTape, recorder_tape
from polyb0t.research.replay.tape import Fidelity, Sight, Tape
from polyb0t.research.replay.top_of_book_tape import top_of_book_tape
from polyb0t.research.spool import Spool
from tests.support.decisions import terms_of
from tests.support.history_files import at, everything, of, parquet, us
from tests.support.shared import shared_path
from tests.support.trading import a_book, a_market

Row = tuple[Any, ...]
SNAPSHOTS = {
    "decision_ts": "TIMESTAMPTZ",
    "elapsed_min": "DOUBLE",
    "market_slug": "VARCHAR",
    "event_slug": "VARCHAR",
    "target_date": "VARCHAR",
    "bucket": "VARCHAR",
    "side": "VARCHAR",
    "best_bid": "DOUBLE",
    "best_ask": "DOUBLE",
    "best_bid_size": "DOUBLE",
    "best_ask_size": "DOUBLE",
    "tick_size": "DOUBLE",
    "min_order_size": "DOUBLE",
    "official_bucket_value": "DOUBLE",
    "unrealized_pnl_usd": "DOUBLE",
}
RESULTS = {"ts": "TIMESTAMPTZ", "event_slug": "VARCHAR", "unit": "VARCHAR", "official_bucket_value": "BIGINT"}


def in_order(events: Iterable[Event]) -> bool:
    told = [place(event) for event in events]
    return bool(told) and told == sorted(told)


# -- best prices -------------------------------------------------------------------------------


def snapshot(hours: float = 0, band: str = "21°C", **changes: Any) -> Row:
    row: dict[str, Any] = {
        "decision_ts": at(hours),
        "elapsed_min": 65.0,
        "market_slug": f"oslo-{band}",
        "event_slug": "oslo-on-march-3",
        "target_date": "2026-03-03",
        "bucket": band,
        "side": "NO",
        "best_bid": 0.7,
        "best_ask": 0.74,
        "best_bid_size": 10.0,
        "best_ask_size": 20.0,
        "tick_size": 0.01,
        "min_order_size": 5.0,
        "official_bucket_value": 99.0,
        "unrealized_pnl_usd": 1.0,
    }
    return tuple({**row, **changes}.values())


def best_prices(folder: Path, *rows: Row, value: int | None = 21, **assumed: Any) -> FileTape:
    path = parquet(folder / "snapshots.parquet", SNAPSHOTS, rows)
    told = [] if value is None else [(at(30), "oslo-on-march-3", "celsius", value)]
    return top_of_book_tape(
        path, [parquet(folder / "results.parquet", RESULTS, told)], Assumptions(**assumed)
    )


class TestBestPrices:
    def test_a_book_is_known_from_when_it_was_read_and_not_from_the_decision_on(self, tmp_path: Path):
        told = everything(best_prices(tmp_path, snapshot(0), snapshot(1)))
        assert in_order(told)
        assert told[0].at_us == us(65 / 60)
        assert {event.at_us for event in of(told, BookShown)} == {us(65 / 60), us(125 / 60)}

    def test_the_side_that_was_read_is_no_and_yes_mirrors_it(self, tmp_path: Path):
        told = everything(best_prices(tmp_path, snapshot()))
        (market,) = of(told, MarketTold)
        yes, no = (each.asset_id for each in market.market.outcomes)
        books = {event.asset: event for event in of(told, BookShown)}
        assert (books[no].bids, books[no].asks) == (((700_000, 10_000_000),), ((740_000, 20_000_000),))
        assert (books[yes].bids, books[yes].asks) == (((260_000, 20_000_000),), ((300_000, 10_000_000),))

    def test_the_band_with_the_result_pays(self, tmp_path: Path):
        bands = ["21°C", "20-21°C", "≥21°C", "≥22°C", "≤21°C", "≤-1°C", "-3--1°C", "22°C", "22-30°C"]
        tape = best_prices(tmp_path, *(snapshot(band=band) for band in bands), value=21)
        told = everything(tape)
        names: dict[str, str] = {
            event.market.condition_id: event.market.slug for event in of(told, MarketTold)
        }
        won = {names[end.condition] for end in of(told, Resolved) if end.pays_e6 == (1_000_000, 0)}
        assert won == {f"oslo-{band}" for band in ("21°C", "20-21°C", "≥21°C", "≤21°C")}
        assert {end.at_us for end in of(told, Resolved)} == {us(30)}

    def test_a_result_in_another_unit_is_none(self, tmp_path: Path):
        tape = best_prices(tmp_path, snapshot(), snapshot(band="21°F"))
        assert len(of(everything(tape), Resolved)) == 1
        assert tape.about.problems.counts["not_resolved"] == 1

    def test_below_zero(self, tmp_path: Path):
        bands = ["≤-1°C", "-3--1°C", "-2°C", "≥-1°C"]
        told = everything(best_prices(tmp_path, *(snapshot(band=band) for band in bands), value=-2))
        assert sum(end.pays_e6[0] for end in of(told, Resolved)) == 3_000_000

    def test_bands_of_an_event_exclude_each_other(self, tmp_path: Path):
        told = of(everything(best_prices(tmp_path, snapshot(), snapshot(band="22°C"))), MarketTold)
        assert {(event.market.event_id, event.market.neg_risk) for event in told} == {
            ("oslo-on-march-3", True)
        }
        assert {event.market.end_date for event in told} == {datetime(2026, 3, 4, tzinfo=UTC)}

    def test_columns_that_tell_of_later_change_nothing_and_are_counted(self, tmp_path: Path):
        plain = everything(best_prices(tmp_path, snapshot()))
        tape = best_prices(tmp_path, snapshot(official_bucket_value=21.0, unrealized_pnl_usd=-5.0))
        assert everything(tape) == plain
        assert tape.about.problems.counts["looks_ahead"] == 2

    def test_a_book_is_forgotten_after_an_hour(self, tmp_path: Path):
        lost = of(everything(best_prices(tmp_path, snapshot(0), snapshot(5))), BookLost)
        assert {event.at_us for event in lost} == {us(125 / 60), us(5 + 125 / 60)}

    def test_each_kind_of_bad_row_is_counted_with_an_example(self, tmp_path: Path):
        bad = {
            "no_book": snapshot(1, best_bid=None, best_ask=None),
            "one_side": snapshot(1.5, best_ask=None, best_ask_size=None),
            "crossed": snapshot(2, best_bid=0.75),
            "price_outside": snapshot(2.5, best_ask=1.0),
            "no_size": snapshot(3, best_ask_size=None),
            "no_time": snapshot(3.5, elapsed_min=None),
            "after_the_end": snapshot(40),
            "duplicate_point": snapshot(),
            "two_prices": snapshot(5, best_bid=0.6),
            "unreadable_market": snapshot(band="warm"),
        }
        problems = best_prices(tmp_path, snapshot(), snapshot(5), *bad.values()).about.problems
        assert {kind: problems.counts[kind] for kind in bad} == dict.fromkeys(bad, 1)
        assert all(problems.examples[kind].startswith("oslo-") for kind in bad)

    def test_nothing_is_shown_of_a_market_after_its_result(self, tmp_path: Path):
        tape = best_prices(tmp_path, snapshot(), snapshot(40))
        told = list(tape.events(tape.about.starts, at(100)))
        assert isinstance(told[-1], Resolved)

    def test_a_book_that_cannot_be_is_not_used(self, tmp_path: Path):
        bad = [snapshot(2, best_bid=0.75), snapshot(2.5, best_ask=1.0), snapshot(3, best_ask_size=None)]
        assert everything(best_prices(tmp_path, snapshot(), *bad)) == everything(
            best_prices(tmp_path, snapshot())
        )

    @pytest.mark.parametrize("seed", [0, 2])
    def test_any_order_and_any_repetition_of_the_rows_is_the_same_history(self, tmp_path: Path, seed: int):
        rows = [snapshot(hour, band) for hour in (0, 1, 5) for band in ("21°C", "22°C")]
        dice = random.Random(seed)
        again = dice.sample(rows, seed)
        plain = everything(best_prices(tmp_path, *rows))
        tape = best_prices(tmp_path, *dice.sample(rows + again, len(rows + again)))
        assert everything(tape) == plain
        assert tape.about.problems.counts["duplicate_point"] == len(again)

    def test_without_a_result_it_stays_open(self, tmp_path: Path):
        tape = best_prices(tmp_path, snapshot(), value=None)
        assert of(everything(tape), Resolved) == []
        assert tape.about.problems.counts["not_resolved"] == 1

    def test_the_shared_ones_can_be_replayed(self):
        name = "data/weather_2026-05-29_2026-06-14_{}.parquet"
        tape = open_tape([shared_path(name.format("snapshots")), shared_path(name.format("resolutions"))])
        assert (tape.about.kind, tape.about.fidelity) == ("top_of_book", Fidelity.BOUGHT_BOOKS)
        assert (tape.about.markets, tape.about.problems.counts["looks_ahead"]) == (7_711, 7)
        day = datetime(2026, 6, 4, tzinfo=UTC)
        told = list(tape.events(day, day + timedelta(hours=8)))
        assert in_order(told)
        winners = [event for event in of(told, Resolved) if event.pays_e6[0]]
        assert 0 < len(winners) <= len(of(told, Resolved)) / 4


# -- trades ------------------------------------------------------------------------------------


def csv(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


TRADES = """timestamp,market,outcome,price,size,side,category,ends,ended,pays
2026-03-02T00:00:00Z,0xaa,Yes,0.60,10,BUY,politics,2026-03-30T00:00:00Z,2026-03-20T00:00:00Z,1
2026-03-02T01:00:00Z,0xaa,No,0.38,5.5,sell,politics,2026-03-30T00:00:00Z,2026-03-20T00:00:00Z,0
2026-03-02T02:00:00Z,0xbb,Yes,0.20,7,,,,,
"""


class TestTrades:
    def test_where_no_events_are_told_it_says_what_that_does_to_intervals(self, tmp_path: Path):
        told = TRADES.replace("category", "category,event", 1).replace(",politics,", ",politics,7,")
        told = told.replace(",7,,,,,", ",7,,,,,,")
        of_one = open_tape([csv(tmp_path / "events.csv", told)]).about
        alone = open_tape([csv(tmp_path / "trades.csv", TRADES)]).about
        assert [NO_EVENTS in each.assumed for each in (of_one, alone)] == [False, True]

    def test_a_collected_history_of_another_version_is_refused_by_its_version(self, tmp_path: Path):
        path = tmp_path / "history.jsonl.gz"
        path.write_bytes(gzip.compress(b'{"format": "polyb0t-market-history-9"}\n'))
        with pytest.raises(ConfigurationError) as refused:
            open_tape([path])
        assert "its format is 'polyb0t-market-history-9'" in (refused.value.why or "")

    def test_each_is_heard_at_its_instant_and_a_book_stands_around_the_last(self, tmp_path: Path):
        tape = open_tape([csv(tmp_path / "trades.csv", TRADES)])
        told = everything(tape)
        assert in_order(told)
        assert (tape.about.kind, tape.about.fidelity) == ("trades", Fidelity.TRADES)
        heard = [
            (event.at_us, event.price_e6, event.shares_e6, event.taker_side) for event in of(told, Traded)
        ]
        assert heard == [
            (us(0), 600_000, 10_000_000, "BUY"),
            (us(1), 380_000, 5_500_000, "SELL"),
            (us(2), 200_000, 7_000_000, ""),
        ]
        yes = of(told, BookShown)[2]  # after the trade in "No" at 38 cents
        assert (yes.bids[0][0], yes.asks[0][0]) == (605_000, 635_000)

    def test_what_the_market_paid_is_told_at_its_end(self, tmp_path: Path):
        (end,) = of(everything(open_tape([csv(tmp_path / "trades.csv", TRADES)])), Resolved)
        assert (end.condition, end.at_us, end.pays_e6) == ("0xaa", us(24 * 18), (1_000_000, 0))

    def test_each_kind_of_bad_trade_is_counted_with_an_example(self, tmp_path: Path):
        bad = {
            "price_outside": "2026-03-02T03:00:00Z,0xaa,Yes,1.2,1,BUY,,,,",
            "no_size": "2026-03-02T03:00:00Z,0xaa,Yes,0.2,0,BUY,,,,",
            "no_time": "soon,0xaa,Yes,0.2,1,BUY,,,,",
            "same_trade": "2026-03-02T00:00:00Z,0xaa,Yes,0.60,10,BUY,,,,",
            "out_of_order": "2026-03-02T00:30:00Z,0xbb,Yes,0.2,1,BUY,,,,",
            "impossible_payout": "2026-03-02T00:30:00Z,0xcc,Yes,0.2,1,BUY,politics,,2026-03-03T00:00:00Z,0.7",
        }
        lines = [bad[kind] for kind in bad if kind != "same_trade"]
        problems = open_tape([csv(tmp_path / "trades.csv", TRADES + "\n".join(lines))]).about.problems
        found = {kind: problems.counts[kind] for kind in bad if kind not in {"same_trade", "out_of_order"}}
        assert found == dict.fromkeys(found, 1)
        assert problems.counts["out_of_order"] >= 1
        assert all(problems.examples[kind] for kind in found)
        twice = csv(tmp_path / "twice.csv", TRADES + bad["same_trade"])
        assert open_tape([twice]).about.problems.counts["same_trade"] == 1

    def test_times_without_a_zone_are_refused_until_somebody_says_theirs(self, tmp_path: Path):
        path = csv(tmp_path / "trades.csv", TRADES.replace("Z,", ","))
        with pytest.raises(ConfigurationError, match="no time zone"):
            open_tape([path])
        assert everything(open_tape([path], Assumptions(zone="UTC")))[0].at_us == us(0)

    @pytest.mark.parametrize("seed", [0, 2])
    def test_any_order_and_any_repetition_of_the_lines_is_the_same_history(self, tmp_path: Path, seed: int):
        head, *lines = TRADES.splitlines(keepends=True)
        dice = random.Random(seed)
        again = dice.sample(lines, seed)
        mixed = head + "".join(dice.sample(lines + again, len(lines + again)))
        tape = open_tape([csv(tmp_path / "mixed.csv", mixed)])
        assert everything(tape) == everything(open_tape([csv(tmp_path / "plain.csv", TRADES)]))
        assert tape.about.problems.counts["same_trade"] == len(again)

    def test_json_lines_with_whole_seconds_and_assets(self, tmp_path: Path):
        lines = [
            {"timestamp": us(0) // 1_000_000, "asset": "71", "market": "0xaa", "price": "0.5", "size": "3"},
            {"timestamp": us(1) // 1_000, "asset": "72", "market": "0xaa", "price": "0.4", "size": "3"},
        ]
        path = tmp_path / "trades.jsonl.gz"
        path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
        told = of(everything(open_tape([path])), Traded)
        assert [(event.at_us, event.asset) for event in told] == [(us(0), "71"), (us(1), "72")]


# -- recordings --------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASSET = a_book().asset_id


def looked(when: datetime, bid: str = "0.47", *, asset: str = ASSET, **changes: Any) -> Observation:
    market = a_market(observed_at=when)
    books: tuple[OrderBook, ...] = (a_book(bid, "0.49", asset_id=AssetId(asset), observed_at=when),)
    terms = replace(terms_of(market), observed_at=when)
    return Observation(when, **{"books": books, "markets": (market,), "terms": (terms,), **changes})


def recorded(folder: Path, *seen: Observation | SeenTrade) -> Path:
    changes, spool = Changes(), Spool(folder / "spool")
    for _, of_day in groupby(seen, key=lambda one: _when(one).date()):
        together = list(of_day)
        spool.write(changes.of(together), _when(together[0]))
    spool.close()
    convert(folder, writer=os.getpid())
    return folder


def _when(one: Observation | SeenTrade) -> datetime:
    return one.at if isinstance(one, Observation) else one.observed_at


def every(seconds: int, until: int, start: datetime = NIGHT) -> list[datetime]:
    return [start + timedelta(seconds=n) for n in range(0, until, seconds)]


class TestARecording:
    def test_what_was_recorded_comes_back_as_it_was(self, tmp_path: Path):
        trade = SeenTrade(
            AssetId("7"), Price(Decimal("0.48")), Shares(Decimal("2.5")), Side.BUY, None, NIGHT + timedelta(1)
        )
        tape = recorder_tape(recorded(tmp_path, looked(NIGHT), trade))
        market, terms, book, *_ = everything(tape)
        assert market == MarketTold(microseconds(NIGHT), a_market(observed_at=NIGHT))
        assert terms == TermsTold(microseconds(NIGHT), replace(terms_of(a_market()), observed_at=NIGHT))
        assert isinstance(book, BookShown)
        assert book.bids == ((470_000, 1_000_000_000),)
        assert of(everything(tape), Traded)[0][1:] == ("7", 480_000, 2_500_000, "BUY")
        assert tape.about.fidelity is Fidelity.OWN_BOOKS
        assert any("while an order was on its way" in said for said in tape.about.assumed)

    def test_a_quiet_book_stands_as_long_as_somebody_looks(self, tmp_path: Path):
        folder = recorded(tmp_path, *(looked(when) for when in every(30, 3_600)))
        assert of(everything(recorder_tape(folder)), BookLost) == []

    def test_where_the_recording_stopped_every_book_is_lost_until_it_is_shown_again(self, tmp_path: Path):
        later = NIGHT + timedelta(minutes=20)
        tape = recorder_tape(recorded(tmp_path, looked(NIGHT), looked(later)))
        told = [event for event in everything(tape) if isinstance(event, BookShown | BookLost)]
        assert [type(event) for event in told] == [BookShown, BookLost, BookShown]
        assert [event.at_us - microseconds(NIGHT) for event in told] == [0, 1, 20 * 60_000_000]
        assert tape.about.problems.counts["recording_stopped"] == 1

    def test_a_book_that_nobody_looks_at_any_more_is_lost(self, tmp_path: Path):
        gone = NIGHT + timedelta(seconds=30)
        tape = recorder_tape(recorded(tmp_path, looked(NIGHT), looked(gone, books=())))
        assert of(everything(tape), BookLost) == [BookLost(microseconds(gone), ASSET)]

    def test_part_of_it_begins_with_what_was_known_on_the_day_before(self, tmp_path: Path):
        folder = recorded(tmp_path, *(looked(when) for when in every(60, 3_600)))
        since = datetime(2026, 11, 23, 0, 20, tzinfo=UTC)
        part = list(recorder_tape(folder).events(since, since + timedelta(minutes=5)))
        assert [type(event) for event in part[:3]] == [MarketTold, TermsTold, BookShown]
        assert in_order(part)
        assert all(event.at_us < microseconds(since) for event in part[:3])

    def test_what_others_thought_is_told_at_the_instant_from_which_it_was_known(self, tmp_path: Path):
        """Every day tells all of it again, and an engine that starts anew reads the same file again."""
        crowd = OutsideView(a_market().condition_id, "crowd", Decimal("0.7"), None, NIGHT, NIGHT + 2 * MINUTE)
        again = replace(crowd, read_at=NIGHT + 9 * MINUTE)
        own = replace(crowd, source=f"{OWN}coherence")
        looks = [looked(NIGHT + n * MINUTE, outside=(crowd, own) if n > 2 else ()) for n in range(8)]
        folder = recorded(tmp_path, *looks, looked(NIGHT + 10 * MINUTE, outside=(again, own)))
        tape = recorder_tape(folder)
        (view,) = of(everything(tape), ViewTold)
        assert view == ViewTold(microseconds(NIGHT + 2 * MINUTE), crowd)
        assert tape.about.sources == ("crowd",)
        (known,) = of(tape.events(NIGHT + 5 * MINUTE, tape.about.ends), ViewTold)
        assert known == view
        assert of(tape.events(NIGHT, NIGHT + 2 * MINUTE), ViewTold) == []

    def test_rules_are_those_of_their_time(self, tmp_path: Path):
        amended = a_market(rules_text="Otherwise.", rules_hash="other")
        later = NIGHT + timedelta(seconds=30)
        changed = replace(amended, observed_at=later)
        told = of(
            everything(recorder_tape(recorded(tmp_path, looked(NIGHT), looked(later, markets=(changed,))))),
            MarketTold,
        )
        assert [event.market.rules_text for event in told] == [a_market().rules_text, "Otherwise."]

    @pytest.mark.parametrize(
        ("asks", "kind"),
        [
            ((Level(Price(Decimal("0.4")), Shares(Decimal(5))),), "crossed"),
            ((Level(Price(Decimal(1)), Shares(Decimal(5))),), "price_outside"),
            ((Level(Price(Decimal("0.5")), Shares(Decimal(0))),), "no_size"),
            ((), "one_side"),
        ],
    )
    def test_a_book_that_cannot_be_is_counted_and_not_used(self, tmp_path: Path, asks: Any, kind: str):
        bad = replace(a_book("0.47", observed_at=NIGHT + timedelta(seconds=10)), asks=asks)
        folder = recorded(tmp_path, looked(NIGHT), looked(NIGHT + timedelta(seconds=10), books=(bad,)))
        tape = recorder_tape(folder)
        assert tape.about.problems.counts[kind] == 1
        assert len(of(everything(tape), BookShown)) == (2 if kind == "one_side" else 1)

    def test_an_empty_folder_is_refused(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match="No books and markets"):
            recorder_tape(tmp_path)

    def test_memory_does_not_grow_with_the_number_of_days(self, tmp_path: Path):
        """Six days take as much memory while they are read as two."""
        assert self.most_memory(tmp_path / "six", 6) < 1.3 * self.most_memory(tmp_path / "two", 2)

    def most_memory(self, folder: Path, days: int) -> int:
        looks = (
            looked(NIGHT + timedelta(days=day, seconds=10 * n), bid=f"0.{30 + n % 17}")
            for day in range(days)
            for n in range(100)
        )
        tape = recorder_tape(recorded(folder, *looks))
        tracemalloc.start()
        try:
            count = sum(1 for _ in tape.events(tape.about.starts, tape.about.ends))
            assert count > 100 * days
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


class TestTheBooksOfARecording:
    def mids(self, folder: Path, *seconds: float) -> list[Decimal | None]:
        asked = [Sight(ASSET, NIGHT + timedelta(seconds=n)) for n in seconds]
        found = recorded_books(folder).books(asked)
        return [found[sight].mid if sight in found else None for sight in asked]

    def test_the_last_one_at_or_before_each_instant(self, tmp_path: Path):
        folder = recorded(tmp_path, looked(NIGHT), looked(NIGHT + timedelta(seconds=20), "0.45"))
        assert self.mids(folder, -1, 0, 19, 20, 60) == [
            None, Decimal("0.48"), Decimal("0.48"), Decimal("0.47"), Decimal("0.47"),
        ]  # fmt: skip

    def test_none_where_nobody_looked_or_the_recording_had_stopped(self, tmp_path: Path):
        seen = [looked(NIGHT), looked(NIGHT + timedelta(seconds=30), books=())]
        back = looked(NIGHT + timedelta(seconds=60))
        again = looked(NIGHT + timedelta(minutes=30))
        folder = recorded(tmp_path, *seen, back, again)
        assert [mid is not None for mid in self.mids(folder, 10, 40, 70, 900, 1_801, 3_000)] == [
            True, False, True, False, True, False,
        ]  # fmt: skip

    def test_lines_of_a_running_engine_are_read_as_well(self, tmp_path: Path):
        changes, spool = Changes(), Spool(tmp_path / "spool")
        spool.write(changes.of([looked(NIGHT)]), NIGHT)
        assert self.mids(tmp_path, 5) == [Decimal("0.48")]
        spool.close()

    def test_the_same_as_the_events_tell(self, tmp_path: Path):
        folder = recorded(tmp_path, *(looked(when, f"0.4{n % 8}") for n, when in enumerate(every(45, 900))))
        tape = recorder_tape(folder)
        told = of(everything(tape), BookShown)
        for second in (0, 44, 45, 300, 899):
            asked_us = microseconds(NIGHT + timedelta(seconds=second))
            last = [event for event in told if event.at_us <= asked_us][-1]
            (mid,) = self.mids(folder, second)
            assert mid == Decimal(last.bids[0][0] + last.asks[0][0]) / 2_000_000


# -- several, and any ---------------------------------------------------------------------------


def collected(path: Path, **changes: Any) -> Path:
    line = {
        "market": a_market().condition_id,
        "event": "17",
        "category": "politics",
        "question": "Will it?",
        "named_sides": False,
        "opens_us": us(),
        "ends_us": us(24 * 9),
        "resolved_us": microseconds(NIGHT + timedelta(days=1)),
        "pays_e6": 1_000_000,
        "points": [[us(), 600_000]],
    }
    write_history(path, [{**line, **changes}], source="a test")
    return path


class TestSeveral:
    def test_the_grade_is_the_worst_and_the_events_are_by_time(self, tmp_path: Path):
        trades = csv(tmp_path / "trades.csv", TRADES)
        other = collected(tmp_path / "past.jsonl.gz", market="0xdd")
        tape = open_tape([trades, other])
        assert (tape.about.fidelity, tape.about.markets) == (Fidelity.PRICES, 3)
        assert in_order(everything(tape))

    def test_each_book_has_the_grade_of_the_history_that_shows_it(self, tmp_path: Path):
        """Said before the first book of each, and where it changes."""
        past = collected(
            tmp_path / "past.jsonl.gz", points=[[microseconds(NIGHT) + n, 600_000] for n in (-19, -9, 9)]
        )
        folder = recorded(tmp_path / "record", looked(NIGHT))
        graded = of(everything(open_tape([past, folder])), Graded)
        recording = microseconds(NIGHT)
        assert {(each.at_us, each.grade) for each in graded} == {(recording - 19, "D"), (recording, "A")}
        assert of(everything(open_tape([folder])), Graded) == []

    def test_the_order_in_which_they_are_given_does_not_matter(self, tmp_path: Path):
        paths = [csv(tmp_path / "trades.csv", TRADES), collected(tmp_path / "past.jsonl.gz", market="0xdd")]
        one, other = open_tape(paths), open_tape(paths[::-1])
        assert everything(one) == everything(other)
        assert one.about == other.about

    def test_of_a_market_in_several_the_best_one_is_heard_and_it_ends_once(self, tmp_path: Path):
        past = collected(
            tmp_path / "past.jsonl.gz", points=[[microseconds(NIGHT) + n, 600_000] for n in (-9, 9)]
        )
        folder = recorded(tmp_path / "record", looked(NIGHT))
        told = everything(open_tape([past, folder]))
        recording = microseconds(NIGHT)
        assert {event.at_us for event in of(told, BookShown)} == {recording - 9, recording}
        assert len(of(told, Resolved)) == 1

    def test_the_collected_past_tells_how_a_recording_ended_and_nothing_else(self, tmp_path: Path):
        folder = recorded(tmp_path / "record", looked(NIGHT))
        past = collected(tmp_path / "past.jsonl.gz")
        tape = open_tape([folder], Assumptions(payment=Payment(disputed_e6=0)), ends=past)
        plain = everything(open_tape([folder]))
        *told, end = everything(tape)
        assert told == plain
        assert end == Resolved(
            microseconds(NIGHT + timedelta(days=1)),
            a_market().condition_id,
            (1_000_000, 0),
            microseconds(NIGHT + timedelta(days=1, hours=2)),
        )
        assert tape.about.fidelity is Fidelity.OWN_BOOKS
        assert tape.about.data_hash != open_tape([folder]).about.data_hash

    def test_where_one_file_goes_on_where_another_ends_both_are_heard(self, tmp_path: Path):
        head, *lines = TRADES.splitlines(keepends=True)
        first = csv(tmp_path / "march-1.csv", head + lines[0])
        later = lines[0].replace("2026-03-02T00", "2026-03-02T20")
        tape = open_tape([first, csv(tmp_path / "march-2.csv", head + later)])
        told = everything(tape)
        assert [event.at_us for event in of(told, Traded)] == [us(0), us(20)]
        assert {event.at_us for event in of(told, BookLost)} == {us(20 + 24)}
        assert len(of(told, Resolved)) == 1

    def test_ends_of_markets_that_were_not_recorded_are_left_out(self, tmp_path: Path):
        folder = recorded(tmp_path / "record", looked(NIGHT))
        foreign = collected(tmp_path / "past.jsonl.gz", market="0xdd")
        tape = open_tape([folder], ends=foreign)
        assert everything(tape) == everything(open_tape([folder]))
        assert tape.about.ends == open_tape([folder]).about.ends
        assert tape.about.problems.counts["not_resolved"] == 1

    def test_the_hash_is_of_the_content(self, tmp_path: Path):
        first = open_tape([csv(tmp_path / "a.csv", TRADES)]).about.data_hash
        assert first == open_tape([csv(tmp_path / "b.csv", TRADES)]).about.data_hash
        changed = csv(tmp_path / "a.csv", TRADES.replace("0.60", "0.61"))
        assert first != open_tape([changed]).about.data_hash


class TestWhatIsNoHistory:
    def test_unknown_columns_are_named_with_what_was_expected(self, tmp_path: Path):
        path = csv(tmp_path / "odd.csv", "when,what\n1,2\n")
        with pytest.raises(
            ConfigurationError, match=r"(?s)when, what.*timestamp, market or asset, price, size"
        ):
            open_tape([path])

    def test_no_table_at_all(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match="no table"):
            open_tape([csv(tmp_path / "notes.txt", "hello")])

    def test_no_file(self, tmp_path: Path):
        with pytest.raises(NotFoundError):
            open_tape([tmp_path / "none.parquet"])

    def test_results_without_prices(self, tmp_path: Path):
        with pytest.raises(UsageError, match="results alone"):
            open_tape([parquet(tmp_path / "results.parquet", RESULTS, [])])


def test_every_tape_is_a_tape(tmp_path: Path) -> None:
    tapes: list[Tape] = [best_prices(tmp_path, snapshot()), recorder_tape(recorded(tmp_path, looked(NIGHT)))]
    assert [tape.about.kind for tape in tapes] == ["top_of_book", "recorder"]
    assert isinstance(tapes[1], RecorderTape)
