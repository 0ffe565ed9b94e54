"""What a watch screen reads: anew only where something changed, and over the wire the same to the last digit."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import Level
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.onlookers import ShownBook
from polyb0t.execution.smaller import smaller_form
from polyb0t.runtime import watch_wire
from polyb0t.runtime.approving import exits_for
from polyb0t.runtime.as_shown import Named, exits_as_shown, smaller_as_shown
from polyb0t.runtime.opened import OpenedStore, open_store
from polyb0t.runtime.watch_look import Watcher, WatchLook
from tests.cli.conftest import Place


@pytest.fixture
def opened(place: Place) -> OpenedStore:
    assert place.url
    return open_store(load_settings())


def a_book(place: Place, asset: str = "1000") -> ShownBook:
    bids = (Level(Price(Decimal("0.59")), Shares(Decimal("410.5"))),)
    return ShownBook(AssetId(asset), bids, (), place.stores.intents.now())


class TestLooking:
    def test_nothing_is_read_again_while_nothing_changed(self, place: Place, opened: OpenedStore) -> None:
        place.propose()
        watcher = Watcher(opened)
        first, second = watcher.look(), watcher.look()
        assert second.rows is first.rows
        assert second.mark == first.mark
        assert second.now >= first.now

    def test_a_decision_a_beat_and_a_halt_file_are_changes(self, place: Place, opened: OpenedStore) -> None:
        record, watcher = place.propose(), Watcher(opened)
        marks = [watcher.look().mark]
        place.stores.intents.reject(record.id, actor="user:bob", reason="")
        marks.append(watcher.look().mark)
        place.stores.engine.beat(place.lease, cycle=2, facts={"cash_pusd": Decimal("12.5")})
        look = watcher.look()
        assert look.purse.cash_pusd == Decimal("12.5")
        marks.append(look.mark)
        opened.halt_file.write("test")
        marks.append(watcher.look().mark)
        assert len(set(marks)) == 4

    def test_books_and_onlookers_are_of_now_although_nothing_changed(
        self, place: Place, opened: OpenedStore
    ) -> None:
        record, watcher = place.propose(), Watcher(opened)
        before = watcher.look()
        place.stores.onlookers.look("b", actor="user:bob", looking_at=record.id)
        place.stores.onlookers.show([a_book(place)], keep=[AssetId("1000")])
        after = watcher.look()
        assert after.mark == before.mark
        assert [each.actor for each in after.onlookers] == ["user:bob"]
        assert after.books.keys() == {"1000"}

    def test_it_has_what_waits_what_is_under_way_and_what_ended_a_moment_ago(
        self, place: Place, opened: OpenedStore
    ) -> None:
        waits, approved, gone = place.propose(), place.propose(), place.propose()
        place.stores.intents.approve(approved.id, digest=approved.digest, actor="user:b", grace_seconds=10)
        place.stores.intents.reject(gone.id, actor="user:bob", reason="")
        rows = {row.record.id: row.record.status for row in Watcher(opened).look().rows}
        assert rows == {
            waits.id: IntentStatus.PENDING,
            approved.id: IntentStatus.APPROVED,
            gone.id: IntentStatus.REJECTED,
        }


class TestTheWire:
    def look(self, place: Place, opened: OpenedStore) -> WatchLook:
        place.propose()
        place.stores.onlookers.look("b", actor="user:bob", looking_at=None)
        place.stores.onlookers.show([a_book(place)], keep=[AssetId("1000")])
        place.stores.engine.beat(place.lease, cycle=2, facts={"cash_pusd": Decimal("12.5")})
        return Watcher(opened).look()

    def test_a_look_comes_back_as_it_was(self, place: Place, opened: OpenedStore) -> None:
        look = self.look(place, opened)
        assert watch_wire.read(watch_wire.written(look)) == look

    def test_and_so_does_what_changes_all_the_time(self, place: Place, opened: OpenedStore) -> None:
        look = self.look(place, opened)
        later = replace(look, now=look.now + timedelta(seconds=1), books={}, onlookers=())
        assert watch_wire.briefed(look, watch_wire.brief(later)) == later

    def test_a_trade_that_is_not_what_its_digest_says_is_not_shown(
        self, place: Place, opened: OpenedStore
    ) -> None:
        altered = json.loads(watch_wire.written(self.look(place, opened)))
        altered["rows"][0]["record"]["intent"]["max_cost"] = "1"
        with pytest.raises(ConflictError, match="not what its digest says"):
            watch_wire.read(json.dumps(altered))

    @pytest.mark.parametrize("text", ["{}", "[]", "null", '{"mark": 1}'])
    def test_what_is_no_look_is_refused(self, text: str) -> None:
        with pytest.raises(ConflictError):
            watch_wire.read(text)


class TestMadeAgain:
    def test_a_smaller_form_comes_out_the_same(self, place: Place) -> None:
        intent, now = place.propose().intent, place.stores.intents.now()
        half = Shares(Decimal(75))
        shown = smaller_form(intent, shares=half, worst_price=None, now=now)
        named = Named(shown.id, shown.created_at, shown.digest)
        assert smaller_as_shown(intent, half, named, now + timedelta(minutes=1)) == shown

    def test_another_size_another_digest_or_an_old_form_is_refused(self, place: Place) -> None:
        intent, now = place.propose().intent, place.stores.intents.now()
        half = Shares(Decimal(75))
        shown = smaller_form(intent, shares=half, worst_price=None, now=now)
        named = Named(shown.id, shown.created_at, shown.digest)
        for shares, name, at in (
            (Shares(Decimal(76)), named, now),
            (half, replace(named, digest="0" * 64), now),
            (half, named, now + timedelta(minutes=11)),
        ):
            with pytest.raises(ConflictError, match="not what was shown"):
                smaller_as_shown(intent, shares, name, at)
        with pytest.raises(UsageError):
            smaller_as_shown(intent, Shares(Decimal(1000)), named, now)

    def test_exits_come_out_the_same_and_under_other_settings_not(
        self, place: Place, opened: OpenedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        intent, now = place.propose().intent, place.stores.intents.now()
        shown = exits_for(opened, intent)
        named = Named(shown.id, shown.created_at, shown.digest)
        assert exits_as_shown(opened, intent, named, now) == shown
        monkeypatch.setenv("POLYBOT_STANDING_DAYS", "5")
        with pytest.raises(ConflictError, match="not what was shown"):
            exits_as_shown(open_store(load_settings()), intent, named, now)
