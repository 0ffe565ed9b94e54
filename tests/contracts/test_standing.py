"""Standing approvals on both databases: what they cover, what ends them, and that they only spend down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError, NotAuthorisedError
from polyb0t.core.ids import TradeId, new_intent_id
from polyb0t.core.units import Price, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.execution.intents import IntentRecord, IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Lease
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.execution.store import Denied
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import ASSET, CONDITION, a_fill, wide_limits
from tests.support.databases import World


def code_of(answer: object) -> str:
    assert isinstance(answer, Denied), answer
    return answer.code


class Desk:
    """A world in which 20 shares were bought and may be sold in their owner's sleep."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opening = self.buy("20", trade="trade-1")
        self.standing = self.protect()

    def buy(self, shares: str, *, trade: str) -> TradeIntent:
        """An opening, executed, all of it final."""
        order = self.world.permitted()
        self.settle(order, OrderStatus.MATCHED)
        self.fill(order, shares, trade=trade)
        self.settle(order, OrderStatus.FILLED)
        self.world.advance(1_000)  # past any rest
        self.world.engine.beat(self.world.lease, cycle=1)
        return self.world.intents.get(order.intent_id).intent

    def settle(self, order: OrderRecord, status: OrderStatus, code: str = "accepted") -> None:
        self.world.orders.settle(order.id, self.world.lease, status=status, code=code, detail="")

    def fill(self, order: OrderRecord, shares: str, *, trade: str, **changes: Any) -> None:
        content = {"status": FillStatus.CONFIRMED, "side": order.side, **changes}
        fill = a_fill(order.id, trade_id=TradeId(trade), shares=Shares(Decimal(shares)), **content)
        self.world.orders.record_fills(order.id, [fill], self.world.lease)

    def content(self, **changes: Any) -> StandingApproval:
        now = self.world.intents.now()
        given: dict[str, Any] = {
            "id": new_intent_id(),
            "scope": str(self.world.scope),
            "regime": self.opening.regime,
            "opening_id": self.opening.id,
            "condition_id": CONDITION,
            "asset_id": ASSET,
            "question": self.opening.question,
            "outcome_label": "Yes",
            "triggers": ("stop_loss", "time"),
            "worst_price": Price(Decimal("0.35")),
            "most_shares": Shares(Decimal(40)),
            "until": now + timedelta(days=3),
            "approvals_required": 1,
            "created_at": now,
        }
        return StandingApproval(**{**given, **changes})

    def protect(self, actor: str = "user:anna", **changes: Any) -> StandingRecord:
        content = self.content(**changes)
        return self.world.stores.standing.protect(content, digest=content.digest, actor=actor)

    def exit(self, shares: str = "20", **changes: Any) -> TradeIntent:
        """What the engine proposes: a sale of what the opening bought, because a rule says so."""
        given: dict[str, Any] = {
            "shares": Shares(Decimal(shares)),
            "parent_id": self.opening.id,
            "triggers": ("stop_loss",),
        }
        return self.world.close_intent(**{**given, **changes})

    def decide(
        self, intent: TradeIntent, *, under: StandingRecord | None = None, lease: Lease | None = None
    ) -> IntentRecord | Denied:
        if not isinstance(self.world.intents.propose(intent, self.world.lease), IntentRecord):
            raise AssertionError("not proposed")
        return self.world.stores.standing.approve_exit(
            intent.id, (under or self.standing).id, lease or self.world.lease, grace_seconds=10
        )

    def approved(self, shares: str = "20") -> IntentRecord:
        record = self.decide(self.exit(shares))
        assert isinstance(record, IntentRecord), record
        return record

    def sold(self, shares: str, filled: str, *, trade: str) -> None:
        """A sale under the standing approval that is over; the order filled so much of it."""
        record = self.approved(shares)
        assert isinstance(self.world.claim(record.id), IntentRecord)
        order = self.world.permit(record.intent)
        assert isinstance(order, OrderRecord), order
        if Decimal(filled):
            self.settle(order, OrderStatus.MATCHED)
            self.fill(order, filled, trade=trade, price=Price(Decimal("0.42")))
        self.settle(order, OrderStatus.CANCELLED, code="no_fill" if filled == "0" else "accepted")
        self.world.advance(100)
        self.world.engine.beat(self.world.lease, cycle=1)

    def left(self) -> Decimal:
        return self.world.stores.standing.get(self.standing.id).left


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


