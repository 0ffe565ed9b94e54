"""Markouts and the looks at the book from what our own recorder saw; what it did not see is told."""

import os
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.research.analytics.analysis import analyse
from polyb0t.research.analytics.markouts import Horizon, Missing
from polyb0t.research.analytics.recorded import recorded, recorded_themes
from polyb0t.research.analytics.records import Records
from polyb0t.research.convert import convert
from polyb0t.research.observing import Observation
from polyb0t.research.recorder import Recorder
from tests.research.analytics.ideas import HOUR, records, rejected
from tests.support.builders import NOW
from tests.support.clock import FakeClock
from tests.support.trading import a_book, a_market


def record(folder: Path, *, until: datetime, move_at: datetime) -> None:
    """A recorder that looks every minute; the bid of 48 goes to 52 at `move_at`, the spread stays."""
    recorder = Recorder(folder, FakeClock(), retention_days=90)
    recorder.start()
    for minute in range(int((until - NOW) / timedelta(minutes=1)) + 1):
        at = NOW + timedelta(minutes=minute)
        bid, ask = ("0.48", "0.50") if at < move_at else ("0.52", "0.54")
        recorder.observe(Observation(at, books=(a_book(bid, ask, asset_id=AssetId("a"), observed_at=at),)))
    recorder.close()


def history(folder: Path) -> Records:
    seen = recorded(folder)
    return records(rejected("a"), books=seen.books, watched=seen.watched)


def test_a_quiet_book_stands_while_somebody_looks_and_a_gap_is_told(tmp_path: Path) -> None:
    record(tmp_path, until=NOW + 2 * HOUR, move_at=NOW + HOUR / 2)

    found = analyse(history(tmp_path)).scored[0].markouts

    assert found[Horizon.MINUTE].drift == 0  # nothing was written since the proposal, and nothing moved
    assert found[Horizon.HOUR].drift == Decimal("0.04")
    assert found[Horizon.DAY].missing is Missing.NO_BOOK  # the recording had stopped


def test_without_a_recording_nothing_is_known_and_it_says_why(tmp_path: Path) -> None:
    found = analyse(history(tmp_path / "record")).markouts

    assert [dict(each.missing) for each in found] == [{Missing.NOT_WATCHED: 1}] * len(Horizon)


def test_the_themes_of_a_market_are_those_that_were_recorded(tmp_path: Path) -> None:
    market = a_market(tags=("transport", "ferries", "all"), category="transport", observed_at=NOW)
    recorder = Recorder(tmp_path, FakeClock(), retention_days=90)
    recorder.start()
    recorder.observe(Observation(NOW, markets=(market,)))
    recorder.close()
    convert(tmp_path, writer=os.getpid())

    assert recorded_themes(tmp_path, {market.condition_id, ConditionId("0xother")}) == {
        market.condition_id: ("ferries",)
    }
    assert recorded_themes(tmp_path / "nothing", {market.condition_id}) == {}
