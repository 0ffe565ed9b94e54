"""Claims in storage: stored before they are sent, never two at once, paid once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, Wallet
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Taken
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.ports import ClaimRoute, Payout
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.settlement.store import BookedPayout, SendNews
from polyb0t.execution.store import Denied
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.builders import ASSET, CONDITION, NOW, WALLET, a_claim
from tests.support.databases import World

S = SendStatus


class Claims:
    """One scope with the claims process' lease."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.stores.claims
        self.lease = self.acquire()

    def acquire(self, take_over_from: int | None = None) -> Lease:
        lease = self.world.engine.acquire(
            "claims",
            holder="host:2",
            boot_id="boot",
            process_started="2",
            regime=Regime.LIVE,
            take_over_from=take_over_from,
        )
        assert isinstance(lease, Lease)
        return lease

    def executing(self, number: int = 0) -> IntentId:
        """A claim that was approved and taken; each of another market."""
        condition = ConditionId("0x" + f"{number:02x}" * 32) if number else CONDITION
        intent = a_claim(created_at=self.world.intents.now(), condition_id=condition)
        record = self.world.approved(intent)
        claimed = self.world.claim_as(record.id, self.lease)
        assert isinstance(claimed, IntentRecord), claimed
        return record.id

    def prepare(self, *members: IntentId, **overrides: Any) -> SendRecord | Denied:
        return self.store.prepare(a_send(*members, **overrides), self.lease, budget_seconds=10)

    def prepared(self, *members: IntentId, **overrides: Any) -> SendRecord:
        send = self.prepare(*(members or (self.executing(),)), **overrides)
        assert isinstance(send, SendRecord), send
        return send

    def settle(self, send: SendRecord, status: SendStatus, **more: Any) -> SendRecord:
        news = SendNews(status, more.pop("code", "claimed"), "so it was", paid=more.pop("paid", None))
        return self.store.settle(send.id, self.lease, news, **more)

    def status(self, intent_id: IntentId) -> IntentStatus:
        return self.world.intents.get(intent_id).status


@pytest.fixture
def claims(world: World) -> Claims:
    return Claims(world)


def a_send(*members: IntentId, **overrides: Any) -> NewSend:
    content: dict[str, Any] = {
        "id": f"s{overrides.get('nonce', 7)}{''.join(members)[:20]}",
        "members": members,
        "wallet": Wallet(WALLET),
        "route": ClaimRoute.TRANSACTION,
        "nonce": 7,
        "raw": "0x02aa",
        "tx_hash": "0x" + "11" * 32,
        "deadline": None,
        "expected": Pusd(Decimal(20)),
        "balance_before": Pusd(Decimal(100)),
        "from_block": 1000,
        "max_fee_wei": 30_000_000_000,
    }
    return NewSend(**{**content, **overrides})


def a_payout(log_index: int = 0, **overrides: Any) -> BookedPayout:
    payout = Payout(
        tx_hash="0x" + "11" * 32,
        log_index=log_index,
        block_hash="0xb10c",
        block_number=1001,
        condition_id=CONDITION,
        wallet=Wallet(WALLET),
        pusd=Pusd(Decimal(20)),
        at=NOW,
    )
    taken = (Taken(AssetId(ASSET), Shares(Decimal(20)), Pusd(Decimal(20))),)
    return BookedPayout(replace(payout, **overrides), "send", taken, NOW)