class TestGiving:
    def test_what_is_stored_is_what_was_seen(self, desk: Desk) -> None:
        stored = desk.world.stores.standing.get(desk.standing.id)
        assert stored == desk.standing
        assert stored.digest == stored.standing.digest
        assert (stored.bought, stored.left) == (Decimal(20), Decimal(20))
        assert stored.approved_by == "user:anna"
        assert desk.world.kinds(stored.id) == ["standing.approved"]

    def test_another_content_than_the_one_that_was_seen_is_refused(self, desk: Desk) -> None:
        seen, other = desk.content(), desk.content(worst_price=Price(Decimal("0.01")))
        with pytest.raises(ConflictError) as refused:
            desk.world.stores.standing.protect(other, digest=seen.digest, actor="user:anna")
        assert refused.value.code == "digest_mismatch"

    @pytest.mark.parametrize("actor", ["engine", "engine:paper", "standing:abcd", "user:", ""])
    def test_only_a_person_gives_one(self, desk: Desk, actor: str) -> None:
        with pytest.raises(NotAuthorisedError):
            desk.protect(actor=actor)

    def test_one_approval_is_not_two(self, desk: Desk) -> None:
        with pytest.raises(NotAuthorisedError) as refused:
            desk.protect(approvals_required=2)
        assert refused.value.code == "token_needed"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"scope": "polymarket:137:0xabc"}, "foreign_scope"),
            ({"asset_id": "7"}, "not_an_opening"),
            ({"triggers": ()}, "standing_empty"),
            ({"most_shares": Shares(Decimal(0))}, "standing_empty"),
        ],
    )
    def test_it_has_to_fit_what_was_bought(self, desk: Desk, change: Any, code: str) -> None:
        with pytest.raises(ConflictError) as refused:
            desk.protect(**change)
        assert refused.value.code == code

    def test_a_later_one_takes_the_place_of_the_earlier(self, desk: Desk) -> None:
        later = desk.protect(worst_price=Price(Decimal("0.4")))
        earlier = desk.world.stores.standing.get(desk.standing.id)
        assert earlier.revoked_at is not None
        assert [each.id for each in desk.world.stores.standing.active()] == [later.id]

    def test_with_the_trade_itself_both_or_neither(self, desk: Desk) -> None:
        record = desk.world.proposed()
        content = desk.content(opening_id=record.id)
        store = desk.world.stores.standing
        how = {"digest": record.digest, "actor": "user:anna", "grace_seconds": 10.0}
        with pytest.raises(ConflictError):
            store.approve_with_exits(record.id, content, standing_digest="0" * 64, **how)  # type: ignore[arg-type]
        assert desk.world.intents.get(record.id).status is IntentStatus.PENDING
        store.approve_with_exits(record.id, content, standing_digest=content.digest, **how)  # type: ignore[arg-type]
        assert desk.world.intents.get(record.id).status is IntentStatus.APPROVED
        assert store.get(content.id).left == 0  # nothing is bought yet

    def test_its_content_cannot_be_altered(self, desk: Desk) -> None:
        for column, value in (("until", "9"), ("canonical", "'{}'"), ("approved_by", "'user:eve'")):
            with pytest.raises(DatabaseError):
                desk.world.sql(f"UPDATE standing_approvals SET {column} = {value}")
        with pytest.raises(DatabaseError):
            desk.world.sql("DELETE FROM standing_approvals")


