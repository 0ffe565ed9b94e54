"""What a person writes: own ideas, smaller forms, muted markets; on both databases."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.errors import ConflictError, NotAuthorisedError, UsageError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, Purpose, TradeIntent
from polyb0t.execution.smaller import smaller_form
from polyb0t.execution.store import Denied
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import CONDITION
from tests.support.databases import World


def code_of(answer: object) -> str:
    assert isinstance(answer, Denied), answer
    return answer.code


def own(world: World, **changes: Any) -> TradeIntent:
    return world.intent(purpose=Purpose.PERSON, model_name="", edge_worst=None, edge_now=None, **changes)


def approve(world: World, intent: TradeIntent, **how: Any) -> IntentRecord:
    given: dict[str, Any] = {"digest": intent.digest, "actor": "user:anna", "grace_seconds": 10, **how}
    return world.stores.by_hand.propose_and_approve(intent, **given)


class TestOwnIdeas:
    def test_needs_no_engine_and_says_whose_it_is(self, world: World) -> None:
        intent = own(world)
        record = world.stores.by_hand.propose(intent, actor="user:anna")
        assert isinstance(record, IntentRecord)
        assert record.status is IntentStatus.PENDING
        (entry,) = world.engine.journal(subject=intent.id)
        assert (entry.kind, entry.actor) == ("intent.proposed", "user:anna")

    @pytest.mark.parametrize("actor", ["engine", "engine:paper", "standing:x", ""])
    def test_only_a_person_has_one(self, world: World, actor: str) -> None:
        with pytest.raises(NotAuthorisedError):
            world.stores.by_hand.propose(own(world), actor=actor)

    def test_two_on_one_target_are_one_too_many(self, world: World) -> None:
        waiting = world.proposed()
        assert code_of(world.stores.by_hand.propose(own(world), actor="user:anna")) == "duplicate"
        with pytest.raises(ConflictError) as refused:
            approve(world, own(world))
        assert refused.value.code == "duplicate"
        assert world.intents.get(waiting.id).status is IntentStatus.PENDING

    def test_nobodys_rest_is_waited_for(self, world: World) -> None:
        world.intents.reject(world.proposed().id, actor="user:anna", reason="no")
        assert isinstance(world.stores.by_hand.propose(own(world), actor="user:anna"), IntentRecord)

    def test_proposed_and_approved_with_one_act(self, world: World) -> None:
        intent = own(world)
        record = approve(world, intent)
        assert (record.status, record.decided_by) == (IntentStatus.APPROVED, "user:anna")
        assert world.kinds(intent.id) == ["intent.proposed", "intent.approved"]

    def test_of_an_act_that_is_refused_nothing_stays(self, world: World) -> None:
        intent = own(world)
        with pytest.raises(ConflictError) as refused:
            approve(world, intent, digest="0" * 64)
        assert refused.value.code == "digest_mismatch"
        assert world.intents.list() == ()

    def test_a_tripped_switch_stops_it(self, world: World) -> None:
        world.switches.trip(KillSwitchType.STALE_DATA, actor="engine", reason="old")
        with pytest.raises(ConflictError) as refused:
            approve(world, own(world))
        assert refused.value.code == "halted"

    def test_a_sale_by_hand_takes_the_place_of_an_exit_that_waits(self, world: World) -> None:
        waiting = world.proposed(world.close_intent())
        mine = world.close_intent(purpose=Purpose.PERSON)
        assert code_of(world.stores.by_hand.propose(mine, actor="user:anna")) == "duplicate"
        record = approve(world, mine, replaces_waiting=True)
        assert record.status is IntentStatus.APPROVED
        assert world.intents.get(waiting.id).result == "superseded"

    def test_but_not_of_one_that_is_decided(self, world: World) -> None:
        decided = world.approved(world.close_intent())
        with pytest.raises(ConflictError) as refused:
            approve(world, world.close_intent(purpose=Purpose.PERSON), replaces_waiting=True)
        assert refused.value.code == "duplicate"
        assert world.intents.get(decided.id).status is IntentStatus.APPROVED


class TestLess:
    def less(self, world: World, old: IntentRecord, **how: Any) -> TradeIntent:
        given: dict[str, Any] = {"shares": None, "worst_price": None, **how}
        return smaller_form(old.intent, now=world.intents.now(), **given)

    def approve(self, world: World, old: IntentRecord, new: TradeIntent, **how: Any) -> IntentRecord:
        given: dict[str, Any] = {"digest": old.digest, "actor": "user:anna", "grace_seconds": 10, **how}
        return world.stores.by_hand.approve_less(old.id, new, **given)

    def test_a_smaller_form_supersedes_and_is_approved_by_the_same_act(self, world: World) -> None:
        old = world.proposed()
        new = self.less(world, old, shares=Shares(Decimal(12)))
        record = self.approve(world, old, new)
        assert (new.amount, new.max_cost) == (Decimal(6), Decimal("6.12"))
        assert new.least_shares == 12
        assert (record.status, record.intent) == (IntentStatus.APPROVED, new)
        assert new.digest != old.digest
        gone = world.intents.get(old.id)
        assert (gone.status, gone.result) == (IntentStatus.EXPIRED, "superseded")
        assert world.kinds(new.id) == ["intent.proposed", "intent.approved"]

    def test_a_better_price_keeps_the_money_and_asks_for_more_shares(self, world: World) -> None:
        old = world.proposed()
        new = self.less(world, old, worst_price=Price(Decimal("0.4")))
        assert (new.worst_price, new.amount) == (Decimal("0.4"), Decimal(10))
        assert new.least_shares == 25
        assert new.edge_worst is not None
        assert new.edge_worst > old.intent.edge_worst  # type: ignore[operator]
        assert self.approve(world, old, new).status is IntentStatus.APPROVED

    @pytest.mark.parametrize(
        "how",
        [
            {"shares": Shares(Decimal(21))},
            {"worst_price": Price(Decimal("0.51"))},
            {"shares": Shares(Decimal(20))},
            {"shares": Shares(Decimal(0))},
            {},
        ],
    )
    def test_more_or_the_same_is_refused(self, world: World, how: Any) -> None:
        old = world.proposed()
        with pytest.raises(UsageError) as refused:
            self.less(world, old, **how)
        assert refused.value.code == "not_smaller"

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": Pusd(Decimal(11)), "max_cost": Pusd(Decimal("11.22"))},
            {"worst_price": Price(Decimal("0.6"))},
            {"asset_id": AssetId("1234")},
            {"deadline": "later"},
            {"approvals_required": 0},
            {"reason": "Something else."},
            {"max_cost": Pusd(Decimal(50))},
        ],
    )
    def test_what_is_no_stricter_form_is_refused_where_it_is_stored(self, world: World, change: Any) -> None:
        old = world.proposed()
        new = self.less(world, old, shares=Shares(Decimal(12)))
        if change.get("deadline"):
            change = {"deadline": new.deadline + timedelta(hours=1)}
        with pytest.raises(ConflictError) as refused:
            self.approve(world, old, replace(new, **change))
        assert refused.value.code == "not_smaller"
        assert world.intents.get(old.id).status is IntentStatus.PENDING

    def test_less_of_a_sale(self, world: World) -> None:
        old = world.proposed(world.close_intent())
        new = self.less(world, old, shares=Shares(Decimal(12)), worst_price=Price(Decimal("0.455")))
        assert (new.shares, new.worst_price) == (Decimal(12), Decimal("0.46"))
        assert self.approve(world, old, new).status is IntentStatus.APPROVED
        with pytest.raises(UsageError):
            smaller_form(old.intent, shares=None, worst_price=Price(Decimal("0.39")), now=old.updated_at)

    @pytest.mark.parametrize("end", ["rejected", "expired", "seen other"])
    def test_what_was_decided_meanwhile_stays_decided(self, world: World, end: str) -> None:
        old = world.proposed()
        new, digest = self.less(world, old, shares=Shares(Decimal(12))), old.digest
        match end:
            case "rejected":
                world.intents.reject(old.id, actor="user:bob", reason="no")
            case "expired":
                world.advance(61)
            case _:
                digest = "0" * 64
        with pytest.raises(ConflictError):
            self.approve(world, old, new, digest=digest)
        assert [record.id for record in world.intents.list()] == [old.id]
        if end == "expired":
            assert world.intents.get(old.id).status is IntentStatus.EXPIRED


class TestMutes:
    def test_rejecting_and_muting_are_one_act(self, world: World) -> None:
        record = world.proposed()
        until = world.intents.now() + timedelta(hours=24)
        world.stores.by_hand.reject_and_mute(record.id, actor="user:anna", reason="dull", until=until)
        assert world.intents.get(record.id).status is IntentStatus.REJECTED
        (mute,) = world.stores.by_hand.mutes()
        assert (mute.condition_id, mute.until, mute.actor) == (CONDITION, until, "user:anna")

    def test_nobody_is_asked_about_a_muted_market_until_then(self, world: World) -> None:
        self.mute(world, hours=2)
        assert code_of(world.intents.propose(world.intent(), world.lease)) == "muted"
        world.advance(7_201)
        world.engine.beat(world.lease, cycle=1)
        assert world.stores.by_hand.mutes() == ()
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)

    def test_its_exits_and_own_ideas_go_on(self, world: World) -> None:
        self.mute(world, hours=2)
        assert isinstance(world.intents.propose(world.close_intent(), world.lease), IntentRecord)
        assert isinstance(world.stores.by_hand.propose(own(world), actor="user:anna"), IntentRecord)

    def test_unmuting(self, world: World) -> None:
        self.mute(world, hours=2)
        assert world.stores.by_hand.unmute(CONDITION, actor="user:anna")
        assert not world.stores.by_hand.unmute(CONDITION, actor="user:anna")
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)
        assert world.kinds(CONDITION) == ["market.muted", "market.unmuted"]

    def test_what_cannot_be_rejected_any_more_is_not_muted(self, world: World) -> None:
        record = world.claimed()
        until = world.intents.now() + timedelta(hours=2)
        with pytest.raises(ConflictError):
            world.stores.by_hand.reject_and_mute(record.id, actor="user:anna", reason="", until=until)
        assert world.stores.by_hand.mutes() == ()

    def mute(self, world: World, *, hours: float) -> None:
        until = world.intents.now() + timedelta(hours=hours)
        world.stores.by_hand.mute(CONDITION, question="?", until=until, actor="user:anna", reason="")