class TestPermission:
    def test_it_is_stored_before_it_is_sent(self, claims: Claims) -> None:
        send = claims.prepared()
        assert send.status is S.PREPARED
        assert claims.store.sends(open_only=True) == (send,)
        assert send.raw == "0x02aa"

    def test_the_engine_cannot_store_one(self, claims: Claims) -> None:
        member = claims.executing()
        with pytest.raises(LeaseLostError):
            claims.store.prepare(a_send(member), claims.world.lease, budget_seconds=10)

    def test_a_process_that_was_replaced_cannot(self, claims: Claims) -> None:
        member = claims.executing()
        claims.acquire(take_over_from=claims.lease.token)
        with pytest.raises(LeaseLostError):
            claims.prepare(member)

    def test_what_nobody_approved_is_not_sent(self, claims: Claims) -> None:
        waiting = claims.world.proposed(a_claim(created_at=claims.world.intents.now()))
        denied = claims.prepare(waiting.id)
        assert isinstance(denied, Denied)
        assert denied.code == "not_executing"

    def test_another_kind_of_intent_is_not(self, claims: Claims) -> None:
        opening = claims.world.claimed()
        denied = claims.prepare(opening.id)
        assert isinstance(denied, Denied)
        assert denied.code == "not_a_claim"

    def test_not_after_its_time(self, claims: Claims) -> None:
        member = claims.executing()
        claims.world.advance(86_500)
        claims.lease = claims.acquire(take_over_from=claims.lease.token)
        denied = claims.prepare(member)
        assert isinstance(denied, Denied)
        assert denied.code == "expired"

    def test_not_while_everything_is_halted(self, claims: Claims) -> None:
        member = claims.executing()
        claims.world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
        denied = claims.prepare(member)
        assert isinstance(denied, Denied)
        assert denied.code == "halted"

    def test_a_switch_that_only_reduces_does_not_keep_money_away(self, claims: Claims) -> None:
        member = claims.executing()
        claims.world.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="-15 %")
        assert claims.prepared(member).status is S.PREPARED

    def test_one_at_a_time(self, claims: Claims) -> None:
        claims.prepared(nonce=7)
        denied = claims.prepare(claims.executing(2), nonce=8)
        assert isinstance(denied, Denied)
        assert denied.code == "under_way"

    @pytest.mark.parametrize("status", [S.SENT, S.UNKNOWN, S.MINED])
    def test_no_second_one_until_the_first_is_known_to_be_over(
        self, claims: Claims, status: SendStatus
    ) -> None:
        member = claims.executing()
        claims.settle(claims.prepared(member), status)
        denied = claims.prepare(member, nonce=8)
        assert isinstance(denied, Denied)
        assert denied.code == "under_way"

    def test_after_proof_that_it_is_void_it_may_be_signed_anew(self, claims: Claims) -> None:
        member = claims.executing()
        claims.settle(claims.prepared(member), S.DROPPED, code="deadline_passed")
        assert claims.status(member) is IntentStatus.EXECUTING
        assert claims.prepared(member, nonce=8).nonce == 8

    def test_a_replacement_keeps_nonce_and_members(self, claims: Claims) -> None:
        member = claims.executing()
        first = claims.prepared(member)
        claims.settle(first, S.SENT)
        refused = claims.prepare(member, id="s2", replaces=first.id, nonce=8)
        assert isinstance(refused, Denied)
        again = claims.prepared(member, id="s3", replaces=first.id, tx_hash="0x22", max_fee_wei=40)
        assert again.nonce == first.nonce

    def test_more_gas_for_what_has_left_in_time_is_not_too_late(self, claims: Claims) -> None:
        """Its bytes stay valid; without it the wallet's next claim could wait for ever."""
        member = claims.executing()
        first = claims.prepared(member)
        claims.settle(first, S.SENT)
        claims.world.advance(86_500)
        claims.lease = claims.acquire(take_over_from=claims.lease.token)
        again = claims.prepared(member, id="s2", replaces=first.id, tx_hash="0x22", max_fee_wei=40)
        assert again.replaces == first.id

    def test_but_no_copy_of_what_has_ended(self, claims: Claims) -> None:
        member = claims.executing()
        first = claims.prepared(member)
        claims.settle(first, S.DROPPED, code="deadline_passed")
        claims.world.advance(86_500)
        claims.lease = claims.acquire(take_over_from=claims.lease.token)
        denied = claims.prepare(member, id="s2", replaces=first.id, tx_hash="0x22", max_fee_wei=40)
        assert isinstance(denied, Denied)
        assert denied.code == "expired"

    def test_a_replacement_takes_nothing_along(self, claims: Claims) -> None:
        first = claims.prepared()
        refused = claims.prepare(*first.members, claims.executing(2), id="s2", replaces=first.id)
        assert isinstance(refused, Denied)

    def test_what_was_paid_is_not_sent_again(self, claims: Claims) -> None:
        member = claims.executing()
        claims.settle(claims.prepared(member), S.CONFIRMED, booked=(a_payout(),))
        denied = claims.prepare(member, nonce=8)
        assert isinstance(denied, Denied)
        assert denied.code == "not_executing"


