"""Claims that were believed and are doubted again, and whose transaction it was that paid."""

import shutil
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind
from polyb0t.db.backup import backup
from polyb0t.execution.anchor import AnchorFile, require_present
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.settlement.ports import ClaimRoute, SendOutcome, SignedClaim
from polyb0t.execution.settlement.sends import SendStatus
from polyb0t.execution.store import AnchorPoint, EngineStore
from polyb0t.models.kill_switches import KillSwitchType, tripped
from tests.support.builders import NOW
from tests.support.claim_room import ClaimRoom
from tests.support.databases import sqlite_url
from tests.support.pretend_chain import Waiting

S = SendStatus
each_route = pytest.mark.parametrize("route", [ClaimRoute.TRANSACTION, ClaimRoute.RELAYER])


@pytest.fixture
def room(tmp_path: Path) -> ClaimRoom:
    return ClaimRoom(tmp_path, recheck_seconds=0)


@pytest.fixture
def deposit(tmp_path: Path) -> ClaimRoom:
    return ClaimRoom(tmp_path, ClaimRoute.RELAYER, recheck_seconds=0)


def condition_of(room: ClaimRoom, intent_id: IntentId) -> ConditionId:
    return room.record(intent_id).intent.condition_id


def alarms(room: ClaimRoom) -> list[KillSwitchType]:
    return [state.type for state in tripped(room.world.switches.list())]


def look_at_it(room: ClaimRoom) -> None:
    """A person has looked, and lets it go on."""
    room.world.switches.clear(KillSwitchType.RECONCILIATION, actor="user:anna", reason="looked")


class TestABlockThatWasDeepEnoughIsTakenBack:
    def paid(self, room: ClaimRoom) -> IntentId:
        claim = room.won(1)
        room.until_over()
        assert room.paid() == Decimal(20)
        assert alarms(room) == []
        return claim

    def test_the_payment_leaves_the_books_a_person_is_told_and_it_is_looked_for(
        self, room: ClaimRoom
    ) -> None:
        self.paid(room)
        room.chain.reorganise()
        room.claimer.step()
        assert room.paid() == 0
        assert alarms(room) == [KillSwitchType.RECONCILIATION]
        assert [send.status for send in room.sends()] == [S.UNKNOWN]

    def test_in_another_block_it_counts_again(self, room: ClaimRoom) -> None:
        claim = self.paid(room)
        room.chain.reorganise()
        for _ in range(8):
            room.step()
        assert [send.status for send in room.sends()] == [S.CONFIRMED]
        assert room.record(claim).status is IntentStatus.EXECUTED
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_moved_into_another_block_it_counts_all_along_and_nobody_is_woken(self, room: ClaimRoom) -> None:
        self.paid(room)
        room.chain.reorganise()
        room.pass_time()  # it is mined again before anybody looks
        room.step()
        assert room.paid() == Decimal(20)
        assert alarms(room) == []
        assert room.judge() == []

    def test_lost_by_every_node_it_leaves_again_after_a_person_has_looked(self, room: ClaimRoom) -> None:
        self.paid(room)
        room.chain.reorganise()
        room.chain.pool.clear()
        for _ in range(12):
            room.step()
        assert room.paid() == 0
        assert room.chain.pool == {}
        look_at_it(room)
        room.until_over()
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_the_one_that_it_replaced_may_be_mined_instead(self, room: ClaimRoom) -> None:
        room.chain.floor_fee = 42
        self.paid(room)
        cheaper, dearer = sorted(room.sends(), key=lambda send: send.replaces or "")
        room.chain.reorganise()
        ((nonce, mined),) = room.chain.pool.items()
        room.chain.pool[nonce] = Waiting(cheaper.tx_hash, nonce, mined.calls, 10**9)
        room.step()
        room.until_over()
        stands = {send.id: send.status for send in room.sends()}
        assert stands == {cheaper.id: S.CONFIRMED, dearer.id: S.DROPPED}
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_what_the_index_has_told_meanwhile_is_not_believed_either(self, room: ClaimRoom) -> None:
        self.paid(room)
        (send,) = room.sends()
        told = Movement(
            MovementKind.REDEEM,
            NOW,
            send.tx_hash,
            Pusd(Decimal(20)),
            Shares(Decimal(20)),
            condition_id=condition_of(room, send.members[0]),
        )
        room.world.stores.books.record_movements((Booked(told),), room.world.lease)
        assert len(room.world.stores.books.movements()) == 1
        room.chain.reorganise()
        room.claimer.step()
        assert room.world.stores.books.movements() == ()
        room.until_over()
        assert [entry.movement.pusd for entry in room.world.stores.books.movements()] == [Decimal(20)]

    def test_what_somebody_else_paid_is_watched_as_well(self, room: ClaimRoom) -> None:
        claim = room.won(1)
        room.chain.auto_redeem(condition_of(room, claim))
        room.until_over()
        (theirs,) = room.chain.mined
        room.chain.reorganise()
        room.chain.pool.clear()
        room.step()
        assert alarms(room) == [KillSwitchType.RECONCILIATION]
        assert room.judge() == []  # the shares are in the books again
        room.chain.mine(theirs.tx_hash, theirs.calls, ours=False)
        room.step()
        assert room.paid() == Decimal(20)
        assert room.judge() == []

    def test_a_node_that_is_behind_proves_nothing(self, room: ClaimRoom) -> None:
        self.paid(room)
        room.chain.behind = len(room.chain.blocks) - 1
        room.step()
        assert room.paid() == Decimal(20)
        assert alarms(room) == []

    def test_nor_does_it_where_the_payment_is_not_deep_yet(self, room: ClaimRoom) -> None:
        room.won(1)
        room.step()
        room.step()
        assert [send.status for send in room.sends()] == [S.MINED]
        room.chain.behind = len(room.chain.blocks) - 1
        room.step()
        assert room.paid() == Decimal(20)
        assert [send.status for send in room.sends()] == [S.MINED]

    def test_a_process_that_ends_in_between_finds_it_all_the_same(self, room: ClaimRoom) -> None:
        self.paid(room)
        (send,) = room.sends()
        room.chain.reorganise()
        assert room.lease is not None
        room.world.stores.claims.take_back(send.tx_hash, room.lease, detail="and then it ended")
        room.start()
        room.claimer.step()
        assert [each.status for each in room.sends()] == [S.UNKNOWN]
        room.until_over()
        assert room.judge() == []

    def test_after_a_while_it_is_over_and_its_bytes_are_erased(self, tmp_path: Path) -> None:
        room = ClaimRoom(tmp_path, recheck_seconds=0, watch_blocks=20)
        self.paid(room)
        assert all(send.raw for send in room.sends())
        for _ in range(20):
            room.step()
        assert [send.raw for send in room.sends()] == [None]
        room.chain.unreachable = 10**6
        room.step()


