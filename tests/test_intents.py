"""What an intent is, how it may move, and how a person's decision about it is answered."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.db.rows import parse_intent
from polyb0t.execution.intents import (
    LIVE_STATUSES,
    TRANSITIONS,
    Denied,
    IntentManager,
    IntentRecord,
    IntentStatus,
    IntentType,
    ProposingRules,
    Purpose,
    TradeIntent,
    edge_at,
    superseded_because,
)
from polyb0t.execution.orders import ORDER_TRANSITIONS, TERMINAL_ORDER, UNRESOLVED_ORDER, OrderStatus
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.taken_back import TakenBack
from tests.support.builders import a_cancel, a_close, an_intent
from tests.support.engine_room import EngineRoom

S = IntentStatus
O = OrderStatus  # noqa: E741 - reads well in the tables below
RULES = ProposingRules(edge_min=Decimal("0.015"))


# -- facts about the tables --------------------------------------------------------------------


def test_the_words_are_the_agreed_ones() -> None:
    assert {str(status) for status in S} == {
        "PENDING",
        "APPROVED",
        "EXECUTING",
        "EXECUTED",
        "REJECTED",
        "EXPIRED",
        "FAILED",
    }
    assert {str(kind) for kind in IntentType} == {
        "OPEN_POSITION",
        "CLOSE_POSITION",
        "CLAIM_SETTLEMENT",
        "CANCEL_ORDER",
    }


def test_every_status_has_its_line_and_no_line_leads_to_itself() -> None:
    assert set(TRANSITIONS) == set(S)
    assert set(ORDER_TRANSITIONS) == set(O)
    assert all(status not in after for status, after in TRANSITIONS.items())
    assert all(status not in after for status, after in ORDER_TRANSITIONS.items())


def test_an_intent_never_comes_back() -> None:
    def reach(status: IntentStatus) -> set[IntentStatus]:
        found: set[IntentStatus] = set()
        todo = [status]
        while todo:
            for after in TRANSITIONS[todo.pop()] - found:
                found.add(after)
                todo.append(after)
        return found

    assert all(status not in reach(status) for status in S)


def test_every_way_to_execution_leads_through_an_approval_and_a_claim() -> None:
    into = {status: {before for before, after in TRANSITIONS.items() if status in after} for status in S}

    assert into[S.PENDING] == set()
    assert into[S.APPROVED] == {S.PENDING}
    assert into[S.EXECUTING] == {S.APPROVED}
    assert into[S.EXECUTED] == {S.EXECUTING, S.FAILED}
    assert into[S.FAILED] == {S.EXECUTING}
    assert into[S.REJECTED] == into[S.EXPIRED] == {S.PENDING, S.APPROVED}


def test_what_was_claimed_can_only_succeed_or_fail() -> None:
    assert TRANSITIONS[S.EXECUTING] == {S.EXECUTED, S.FAILED}
    assert {S.PENDING, S.APPROVED, S.EXECUTING} == LIVE_STATUSES


def test_no_order_is_believed_to_be_unsent_again() -> None:
    assert all(O.SIGNED not in after for after in ORDER_TRANSITIONS.values())
    assert all(
        O.UNKNOWN not in after for status, after in ORDER_TRANSITIONS.items() if status is not O.SIGNED
    )


def test_only_an_unseen_order_can_be_proven_absent_and_only_a_signed_one_refused() -> None:
    def into(status: OrderStatus) -> set[OrderStatus]:
        return {before for before, after in ORDER_TRANSITIONS.items() if status in after}

    assert into(O.ABSENT) == {O.UNKNOWN, O.VANISHED}
    assert into(O.REFUSED) == {O.SIGNED}
    assert into(O.VANISHED) == {O.LIVE, O.DELAYED}


def test_an_end_is_left_for_better_evidence_only() -> None:
    assert {O.FILLED, O.CANCELLED, O.EXPIRED, O.REFUSED, O.ABSENT} == TERMINAL_ORDER
    assert set(O) - TERMINAL_ORDER == UNRESOLVED_ORDER
    evidence = {O.LIVE, O.MATCHED, O.FILLED, O.CANCELLED, O.EXPIRED}
    assert all(ORDER_TRANSITIONS[end] <= evidence for end in TERMINAL_ORDER)


# -- an intent is immutable --------------------------------------------------------------------


def test_an_intent_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        an_intent().amount = Pusd(Decimal(1_000))  # type: ignore[misc]


def test_the_digest_is_of_the_versioned_canonical_text() -> None:
    intent = an_intent()

    assert intent.digest == sha256_hex(intent.canonical)
    assert '"version":"polyb0t-intent-v1"' in intent.canonical


def test_a_change_of_any_field_changes_the_digest() -> None:
    intent = an_intent()
    samples: dict[type, Any] = {str: "other", bool: None, Decimal: Decimal("0.777"), int: 77, tuple: ()}
    for field in fields(intent):
        now = getattr(intent, field.name)
        other = not now if isinstance(now, bool) else samples.get(type(now), "other")
        if field.name in ("created_at", "deadline", "end_date"):
            other = now + timedelta(microseconds=1)
        if now is None:
            other = 5
        if now == ():
            other = ("stop_loss",)
        if field.name == "taken_back":
            other = TakenBack(Decimal("0.5"), Decimal("0.49"), Decimal("0.04"))

        changed: dict[str, Any] = {field.name: other}
        assert replace(intent, **changed).digest != intent.digest, field.name


def test_each_type_aims_at_its_own_kind_of_target() -> None:
    order_id = OrderId("0x" + "12" * 32)

    assert an_intent().target == a_close().target == an_intent().asset_id
    assert a_cancel(order_id).target == order_id
    claim = an_intent(intent_type=IntentType.CLAIM_SETTLEMENT)
    assert claim.target == claim.condition_id


# -- proposing is sparing ----------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


@pytest.fixture
def manager(room: EngineRoom) -> IntentManager:
    return IntentManager(room.stores.intents, RULES)


def larger(**changes: Any) -> TradeIntent:
    """The same idea, a quarter larger."""
    return an_intent(amount=Pusd(Decimal("12.50")), **changes)


def code(answer: IntentRecord | Denied) -> str:
    assert isinstance(answer, Denied), answer
    return answer.code


def test_the_same_idea_a_moment_later_leaves_the_waiting_one_alone(
    room: EngineRoom, manager: IntentManager
) -> None:
    first = manager.propose(an_intent(), room.lease)
    assert isinstance(first, IntentRecord)

    assert code(manager.propose(an_intent(), room.lease)) == "still_good"
    assert room.stores.intents.get(first.id).status is S.PENDING


@pytest.mark.parametrize(
    ("newer", "why"),
    [
        ({"best_ask": Price(Decimal("0.51"))}, "its worst price no longer fills"),
        ({"best_ask": Price(Decimal("0.50"))}, None),
        # edge at 50¢ by the newer view: 0.01 at 49¢, and 50¢ costs a cent and a little fee more
        ({"worst_price": Price(Decimal("0.49")), "edge_worst": Decimal("0.01")}, "edge fell"),
        ({"worst_price": Price(Decimal("0.49")), "edge_worst": Decimal("0.026")}, None),
        ({"amount": Pusd(Decimal("12.01"))}, "size changed"),
        ({"amount": Pusd(Decimal("7.99"))}, "size changed"),
        ({"amount": Pusd(Decimal("12.00"))}, None),
        ({"amount": Pusd(Decimal("8.00"))}, None),
        ({"edge_worst": None}, None),
    ],
)
def test_a_waiting_proposal_gives_way_for_three_reasons_only(newer: dict[str, Any], why: str | None) -> None:
    found = superseded_because(an_intent(), an_intent(**newer), RULES)

    assert (found is None) is (why is None)
    assert why is None or why in (found or "")


def test_a_sale_gives_way_when_the_bid_fell_through_its_floor() -> None:
    assert superseded_because(a_close(), a_close(best_bid=Price(Decimal("0.39"))), RULES) is not None
    assert superseded_because(a_close(), a_close(best_bid=Price(Decimal("0.40"))), RULES) is None


def test_the_edge_at_another_price_differs_by_price_and_fee() -> None:
    new = an_intent(worst_price=Price(Decimal("0.40")), edge_worst=Decimal("0.10"))

    # 10 cents dearer, and 2% of 0.25 in place of 2% of 0.24 in fee
    assert edge_at(an_intent(), new) == Decimal("-0.0002")


def test_the_newer_proposal_takes_the_place_of_the_old_one(room: EngineRoom, manager: IntentManager) -> None:
    first = manager.propose(an_intent(), room.lease)
    assert isinstance(first, IntentRecord)

    second = manager.propose(larger(), room.lease)

    assert isinstance(second, IntentRecord)
    old = room.stores.intents.get(first.id)
    assert (old.status, old.result) == (S.EXPIRED, "superseded")
    assert room.stores.intents.get(second.id).status is S.PENDING


def test_an_approved_intent_is_never_superseded(room: EngineRoom, manager: IntentManager) -> None:
    approved = an_intent()
    room.approve(approved)

    assert code(manager.propose(larger(), room.lease)) == "duplicate"
    assert room.status(approved) is S.APPROVED


def test_a_market_is_re_quoted_twice_in_a_quarter_of_an_hour(
    room: EngineRoom, manager: IntentManager
) -> None:
    deadline = room.clock.now() + timedelta(hours=1)
    sizes = (10, 20, 40, 80, 160)

    def quote(step: int) -> IntentRecord | Denied:
        return manager.propose(an_intent(amount=Pusd(Decimal(sizes[step])), deadline=deadline), room.lease)

    assert all(isinstance(quote(step), IntentRecord) for step in range(3))
    assert code(quote(3)) == "superseded_enough"
    room.advance(minutes=16)
    assert isinstance(quote(3), IntentRecord)


def test_another_markets_re_quotes_do_not_count(room: EngineRoom, manager: IntentManager) -> None:
    elsewhere = {"asset_id": AssetId("5"), "condition_id": ConditionId("0x" + "cd" * 32)}
    for size in (10, 20, 40):
        manager.propose(an_intent(amount=Pusd(Decimal(size)), **elsewhere), room.lease)
    manager.propose(an_intent(), room.lease)

    assert isinstance(manager.propose(larger(), room.lease), IntentRecord)


# -- refusals in sentences ---------------------------------------------------------------------


def refused(manager: IntentManager, intent: TradeIntent, digest: str | None = None) -> ConflictError:
    with pytest.raises(ConflictError) as caught:
        manager.approve(intent.id, digest=digest or intent.digest, actor="user:carla")
    assert caught.value.exit_code == 4
    return caught.value


def short(room: EngineRoom, intent: TradeIntent) -> str:
    return room.stores.intents.shortest_prefixes([intent.id])[intent.id]


def test_too_late_says_how_late_and_what_would_help(room: EngineRoom, manager: IntentManager) -> None:
    intent = an_intent()
    room.propose(intent)
    room.clock.advance(seconds=66)

    error = refused(manager, intent)

    assert error.code == "expired"
    assert error.what == f"Not approved: {short(room, intent)} expired 6 s ago. Nothing was sent."
    assert error.do == "More time: POLYBOT_INTENT_EXPIRY_SECONDS (now 60)."
    assert room.status(intent) is S.EXPIRED


def test_too_late_names_how_long_one_usually_takes(room: EngineRoom, manager: IntentManager) -> None:
    for number, seconds in enumerate((20, 41, 50)):
        decided = an_intent(asset_id=AssetId(str(number + 7)), created_at=room.clock.now())
        room.propose(decided)
        room.clock.advance(seconds=seconds)
        manager.reject(decided.id, actor="user:anna", reason="")
    late = an_intent(created_at=room.clock.now())
    room.propose(late)
    room.clock.advance(seconds=66)

    assert refused(manager, late).do == (
        "More time: POLYBOT_INTENT_EXPIRY_SECONDS (now 60). Your median decision takes 41 s."
    )


def test_too_late_for_a_sale_names_the_setting_of_sales(room: EngineRoom, manager: IntentManager) -> None:
    sale = a_close(created_at=room.clock.now())
    room.propose(sale)
    room.clock.advance(seconds=66)

    assert refused(manager, sale).do == "More time: POLYBOT_CLOSE_EXPIRY_SECONDS (now 60)."


def test_too_late_counts_from_the_deadline_also_when_the_engine_was_quicker(
    room: EngineRoom, manager: IntentManager
) -> None:
    intent = an_intent()
    room.propose(intent)
    room.advance(seconds=61)
    room.stores.intents.expire_due(room.lease)
    room.clock.advance(seconds=5)

    assert "expired 6 s ago" in refused(manager, intent).what


def test_the_second_of_two_deciders_learns_who_and_when(room: EngineRoom, manager: IntentManager) -> None:
    intent = an_intent()
    room.propose(intent)
    manager.approve(intent.id, digest=intent.digest, actor="user:bob")
    room.clock.advance(seconds=3)

    error = refused(manager, intent)

    assert error.code == "already_decided"
    assert error.what == (
        f"Not approved: bob already approved {short(room, intent)}, 3 s before you. It is being sent once."
    )


def test_a_rejected_one_was_not_sent(room: EngineRoom, manager: IntentManager) -> None:
    intent = an_intent()
    room.propose(intent)
    manager.reject(intent.id, actor="user:bob", reason="no")

    assert refused(manager, intent).what == (
        f"Not approved: bob rejected {short(room, intent)}, 0 s before you. Nothing was sent."
    )


def test_an_executed_one_was_sent_once_and_a_second_rejection_says_so(
    room: EngineRoom, manager: IntentManager
) -> None:
    intent = an_intent()
    room.execute(intent)

    with pytest.raises(ConflictError, match=r"Not rejected: anna already approved .* It was sent once\."):
        manager.reject(intent.id, actor="user:carla", reason="no")
    with pytest.raises(ConflictError, match=r"Not expired: "):
        manager.expire(intent.id, actor="user:carla")


def test_a_trip_that_rejected_it_is_named(room: EngineRoom, manager: IntentManager) -> None:
    intent = an_intent()
    room.propose(intent)
    room.stores.switches.trip(
        KillSwitchType.STALE_DATA, actor="engine:risk", reason="newest price 74 s old", value="74", limit="60"
    )

    error = refused(manager, intent)

    assert error.code == "halted"
    assert error.what == "Not approved: openings are stopped. Nothing was sent."
    assert "STALE_DATA" in error.why
    assert short(room, intent) in error.why


def test_a_close_in_a_halt_is_refused_with_the_switch(room: EngineRoom, manager: IntentManager) -> None:
    intent = a_close()
    room.propose(intent)
    room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="looking at it")

    error = refused(manager, intent)

    assert error.code == "halted"
    assert "MANUAL" in error.why
    assert room.status(intent) is S.PENDING


def test_another_content_than_shown_is_not_approved(room: EngineRoom, manager: IntentManager) -> None:
    intent = an_intent()
    room.propose(intent)

    error = refused(manager, intent, digest="0" * 64)

    assert error.code == "digest_mismatch"
    assert "is not the trade that you were shown" in error.what
    assert room.status(intent) is S.PENDING


def test_a_superseded_one_points_to_its_successor(room: EngineRoom, manager: IntentManager) -> None:
    old, new = an_intent(), larger()
    manager.propose(old, room.lease)
    manager.propose(new, room.lease)

    error = refused(manager, old)

    assert "was replaced by a newer proposal" in error.what
    assert new.id in error.why


def test_an_id_that_nobody_has_is_not_found(manager: IntentManager) -> None:
    with pytest.raises(NotFoundError):
        manager.approve(IntentId("0" * 16), digest="0" * 64, actor="user:carla")


def test_a_sale_is_sized_in_shares(room: EngineRoom) -> None:
    bigger = a_close(shares=Shares(Decimal("24.01")))

    assert superseded_because(a_close(), bigger, RULES) is not None


def test_a_field_that_came_later_changes_no_digest_until_it_says_something() -> None:
    intent = an_intent()

    assert "edge_required" not in intent.canonical
    assert replace(intent, edge_required=None).digest == intent.digest
    assert replace(intent, edge_required=Decimal("0.02")).digest != intent.digest
    assert replace(intent, code_required=True).digest != intent.digest


def test_what_is_written_is_read_back_with_and_without_later_fields() -> None:
    for intent in (an_intent(), a_close(triggers=("stop_loss", "time"), purpose=Purpose.PERSON)):
        assert parse_intent(intent.canonical, intent.digest) == intent
