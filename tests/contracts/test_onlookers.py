"""Who looks at what, and the books beside it: hints that come and go, and that wait for nobody."""

from datetime import timedelta

from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import Price, Shares, parse_decimal
from polyb0t.data.order_book import Level
from polyb0t.execution.onlookers import LOOKING_SECONDS, ShownBook, people
from tests.support.clock import FakeClock
from tests.support.databases import World

RAIN, SNOW = AssetId("71"), AssetId("72")
K7M2 = IntentId("k7m2000000000000")


def level(price: str, shares: str) -> Level:
    return Level(Price(parse_decimal(price)), Shares(parse_decimal(shares)))


def book(world: World, asset: AssetId, bid: str = "0.59") -> ShownBook:
    return ShownBook(
        asset, (level(bid, "410"),), (level("0.6", "320.5"), level("0.61", "900")), world.stores.intents.now()
    )


class TestOnlookers:
    def test_a_screen_says_what_is_selected_and_its_newest_mark_counts(self, world: World) -> None:
        store = world.stores.onlookers
        store.look("screen1", actor="user:bob", looking_at=None)
        store.look("screen1", actor="user:bob", looking_at=K7M2)
        (bob,) = store.onlookers()
        assert (bob.actor, bob.looking_at) == ("user:bob", K7M2)

    def test_two_screens_of_one_person_are_one_person(self, world: World) -> None:
        for viewer, actor in (("a", "user:bob"), ("b", "user:bob"), ("c", "token:desk")):
            world.stores.onlookers.look(viewer, actor=actor, looking_at=None)
        assert sorted(people(world.stores.onlookers.onlookers())) == ["token:desk", "user:bob"]

    def test_who_closes_the_screen_or_falls_silent_is_gone(self, world: World) -> None:
        store = world.stores.onlookers
        store.look("a", actor="user:bob", looking_at=None)
        store.look("b", actor="user:carla", looking_at=None)
        store.leave("a")
        assert people(store.onlookers()) == ("user:carla",)

    def test_a_mark_is_old_after_ten_seconds(self, world: World, clock: FakeClock, database_url: str) -> None:
        if not database_url.startswith("sqlite"):
            return  # its clock is the server's, which a test does not move
        store = world.stores.onlookers
        store.look("a", actor="user:bob", looking_at=None)
        clock.advance(seconds=LOOKING_SECONDS)
        assert people(store.onlookers()) == ("user:bob",)
        clock.advance(seconds=0.001)
        assert store.onlookers() == ()

    def test_marks_are_not_journalled(self, world: World) -> None:
        before = world.stores.engine.last_sequence()
        world.stores.onlookers.look("a", actor="user:bob", looking_at=K7M2)
        world.stores.onlookers.show([book(world, RAIN)], keep=[RAIN])
        assert world.stores.engine.last_sequence() == before


class TestShownBooks:
    def test_a_book_comes_back_exactly(self, world: World) -> None:
        shown = book(world, RAIN)
        world.stores.onlookers.show([shown], keep=[RAIN])
        assert world.stores.onlookers.glance().books == {RAIN: shown}

    def test_the_newest_replaces_the_one_before_and_what_nobody_needs_goes(self, world: World) -> None:
        store = world.stores.onlookers
        store.show([book(world, RAIN), book(world, SNOW)], keep=[RAIN, SNOW])
        newer = book(world, RAIN, bid="0.58")
        store.show([newer], keep=[RAIN])
        assert store.glance().books == {RAIN: newer}

    def test_what_has_not_changed_stays(self, world: World) -> None:
        store = world.stores.onlookers
        rain = book(world, RAIN)
        store.show([rain], keep=[RAIN])
        store.show([], keep=[RAIN, SNOW])
        assert store.glance().books == {RAIN: rain}


class TestGlance:
    def test_it_tells_that_something_was_journalled_and_when_the_engine_was_heard(self, world: World) -> None:
        before = world.stores.onlookers.glance()
        world.proposed()
        after = world.stores.onlookers.glance()
        assert after.sequence > before.sequence
        assert after.beat is not None
        assert after.now - before.now < timedelta(minutes=1)
