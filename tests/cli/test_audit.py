"""`audit verify` and `audit show` as a person sees them."""

import pytest

from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from tests.cli.conftest import Place
from tests.cli.test_claims import paid, proposed
from tests.support.builders import a_fill, an_order_for, wide_limits


@pytest.fixture
def traded(place: Place) -> str:
    """One live trade from proposal to fill; the short id of its intent."""
    place.stores.engine.release(place.lease)
    lease = place.stores.engine.acquire(
        "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    place.lease = lease  # type: ignore[assignment]
    record = place.propose(regime=Regime.LIVE)
    intents, orders = place.stores.intents, place.stores.orders
    intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    intents.claim(record.id, place.lease, Regime.LIVE, wide_limits())
    order = intents.permit(an_order_for(record.intent), place.lease, post_budget_seconds=10)
    orders.settle(order.id, place.lease, status=OrderStatus.MATCHED, code="accepted", detail="")  # type: ignore[union-attr]
    fill = a_fill(order.id, asset_id=record.intent.asset_id, side=record.intent.side)  # type: ignore[union-attr]
    orders.record_fills(order.id, [fill], place.lease)  # type: ignore[union-attr]
    return place.short(record)


def test_a_journal_that_holds(place: Place) -> None:
    place.propose()

    answer = place.type("audit", "verify")

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("The journal holds: 3 entries, 1 intents, 0 orders, 0 fills.")
    assert "Anchor: There is none yet" in answer.out
    assert place.type("audit", "verify", "--json").json["intact"] is True


def test_live_decisions_that_no_anchor_here_has_seen(place: Place, traded: str) -> None:
    answer = place.type("audit", "verify")

    assert answer.code == 4
    assert "BROKEN" in answer.out
    assert "no engine has traded with it here" in answer.out


def test_a_row_that_somebody_altered(place: Place) -> None:
    record = place.propose()
    payload = {"from": "PENDING", "to": "EXECUTED", "digest": record.digest}
    place.stores.engine.note(None, kind="intent.executed", subject=record.id, payload=payload, actor="x")

    answer = place.type("audit", "verify")

    assert answer.code == 4
    assert "no legal move" in answer.out
    assert place.type("audit", "verify", "--json").json["intact"] is False


def test_the_story_of_a_trade(place: Place, traded: str) -> None:
    answer = place.type("audit", "show", traded)

    assert answer.code == 0
    kinds = [line.split(" s  ")[1].split(" ")[0] for line in answer.out.splitlines() if " s  " in line]
    assert kinds == ["proposed,", "approved", "claimed", "order", "order", "executed", "fill"]
    assert "approved by anna" in answer.out
    assert "stored as SIGNED" in answer.out
    assert all(len(line) <= 100 for line in answer.out.splitlines())
    assert "order SIGNED -> MATCHED (accepted)" in answer.out
    assert "20 at 0.48, fee 0.096" in answer.out


def test_the_story_as_data(place: Place, traded: str) -> None:
    steps = place.type("audit", "show", traded, "--json").json

    assert [step["kind"] for step in steps][:4] == [
        "intent.proposed",
        "intent.approved",
        "intent.claimed",
        "order.permitted",
    ]
    assert [step["sequence"] for step in steps] == sorted(step["sequence"] for step in steps)
    assert all(step["at"].endswith("Z") for step in steps)


def test_an_intent_that_does_not_exist_is_named(place: Place) -> None:
    answer = place.type("audit", "show", "nope")

    assert answer.code != 0
    assert "There is no intent nope" in answer.err


def test_the_story_of_a_claim(place: Place) -> None:
    record = proposed(place)
    paid(place, record)

    answer = place.type("audit", "show", record.id[:6])

    told = answer.out
    assert answer.code == 0
    sentences = " ".join(told.split())
    assert "transaction stored, nonce 7, 20 pUSD expected; it may be sent" in sentences
    assert "transaction PREPARED -> CONFIRMED (claimed), gas 0.001000 POL: Paid." in sentences
    assert "20 pUSD paid by its transaction 0x5a" in sentences
    assert "secret" not in told
    assert all(len(line) <= 100 for line in told.splitlines())
    kinds = [step["kind"] for step in place.type("audit", "show", record.id[:6], "--json").json]
    assert kinds == [
        *("intent.proposed", "intent.approved", "intent.claimed", "claim.prepared", "claim.settled"),
        *("payout.booked", "intent.executed"),
    ]
    assert place.type("audit", "verify", "--json").json["claim_transactions"] == 1
