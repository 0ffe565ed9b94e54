"""Features of watched markets: computed of what was seen, recorded, shown, and of no weight."""

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.clock import microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.markets import Market
from polyb0t.data.order_book import Side
from polyb0t.data.universe import UniverseRules
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.pooling import PooledModel
from polyb0t.models.signals import IdentityModel, MarketState
from polyb0t.research.convert import convert
from polyb0t.research.features.feature import key
from polyb0t.research.features.live import MOST_TRADES, LiveFeatures
from polyb0t.research.features.point_in_time import Book, Record, Schedule, Trade
from polyb0t.research.features.registry import FEATURES, WINDOW_US
from polyb0t.research.features.series import Series
from polyb0t.research.features.shown import newest
from polyb0t.research.observing import FeatureSeen, Observation, SeenTrade
from polyb0t.research.recorder import Changes, Recorder
from polyb0t.research.spool import Spool
from polyb0t.runtime.feature_watch import FeatureWatch
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.clock import FakeClock
from tests.support.decisions import a_market, books_at
from tests.test_cycle import FakeVenue

START = datetime(2026, 11, 2, tzinfo=UTC)
FIVE, HALF_HOUR = timedelta(minutes=5), timedelta(minutes=30)


def a_state(name: str, now: datetime, cents: int, **changes: object) -> MarketState:
    content = {"event_id": "event", "tags": ("politics", "election"), "opened_at": START - timedelta(days=3)}
    market = a_market(name, **{**content, "end_date": START + timedelta(days=60), **changes})
    bid, ask = f"0.{cents:02}", f"0.{cents + 2:02}"
    first, second = books_at(market, bid, ask, size=100)
    assert first is not None
    return MarketState(market, None, (replace(first, observed_at=now), second), now)


def cents_of(step: int, shift: int) -> int:
    return 40 + (step * 7 + shift) % 11


def a_trade(market: Market, at: datetime, shares: str, side: Side | None, outcome: int = 0) -> SeenTrade:
    asset = market.outcomes[outcome].asset_id
    return SeenTrade(asset, Price(Decimal("0.4")), Shares(Decimal(shares)), side, None, at)


def run(live: LiveFeatures, steps: int, names: tuple[str, ...] = ("a", "b")) -> list[FeatureSeen]:
    """`steps` cycles half an hour apart; the features of the last one."""
    found: tuple[FeatureSeen, ...] = ()
    for step in range(steps):
        now = START + step * HALF_HOUR
        found = live.observe([a_state(name, now, cents_of(step, at)) for at, name in enumerate(names)])
    return list(found)


class TestComputing:
    def test_the_engine_computes_what_a_record_of_the_same_days_gives(self):
        """One definition: what is fitted on a history is what an engine sees."""
        live, steps = LiveFeatures(), 9 * 48
        market = a_state("a", START, 40).market
        now = START + (steps - 1) * HALF_HOUR
        for back, shares, side, outcome in (
            (50, "10", Side.BUY, 0), (8, "4", Side.SELL, 0), (3, "5", Side.SELL, 1)
        ):  # fmt: skip
            live.traded(a_trade(market, now - timedelta(minutes=back), shares, side, outcome))
        said = {
            each.name: each.value for each in run(live, steps) if each.condition_id == market.condition_id
        }
        at = [microseconds(START + step * HALF_HOUR) for step in range(steps)]
        own, other = ([(cents_of(step, shift) + 1) / 100 for step in range(steps)] for shift in (0, 1))
        shown = a_state("a", now, cents_of(steps - 1, 0)).books[0]
        assert shown is not None
        bids, asks = ([(float(p), float(s)) for p, s in side] for side in (shown.bids, shown.asks))
        minute = 60_000_000
        record = Record(
            market="a",
            prices=Series(at, own),
            opens_us=microseconds(START - timedelta(days=3)),
            schedule=(Schedule(at[0], microseconds(START + timedelta(days=60))),),
            books=(Book(at[-1], bids, asks),),
            trades=[Trade(at[-1] - 50 * minute, 10.0), Trade(at[-1] - 8 * minute, -4.0), Trade(at[-1] - 3 * minute, 5.0)],
            event=(Series(at, other),),
        )  # fmt: skip
        expected = {key(each): each.value(record, at[-1]) for each in FEATURES}
        assert expected.pop("theme_comovement.1") is None
        assert set(said) == set(expected)
        for name, value in expected.items():
            assert said[name] == pytest.approx(value), name

    def test_what_was_not_known_is_left_out_and_not_zero(self):
        names = {each.name for each in run(LiveFeatures(), 1)}
        assert "spread.1" in names
        assert not names & {"logit_change_1h.1", "signed_volume_10m.1", "event_comovement.1"}

    def test_a_book_of_minutes_ago_is_no_price_of_now(self):
        live, now = LiveFeatures(), START + timedelta(minutes=2)
        old = a_state("a", START, 40)
        said = live.observe([replace(old, now=now)])
        assert {each.name for each in said} == {"days_to_end.1", "age_days.1"}
        assert len(live.view(replace(old, now=now)).prices) == 0

    def test_each_market_once_in_five_minutes_and_a_share_of_them_in_each_cycle(self):
        live, names = LiveFeatures(), [f"m{at}" for at in range(25)]
        shares = []
        for second in range(0, 50, 10):
            now = START + timedelta(seconds=second)
            said = live.observe([a_state(name, now, 40) for name in names])
            shares.append(len({each.condition_id for each in said}))
        assert shares == [10, 10, 5, 0, 0]

    def test_its_memory_is_bounded(self):
        live = LiveFeatures()
        run(live, 10 * 48, ("a",))
        state = a_state("a", START + 10 * 48 * HALF_HOUR, 40)
        view = live.view(state)
        assert view.prices.at[0] >= microseconds(state.now) - WINDOW_US - 1_800_000_000
        for _ in range(MOST_TRADES + 5):
            live.traded(a_trade(state.market, state.now, "1", Side.BUY))
        assert live.view(state).trades is None  # more than are kept, so their sum is not known
        later = START + timedelta(days=12)
        live.observe([a_state("b", later, 40)])
        assert len(live.view(a_state("a", later, 40)).prices) == 0  # forgotten
        assert len(live._memory) == 1
        assert live._trades == {}