class TestWhoseTransactionPaid:
    def test_a_batch_of_which_no_name_was_heard_is_known_by_what_it_carries(self, deposit: ClaimRoom) -> None:
        claim = deposit.won(1)
        deposit.relayer.trouble.append("accepted_unheard")
        deposit.until_over()
        (send,) = deposit.sends()
        (ours,) = deposit.chain.mined
        assert (send.status, send.tx_hash, send.transaction_id) == (S.CONFIRMED, ours.tx_hash, "")
        assert (deposit.record(claim).status, deposit.record(claim).result) == (
            IntentStatus.EXECUTED,
            "claimed",
        )
        assert [entry.send_id for entry in deposit.world.stores.claims.payouts()] == [send.id]
        assert deposit.judge() == []

    def test_the_venue_was_first_and_our_batch_found_nothing(self, deposit: ClaimRoom) -> None:
        claim = deposit.won(1)
        deposit.relayer.trouble.append("accepted_unheard")
        deposit.claimer.step()
        deposit.chain.auto_redeem(condition_of(deposit, claim))
        deposit.until_over()
        assert deposit.record(claim).result == "already_paid"
        assert [entry.send_id for entry in deposit.world.stores.claims.payouts()] == [""]
        assert deposit.judge() == []

    def test_of_a_batch_whose_name_was_not_heard_one_was_paid_by_another(self, deposit: ClaimRoom) -> None:
        first, second = deposit.won(1), deposit.won(2)
        deposit.relayer.trouble.append("accepted_unheard")
        deposit.claimer.step()
        deposit.chain.auto_redeem(condition_of(deposit, first))
        deposit.until_over()
        assert [deposit.record(each).result for each in (first, second)] == ["already_paid", "claimed"]
        assert deposit.paid() == Decimal(40)
        assert deposit.judge() == []


