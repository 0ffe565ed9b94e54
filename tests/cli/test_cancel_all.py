"""`orders cancel-all`: ours by id, at once; what else hangs on the key only after it was shown."""

import io
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.cli.orders_cancel import cancel_planned
from polyb0t.cli.terminal import Terminal, this_terminal
from polyb0t.core.errors import UsageError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, OrderId
from polyb0t.core.units import ZERO, Price, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.order_book import Side
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied, Lease
from polyb0t.models.kill_switches import KillSwitchType
from tests.cli.conftest import Place
from tests.support.builders import an_intent, an_order_for, wide_limits
from tests.support.engine_room import EngineRoom


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path / "room")


def resting(room: EngineRoom, asset: str = "5") -> TradeIntent:
    intent = an_intent(
        order_type=OrderType.GTC,
        amount=None,
        shares=Shares(Decimal(20)),
        least_shares=None,
        post_only=True,
        asset_id=AssetId(asset),
        condition_id=ConditionId("0x" + asset.rjust(64, "0")),
    )
    room.execute(intent)
    return intent


def somebody_elses(number: int) -> AccountOrder:
    return AccountOrder(
        OrderId(f"0x{number:064x}"),
        ConditionId("0x" + "ab" * 32),
        AssetId("9"),
        Side.BUY,
        Price(Decimal("0.1")),
        Shares(Decimal(100)),
        Shares(ZERO),
        "LIVE",
    )


def run(room: EngineRoom, *, everything: bool = False, yes: bool = False, json: bool = False) -> int:
    return cancel_planned(
        this_terminal(as_json=json, no_color=True), room.stores, room.gateway, everything=everything, yes=yes
    )


def test_all_of_ours_and_nothing_else(room: EngineRoom, capsys: pytest.CaptureFixture[str]) -> None:
    ours = [resting(room, asset) for asset in ("5", "6")]
    room.gateway.foreign.append(somebody_elses(1))

    assert run(room) == 0

    assert set(room.gateway.cancels) == {room.order_id(intent) for intent in ours}
    assert "Cancelled: 2 of 2." in capsys.readouterr().out
    room.reconciler.run()
    assert all(room.order(intent).status is OrderStatus.CANCELLED for intent in ours)
    assert room.gateway.foreign


def test_it_passes_every_switch_and_needs_no_engine(room: EngineRoom) -> None:
    resting(room)
    for switch in KillSwitchType:
        room.stores.switches.trip(switch, actor="user:anna", reason="all of them")
    room.stores.engine.release(room.lease)

    assert run(room) == 0
    assert len(room.gateway.cancels) == 1


def test_an_unknown_order_is_cancelled_too_and_what_cannot_be_is_told(
    room: EngineRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    room.gateway.answers.append(
        lambda prepared: type(room.gateway).take_and_lose_the_reply(room.gateway, prepared)
    )
    room.gateway.down = True
    taken = an_intent()
    room.execute(taken)
    room.gateway.down = False
    assert room.order(taken).status is OrderStatus.UNKNOWN

    assert run(room) == 4
    said = capsys.readouterr().out
    assert "Cancelled: 0 of 1." in said
    assert "polyb0t halt" in said


def test_everything_says_first_what_else_it_hits(
    room: EngineRoom, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resting(room)
    room.gateway.foreign.append(somebody_elses(1))
    room.gateway.other_wallets.append(somebody_elses(2))
    asked: list[str] = []
    monkeypatch.setattr(Terminal, "somebody_sits_here", property(lambda _self: True))

    def no(_terminal: Terminal, question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(Terminal, "ask", no)

    assert run(room, everything=True) == 4

    said = capsys.readouterr().out
    assert "Of ours: 1. Not placed by polyb0t, and cancelled too: 2." in said
    assert said.count("BUY 100") == 2
    assert asked
    assert room.gateway.cancels == []


def test_everything_with_yes_hits_exactly_what_it_read(room: EngineRoom) -> None:
    intent = resting(room)
    room.gateway.foreign.append(somebody_elses(1))
    room.gateway.other_wallets.append(somebody_elses(2))

    assert run(room, everything=True, yes=True) == 0

    wanted = {room.order_id(intent), somebody_elses(1).order_id, somebody_elses(2).order_id}
    assert set(room.gateway.cancels) == wanted


def test_nobody_to_ask_is_no_yes(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    room.gateway.foreign.append(somebody_elses(1))
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(UsageError) as refused:
        run(room, everything=True)

    assert refused.value.code == "confirmation_required"
    assert room.gateway.cancels == []


def test_what_else_there_is_cannot_be_read(room: EngineRoom) -> None:
    resting(room)
    room.gateway.down = True

    with pytest.raises(VenueUnreachableError):
        run(room, everything=True, yes=True)


def test_nothing_to_cancel_is_said(room: EngineRoom, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(room) == 0
    assert "Nothing to cancel" in capsys.readouterr().out


def test_without_credentials_it_names_the_website(place: Place) -> None:
    answer = place.type("orders", "cancel-all")

    assert answer.code != 0
    assert "Nothing" in answer.err or "Not" in answer.err


@pytest.mark.parametrize("json", [False, True], ids=["text", "json"])
def test_what_the_exchange_said_it_cancelled_is_no_failure_later(
    room: EngineRoom, capsys: pytest.CaptureFixture[str], json: bool
) -> None:
    first, second = (room.order_id(resting(room, asset)) for asset in ("5", "6"))
    cancel_orders(room.gateway, room.stores.engine, [first], actor="user:anna")
    room.stores.engine.release(room.lease)  # no engine reads that it is over

    assert run(room, json=json) == 0
    assert run(room, json=json) == 0  # nor the second time, of either

    assert set(room.gateway.cancels) == {first, second}
    assert json or "Cancelled already before this: 1." in capsys.readouterr().out


def test_what_the_exchange_never_said_it_cancelled_stays_a_failure(room: EngineRoom) -> None:
    intent = resting(room)
    room.gateway.cancel([room.order_id(intent)])  # by somebody else: we were told nothing

    assert run(room) == 4


def test_a_delayed_order_cannot_be_cancelled_and_says_so(place: Place) -> None:
    place.stores.engine.release(place.lease)
    lease = place.stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    place.lease = lease
    intent = place.propose(regime=Regime.LIVE).intent
    store = place.stores.intents
    store.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
    assert not isinstance(store.claim(intent.id, lease, Regime.LIVE, wide_limits()), Denied)
    order = an_order_for(intent)
    assert not isinstance(store.permit(order, lease, post_budget_seconds=10), Denied)
    place.stores.orders.settle(order.id, lease, status=OrderStatus.DELAYED, code="accepted", detail="")

    said = place.type("orders", "cancel", order.id, "--json")

    assert (said.code, said.problem["code"]) == (4, "order_delayed")
    assert "takes no cancel" in said.problem["title"]