class TestCovering:
    def test_a_sale_inside_it_is_approved_and_says_under_what(self, desk: Desk) -> None:
        record = desk.approved()
        assert record.status is IntentStatus.APPROVED
        assert record.decided_by == f"standing:{desk.standing.id}"
        assert desk.left() == 0

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"triggers": ("edge_gone",)}, "standing_outside"),
            ({"triggers": ("stop_loss", "edge_gone")}, "standing_outside"),
            ({"triggers": ()}, "standing_outside"),
            ({"worst_price": Price(Decimal("0.34"))}, "standing_worst_price"),
            ({"shares": Shares(Decimal("20.01"))}, "standing_spent"),
            ({"parent_id": None}, "standing_outside"),
            ({"approvals_required": 2}, "standing_outside"),
            ({"code_required": True}, "standing_outside"),
            ({"order_type": OrderType.GTC}, "standing_outside"),
        ],
    )
    def test_anything_else_waits_for_a_person(self, desk: Desk, change: Any, code: str) -> None:
        intent = desk.exit(**{"shares": "20", **change}) if "shares" not in change else desk.exit("20.01")
        assert code_of(desk.decide(intent)) == code
        assert desk.world.intents.get(intent.id).status is IntentStatus.PENDING

    def test_a_purchase_is_never_covered(self, desk: Desk) -> None:
        intent = desk.world.intent(parent_id=desk.opening.id, triggers=("stop_loss",))
        assert code_of(desk.decide(intent)) == "standing_outside"

    def test_nobody_decides_in_its_name_by_the_ordinary_way(self, desk: Desk) -> None:
        intent = desk.exit()
        desk.world.proposed(intent)
        with pytest.raises(NotAuthorisedError):
            desk.world.approve(intent.id, actor=f"standing:{desk.standing.id}")

    def test_a_halt_stops_it_and_stopped_openings_do_not(self, desk: Desk) -> None:
        desk.world.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="loss")
        record = desk.approved("5")
        assert record.status is IntentStatus.APPROVED
        desk.world.intents.expire(record.id, actor="user:anna")
        desk.world.advance(61)
        desk.world.engine.beat(desk.world.lease, cycle=1)
        other = desk.exit("5")
        desk.world.proposed(other)
        desk.world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="stop")
        answer = desk.world.stores.standing.approve_exit(
            other.id, desk.standing.id, desk.world.lease, grace_seconds=10
        )
        assert code_of(answer) == "halted"


class TestSpending:
    def test_the_budget_is_what_the_opening_bought_for_certain(self, world: World) -> None:
        desk = Desk(world)
        assert desk.left() == 20
        tight = desk.protect(most_shares=Shares(Decimal(7)))
        assert tight.left == 7

    def test_what_was_bought_and_is_not_final_is_no_budget_yet(self, desk: Desk) -> None:
        order = desk.world.orders.find_order(desk.opening.id)
        desk.fill(order, "5", trade="late", status=FillStatus.MATCHED)
        assert desk.left() == 20
        desk.fill(order, "5", trade="late", status=FillStatus.CONFIRMED)
        assert desk.left() == 25

    def test_a_spent_budget_covers_nothing_more(self, desk: Desk) -> None:
        desk.sold("12", "12", trade="sale-1")
        assert desk.left() == 8
        assert code_of(desk.decide(desk.exit("8.01"))) == "standing_spent"

    def test_an_exit_that_is_not_proven_dead_keeps_its_share(self, desk: Desk) -> None:
        record = desk.approved("12")
        assert isinstance(desk.world.claim(record.id), IntentRecord)
        order = desk.world.permit(record.intent)
        assert isinstance(order, OrderRecord)
        desk.settle(order, OrderStatus.UNKNOWN, code="unknown")
        assert desk.left() == 8

    def test_what_did_not_fill_comes_back(self, desk: Desk) -> None:
        desk.sold("12", "5", trade="sale-1")
        assert desk.left() == 15
        desk.sold("15", "0", trade="sale-2")
        assert desk.left() == 15

    def test_a_sale_by_hand_spends_it_too(self, desk: Desk) -> None:
        record = desk.world.approved(desk.exit("12", triggers=(), parent_id=None))
        assert record.status is IntentStatus.APPROVED
        assert desk.left() == 8

    def test_what_another_purchase_brought_and_sold_is_no_business_of_this_one(self, desk: Desk) -> None:
        second = desk.buy("20", trade="trade-2")
        sale = desk.world.approved(desk.exit("15", triggers=(), parent_id=second.id))
        assert sale.status is IntentStatus.APPROVED
        assert desk.left() == 20

    def test_but_what_a_sale_takes_beyond_its_own_purchase_is(self, desk: Desk) -> None:
        second = desk.buy("20", trade="trade-2")
        desk.world.approved(desk.exit("35", triggers=(), parent_id=second.id))
        assert desk.left() == 5

    def test_a_position_bought_anew_is_not_covered(self, desk: Desk) -> None:
        desk.sold("20", "20", trade="sale-1")
        desk.opening, first = desk.buy("20", trade="trade-2"), desk.opening
        again = desk.exit("20")  # of the new purchase
        assert code_of(desk.decide(again)) == "standing_outside"
        desk.world.intents.expire(again.id, actor="user:anna")
        desk.world.advance(61)
        desk.world.engine.beat(desk.world.lease, cycle=1)
        pretended = desk.exit("20", parent_id=first.id)
        assert code_of(desk.decide(pretended)) == "standing_spent"

    def test_two_engines_spend_it_once(self, desk: Desk) -> None:
        """A second engine has taken over; what the first one still wants to decide is refused."""
        intent = desk.exit("20")
        desk.world.proposed(intent)
        old = desk.world.lease
        desk.world.lease = desk.world.start_engine(take_over_from=old.token)
        with pytest.raises(LeaseLostError):
            desk.world.stores.standing.approve_exit(intent.id, desk.standing.id, old, grace_seconds=10)
        again = desk.world.stores.standing.approve_exit(
            intent.id, desk.standing.id, desk.world.lease, grace_seconds=10
        )
        assert isinstance(again, IntentRecord)
        assert desk.left() == 0

    def test_racing_deciders_spend_it_once(self, desk: Desk) -> None:
        intent = desk.exit("20")
        desk.world.proposed(intent)
        processes = [desk.world.another() for _ in range(4)]

        def decide(number: int) -> object:
            return processes[number].standing.approve_exit(
                intent.id, desk.standing.id, desk.world.lease, grace_seconds=10
            )

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(decide, range(4)))
        assert sum(isinstance(answer, IntentRecord) for answer in answers) == 1
        assert desk.left() == 0


