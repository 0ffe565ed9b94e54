"""Claims against a chain that misbehaves: paid once, every millionth in the books, whatever happens."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Shares
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.settlement.ports import ClaimRoute, SendOutcome, SignedClaim
from polyb0t.execution.settlement.sends import SendStatus
from polyb0t.models.kill_switches import KillSwitchType
from tests.support.claim_room import ClaimRoom

S = SendStatus
ROUTES = (ClaimRoute.TRANSACTION, ClaimRoute.RELAYER)
each_route = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture
def room(tmp_path: Path) -> ClaimRoom:
    return ClaimRoom(tmp_path)


@pytest.fixture
def deposit(tmp_path: Path) -> ClaimRoom:
    return ClaimRoom(tmp_path, ClaimRoute.RELAYER)


def condition_of(room: ClaimRoom, intent_id: str) -> ConditionId:
    return room.record(intent_id).intent.condition_id  # type: ignore[arg-type]


class TestPaid:
    @each_route
    def test_a_won_market(self, tmp_path: Path, route: ClaimRoute) -> None:
        room = ClaimRoom(tmp_path, route)
        claim = room.won(1)
        room.until_over()
        record = room.record(claim)
        assert (record.status, record.result) == (IntentStatus.EXECUTED, "claimed")
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    @each_route
    def test_half_for_each(self, tmp_path: Path, route: ClaimRoute) -> None:
        room = ClaimRoom(tmp_path, route)
        room.won(1, shares="15.000001", payouts=("0.5", "0.5"), other="3")
        room.until_over()
        assert room.paid() == Decimal(9)  # each outcome is cut down to a millionth by itself
        assert room.judge() == []

    def test_a_deposit_wallets_claims_go_in_one_batch(self, deposit: ClaimRoom) -> None:
        claims = [deposit.won(number) for number in (1, 2, 3)]
        deposit.until_over()
        assert {deposit.record(claim).status for claim in claims} == {IntentStatus.EXECUTED}
        assert [len(send.members) for send in deposit.sends()] == [3]
        assert deposit.judge() == []

    def test_an_own_key_takes_one_after_the_other(self, room: ClaimRoom) -> None:
        for number in (1, 2):
            room.won(number)
        room.until_over()
        assert [len(send.members) for send in room.sends()] == [1, 1]
        assert {send.nonce for send in room.sends()} == {7, 8}
        assert room.judge() == []

    def test_it_is_not_over_before_it_is_deep_enough(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.step()
        room.step()
        assert [send.status for send in room.sends()] == [S.MINED]
        assert room.record(claim).status is IntentStatus.EXECUTING
        assert room.paid() == Decimal(20)  # and yet the books have what the chain says

    def test_what_it_brought_is_a_result(self, room: ClaimRoom) -> None:
        room.won(1)
        room.until_over()
        (booked,) = room.world.stores.books.movements()
        (taken,) = booked.taken
        assert (taken.shares, taken.pusd) == (Decimal(20), Decimal(20))


class TestRefusedBeforeAnythingIsSigned:
    def test_a_payout_of_zero(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.chain.resolve(condition_of(room, claim), "0", "1")
        room.until_over()
        assert room.record(claim).result == "payout_differs"
        assert room.sends() == ()

    def test_another_payout_than_approved(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        asset = room.record(claim).intent.claim["asset_ids"].split()[0]  # type: ignore[index]
        room.chain.held[asset] = Shares(Decimal(19))  # type: ignore[index]
        room.until_over()
        assert room.record(claim).result == "payout_differs"
        assert room.sends() == ()

    def test_another_wallet(self, tmp_path: Path) -> None:
        room = ClaimRoom(tmp_path, ClaimRoute.RELAYER)
        claim = room.won(1)
        room.route = ClaimRoute.TRANSACTION
        room.start()
        room.until_over()
        assert room.record(claim).result == "wrong_wallet"
        assert room.sends() == ()

    def test_what_the_chain_would_refuse(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.chain.reverting = True
        room.until_over()
        assert room.record(claim).result == "would_revert"
        assert room.sends() == ()

    def test_what_the_venue_has_paid_already(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.chain.auto_redeem(condition_of(room, claim))
        room.until_over()
        record = room.record(claim)
        assert (record.status, record.result) == (IntentStatus.FAILED, "already_paid")
        assert room.sends() == ()
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_nothing_while_halted(self, room: ClaimRoom) -> None:
        room.won(1)
        room.world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
        for _ in range(3):
            room.step()
        assert room.sends() == ()

    def test_gas_over_the_cap_waits(self, room: ClaimRoom) -> None:
        room.won(1)
        room.chain.floor_fee = 501
        for _ in range(3):
            room.step()
        assert room.sends() == ()
        room.chain.floor_fee = 30
        room.until_over()
        assert room.paid() == Decimal(20)


class TestTroubleOnTheWay:
    def troubled(self, room: ClaimRoom, *words: str) -> ClaimRoom:
        room.won(1)
        (room.relayer if room.route is ClaimRoute.RELAYER else room.chain).trouble.extend(words)
        room.until_over()
        return room

    @pytest.mark.parametrize("words", [("lost",), ("no_answer",), ("lost", "lost"), ("forgotten",)])
    def test_an_answer_that_does_not_come(self, room: ClaimRoom, words: tuple[str, ...]) -> None:
        self.troubled(room, *words)
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_a_transaction_that_nobody_takes_is_paid_better(self, room: ClaimRoom) -> None:
        room.chain.floor_fee = 42  # a little more than it offers
        self.troubled(room)
        first, second = sorted(room.sends(), key=lambda send: send.replaces or "")
        assert (first.status, second.status) == (S.DROPPED, S.CONFIRMED)
        assert first.nonce == second.nonce
        assert second.max_fee_wei > first.max_fee_wei
        assert room.judge() == []

    def test_halted_while_the_better_copy_is_signed_it_does_not_leave(
        self, room: ClaimRoom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        room.won(1)
        room.chain.floor_fee = 42
        chain, signed, left = room.chain, list[SignedClaim](), list[SignedClaim]()
        sign, broadcast = chain.sign, chain.broadcast

        def signs(*arguments: Any) -> SignedClaim:
            signed.append(sign(*arguments))
            room.halted = len(signed) == 2
            return signed[-1]

        def leaves(one: SignedClaim) -> SendOutcome:
            left.append(one)
            return broadcast(one)

        monkeypatch.setattr(chain, "sign", signs)
        monkeypatch.setattr(chain, "broadcast", leaves)
        for _ in range(120):
            room.step()
        assert len(signed) == 2
        assert {each.raw for each in left} == {signed[0].raw}
        copy = next(send for send in room.sends() if send.replaces)
        assert (copy.status, copy.code) == (S.DROPPED, "halted")
        room.halted = False
        room.until_over()
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_a_claim_that_the_node_cannot_try_out_holds_up_no_other(self, room: ClaimRoom) -> None:
        silent, other = room.won(1), room.won(2)
        simulate = room.chain.simulate

        def tries(calls: Any) -> Any:
            if any(each.condition_id == condition_of(room, silent) for each in calls):
                raise VenueUnreachableError("127.0.0.1 gave no usable answer.", why="It answered an error.")
            return simulate(calls)

        room.chain.simulate = tries  # type: ignore[method-assign]
        for _ in range(60):
            room.step()
        assert room.record(other).status is IntentStatus.EXECUTED
        assert room.record(silent).status is IntentStatus.EXECUTING
        assert room.claimer.waits == "127.0.0.1 gave no usable answer. It answered an error."

    def test_a_refusal_ends_it(self, room: ClaimRoom) -> None:
        self.troubled(room, "refused")
        assert [send.status for send in room.sends()] == [S.DROPPED]
        assert room.paid() == 0
        assert room.judge() == []

    def test_a_transaction_that_reverts(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.claimer.step()
        room.chain.reverting = True
        room.until_over()
        assert room.record(claim).result == "reverted"
        assert room.paid() == 0
        assert room.judge() == []

    def test_the_venue_is_faster_after_it_left(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.chain.floor_fee = 100
        room.claimer.step()
        room.chain.auto_redeem(condition_of(room, claim))
        room.chain.floor_fee = 1
        room.until_over()
        record = room.record(claim)
        assert (record.status, record.result) == (IntentStatus.FAILED, "already_paid")
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_a_block_that_is_taken_back(self, room: ClaimRoom) -> None:
        room.won(1)
        room.step()
        room.step()
        room.chain.reorganise()
        room.claimer.step()
        assert room.paid() == 0  # the row left with its block
        room.until_over()
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    @pytest.mark.parametrize("word", ["busy", "lost", "stall", "failed", "invalid"])
    def test_a_relayer_that_fails(self, deposit: ClaimRoom, word: str) -> None:
        self.troubled(deposit, word)
        assert deposit.paid() == Decimal(20)
        assert deposit.judge() == []

    def test_nothing_new_is_signed_before_the_deadline_has_passed_on_the_chain(
        self, deposit: ClaimRoom
    ) -> None:
        deposit.won(1)
        deposit.relayer.trouble.append("failed")
        for _ in range(200):
            deposit.step()
            if len(deposit.sends()) > 1:
                break
        first, _second = deposit.sends()
        assert first.status is S.DROPPED
        assert first.deadline is not None
        assert deposit.chain.blocks[-1].at.timestamp() > first.deadline

    def test_an_answer_of_the_relayer_that_was_not_heard(self, deposit: ClaimRoom) -> None:
        self.troubled(deposit, "accepted_unheard")
        assert deposit.paid() == Decimal(20)
        assert deposit.judge() == []

    def test_a_batch_of_which_one_is_paid_meanwhile(self, deposit: ClaimRoom) -> None:
        first, second = deposit.won(1), deposit.won(2)
        deposit.relayer.trouble.append("stall")
        deposit.claimer.step()
        deposit.chain.auto_redeem(condition_of(deposit, first))
        for one in deposit.relayer.known.values():
            one["trouble"] = ""
        deposit.until_over()
        assert deposit.record(first).result == "already_paid"
        assert deposit.record(second).result == "claimed"
        assert deposit.paid() == Decimal(40)
        assert deposit.judge() == []

    def test_a_batch_that_would_not_pay_together_is_none(self, deposit: ClaimRoom) -> None:
        claims = [deposit.won(1), deposit.won(2)]
        deposit.chain.one_by_one = True
        deposit.until_over()
        assert [len(send.members) for send in deposit.sends()] == [1, 1]
        assert {deposit.record(claim).result for claim in claims} == {"claimed"}
        assert deposit.judge() == []

    def test_money_that_nothing_explains_stops_everything(self, room: ClaimRoom) -> None:
        """Signed for 20 shares; one of them is gone when it is mined."""
        claim = room.won(1)
        room.claimer.step()
        asset = room.record(claim).intent.claim["asset_ids"].split()[0]  # type: ignore[index]
        room.chain.held[asset] = Shares(Decimal(19))  # type: ignore[index]
        room.pass_time()
        room.until_over()
        tripped = [each.type for each in room.world.switches.list() if each.tripped]
        assert (room.paid(), tripped) == (Decimal(19), [KillSwitchType.RECONCILIATION])

    @each_route
    def test_a_node_that_is_away_for_a_while(self, tmp_path: Path, route: ClaimRoute) -> None:
        room = ClaimRoom(tmp_path, route)
        room.won(1)
        room.step()
        room.chain.unreachable = 12
        room.until_over()
        assert room.paid() == Decimal(20)
        assert room.judge() == []
