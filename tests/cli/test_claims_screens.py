"""The screens of claims at each width, and the same as data: what waits, what ended, what you do yourself."""

from decimal import Decimal

import pytest

from polyb0t.core.ids import ConditionId, TradeId
from polyb0t.core.units import Shares
from polyb0t.data.fills import FillStatus
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.scope import Regime
from tests.cli.conftest import Place
from tests.support.builders import a_fill, an_order_for, wide_limits
from tests.support.claims import a_whole_claim

PAGE = "https://polymarket.com/event/ferry-to-lindholm-on-time-in-december"
WHY = "A deposit wallet needs the relayer, and there is no key for it."
DO = "Set POLYBOT_RELAYER_API_KEY for the claims process, or claim it on the website."
WIDTHS = pytest.mark.parametrize("columns", [100, 80, 60])


@pytest.fixture(autouse=True)
def _live(place: Place) -> None:
    """What trades for real, so that something is held."""
    place.stores.engine.release(place.lease)
    lease = place.stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    place.lease = lease  # type: ignore[assignment]


def bought(place: Place) -> ConditionId:
    """Shares of a market that are final."""
    record = place.propose(regime=Regime.LIVE)
    intents = place.stores.intents
    intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    assert isinstance(intents.claim(record.id, place.lease, Regime.LIVE, wide_limits()), IntentRecord)
    order = intents.permit(an_order_for(record.intent), place.lease, post_budget_seconds=1)
    assert isinstance(order, OrderRecord), order
    fill = a_fill(
        order.id,
        trade_id=TradeId("t1"),
        condition_id=record.intent.condition_id,
        asset_id=record.intent.asset_id,
        shares=Shares(Decimal(20)),
        status=FillStatus.CONFIRMED,
    )
    place.stores.orders.record_fills(order.id, (fill,), place.lease)
    return record.intent.condition_id


def by_hand(place: Place) -> None:
    """What the engine notes where nobody here can claim."""
    condition = bought(place)
    payload = {"question": "Will the ferry run\x1b[31m?", "page": PAGE, "why": WHY, "do": DO}
    place.stores.engine.note(
        place.lease, kind="claim.by_hand", subject=f"claim:{condition}", payload=payload, actor="engine"
    )


def proposed(place: Place, **overrides: str) -> IntentRecord:
    record = place.stores.intents.propose(a_whole_claim(**overrides), place.lease)  # type: ignore[arg-type]
    assert isinstance(record, IntentRecord), record
    return record


@WIDTHS
def test_what_you_do_yourself_is_told_in_full(
    place: Place, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    by_hand(place)

    screen = place.type("claims", "list").out

    assert all(len(line) <= columns for line in screen.splitlines())
    told = " ".join(screen.split())
    assert f"{WHY} {DO}" in told
    assert "To claim yourself: Will the ferry run" in told
    assert "\x1b" not in screen


def test_as_data_it_is_the_same(place: Place) -> None:
    by_hand(place)
    answer = place.type("claims", "list", "--json").json
    assert answer["claims"] == []
    (told,) = answer["by_hand"]
    assert {name: told[name] for name in ("page", "why", "do")} == {"page": PAGE, "why": WHY, "do": DO}


@WIDTHS
def test_a_list_names_amount_and_who_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    record = proposed(place)
    stores = place.stores

    def listed() -> str:
        screen = place.type("claims", "list").out
        assert all(len(line) <= columns for line in screen.splitlines())
        assert f"polyb0t claims show {record.id[:6]}" in screen
        return " ".join(screen.split())

    assert "20.00" in listed()
    assert "waits for you" in listed()
    stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    assert "approved, waits for polyb0t claims run" in listed()
    stores.intents.expire(record.id, actor="engine", code="already_paid")
    assert "EXPIRED, already_paid" in listed()


@WIDTHS
def test_the_closer_look_fits_and_says_what_would_be_called(
    place: Place, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    record = proposed(place)

    screen = place.type("claims", "show", record.id[:6]).out

    assert all(len(line) <= columns for line in screen.splitlines())
    told = dict(record.intent.claim or {})
    assert f"Claim {record.id}" in screen
    for name in ("route", "shares", "payouts"):
        assert told[name] in screen, name
    assert told["wallet"] in screen
    assert f"polyb0t intents show {record.id[:6]}" in screen


def test_one_that_is_not_there_has_its_own_exit_code(place: Place) -> None:
    answer = place.type("claims", "show", "zzzz", "--json")
    assert (answer.code, answer.problem["code"]) == (3, "claim_not_found")