class TestEnding:
    def test_taken_back_at_once(self, desk: Desk) -> None:
        desk.world.stores.standing.revoke(desk.standing.id, actor="user:bob", reason="no more")
        assert code_of(desk.decide(desk.exit())) == "standing_revoked"
        assert desk.world.stores.standing.active() == ()
        with pytest.raises(ConflictError) as refused:
            desk.world.stores.standing.revoke(desk.standing.id, actor="user:bob", reason="again")
        assert refused.value.code == "already_revoked"

    def test_taken_back_between_approval_and_claim(self, desk: Desk) -> None:
        record = desk.approved()
        desk.world.stores.standing.revoke(desk.standing.id, actor="user:bob", reason="no more")
        assert code_of(desk.world.claim(record.id)) == "standing_revoked"
        assert desk.world.intents.get(record.id).status is IntentStatus.FAILED
        assert desk.world.orders.reserved_shares(ASSET) == 0

    def test_taken_back_between_claim_and_permit(self, desk: Desk) -> None:
        record = desk.approved()
        assert isinstance(desk.world.claim(record.id), IntentRecord)
        desk.world.stores.standing.revoke(desk.standing.id, actor="user:bob", reason="no more")
        assert code_of(desk.world.permit(record.intent)) == "standing_revoked"
        assert desk.world.intents.get(record.id).order_id is None

    @pytest.mark.parametrize("step", ["approval", "claim", "permit"])
    def test_over_at_its_end_at_every_step(self, world: World, step: str) -> None:
        desk = Desk(world)
        ends = desk.protect(until=world.intents.now() + timedelta(seconds=20))
        intent = desk.exit()
        world.proposed(intent)

        def approve() -> object:
            return world.stores.standing.approve_exit(intent.id, ends.id, world.lease, grace_seconds=10)

        def later() -> None:
            world.advance(21)
            world.engine.beat(world.lease, cycle=1)

        if step == "approval":
            later()
            assert code_of(approve()) == "standing_expired"
            return
        assert isinstance(approve(), IntentRecord)
        if step == "claim":
            later()
            answer = world.intents.claim(intent.id, world.lease, intent.regime, wide_limits())
            assert code_of(answer) == "standing_expired"
            return
        assert isinstance(world.claim(intent.id), IntentRecord)
        later()
        assert code_of(world.permit(intent)) == "standing_expired"

    def test_replaced_means_the_old_one_is_over(self, desk: Desk) -> None:
        record = desk.approved()
        desk.protect()
        assert code_of(desk.world.claim(record.id)) == "standing_revoked"

    def test_a_decision_that_no_use_stands_behind_is_not_carried_out(self, desk: Desk) -> None:
        record = desk.approved()
        if desk.world.is_sqlite:
            desk.world.sql("DROP TRIGGER standing_uses_delete")
        else:
            desk.world.sql("ALTER TABLE standing_uses DISABLE TRIGGER ALL")
        assert desk.world.engine.audit().findings == ()
        desk.world.sql("DELETE FROM standing_uses")
        (finding,) = desk.world.engine.audit().findings
        assert f"decided by standing:{desk.standing.id}" in finding
        assert code_of(desk.world.claim(record.id)) == "standing_missing"

    def test_a_restored_database_has_none_in_force(self, desk: Desk) -> None:
        desk.world.engine.release(desk.world.lease)
        desk.world.engine.adopt(actor="user:anna", reason="disk died", above_token=9, found=(), doubtful=())
        assert desk.world.stores.standing.active() == ()
