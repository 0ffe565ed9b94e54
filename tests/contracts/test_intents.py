"""What an IntentStore promises, on both databases."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.errors import (
    AmbiguousError,
    ConflictError,
    DatabaseError,
    LeaseLostError,
    NotAuthorisedError,
    NotFoundError,
)
from polyb0t.core.ids import ConditionId, IntentId, OrderId
from polyb0t.core.units import Pusd, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import PAPER_WALLET, Regime
from polyb0t.execution.store import Denied, Lease
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import ASSET, a_cancel, a_scope, an_order_for
from tests.support.clock import FakeClock
from tests.support.databases import World

STALE = Lease("engine", 0)


def denial(answer: object) -> str:
    assert isinstance(answer, Denied), answer
    return answer.code


class TestProposing:
    def test_what_is_stored_is_what_was_proposed_to_the_last_digit(self, world: World) -> None:
        intent = world.intent(model_probability=Decimal("0.123456789012345678901"))
        record = world.proposed(intent)
        assert record.status is IntentStatus.PENDING
        assert world.intents.get(intent.id).intent == intent
        assert record.digest == intent.digest

    def test_a_second_live_intent_on_a_target_is_a_duplicate(self, world: World) -> None:
        world.proposed()
        assert denial(world.intents.propose(world.intent(), world.lease)) == "duplicate"

    def test_the_unique_index_is_the_last_word_on_duplicates(self, world: World) -> None:
        first = world.proposed()
        columns = "id, scope, regime, intent_type, target, digest, canonical, condition_id, asset_id, side"
        columns += ", order_type, worst_price, amount, max_cost, approvals_required, created_at, deadline, status, updated_at"
        with pytest.raises(DatabaseError) as refused:
            values = columns.replace("id, scope", "'other', scope", 1)
            world.sql(
                f"INSERT INTO trade_intents ({columns}) SELECT {values} FROM trade_intents WHERE id = '{first.id}'"
            )
        assert "unique" in str(refused.value.__cause__).lower()

    def test_a_close_and_an_opening_on_one_asset_are_two_things(self, world: World) -> None:
        world.proposed()
        assert isinstance(world.intents.propose(world.close_intent(), world.lease), IntentRecord)

    @pytest.mark.parametrize("end", ["rejected", "expired", "failed"])
    def test_after_any_end_the_target_cools_down(self, world: World, end: str) -> None:
        record = world.proposed()
        match end:
            case "rejected":
                world.intents.reject(record.id, actor="user:anna", reason="no")
            case "expired":
                world.intents.expire(record.id, actor="user:anna")
            case _:
                world.approve(record.id)
                world.claim(record.id)
                world.intents.fail(record.id, world.lease, code="price_worse", detail="")
        assert denial(world.intents.propose(world.intent(), world.lease)) == "cooling_down"
        world.advance(899)
        world.engine.beat(world.lease, cycle=1)
        assert denial(world.intents.propose(world.intent(), world.lease)) == "cooling_down"
        world.advance(2)
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)

    def test_a_close_cools_down_for_a_minute_only(self, world: World) -> None:
        record = world.proposed(world.close_intent())
        world.intents.reject(record.id, actor="user:anna", reason="no")
        assert denial(world.intents.propose(world.close_intent(), world.lease)) == "cooling_down"
        world.advance(61)
        assert isinstance(world.intents.propose(world.close_intent(), world.lease), IntentRecord)

    def test_an_end_that_says_nothing_about_the_idea_asks_for_no_rest(self, world: World) -> None:
        record = world.proposed()
        world.intents.expire(record.id, actor="engine", code="other_regime")
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)

    def test_what_nobody_saw_expire_rests_a_moment_only_while_practising(self, world: World) -> None:
        world.proposed()
        world.advance(60)
        world.intents.expire_due(world.lease)
        assert denial(world.intents.propose(world.intent(), world.lease)) == "cooling_down"
        world.advance(5)
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)

    def test_what_was_seen_to_expire_rests_in_full(self, world: World) -> None:
        world.intents.mark_seen([world.proposed().id], actor="user:anna")
        world.advance(60)
        world.intents.expire_due(world.lease)
        world.advance(899)
        assert denial(world.intents.propose(world.intent(), world.lease)) == "cooling_down"

    def test_an_older_refusal_outlasts_a_newer_end_without_a_rest(self, world: World) -> None:
        world.intents.reject(world.proposed().id, actor="user:anna", reason="no")
        newer = world.intent()
        patient = world.open(opening_cooldown_seconds=0)
        assert isinstance(patient.intents.propose(newer, world.lease), IntentRecord)
        patient.close()
        world.advance(1)
        world.intents.expire(newer.id, actor="engine", code="other_regime")
        assert denial(world.intents.propose(world.intent(), world.lease)) == "cooling_down"

    def test_the_rest_after_a_deadline_begins_there_however_late_it_was_written_down(
        self, world: World
    ) -> None:
        world.intents.mark_seen([world.proposed().id], actor="user:anna")
        world.advance(60 + 900)
        world.intents.expire_due(world.lease)
        assert isinstance(world.intents.propose(world.intent(), world.lease), IntentRecord)

    def test_whoever_decides_by_the_list_gets_all_of_it(self, world: World) -> None:
        for number in range(103):
            world.proposed(asset_id=str(number))
        assert len(world.intents.list(limit=None)) == 103
        before = world.intents.now()
        world.advance(1)
        rejected = world.intents.list(limit=1)[0]
        world.intents.reject(rejected.id, actor="user:anna", reason="no")
        moved = world.intents.list(limit=None, changed_since=before)
        assert [record.id for record in moved] == [rejected.id]

    def test_another_scopes_intent_is_refused(self, world: World) -> None:
        foreign = world.intent(scope=str(a_scope(wallet="0x" + "1" * 40)))
        assert denial(world.intents.propose(foreign, world.lease)) == "foreign_scope"

    def test_nothing_is_opened_while_a_switch_is_tripped_but_a_reducing_one_lets_closes_pass(
        self, world: World
    ) -> None:
        world.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="down 15 %")
        assert denial(world.intents.propose(world.intent(), world.lease)) == "halted"
        assert isinstance(world.intents.propose(world.close_intent(), world.lease), IntentRecord)

    def test_superseding_expires_the_old_and_inserts_the_new_together(self, world: World) -> None:
        old = world.proposed()
        new = world.intents.supersede(old.id, world.intent(), world.lease)
        assert isinstance(new, IntentRecord)
        expired = world.intents.get(old.id)
        assert (expired.status, expired.result) == (IntentStatus.EXPIRED, "superseded")

    def test_an_approved_intent_is_never_superseded_and_nothing_is_inserted(self, world: World) -> None:
        old = world.approved()
        new = world.intent()
        assert denial(world.intents.supersede(old.id, new, world.lease)) == "already_decided"
        with pytest.raises(NotFoundError):
            world.intents.get(new.id)
        assert world.intents.get(old.id).status is IntentStatus.APPROVED


class TestFinding:
    def test_a_unique_prefix_is_enough(self, world: World) -> None:
        record = world.proposed(id=IntentId("abcd000000000000"))
        assert world.intents.find("ABC") == record

    def test_an_ambiguous_prefix_names_the_candidates(self, world: World) -> None:
        world.proposed(id=IntentId("abcd000000000000"))
        world.proposed(world.close_intent(id=IntentId("abce000000000000")))
        with pytest.raises(AmbiguousError) as error:
            world.intents.find("abc")
        assert "abcd000000000000" in error.value.why
        assert "abce000000000000" in error.value.why

    @pytest.mark.parametrize("prefix", ["zzzz", "", "%", "_"])
    def test_what_is_not_there_is_not_found(self, world: World, prefix: str) -> None:
        world.proposed(id=IntentId("abcd000000000000"))
        with pytest.raises(NotFoundError):
            world.intents.find(prefix)

    def test_the_shortest_prefixes_tell_intents_apart(self, world: World) -> None:
        near, far = IntentId("abcdef0000000000"), IntentId("abcdeg0000000000")
        alone = IntentId("z000000000000000")
        world.proposed(id=near)
        world.proposed(world.close_intent(id=far))
        world.proposed(world.intent(id=alone, asset_id="77"))
        assert world.intents.shortest_prefixes([near, far, alone]) == {
            near: "abcdef",
            far: "abcdeg",
            alone: "z000",
        }

    def test_named_intents_come_together_and_what_is_not_there_is_left_out(self, world: World) -> None:
        made = [world.proposed(asset_id=str(n)) for n in range(3)]
        asked = [made[0].id, made[2].id, IntentId("0000000000000000")]
        assert world.intents.named(asked) == {made[0].id: made[0], made[2].id: made[2]}
        assert world.intents.named([]) == {}

    def test_the_list_is_newest_first_and_continues_after_an_intent(self, world: World) -> None:
        at = world.intents.now()
        made = [
            world.proposed(world.intent(asset_id=str(n), created_at=at + timedelta(milliseconds=n // 2)))
            for n in range(5)
        ]
        newest_first = sorted(made, key=lambda one: (one.intent.created_at, one.id), reverse=True)
        first = world.intents.list(limit=2)
        rest = world.intents.list(before=first[-1].id)
        assert [one.id for one in (*first, *rest)] == [one.id for one in newest_first]

    def test_the_list_filters_by_status_and_type(self, world: World) -> None:
        opening = world.approved()
        closing = world.proposed(world.close_intent())
        assert [one.id for one in world.intents.list(statuses=[IntentStatus.PENDING])] == [closing.id]
        assert [one.id for one in world.intents.list(types=[IntentType.OPEN_POSITION])] == [opening.id]


class TestDeciding:
    def test_an_approval_fixes_who_when_and_until_when(self, world: World) -> None:
        record = world.approved()
        assert record.status is IntentStatus.APPROVED
        assert record.decided_by == "user:anna"
        assert record.decided_at is not None
        assert record.execute_by == record.intent.deadline

    def test_a_late_approval_leaves_the_grace_to_execute(self, world: World) -> None:
        record = world.proposed()
        world.advance(58)
        approved = world.approve(record.id)
        assert approved.decided_at is not None
        assert approved.execute_by == approved.decided_at + timedelta(seconds=10)

    def test_the_second_approver_learns_who_was_first(self, world: World) -> None:
        record = world.approved()
        with pytest.raises(ConflictError) as error:
            world.approve(record.id, actor="user:bert")
        assert error.value.code == "already_decided"
        assert "user:anna" in error.value.why

    def test_approving_other_content_than_was_read_is_refused(self, world: World) -> None:
        record = world.proposed()
        with pytest.raises(ConflictError) as error:
            world.intents.approve(record.id, digest="0" * 64, actor="user:anna", grace_seconds=10)
        assert error.value.code == "digest_mismatch"
        assert world.intents.get(record.id).status is IntentStatus.PENDING

    @pytest.mark.parametrize("seconds", [60, 3600])
    def test_at_the_deadline_it_is_over_and_stays_over(self, world: World, seconds: int) -> None:
        record = world.proposed()
        world.advance(seconds)
        with pytest.raises(ConflictError) as error:
            world.approve(record.id)
        assert error.value.code == "expired"
        assert world.intents.get(record.id).status is IntentStatus.EXPIRED

    def test_a_wall_clock_that_is_set_back_revives_nothing(self, world: World) -> None:
        record = world.proposed()
        world.advance(61)
        world.engine.note(world.lease, kind="clock.checked", subject="clock", payload={}, actor="engine")
        world.clock.jump_wall(seconds=-3600)
        with pytest.raises(ConflictError) as error:
            world.approve(record.id)
        assert error.value.code == "expired"

    def test_nothing_is_approved_while_halted(self, world: World) -> None:
        closing = world.proposed(world.close_intent())
        world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
        with pytest.raises(ConflictError) as error:
            world.approve(closing.id)
        assert error.value.code == "halted"
        assert "lunch" in error.value.why

    def test_a_cancel_is_approved_while_halted(self, world: World) -> None:
        world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
        cancel = a_cancel(OrderId("0x1"), created_at=world.intents.now())
        assert world.approved(cancel).status is IntentStatus.APPROVED

    def test_claims_are_refused_with_their_own_code(self, world: World) -> None:
        record = world.proposed(world.close_intent(intent_type=IntentType.CLAIM_SETTLEMENT))
        with pytest.raises(ConflictError) as error:
            world.approve(record.id)
        assert error.value.code == "claims_not_available"

    @pytest.mark.parametrize("actor", ["engine:paper", "engine", "", "user:", "anna", "standing:1"])
    def test_only_a_person_decides_outside_paper(self, world: World, actor: str) -> None:
        record = world.proposed()
        with pytest.raises(NotAuthorisedError):
            world.approve(record.id, actor=actor)
        assert world.intents.get(record.id).status is IntentStatus.PENDING

    def test_in_paper_the_engine_may_decide(self, database_url: str, clock: FakeClock) -> None:
        scope = a_scope(wallet=PAPER_WALLET)
        world = World(database_url, clock, scope)
        record = world.proposed(scope=str(scope), regime=Regime.PAPER)
        assert world.approve(record.id, actor="engine:paper").decided_by == "engine:paper"
        world.close()

    def test_nothing_of_paper_is_proposed_in_an_account(self, world: World) -> None:
        refused = world.intents.propose(world.intent(regime=Regime.PAPER), world.lease)
        assert isinstance(refused, Denied)
        assert refused.code == "wrong_regime"

    def test_two_approvals_cannot_be_given_by_one(self, world: World) -> None:
        record = world.proposed(approvals_required=2)
        with pytest.raises(NotAuthorisedError) as error:
            world.approve(record.id)
        assert error.value.code == "token_needed"

    @pytest.mark.parametrize("approve_first", [False, True])
    def test_pending_and_approved_intents_can_be_rejected(self, world: World, approve_first: bool) -> None:
        record = world.approved() if approve_first else world.proposed()
        rejected = world.intents.reject(record.id, actor="user:bert", reason="too dear")
        assert (rejected.status, rejected.decided_by) == (IntentStatus.REJECTED, "user:bert")
        assert rejected.result_detail == "too dear"

    def test_what_is_executing_is_not_rejected_or_expired(self, world: World) -> None:
        record = world.claimed()
        with pytest.raises(ConflictError):
            world.intents.reject(record.id, actor="user:bert", reason="too late")
        with pytest.raises(ConflictError):
            world.intents.expire(record.id, actor="user:bert")

    def test_everything_past_its_time_expires(self, world: World) -> None:
        pending = world.proposed()
        approved = world.approved(world.close_intent())
        waiting = world.proposed(
            world.intent(asset_id="9", deadline=world.intents.now() + timedelta(hours=1))
        )
        world.advance(61)
        expired = {record.id for record in world.intents.expire_due(world.lease)}
        assert expired == {pending.id, approved.id}
        assert world.intents.get(waiting.id).status is IntentStatus.PENDING
        assert "unseen" in world.intents.get(pending.id).result_detail

    def test_seen_is_noted_now_and_then_and_is_no_journal_entry(self, world: World) -> None:
        record = world.proposed()
        before = world.kinds()
        world.intents.mark_seen([record.id], actor="user:anna")
        first = world.intents.get(record.id).seen_at
        assert first is not None
        world.advance(5)
        world.intents.mark_seen([record.id], actor="user:anna")
        assert world.intents.get(record.id).seen_at == first
        world.advance(20)
        world.intents.mark_seen([record.id], actor="user:anna")
        assert (world.intents.get(record.id).seen_at or first) > first
        assert world.kinds() == before


class TestClaiming:
    def test_a_claim_reserves_the_greatest_cost(self, world: World) -> None:
        record = world.claimed()
        assert record.status is IntentStatus.EXECUTING
        assert world.orders.reserved_pusd() == record.intent.max_cost

    def test_a_sale_reserves_its_shares(self, world: World) -> None:
        world.claimed(world.close_intent())
        assert world.orders.reserved_shares(ASSET) == Shares(Decimal(20))
        assert world.orders.reserved_pusd() == 0

    def test_a_dry_run_and_a_cancel_reserve_nothing(self, world: World) -> None:
        dry = world.approved(regime=Regime.DRY_RUN)
        assert isinstance(world.claim(dry.id, Regime.DRY_RUN), IntentRecord)
        cancel = world.approved(a_cancel(OrderId("0x1"), created_at=world.intents.now()))
        assert isinstance(world.claim(cancel.id), IntentRecord)
        assert world.orders.reserved_pusd() == 0

    def test_it_is_claimed_once(self, world: World) -> None:
        record = world.claimed()
        assert denial(world.claim(record.id)) == "not_approved"
        assert world.orders.reserved_pusd() == record.intent.max_cost

    def test_a_pending_intent_is_not_claimed(self, world: World) -> None:
        record = world.proposed()
        assert denial(world.claim(record.id)) == "not_approved"
        assert world.intents.get(record.id).status is IntentStatus.PENDING

    def test_after_execute_by_it_expires(self, world: World) -> None:
        record = world.approved()
        world.advance(60)
        assert denial(world.claim(record.id)) == "expired"
        assert world.intents.get(record.id).status is IntentStatus.EXPIRED

    def test_an_executor_of_another_regime_refuses_it(self, world: World) -> None:
        record = world.approved(regime=Regime.DRY_RUN)
        assert denial(world.claim(record.id, Regime.LIVE)) == "wrong_regime"
        failed = world.intents.get(record.id)
        assert (failed.status, failed.result) == (IntentStatus.FAILED, "wrong_regime")

    @pytest.mark.parametrize(
        ("limits", "code"),
        [
            ({"spendable_pusd": None}, "balance_unknown"),
            ({"spendable_pusd": Pusd(Decimal("10.199999"))}, "balance_too_low"),
            ({"max_order_pusd": Pusd(Decimal(10))}, "order_too_large"),
            (
                {"max_exposure_pusd": Pusd(Decimal(100)), "held_cost_pusd": Pusd(Decimal(90))},
                "exposure_too_high",
            ),
        ],
    )
    def test_a_limit_that_does_not_hold_fails_it(
        self, world: World, limits: dict[str, Any], code: str
    ) -> None:
        record = world.approved()
        assert denial(world.claim(record.id, **limits)) == code
        failed = world.intents.get(record.id)
        assert (failed.status, failed.result) == (IntentStatus.FAILED, code)
        assert world.orders.reserved_pusd() == 0

    @pytest.mark.parametrize(
        "limits",
        [
            {"spendable_pusd": Pusd(Decimal("20.399999"))},
            {"max_exposure_pusd": Pusd(Decimal("20.399999"))},
        ],
    )
    def test_limits_count_what_is_reserved_already(self, world: World, limits: dict[str, Any]) -> None:
        world.claimed()
        second = world.approved(asset_id="2", condition_id=ConditionId("0x02"))
        assert denial(world.claim(second.id, **limits)) in ("balance_too_low", "exposure_too_high")

    def test_shares_are_not_sold_twice(self, world: World) -> None:
        world.claimed(world.close_intent())
        opening = replace(world.close_intent(), intent_type=IntentType.OPEN_POSITION)
        second = world.approved(opening)
        assert denial(world.claim(second.id, closable_shares=Shares(Decimal("39.9")))) == "shares_too_few"

    def test_unknown_holdings_are_not_sold(self, world: World) -> None:
        record = world.approved(world.close_intent())
        assert denial(world.claim(record.id, closable_shares=None)) == "shares_unknown"

    def test_nothing_is_opened_beside_an_order_of_unknown_fate(self, world: World) -> None:
        order = world.permitted()
        world.orders.settle(order.id, world.lease, status=OrderStatus.UNKNOWN, code="timeout", detail="")
        beside = world.approved(asset_id="other outcome")
        assert denial(world.claim(beside.id)) == "market_blocked"

    def test_a_stale_lease_claims_nothing_and_touches_nothing(self, world: World) -> None:
        record = world.approved()
        with pytest.raises(LeaseLostError):
            world.intents.claim(record.id, STALE, Regime.LIVE, limits=None)  # type: ignore[arg-type]
        assert world.intents.get(record.id).status is IntentStatus.APPROVED

    @pytest.mark.parametrize("switch", list(KillSwitchType))
    def test_a_missing_switch_row_stops_openings_and_closes_but_no_cancel(
        self, world: World, switch: KillSwitchType
    ) -> None:
        opening = world.approved()
        closing = world.approved(world.close_intent())
        cancel = world.approved(a_cancel(OrderId("0x1"), created_at=world.intents.now()))
        world.sql(f"DELETE FROM kill_switches WHERE name = '{switch}'")
        assert denial(world.claim(opening.id)) == "halted"
        assert denial(world.claim(closing.id)) == "halted"
        assert isinstance(world.claim(cancel.id), IntentRecord)

    def test_an_opening_needs_the_epoch_of_its_approval(self, world: World) -> None:
        record = world.approved()
        world.sql("UPDATE gates SET epoch = epoch + 1")
        assert denial(world.claim(record.id)) == "halted"

    def test_a_close_does_not_compare_the_epoch(self, world: World) -> None:
        record = world.approved(world.close_intent())
        world.sql("UPDATE gates SET epoch = epoch + 1")
        assert isinstance(world.claim(record.id), IntentRecord)


class TestPermitting:
    def test_the_signed_order_is_stored_before_anything_leaves(self, world: World) -> None:
        order = world.permitted()
        assert order.status is OrderStatus.SIGNED
        assert (order.copies, order.signed_order) == (1, '{"salt":1}')
        assert world.intents.get(order.intent_id).order_id == order.id

    def test_a_second_permit_is_refused_and_leaves_the_first_alone(self, world: World) -> None:
        order = world.permitted()
        intent = world.intents.get(order.intent_id)
        other = an_order_for(intent.intent, id=OrderId("0xother"))
        again = world.intents.permit(other, world.lease, post_budget_seconds=10)
        assert denial(again) == "already_permitted"
        assert world.intents.get(order.intent_id).status is IntentStatus.EXECUTING
        assert world.orders.reserved_pusd() == intent.intent.max_cost

    def test_the_database_itself_refuses_a_second_order_of_an_intent(self, world: World) -> None:
        order = world.permitted()
        names = "intent_id, scope, regime, condition_id, asset_id, side, order_type, price, shares, amount"
        names += ", l2_timestamp, credential_id, copies, created_at, status, updated_at"
        with pytest.raises(DatabaseError):
            world.sql(f"INSERT INTO orders (id, {names}) SELECT 'second', {names} FROM orders")
        assert [one.id for one in world.orders.orders()] == [order.id]

    def test_what_is_not_executing_gets_no_permit_and_is_left_alone(self, world: World) -> None:
        record = world.approved()
        assert denial(world.permit(record.intent)) == "not_executing"
        assert world.intents.get(record.id).status is IntentStatus.APPROVED

    def refused(self, world: World, record: IntentRecord, code: str) -> None:
        assert denial(world.permit(record.intent)) == code
        failed = world.intents.get(record.id)
        assert (failed.status, failed.result) == (IntentStatus.FAILED, code)
        assert world.orders.reserved_pusd() == 0
        assert world.orders.orders() == ()

    def test_a_trip_between_claim_and_permit_stops_it(self, world: World) -> None:
        record = world.claimed()
        world.switches.trip(KillSwitchType.STALE_DATA, actor="engine", reason="no prices")
        self.refused(world, record, "halted")

    def test_a_trip_that_was_cleared_again_still_stops_it(self, world: World) -> None:
        record = world.claimed()
        world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="oops")
        world.switches.clear(KillSwitchType.MANUAL, actor="user:anna", reason="fine again")
        self.refused(world, record, "halted")

    def test_a_missing_switch_row_stops_it(self, world: World) -> None:
        record = world.claimed()
        world.sql("DELETE FROM kill_switches WHERE name = 'MANUAL'")
        self.refused(world, record, "halted")

    def test_after_execute_by_there_is_no_permit(self, world: World) -> None:
        record = world.claimed()
        world.advance(60)
        world.engine.beat(world.lease, cycle=1)
        self.refused(world, record, "expired")

    def test_a_lease_that_would_end_during_the_send_permits_nothing(self, world: World) -> None:
        record = world.claimed()
        world.advance(16)  # 30 s of lease, 10 s to send, 5 s of margin
        self.refused(world, record, "lease_short")

    def test_a_lease_that_was_beaten_in_time_permits(self, world: World) -> None:
        record = world.claimed()
        world.advance(16)
        world.engine.beat(world.lease, cycle=1)
        assert isinstance(world.permit(record.intent), OrderRecord)

    def test_a_lost_lease_permits_nothing_and_touches_nothing(self, world: World) -> None:
        record = world.claimed()
        world.start_engine(take_over_from=world.lease.token)
        with pytest.raises(LeaseLostError):
            world.permit(record.intent)
        assert world.intents.get(record.id).status is IntentStatus.EXECUTING
        assert world.orders.orders() == ()

    def test_what_an_earlier_engine_claimed_is_not_permitted_by_the_next(self, world: World) -> None:
        record = world.claimed()
        world.lease = world.start_engine(take_over_from=world.lease.token)
        self.refused(world, record, "interrupted")

    def test_a_dry_run_is_never_permitted(self, world: World) -> None:
        record = world.approved(regime=Regime.DRY_RUN)
        world.claim(record.id, Regime.DRY_RUN)
        self.refused(world, record, "wrong_regime")

    def test_a_database_of_another_schema_version_permits_nothing(self, world: World) -> None:
        record = world.claimed()
        world.sql("UPDATE gates SET schema_version = 999")
        with pytest.raises(DatabaseError) as error:
            world.permit(record.intent)
        assert error.value.code == "schema_newer"


class TestEnding:
    def test_what_a_crash_left_between_claim_and_permit_is_found_and_failed(self, world: World) -> None:
        left = world.claimed()
        order = world.permitted(world.intent(asset_id="2", condition_id=ConditionId("0x02")))
        assert [one.id for one in world.intents.executing_without_order()] == [left.id]
        failed = world.intents.fail(left.id, world.lease, code="interrupted", detail="the engine stopped")
        assert failed.status is IntentStatus.FAILED
        assert world.intents.get(order.intent_id).status is IntentStatus.EXECUTING

    def test_an_intent_with_an_order_cannot_be_failed_by_hand(self, world: World) -> None:
        order = world.permitted()
        with pytest.raises(ConflictError):
            world.intents.fail(order.intent_id, world.lease, code="interrupted", detail="")
        assert world.orders.reserved_pusd() > 0

    def test_a_dry_run_is_finished_without_an_order(self, world: World) -> None:
        record = world.approved(regime=Regime.DRY_RUN)
        world.claim(record.id, Regime.DRY_RUN)
        done = world.intents.finish(record.id, world.lease, code="dry_run", detail="would have filled 21")
        assert (done.status, done.result) == (IntentStatus.EXECUTED, "dry_run")
        assert (
            denial(world.intents.propose(world.intent(regime=Regime.DRY_RUN), world.lease)) == "cooling_down"
        )

    def test_a_live_trade_cannot_be_finished_without_an_order(self, world: World) -> None:
        record = world.claimed()
        with pytest.raises(ConflictError):
            world.intents.finish(record.id, world.lease, code="accepted", detail="")

    def test_every_step_is_in_the_journal_with_actor_from_and_to(self, world: World) -> None:
        record = world.claimed()
        world.intents.fail(record.id, world.lease, code="price_worse", detail="48 ct")
        entries = world.engine.journal(subject=record.id)
        assert [(entry.kind, entry.actor) for entry in entries] == [
            ("intent.proposed", "engine"),
            ("intent.approved", "user:anna"),
            ("intent.claimed", "engine"),
            ("intent.failed", "engine"),
        ]
        assert '"from":"EXECUTING"' in entries[-1].payload
        assert '"to":"FAILED"' in entries[-1].payload