class TestEnds:
    def test_its_own_payment_executes_it(self, claims: Claims) -> None:
        member = claims.executing()
        send = claims.settle(
            claims.prepared(member), S.CONFIRMED, booked=(a_payout(),), paid=Pusd(Decimal(20))
        )
        assert (send.status, send.paid) == (S.CONFIRMED, Decimal(20))
        record = claims.world.intents.get(member)
        assert (record.status, record.result) == (IntentStatus.EXECUTED, "claimed")
        assert [entry.payout.pusd for entry in claims.store.payouts()] == [Decimal(20)]

    def test_its_bytes_stay_until_the_chain_cannot_take_it_back_any_more(self, claims: Claims) -> None:
        send = claims.settle(claims.prepared(), S.CONFIRMED, booked=(a_payout(),), paid=Pusd(Decimal(20)))
        assert send.raw == "0x02aa"
        claims.store.finish(send.id, claims.lease)
        claims.store.finish(send.id, claims.lease)
        assert [each.raw for each in claims.store.sends()] == [None]
        assert claims.world.kinds(send.id).count("claim.final") == 1

    @pytest.mark.parametrize("status", [S.REVERTED, S.DROPPED, S.ALREADY_PAID])
    def test_what_came_to_nothing_leaves_no_bytes(self, claims: Claims, status: SendStatus) -> None:
        assert claims.settle(claims.prepared(), status).raw is None

    def test_bytes_of_what_is_not_over_are_not_erased(self, claims: Claims) -> None:
        send = claims.settle(claims.prepared(), S.SENT)
        claims.store.finish(send.id, claims.lease)
        assert [each.raw for each in claims.store.sends()] == ["0x02aa"]

    def test_somebody_elses_payment_does_not(self, claims: Claims) -> None:
        member = claims.executing()
        claims.settle(claims.prepared(member), S.ALREADY_PAID, code="already_paid")
        record = claims.world.intents.get(member)
        assert (record.status, record.result) == (IntentStatus.FAILED, "already_paid")

    def test_of_one_nonce_the_others_are_void(self, claims: Claims) -> None:
        first = claims.prepared()
        second = claims.prepared(*first.members, id="s2", replaces=first.id, tx_hash="0x22")
        claims.settle(second, S.CONFIRMED, booked=(a_payout(),))
        stands = {send.id: send.status for send in claims.store.sends()}
        assert stands == {first.id: S.DROPPED, second.id: S.CONFIRMED}
        assert claims.store.sends(open_only=True) == ()

    def test_a_move_that_makes_no_sense_is_refused(self, claims: Claims) -> None:
        send = claims.settle(claims.prepared(), S.CONFIRMED)
        with pytest.raises(ConflictError) as error:
            claims.settle(send, S.SENT)
        assert error.value.code == "illegal_move"

    def test_a_claim_with_a_transaction_that_could_pay_is_not_ended(self, claims: Claims) -> None:
        member = claims.executing()
        claims.prepared(member)
        with pytest.raises(ConflictError):
            claims.store.end(member, claims.lease, code="payout_differs", detail="")

    def test_one_that_was_never_sent_is(self, claims: Claims) -> None:
        member = claims.executing()
        record = claims.store.end(member, claims.lease, code="payout_differs", detail="19 of 20")
        assert (record.status, record.result) == (IntentStatus.FAILED, "payout_differs")

    def test_the_engine_does_not_end_claims(self, claims: Claims) -> None:
        member = claims.executing()
        with pytest.raises(ConflictError):
            claims.world.intents.fail(member, claims.world.lease, code="interrupted", detail="")


class TestMoney:
    def test_a_payment_counts_once(self, claims: Claims) -> None:
        assert len(claims.store.book((a_payout(), a_payout()), claims.lease)) == 1
        assert claims.store.book((a_payout(),), claims.lease) == ()
        assert len(claims.store.payouts()) == 1

    def test_a_process_that_was_replaced_books_nothing(self, claims: Claims) -> None:
        replaced = claims.lease
        claims.acquire(take_over_from=replaced.token)
        with pytest.raises(LeaseLostError):
            claims.store.book((a_payout(),), replaced)
        assert claims.store.payouts() == ()

    def test_two_payments_of_one_transaction_are_two(self, claims: Claims) -> None:
        claims.store.book((a_payout(0), a_payout(3)), claims.lease)
        assert len(claims.store.payouts()) == 2

    def test_a_reorganisation_takes_it_back_and_may_bring_it_again(self, claims: Claims) -> None:
        claims.store.book((a_payout(),), claims.lease)
        assert claims.store.take_back(a_payout().payout.tx_hash, claims.lease, detail="reorganised") == 1
        assert claims.store.payouts() == ()
        again = a_payout(block_number=1005, block_hash="0xother", at=NOW + timedelta(seconds=9))
        assert len(claims.store.book((again,), claims.lease)) == 1
        assert [entry.payout.block_number for entry in claims.store.payouts()] == [1005]

    def test_what_was_paid_cannot_be_rewritten(self, claims: Claims) -> None:
        claims.store.book((a_payout(),), claims.lease)
        with pytest.raises(DatabaseError):
            claims.world.sql("UPDATE chain_payouts SET pusd = 1")

    def test_what_was_signed_cannot_be_rewritten(self, claims: Claims) -> None:
        claims.prepared()
        with pytest.raises(DatabaseError):
            claims.world.sql("UPDATE claim_sends SET nonce = 9")

    def test_the_books_have_it_and_give_it_back(self, claims: Claims) -> None:
        claims.store.book((a_payout(),), claims.lease)
        (booked,) = claims.world.stores.books.movements()
        assert (booked.movement.kind, booked.movement.pusd) == ("REDEEM", Decimal(20))
        assert booked.taken[0].shares == Decimal(20)
        claims.store.take_back(a_payout().payout.tx_hash, claims.lease, detail="reorganised")
        assert claims.world.stores.books.movements() == ()

    def test_the_journal_tells_it_all(self, claims: Claims) -> None:
        send = claims.prepared()
        claims.settle(send, S.CONFIRMED, booked=(replace(a_payout(), send_id=send.id),))
        kinds = claims.world.kinds()
        assert [kind for kind in kinds if kind.startswith(("claim.", "payout."))] == [
            "claim.prepared",
            "claim.settled",
            "payout.booked",
        ]
        assert claims.world.engine.audit().findings == ()
