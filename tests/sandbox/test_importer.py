"""Recorded answers of the real venue as markets, with their own ids, ticks, fees and first books."""

import json
import shutil
from pathlib import Path

import pytest

from polyb0t.core.errors import UsageError
from polyb0t.sandbox.crowd import DAY_MS
from polyb0t.sandbox.importer import import_directory
from polyb0t.sandbox.types import MILLION, MarketSpec, OrderRequest, OrderType, Side
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS, check_books
from tests.support.shared import shared_path

EVENT = "recorded/gamma/2026-05-17_gamma-event_fed-decision-june_trebuchet.json"
BOOKS = "recorded/clob_rest/2026-05-17_clob-books_fed-decision-june_trebuchet.json"
TERMS = "recorded/clob_rest/2026-05-17_clob-markets_fed-decision-june_trebuchet.json"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    for name in (EVENT, BOOKS, TERMS):
        shutil.copy(shared_path(name), tmp_path)
    return tmp_path


def minimal(**changes: object) -> dict[str, object]:
    """A Gamma market of our own making."""
    return {
        "id": "9",
        "question": "Will the lighthouse be lit?",
        "slug": "lighthouse",
        "conditionId": "0x" + "ab" * 32,
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": '["11", "22"]',
        "endDate": "2027-01-31T00:00:00Z",
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "feesEnabled": True,
        "feeSchedule": {"exponent": 1, "rate": 0.05, "takerOnly": True},
        "bestBid": 0.3,
        "bestAsk": 0.34,
        "acceptingOrders": True,
        "closed": False,
    } | changes


def write(folder: Path, content: object, name: str = "a.json") -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder


def only(folder: Path) -> MarketSpec:
    (spec,) = import_directory(folder, now_ms=NOON_MS).specs
    return spec


class TestTheRecordedEvent:
    def test_terms_and_books_are_the_recorded_ones(self, recorded: Path) -> None:
        specs = import_directory(recorded, now_ms=NOON_MS).specs
        assert len(specs) == 5
        first = specs[0]
        assert first.token_ids[0].startswith("65193234666628291664907888364936366210889305490897648")
        assert (first.tick_e6, first.min_size_e6, first.fee_rate, first.fee_exponent) == (
            1_000,
            5 * MILLION,
            "0.05",
            1,
        )
        assert first.neg_risk
        assert first.neg_risk_market_id.startswith("0xa8a8ccac")
        assert (first.first_bids[-1], first.first_asks[-1]) == (
            (5_000, 31_357_090_000),
            (6_000, 10_139_860_000),
        )

    def test_its_dates_move_by_whole_days_into_the_future(self, recorded: Path) -> None:
        specs = import_directory(recorded, now_ms=NOON_MS).specs
        assert {spec.end_ms % DAY_MS for spec in specs} == {0}
        assert all(20 * DAY_MS < spec.end_ms - NOON_MS < 40 * DAY_MS for spec in specs)
        raw = specs[0].raw
        assert raw is not None
        assert raw["endDate"] == "2026-12-24T00:00:00Z"
        assert raw["endDateIso"] == "2026-12-24"
        assert raw["version"] == "v1"
        assert specs == import_directory(recorded, now_ms=NOON_MS).specs

    def test_before_its_end_nothing_moves(self, recorded: Path) -> None:
        may = 1_779_000_000_000
        (end,) = {spec.end_ms for spec in import_directory(recorded, now_ms=may).specs}
        assert end == 1_781_654_400_000  # 2026-06-17

    def test_it_can_be_traded_and_the_book_stays_where_it_was(self, recorded: Path) -> None:
        specs = import_directory(recorded, now_ms=NOON_MS).specs
        world = World(start_ms=NOON_MS, markets=2, imported=specs, accounts=1)
        wallet, token = world.accounts[0].wallet, specs[3].token_ids[0]
        order = OrderRequest(
            "0x1", "key", wallet, wallet, token, Side.BUY, 9_810_000, 10_000_000, OrderType.GTC
        )
        done = world.place(order)
        assert (done.status, done.making_e6) == ("matched", 9_810_000)
        world.step(600_000)
        assert world.balance(wallet, token) == 10 * MILLION
        book = world.book(token)
        assert (book.bids[-1][0], book.asks[-1][0]) == (980_000, 981_000)
        assert len(world.markets()) == 7
        check_books(world)

    def test_a_world_with_it_survives_a_save(self, recorded: Path, tmp_path: Path) -> None:
        specs = import_directory(recorded, now_ms=NOON_MS).specs
        world = World(start_ms=NOON_MS, markets=0, imported=specs, accounts=0)
        world.step(30_000)
        world.save(tmp_path / "w" / "world.json")
        loaded = World.load(tmp_path / "w" / "world.json")
        assert loaded.state_hash() == world.state_hash()
        assert loaded.markets()[0].spec.raw == world.markets()[0].spec.raw