class TestNoWeight:
    def test_an_engine_records_what_it_computes(self, tmp_path: Path):
        clock = FakeClock()
        venue = FakeVenue(clock)
        watch = MarketWatch(venue, venue, venue, clock, WatchSettings(UniverseRules(), 300))
        recorder = Recorder(tmp_path, clock, retention_days=90)
        recorder.start()
        watch.refresh()
        watch.read_books()
        FeatureWatch(watch, recorder, clock).record()
        recorder.close()
        first = watch.states(clock.now())[0].market.condition_id
        assert {each.name for each in newest(tmp_path, first)} >= {"spread.1"}

    def test_what_a_model_is_given_has_no_place_for_them(self):
        told = {each.name for each in fields(MarketState)}
        assert told == {"market", "terms", "books", "now", "outside"}  # outside: others' probabilities
        models = (MarketCalibrationModel(packaged_coefficients()), PooledModel(IdentityModel()))
        names = {each.name for each in FEATURES} | {key(each) for each in FEATURES}
        assert not any(model.requires & names for model in models)

    def test_the_packages_that_decide_cannot_import_them(self):
        contracts = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
        allowed = [
            each["allowed_importers"]
            for each in contracts["tool"]["importlinter"]["contracts"]
            if each.get("protected_modules") == ["polyb0t.research.features"]
        ]
        assert allowed == [["polyb0t.research", "polyb0t.runtime.feature_watch", "polyb0t.cli.features_read"]]


class TestRecording:
    def test_they_come_back_from_the_spool_and_from_the_days(self, tmp_path: Path):
        found = tuple(run(LiveFeatures(), 2))
        now = START + HALF_HOUR
        with_spool = Spool(tmp_path / "spool")
        with_spool.write(Changes().of([Observation(now, features=found)]), now)
        live = newest(tmp_path, "0xa")
        assert {each.name: each.value for each in live} == {
            each.name: pytest.approx(each.value, abs=1e-6) for each in found if each.condition_id == "0xa"
        }
        with_spool.close()
        path = next((tmp_path / "spool").iterdir())
        path.rename(
            path.with_name(path.name.rsplit("-", 1)[0] + "-4194305.jsonl")
        )  # of a process that is gone
        assert convert(tmp_path)
        assert newest(tmp_path, "0xa") == live
        assert newest(tmp_path, "0xzz") == ()

    def test_the_newest_value_counts_and_a_torn_line_does_not(self, tmp_path: Path):
        spool = Spool(tmp_path / "spool")
        for minute, value in ((0, 0.1), (5, 0.2)):
            at = START + timedelta(minutes=minute)
            seen = FeatureSeen(at, AssetId("a"), a_market("a").condition_id, "spread.1", value)
            spool.write(Changes().of([Observation(at, features=(seen,))]), at)
        spool.close()
        path = next((tmp_path / "spool").iterdir())
        path.write_bytes(path.read_bytes() + b'{"at_us":1,"condition":"0xa","na')
        assert [(each.value, each.at_us) for each in newest(tmp_path, "0xa")] == [
            (0.2, microseconds(START + FIVE))
        ]
