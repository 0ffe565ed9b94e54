"""Markets that were over before the world began: years of them, and what their prices knew."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from polyb0t.sandbox.archive import YEARS_MS, Archive
from polyb0t.sandbox.crowd import DAY_MS
from polyb0t.sandbox.paths import Path
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.types import MILLION, MarketView
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS
from tests.support.sandbox import RunningSandbox, running_sandbox

COUNT = 250


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive(7, COUNT, NOON_MS)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    world = World(start_ms=NOON_MS, seed=7, markets=2, archive=COUNT, accounts=1)
    with running_sandbox(world=world) as running:
        yield running


def read(sandbox: RunningSandbox, path: str, status: int = 200) -> Any:
    answer = httpx.get(sandbox.url + path)
    assert answer.status_code == status, answer.text
    return answer.json()


def of_version(sandbox: RunningSandbox, version: str) -> MarketView:
    return next(view for view in sandbox.world.archive.views() if view.spec.version == version)


class TestMarkets:
    def test_they_span_years_and_are_all_over(self, archive: Archive) -> None:
        views = archive.views()
        closed = [view.closed_ms or 0 for view in views]
        assert closed[0] < NOON_MS - YEARS_MS * 0.98
        assert NOON_MS - 20 * DAY_MS < max(closed) < NOON_MS
        assert all(view.spec.start_ms < view.spec.end_ms < (view.closed_ms or 0) for view in views)
        assert all(view.payouts_e6 and sum(view.payouts_e6) == MILLION for view in views)
        assert {view.spec.version for view in views} == {"v1", "v2"}

    def test_each_is_found_by_its_ids_without_the_others(self) -> None:
        known = Archive(7, COUNT, NOON_MS).views()
        for view in known:
            fresh = Archive(7, COUNT, NOON_MS)
            assert fresh.find(view.spec.condition_id) == view
            for outcome in (0, 1):
                found = fresh.find_token(view.spec.token_ids[outcome])
                assert found == (view, outcome)
        assert Archive(7, COUNT, NOON_MS).find("0x" + "0" * 64) is None

    @pytest.mark.parametrize("text", ["", "nothing", "0x", "-1", "9" * 200, "1e9", "१२"])
    def test_what_is_no_id_is_not_found(self, archive: Archive, text: str) -> None:
        assert archive.find_token(text) is None
        assert archive.find(text) is None

    def test_another_seed_has_another_past(self, archive: Archive) -> None:
        assert Archive(8, COUNT, NOON_MS).view(3) != archive.view(3)


class TestPaths:
    def test_any_window_shows_the_same_prices(self, archive: Archive) -> None:
        view = archive.view(11)
        path = archive.path(view)
        whole = dict(path.points(0, NOON_MS, 3_600_000))
        middle = (path.begin_ms + path.end_ms) // 2
        part = dict(path.points(middle, middle + 5 * DAY_MS, 3_600_000))
        assert part.items() <= whole.items()
        assert len(part) >= 5 * 24
        assert all(5_000 <= price <= 995_000 for price in whole.values())

    def test_points_are_no_further_apart_than_asked(self, archive: Archive) -> None:
        path = archive.path(archive.view(12))
        times = [at for at, _ in path.points(path.begin_ms, path.begin_ms + 2 * DAY_MS, 600_000)]
        assert times == sorted(times)
        assert max(later - at for at, later in pairwise(times)) <= 600_000

    @pytest.mark.parametrize("days_before", [1, 10, 30])
    def test_prices_just_before_the_end_agree_with_the_outcome(self, days_before: int) -> None:
        """The nearer the end, the better the price: it is a martingale that ends at 0 or 1."""
        errors = []
        for at_days in (days_before, 0.01):
            error = 0.0
            for number in range(150):
                path = Path(number * 7_919, 0, 60 * DAY_MS, 0.0, 1_080)
                at = int(60 * DAY_MS - at_days * DAY_MS)
                price = [price for _, price in path.points(at - 600_000, at, 600_000)][-1]
                error += ((price / MILLION) - (path.end() > 0)) ** 2
            errors.append(error)
        assert errors[1] < errors[0] / 2


def slope(rows: list[tuple[float, bool]]) -> float:
    """The slope of a logistic regression of outcomes on the logit of prices, by Newton's method."""
    found = 1.0
    for _ in range(25):
        gradient = curvature = 0.0
        for x, won in rows:
            chance = 1 / (1 + math.exp(-found * x))
            gradient += x * (won - chance)
            curvature += x * x * chance * (1 - chance)
        found += gradient / curvature
    return found