class TestRecognition:
    @pytest.mark.parametrize("wrap", ["bare", "list", "keyset", "event", "events"])
    def test_a_market_however_it_comes(self, tmp_path: Path, wrap: str) -> None:
        market = minimal()
        event = {"id": "70", "slug": "lights", "title": "Lights", "markets": [market]}
        shapes: dict[str, object] = {
            "bare": market,
            "list": [market],
            "keyset": {"markets": [market], "next_cursor": "x"},
            "event": event,
            "events": {"events": [event]},
        }
        spec = only(write(tmp_path, shapes[wrap]))
        assert (spec.gamma_id, spec.event_id) == ("9", "70" if "event" in wrap else "9")

    def test_one_file_instead_of_a_folder(self, tmp_path: Path) -> None:
        write(tmp_path, minimal())
        assert only(tmp_path / "a.json").slug == "lighthouse"

    def test_every_recording_is_imported_or_named_with_its_reason(self) -> None:
        done = import_directory(shared_path("recorded"), now_ms=NOON_MS)
        assert len(done.specs) > 10
        assert all(spec.end_ms > NOON_MS for spec in done.specs)
        assert all(reason for _, reason in done.skipped)

    def test_only_the_second_outcomes_book_is_mirrored(self, tmp_path: Path) -> None:
        write(tmp_path, minimal())
        book = {
            "asset_id": "22",
            "market": "0x",
            "bids": [{"price": "0.6", "size": "10.129"}],
            "asks": [{"price": "0.7", "size": "20"}],
        }
        write(tmp_path, [book], "b.json")
        spec = only(tmp_path)
        assert spec.first_bids == ((300_000, 20_000_000),)
        assert spec.first_asks == ((400_000, 10_120_000),)

    def test_without_a_book_the_crowd_quotes_around_gammas_price(self, tmp_path: Path) -> None:
        spec = only(write(tmp_path, minimal()))
        world = World(start_ms=NOON_MS, markets=0, imported=[spec], accounts=0)
        view = world.markets()[0]
        assert 0 < (view.best_bid_e6 or 0) < 320_000 < (view.best_ask_e6 or 0) < 360_000


class TestWhatIsLeftOut:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"closed": True}, "closed"),
            ({"acceptingOrders": False}, "took no orders"),
            ({"version": "v2"}, "version v2"),
            ({"outcomes": '["A", "B", "C"]'}, "does not name two"),
            ({"clobTokenIds": None}, "does not name two"),
            ({"conditionId": ""}, "no condition id"),
            ({"endDate": None}, "no endDate"),
            ({"orderPriceMinTickSize": 0.03}, "tick"),
        ],
    )
    def test_a_market_that_cannot_be_traded(
        self, tmp_path: Path, changes: dict[str, object], reason: str
    ) -> None:
        with pytest.raises(UsageError) as caught:
            import_directory(write(tmp_path, minimal(**changes)), now_ms=NOON_MS)
        assert reason in caught.value.why

    def test_no_fees_means_free(self, tmp_path: Path) -> None:
        spec = only(write(tmp_path, minimal(feesEnabled=False)))
        assert (spec.fees_enabled, spec.fee_rate) == (False, "0")

    def test_a_crossed_book_and_a_broken_file(self, tmp_path: Path) -> None:
        write(tmp_path, minimal())
        write(
            tmp_path,
            minimal(id="10", slug="b", conditionId="0x" + "cd" * 32, clobTokenIds='["3","4"]'),
            "c.json",
        )
        rows = [{"price": "0.6", "size": "10"}]
        write(tmp_path, [{"asset_id": "11", "bids": rows, "asks": rows}], "b.json")
        (tmp_path / "z.json").write_text("{")
        done = import_directory(tmp_path, now_ms=NOON_MS)
        assert [spec.slug for spec in done.specs] == ["b"]
        assert [name for name, _ in done.skipped] == ["z.json", "lighthouse"]

    def test_an_absent_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            import_directory(tmp_path / "none", now_ms=NOON_MS)
