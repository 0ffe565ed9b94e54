"""The crowd leaves books that a person would call normal, and a bias that a model can find."""

import pytest

from polyb0t.sandbox.crowd import DAY_MS, sigmoid
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.types import MILLION, LastTrade, MarketView, WorldEvent
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS, check_books


@pytest.fixture(scope="module")
def world() -> World:
    """Five minutes of the default world with more markets, for better statistics."""
    lived = World(start_ms=NOON_MS, seed=11, markets=240, accounts=0)
    lived.step(300_000)
    return lived


def spread(view: MarketView) -> int:
    assert view.best_bid_e6 is not None
    assert view.best_ask_e6 is not None
    return view.best_ask_e6 - view.best_bid_e6


def test_every_book_has_two_sides_and_conserves(world: World) -> None:
    check_books(world)
    assert all(view.best_bid_e6 and view.best_ask_e6 for view in world.markets())


def test_most_spreads_are_one_to_three_cents_and_some_are_too_wide(world: World) -> None:
    spreads = [spread(view) for view in world.markets()]
    normal = sum(10_000 <= each <= 30_000 for each in spreads) / len(spreads)
    wide = sum(each > 60_000 for each in spreads) / len(spreads)
    assert 0.5 < normal < 0.85
    assert 0.05 < wide < 0.3


def test_levels_hold_hundreds_of_shares(world: World) -> None:
    sizes = [
        size
        for view in world.markets()
        for _, size in (*world.book(view.spec.token_ids[0]).bids, *world.book(view.spec.token_ids[1]).asks)
    ]
    assert 150 * MILLION < sorted(sizes)[len(sizes) // 2] < 900 * MILLION
    assert all(len(world.book(view.spec.token_ids[0]).bids) >= 3 for view in world.markets()[:20])


def test_ends_lie_between_hours_and_120_days(world: World) -> None:
    days = sorted((view.spec.end_ms - NOON_MS) / DAY_MS for view in world.markets())
    assert 0 < days[0] < 1, "some end too soon"
    assert 90 < days[-1] <= 121
    assert sum(2 <= each <= 60 for each in days) > len(days) / 2


def test_categories_are_mixed_and_questions_differ(world: World) -> None:
    views = world.markets()
    assert len({view.spec.category for view in views}) >= 6
    assert len({view.spec.slug for view in views}) == len(views)
    assert len({token for view in views for token in view.spec.token_ids}) == 2 * len(views)


def test_prices_are_compressed_towards_one_half(world: World) -> None:
    """The hidden probability is further out than the price, in politics more so."""
    for kind, factor in (("Politics", 1.3), ("Weather", 1.08)):
        ratios = []
        for view in world.markets():
            opinion = world.crowd.opinions[view.spec.condition_id]
            if view.spec.category == kind and spread(view) <= 30_000 and abs(opinion.fair_e6) > 700_000:
                expected = sigmoid(opinion.fair_e6 / MILLION / factor)
                middle = (view.best_bid_e6 or 0) + spread(view) / 2
                ratios.append(middle / MILLION - expected)
        assert len(ratios) > 3
        assert abs(sum(ratios) / len(ratios)) < 0.012


def test_an_ask_usually_stands_for_a_minute() -> None:
    world = World(start_ms=NOON_MS, seed=5, markets=60, accounts=0)
    kept = []
    for _ in range(20):
        before = {view.spec.condition_id: view.best_ask_e6 for view in world.markets()}
        world.step(60_000)
        kept += [
            (view.best_ask_e6 or MILLION) <= (before[view.spec.condition_id] or 0) for view in world.markets()
        ]
    assert sum(kept) / len(kept) > 0.85


def test_speed_makes_the_crowd_faster_and_not_the_clock() -> None:
    def trades(speed: float) -> int:
        world = World(start_ms=NOON_MS, seed=5, markets=20, accounts=0, speed=speed)
        heard: list[WorldEvent] = []
        world.subscribe(heard.append)
        world.step(120_000)
        assert world.now_ms == NOON_MS + 120_000
        return sum(isinstance(event, LastTrade) for event in heard)

    assert trades(10) > 4 * trades(1) > 0


def test_a_market_that_ends_resolves_and_another_one_opens() -> None:
    world = World(start_ms=NOON_MS, seed=5, markets=40, accounts=1)
    first = min(view.spec.end_ms for view in world.markets())
    world.advance_to(first + 1_000)
    closed = [view for view in world.markets() if view.closed]
    assert closed
    assert len(world.markets()) == 40 + len(closed)
    check_books(world)


def test_the_hidden_probability_is_a_martingale_near_enough() -> None:
    """After many jumps and steps its mean has not drifted, so the world's truths are honest."""
    world = World(start_ms=NOON_MS, seed=2, markets=150, accounts=0, speed=500)
    before = [world.crowd.opinions[view.spec.condition_id].truth() for view in world.markets()]
    world.step(10_000)
    after = [world.crowd.opinions[view.spec.condition_id].truth() for view in world.markets()]
    assert abs(sum(after) - sum(before)) / len(before) < 0.03
    assert after != before


def test_random_numbers_continue_from_one_integer() -> None:
    random = Random64(7)
    random.bits()
    again = Random64(random.state)
    assert [random.bits() for _ in range(5)] == [again.bits() for _ in range(5)]
    draws = [again.gauss() for _ in range(2_000)]
    assert abs(sum(draws) / 2_000) < 0.08
    assert abs(sum(draw * draw for draw in draws) / 2_000 - 1) < 0.12