@pytest.mark.parametrize(("bias_e3", "low", "high"), [(1_300, 1.2, 1.4), (1_080, 1.0, 1.16)])
def test_a_calibration_model_finds_the_crowds_bias(bias_e3: int, low: float, high: float) -> None:
    random = Random64(20_261_122)
    rows = []
    for _ in range(6_000):
        path = Path(random.bits(), 0, 50 * DAY_MS, 0.9 * random.gauss(), bias_e3)
        at = 40 * DAY_MS
        *_, (_, price) = path.points(at - 1_800_000, at, 1_800_000)
        if 30_000 <= price <= 970_000:
            rows.append((math.log(price / (MILLION - price)), path.end() > 0))
    assert len(rows) > 2_500
    assert low < slope(rows) < high


def test_politics_are_compressed_more_than_anything_else(archive: Archive) -> None:
    biases = {view.spec.category: archive.path(view).bias_e3 for view in archive.views()}
    assert biases.pop("Politics") == 1_300
    assert set(biases.values()) == {1_080}
    assert len(biases) >= 6


class TestDoors:
    def test_the_catalogue_pages_through_all_of_them(self, sandbox: RunningSandbox) -> None:
        found, cursor = list[str](), ""
        while True:
            page = read(sandbox, f"/gamma/markets/keyset?closed=true&limit=100&after_cursor={cursor}")
            found += [row["id"] for row in page["markets"]]
            cursor = page.get("next_cursor", "")
            if not cursor:
                break
        assert found == [view.spec.gamma_id for view in sandbox.world.archive.views()]
        open_only = read(sandbox, "/gamma/markets/keyset?limit=100")["markets"]
        assert len(open_only) == 2, "closed ones are shown to those who ask for them"

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_one_market_at_every_door(self, sandbox: RunningSandbox, version: str) -> None:
        view = of_version(sandbox, version)
        spec = view.spec
        row = read(sandbox, f"/gamma/markets/{spec.gamma_id}")
        assert (row["slug"], row["closed"], row["acceptingOrders"]) == (spec.slug, True, False)
        assert read(sandbox, f"/gamma/markets/slug/{spec.slug}") == row
        assert read(sandbox, f"/gamma/events/{spec.event_id}")["markets"] == [row]
        terms = read(sandbox, f"/clob/clob-markets/{spec.condition_id}")
        assert (terms["ao"], terms["v"]) == (False, version)
        read(sandbox, f"/clob/book?token_id={spec.token_ids[0]}", 404)
        (resolution,) = read(sandbox, f"/data/v2/resolutions?condition={spec.condition_id}")["data"]
        assert (resolution["status"], tuple(resolution["payouts"])) == ("resolved", view.payouts_e6)
        (token,) = read(sandbox, f"/data/v2/tokens?token_id={spec.token_ids[1]}")["data"]
        assert token["module"] == {"v1": "v1_ctf", "v2": "binary"}[version]
        assert (token["outcome_index"], token["resolved"]) == (1, True)
        assert token["final_price"] * MILLION == (view.payouts_e6 or (0, 0))[1]
        assert read(sandbox, f"/data/v2/trades?condition={spec.condition_id}")["data"] == []

    def test_its_prices_in_windows_and_not_in_intervals(self, sandbox: RunningSandbox) -> None:
        view = of_version(sandbox, "v1")
        token, end_s = view.spec.token_ids[0], view.spec.end_ms // 1000
        asked = f"/clob/prices-history?market={token}"
        assert read(sandbox, f"{asked}&interval=max")["history"] == []
        window = f"&startTs={end_s - 86_400}&endTs={end_s}&fidelity=60"
        points = read(sandbox, asked + window)["history"]
        assert 24 <= len(points) <= 25
        assert all(point["t"] % 3_600 == 0 for point in points)
        v2 = f"/data/v2/prices-history?token_id={token}&start={end_s - 86_400}&end={end_s}"
        rows = read(sandbox, f"{v2}&bucket_seconds=3600")["data"]
        assert [(row["timestamp"], row["price"]) for row in rows] == [(one["t"], one["p"]) for one in points]
        other = read(sandbox, f"/clob/prices-history?market={view.spec.token_ids[1]}{window}")["history"]
        assert [round(1 - one["p"], 6) for one in other] == [one["p"] for one in points]

    def test_orders_on_it_are_refused(self, sandbox: RunningSandbox) -> None:
        condition = of_version(sandbox, "v1").spec.condition_id
        answer = httpx.post(
            f"{sandbox.url}/sandbox/markets/{condition}/resolve", json={"payouts": ["1", "0"]}
        )
        assert answer.status_code == 409


