"""What the engine makes of held markets that end: won, lost, half, disputed, not worth it, somebody else's turn."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import TradeId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.fills import FillStatus
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.limits import breaches, check
from polyb0t.models.portfolio import NO_MONEY, Position, portfolio_of
from polyb0t.runtime.claim_routes import RELAYER_FACT, Way, way_of
from polyb0t.runtime.claims_view import by_hand
from polyb0t.runtime.settling import Settling
from tests.support import decisions
from tests.support.builders import NOW, a_fill
from tests.support.claim_room import ClaimRoom
from tests.support.settling_room import ASSETS, CONDITION, SettlingRoom

R = ResolutionState
EOA, PROXY, SAFE, DEPOSIT = 0, 1, 2, 3


@pytest.fixture
def room(tmp_path: Path) -> SettlingRoom:
    """20 shares of the first outcome are held; every cycle here reads."""
    return SettlingRoom(ClaimRoom(tmp_path))


def cycles(room: SettlingRoom, count: int = 3) -> int:
    return sum(room.cycle(30) for _ in range(count))


def held(room: SettlingRoom) -> tuple[Position, ...]:
    return books(room)[0]


def books(room: SettlingRoom) -> tuple[tuple[Position, ...], Pusd]:
    """What is held, and the result so far."""
    stores = room.claims.world.stores
    found = portfolio_of(stores.orders.fills(), starting_cash=NO_MONEY, booked=stores.books.movements())
    return found.held(), found.realised


def goes(room: SettlingRoom, way: Callable[[bool], Way]) -> None:
    room.settling.parts = replace(room.settling.parts, way=way)


def a_lease(facts: str, *, released: bool = False, age_seconds: float = 1) -> LeaseInfo:
    """The claims process as its row tells of it."""
    room_lease = dict.fromkeys(LeaseInfo.__slots__)
    room_lease |= {"released": released, "beat_at": NOW - timedelta(seconds=age_seconds), "facts": facts}
    return LeaseInfo(**room_lease)  # type: ignore[arg-type]


class TestAResult:
    @pytest.mark.parametrize("state", [R.OPEN, R.PROPOSED, R.DISPUTED, R.UNKNOWN])
    def test_nothing_but_a_result_is_a_result(self, room: SettlingRoom, state: ResolutionState) -> None:
        room.ends(state)
        assert cycles(room) == 0
        assert (room.claim(), by_hand(room.claims.world.stores)) == (None, ())
        assert [position.confirmed for position in held(room)] == [Decimal(20)]

    def test_a_proposal_cannot_even_carry_payouts(self) -> None:
        with pytest.raises(ValueError, match="proposed with payouts"):
            Resolution(CONDITION, R.PROPOSED, NOW, payouts=(Decimal(1), Decimal(0)))  # type: ignore[arg-type]

    def test_won_is_proposed_once_and_waits_for_a_person(self, room: SettlingRoom) -> None:
        room.ends(R.RESOLVED)
        assert cycles(room, 5) == 1
        claim = room.claim()
        assert claim is not None
        assert (claim.status, (claim.intent.claim or {})["expected_pusd"]) == (IntentStatus.PENDING, "20")
        assert held(room)  # nothing is booked before the chain paid

    def test_half_and_half_counts_what_the_wallet_holds_of_both(self, tmp_path: Path) -> None:
        room = SettlingRoom(ClaimRoom(tmp_path), shares=("15.000001", "3"))
        room.ends(R.RESOLVED, "0.5", "0.5")
        cycles(room)
        claim = room.claim()
        assert claim is not None
        told = claim.intent.claim or {}
        assert told["expected_pusd"] == "9"  # each outcome is cut down to a millionth by itself
        assert told["shares"] == "15.000001 3"

    def test_lost_is_closed_in_the_books_once_and_nothing_is_proposed(self, room: SettlingRoom) -> None:
        cost = held(room)[0].cost
        room.ends(R.RESOLVED, "0", "1")
        assert cycles(room, 4) == 0
        assert books(room) == ((), -cost)
        movements = room.claims.world.stores.books.movements()
        assert [(each.movement.pusd, each.movement.transaction_hash) for each in movements] == [
            (NO_MONEY, "")
        ]
        assert room.claim() is None

    @pytest.mark.parametrize("payouts", [("0", "1"), ("1", "0")])
    def test_what_is_still_on_its_way_is_waited_for(
        self, room: SettlingRoom, payouts: tuple[str, str]
    ) -> None:
        world = room.claims.world
        order = world.orders.orders(limit=None)[0]
        later = a_fill(
            order.id,
            trade_id=TradeId("late"),
            condition_id=CONDITION,
            asset_id=ASSETS[0],
            shares=Shares(Decimal(1)),
            status=FillStatus.MATCHED,
        )
        world.orders.record_fills(order.id, (later,), world.lease)
        room.ends(R.RESOLVED, *payouts)
        assert cycles(room) == 0
        assert room.claim() is None
        assert len(held(room)) == 1

    def test_shares_that_are_not_in_the_wallet_are_not_claimed(self, room: SettlingRoom) -> None:
        room.claims.chain.held[ASSETS[0]] = Shares(Decimal(0))
        room.ends(R.RESOLVED)
        assert cycles(room) == 0
        assert room.claim() is None

    @pytest.mark.parametrize(("least", "proposed"), [("20", 1), ("20.000001", 0)])
    def test_what_is_not_worth_it_is_left(self, room: SettlingRoom, least: str, proposed: int) -> None:
        room.settling.parts = replace(room.settling.parts, least_pusd=Pusd(Decimal(least)))
        room.ends(R.RESOLVED)
        assert cycles(room) == proposed
        assert by_hand(room.claims.world.stores) == ()  # and nobody is bothered with it


class TestADispute:
    @pytest.mark.parametrize(
        ("state", "frozen"),
        [(R.OPEN, False), (R.PROPOSED, False), (R.DISPUTED, True), (R.UNKNOWN, True), (R.RESOLVED, False)],
    )
    def test_freezes_openings_on_the_event(
        self, room: SettlingRoom, state: ResolutionState, frozen: bool
    ) -> None:
        room.ends(state)
        room.cycle()
        assert room.settling.frozen == (frozenset({"42"}) if frozen else frozenset())

    def test_it_thaws_with_a_result(self, room: SettlingRoom) -> None:
        room.ends(R.DISPUTED)
        room.cycle(30)
        assert room.settling.frozen
        room.ends(R.RESOLVED)
        room.cycle(30)
        assert not room.settling.frozen

    def test_an_answer_that_does_not_come_thaws_nothing(
        self, room: SettlingRoom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(_names: object) -> NoReturn:
            raise VenueUnreachableError("The index did not answer.")

        room.ends(R.DISPUTED)
        room.cycle(30)
        monkeypatch.setattr(room, "read", silent)
        with pytest.raises(VenueUnreachableError):
            room.cycle(30)
        assert room.settling.frozen == {"42"}

    def test_no_market_of_a_frozen_event_is_opened_and_a_close_goes_on(self) -> None:
        event = decisions.a_market().event_id
        assert event is not None
        context = decisions.a_context(frozen_events=frozenset({event}))
        names = [each.name for each in breaches(check(decisions.a_trade(), context))]
        assert names == ["being_resolved"]
        assert not breaches(check(decisions.a_close(), context))
        assert not breaches(check(decisions.a_trade(), decisions.a_context(frozen_events=frozenset())))


class TestWhoeverIsFirst:
    @pytest.mark.parametrize("approved", [False, True])
    def test_a_claim_whose_shares_were_paid_ends_without_an_error(
        self, room: SettlingRoom, approved: bool
    ) -> None:
        room.ends(R.RESOLVED)
        cycles(room, 1)
        claim = room.claim()
        assert claim is not None
        world = room.claims.world
        if approved:
            world.approve(claim.id)
        room.claims.chain.auto_redeem(CONDITION)
        _the_index_tells(room)

        cycles(room, 2)

        ended = world.intents.get(claim.id)
        assert (ended.status, ended.result) == (IntentStatus.EXPIRED, "already_paid")
        assert held(room) == ()

    def test_one_that_is_being_sent_is_left_to_the_process_that_sends_it(self, room: SettlingRoom) -> None:
        room.ends(R.RESOLVED)
        cycles(room, 1)
        claim = room.claim()
        assert claim is not None
        room.claims.world.approve(claim.id)
        room.claims.chain.auto_redeem(CONDITION)
        room.claims.step()
        record = room.claims.record(claim.id)
        assert (record.status, record.result) == (IntentStatus.FAILED, "already_paid")
        assert room.claims.paid() == Decimal(20)

        assert cycles(room, 2) == 0
        assert held(room) == ()


NO_KEY = Way(ClaimRoute.WEBSITE, "There is no key.", "Claim it on the website.")


class TestByHand:
    def test_a_person_is_told_once_and_nothing_fails_over_and_over(self, room: SettlingRoom) -> None:
        goes(room, lambda _node: NO_KEY)
        room.ends(R.RESOLVED)
        assert cycles(room, 5) == 0
        world = room.claims.world
        assert room.claim() is None
        assert world.kinds(f"claim:{CONDITION}").count("claim.by_hand") == 1
        (told,) = by_hand(world.stores)
        assert (told.why, told.do) == (NO_KEY.why, NO_KEY.do)
        assert told.page.startswith("http")

    def test_a_new_process_does_not_tell_again(self, room: SettlingRoom) -> None:
        goes(room, lambda _node: NO_KEY)
        room.ends(R.RESOLVED)
        cycles(room, 1)
        room.settling = Settling(room.settling.parts)  # a new process remembers nothing
        cycles(room, 2)
        assert room.claims.world.kinds(f"claim:{CONDITION}").count("claim.by_hand") == 1

    def test_it_is_over_when_the_person_has_done_it(self, room: SettlingRoom) -> None:
        goes(room, lambda _node: NO_KEY)
        room.ends(R.RESOLVED)
        cycles(room, 1)
        room.claims.chain.auto_redeem(CONDITION)
        _the_index_tells(room)
        assert by_hand(room.claims.world.stores) == ()

    def test_with_the_key_there_it_is_proposed_after_all(self, room: SettlingRoom) -> None:
        goes(room, lambda _node: NO_KEY)
        room.ends(R.RESOLVED)
        cycles(room, 1)
        goes(room, lambda _node: Way(ClaimRoute.TRANSACTION))
        assert cycles(room, 2) == 1
        assert by_hand(room.claims.world.stores) == ()  # one way is enough

    def test_a_lost_market_needs_no_instruction(self, room: SettlingRoom) -> None:
        goes(room, lambda _node: NO_KEY)
        room.ends(R.RESOLVED, "0", "1")
        cycles(room, 2)
        assert by_hand(room.claims.world.stores) == ()
        assert held(room) == ()


class TestTheWay:
    KEYED, KEYLESS = json.dumps({RELAYER_FACT: True}), json.dumps({RELAYER_FACT: False})

    @pytest.mark.parametrize("kind", [PROXY, SAFE, 9])
    @pytest.mark.parametrize("node", [True, False])
    def test_other_wallets_are_claimed_for_on_the_website(self, kind: int, node: bool) -> None:
        way = way_of(kind, node=node, claims=a_lease(self.KEYED), now=NOW)
        assert way.route is ClaimRoute.WEBSITE
        assert "website" in way.do
        assert not way.wants_chain

    @pytest.mark.parametrize("kind", [EOA, DEPOSIT])
    def test_without_a_node_nothing_could_be_proven(self, kind: int) -> None:
        way = way_of(kind, node=False, claims=a_lease(self.KEYED), now=NOW)
        assert (way.route, way.wants_chain) == (ClaimRoute.WEBSITE, True)
        assert "POLYBOT_RPC_URL" in way.do

    def test_an_own_key_sends_by_itself_whatever_runs(self) -> None:
        for claims in (None, a_lease(self.KEYLESS), a_lease(self.KEYED)):
            assert way_of(EOA, node=True, claims=claims, now=NOW).route is ClaimRoute.TRANSACTION

    @pytest.mark.parametrize("facts", [KEYLESS, "{}", "[]", "no json", '{"relayer": "yes"}'])
    def test_a_running_process_without_a_relayer_key_means_the_website(self, facts: str) -> None:
        way = way_of(DEPOSIT, node=True, claims=a_lease(facts), now=NOW)
        assert way.route is ClaimRoute.WEBSITE
        assert "POLYBOT_RELAYER_API_KEY" in way.do

    def test_with_the_key_it_is_the_relayer(self) -> None:
        assert way_of(DEPOSIT, node=True, claims=a_lease(self.KEYED), now=NOW).route is ClaimRoute.RELAYER

    @pytest.mark.parametrize(
        "claims", [None, a_lease(KEYLESS, released=True), a_lease(KEYLESS, age_seconds=3_600)]
    )
    def test_a_process_that_does_not_run_says_nothing_of_its_keys(self, claims: LeaseInfo | None) -> None:
        assert way_of(DEPOSIT, node=True, claims=claims, now=NOW).route is ClaimRoute.RELAYER


def _the_index_tells(room: SettlingRoom) -> None:
    """What the venue's index knows of it some minutes later, through the reader of movements."""
    world = room.claims.world
    shares, pusd = Shares(Decimal(20)), Pusd(Decimal(20))
    movement = Movement(
        kind=MovementKind.REDEEM,
        at=world.intents.now(),
        transaction_hash="0x" + "ab" * 32,
        pusd=pusd,
        shares=shares,
        condition_id=CONDITION,
    )
    booked = Booked(movement, (Taken(ASSETS[0], shares, pusd),))
    world.stores.books.record_movements((booked,), world.lease)