class TestAnchor:
    @each_route
    def test_it_knows_of_a_claim_before_a_byte_of_it_leaves(self, tmp_path: Path, route: ClaimRoute) -> None:
        room = ClaimRoom(tmp_path, route)
        room.chain.floor_fee = 42  # so that a plain wallet's is replaced as well
        seen: list[tuple[int, int]] = []
        port: Any = room.relayer if route is ClaimRoute.RELAYER else room.chain
        name = "submit" if route is ClaimRoute.RELAYER else "broadcast"
        sent = getattr(port, name)

        def watched(signed: SignedClaim) -> SendOutcome:
            stored = [each for each in room.world.engine.journal() if each.kind == "claim.prepared"]
            point = room.anchor.read()
            seen.append((point.sequence if point else 0, stored[-1].sequence))
            return cast("SendOutcome", sent(signed))

        setattr(port, name, watched)
        room.won(1)
        room.until_over()
        assert len(seen) >= len(room.sends())
        assert all(known >= prepared for known, prepared in seen), seen

    @each_route
    def test_nothing_leaves_where_it_cannot_be_written(self, tmp_path: Path, route: ClaimRoute) -> None:
        room = ClaimRoom(tmp_path, route)
        claim = room.won(1)
        (tmp_path / "anchor.json").mkdir()
        for _ in range(3):
            room.step()
        assert room.record(claim).result == "anchor_not_written"
        assert [send.status for send in room.sends()] == [S.DROPPED]
        assert (room.chain.pool, room.relayer.submissions, room.chain.mined) == ({}, 0, [])

    def test_a_restored_backup_does_not_claim_twice(self, tmp_path: Path) -> None:
        room = ClaimRoom(tmp_path)
        approved, taken = room.won(1), room.won(2)
        room.chain.floor_fee = 501  # gas is over the cap, so both wait: one of them is taken already
        room.step()
        assert room.record(approved).status is not room.record(taken).status
        backup(sqlite_url(tmp_path), tmp_path / "copy.db")
        room.chain.floor_fee = 30
        room.until_over()
        assert room.paid() == Decimal(40)

        self._restore(room, tmp_path)
        with pytest.raises(ConflictError) as refused:
            require_present(room.world.stores, room.anchor)
        assert refused.value.code == "database_restored"
        room.world.engine.adopt(actor="user:anna", reason="disk", above_token=9, found=(), doubtful=())
        for switch in KillSwitchType:
            room.world.switches.clear(switch, actor="user:anna", reason="looked")
        room.lease = None
        room.start()
        for _ in range(5):
            room.step()
        assert room.sends() == ()
        assert {room.record(each).result for each in (approved, taken)} == {"adopted"}

    def _restore(self, room: ClaimRoom, folder: Path) -> None:
        room.world.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{folder}/polyb0t.db{suffix}").unlink(missing_ok=True)
        shutil.copy(folder / "copy.db", folder / "polyb0t.db")
        room.clock.advance(seconds=120)
        stores = room.world.open()
        room.world.stores, room.world.intents, room.world.orders = stores, stores.intents, stores.orders
        room.world.engine, room.world.switches = stores.engine, stores.switches
        room.anchor = AnchorFile(folder / "anchor.json", stores.engine)


class Journal:
    """A database whose head two processes read."""

    def __init__(self, *heads: int) -> None:
        self.heads = list(heads)
        self.meanwhile: Thread | None = None

    def anchor_point(self) -> AnchorPoint:
        if self.meanwhile is not None:
            self.meanwhile.start()
            self.meanwhile.join(timeout=0.3)
        return AnchorPoint("database", "", self.heads.pop(0), "0" * 64, 1)


def anchor_of(folder: Path, journal: Journal) -> AnchorFile:
    return AnchorFile(folder / "anchor.json", cast("EngineStore", journal))


def test_of_two_processes_the_slower_one_does_not_put_the_anchor_back(tmp_path: Path) -> None:
    slow, quick = Journal(100), Journal(101)
    slow.meanwhile = Thread(target=anchor_of(tmp_path, quick).advance)
    anchor_of(tmp_path, slow).advance()
    slow.meanwhile.join()
    point = anchor_of(tmp_path, Journal()).read()
    assert point is not None
    assert point.sequence == 101


def test_a_database_that_goes_back_while_it_runs_sends_nothing_more(tmp_path: Path) -> None:
    anchor = anchor_of(tmp_path, Journal(100, 99))
    anchor.advance()
    with pytest.raises(ConflictError) as refused:
        anchor.advance()
    assert refused.value.code == "database_restored"
    again = anchor_of(tmp_path, Journal(99))
    with pytest.raises(ConflictError):
        again.advance()


def test_while_the_halt_file_is_there_not_even_a_second_copy_leaves(room: ClaimRoom) -> None:
    room.won(1)
    room.chain.trouble.extend(["lost"])
    room.step()
    room.world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
    for _ in range(30):
        room.step()
    assert room.chain.pool == {}
    assert room.paid() == 0
    room.world.switches.clear(KillSwitchType.MANUAL, actor="user:anna", reason="back")
    room.until_over()
    assert room.paid() == Decimal(20)


def test_it_says_why_it_waits_and_forgets_it_when_it_does_not(room: ClaimRoom) -> None:
    room.won(1)
    room.chain.floor_fee = 501
    room.step()
    assert room.claimer.waits == "Gas costs too much. over the cap"
    room.chain.floor_fee = 30
    room.step()
    room.step()
    room.until_over()
    assert room.claimer.waits == ""


def test_a_relayer_that_is_silent_is_named(deposit: ClaimRoom) -> None:
    deposit.won(1)
    deposit.relayer.nonce = lambda: None  # type: ignore[method-assign]
    deposit.step()
    assert "relayer did not tell" in deposit.claimer.waits