class TestWindows:
    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("interval=1w&fidelity=1", "minimum 'fidelity' for '1w' range is 5"),
            ("interval=1m&fidelity=5", "minimum 'fidelity' for '1m' range is 10"),
            ("interval=2d", "'interval' is not valid"),
            ("startTs=1700000000&endTs=1701400000", "interval is too long"),
            ("startTs=x", "'startTs' is not valid"),
        ],
    )
    def test_what_the_clob_refuses(self, sandbox: RunningSandbox, query: str, text: str) -> None:
        token = of_version(sandbox, "v1").spec.token_ids[0]
        assert text in read(sandbox, f"/clob/prices-history?market={token}&{query}", 400)["error"]

    @pytest.mark.parametrize(
        "query",
        ["", "interval=1d&start=5", "interval=1w&bucket_seconds=60", "interval=1m&bucket_seconds=300",
         "start=1700000000&end=1701400000", "start=1700000000", "interval=1d&bucket_seconds=86401"],
    )  # fmt: skip
    def test_what_the_data_api_refuses(self, sandbox: RunningSandbox, query: str) -> None:
        token = of_version(sandbox, "v1").spec.token_ids[0]
        refused = read(sandbox, f"/data/v2/prices-history?token_id={token}&{query}", 400)
        assert refused["code"] == "bad_request"

    def test_a_living_market_has_a_past_that_meets_its_present(self, sandbox: RunningSandbox) -> None:
        view = next(view for view in sandbox.world.markets() if view.spec.first_price_e6)
        token = view.spec.token_ids[0]
        rows = read(sandbox, f"/data/v2/prices-history?token_id={token}&interval=max&limit=10000")["data"]
        assert rows[0]["timestamp"] <= view.spec.start_ms // 1000 + 1_200
        assert abs(rows[-2]["price"] * MILLION - (view.spec.first_price_e6 or 0)) < 30_000
        (now,) = read(
            sandbox, f"/data/v2/prices-history?token_id={token}&as_of={sandbox.world.now_ms // 1000}"
        )["data"]
        assert now["price"] == rows[-1]["price"]


def test_nothing_of_it_is_saved_but_its_size() -> None:
    small = World(start_ms=NOON_MS, seed=1, markets=0, accounts=0)
    large = World(start_ms=NOON_MS, seed=1, markets=0, accounts=0, archive=COUNT)
    large.archive.views()
    assert set(large.state()) == set(small.state())
    assert large.state()["archive"] == (COUNT, NOON_MS)
    assert len(str(large.state())) - len(str(small.state())) < 10


def test_a_loaded_world_has_the_same_past(tmp_path: Any) -> None:
    world = World(start_ms=NOON_MS, seed=5, markets=0, accounts=0, archive=COUNT)
    world.save(tmp_path / "w.json")
    assert World.load(tmp_path / "w.json").archive.view(9) == world.archive.view(9)
