"""What commands and API give out: exact strings, UTC, null for unknown, no secrets."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import OrderId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.runtime.holdings import read_holdings
from polyb0t.runtime.views import (
    intent_view,
    latest_universe,
    order_of,
    order_view,
    problem_view,
    value_view,
    without_password,
)
from tests.cli.scenes import ORDER, claim, mayor, record, tram, tram_order
from tests.support.builders import a_fill, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("95.160000"), "95.16"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0"), "0"),
        (Decimal("0.0000001"), "0.0000001"),
        (None, None),
        (True, True),
        (datetime(2026, 11, 22, 13, 41, tzinfo=timezone(timedelta(hours=1))), "2026-11-22T12:41:00.000000Z"),
        (Regime.DRY_RUN, "dry_run"),
        ((Decimal("1.50"), None), ["1.5", None]),
    ],
)
def test_a_value_has_one_form(value: object, shown: object) -> None:
    assert value_view(value) == shown


@pytest.mark.parametrize("intent", [tram(), mayor(), claim()], ids=["open", "close", "claim"])
def test_an_intent_is_json_without_a_single_float(intent: object) -> None:
    view = intent_view(record(intent), None, "k7m2")  # type: ignore[arg-type]
    text = json.dumps(view)
    assert json.loads(text, parse_float=lambda figure: pytest.fail(f"{figure} is a float")) == view


def test_waiting_has_no_outcome_and_executed_always_has_one() -> None:
    assert intent_view(record(tram()), None, "k7m2")["outcome"] is None
    noted = record(tram(), status=IntentStatus.EXECUTED, result="dry_run")
    assert intent_view(noted, None, "k7m2")["outcome"] == "dry run, nothing sent"
    filled = record(tram(), status=IntentStatus.EXECUTED, order_id=ORDER)
    assert "filled 152.50 of 150.00+" in str(intent_view(filled, tram_order(), "k7m2")["outcome"])


def test_an_order_is_given_out_without_its_signature_and_its_credential() -> None:
    secret = tram_order(signed_order='{"signature":"0xdeadbeef"}', credential_id="credential-1")
    view = order_view(secret)
    assert "deadbeef" not in json.dumps(view)
    assert "credential-1" not in json.dumps(view)
    assert view["average_price"] == "0.6"
    assert view["filled_shares"] == "152.5"


def test_an_average_without_an_end_has_six_decimals() -> None:
    third = tram_order(filled_shares=Shares(Decimal(3)), filled_notional=Pusd(Decimal(1)))
    assert order_view(third)["average_price"] == "0.333333"


def test_an_order_without_a_fill_has_no_average_price() -> None:
    view = order_view(tram_order(status=OrderStatus.UNKNOWN, filled_shares=Shares(ZERO)))
    assert view["average_price"] is None


def test_a_refusal_has_the_same_code_everywhere() -> None:
    view = problem_view(ConflictError("Not approved.", why="Late.", do="Wait.", code="expired"))
    assert view == {
        "type": "urn:polyb0t:problem:expired",
        "title": "Not approved.",
        "status": 409,
        "code": "expired",
        "detail": "Late. Wait.",
    }


def test_a_password_is_never_part_of_a_shown_url() -> None:
    assert without_password("postgresql+psycopg://bot:s3cret@db/bot") == "postgresql+psycopg://bot:***@db/bot"
    assert without_password("postgresql://bot:a:b%40@db/bot") == "postgresql://bot:***@db/bot"
    parameter = without_password("postgresql://bot@db/bot?sslmode=require&password=s3cret&x=1")
    assert parameter == "postgresql://bot@db/bot?sslmode=require&password=***&x=1"
    assert without_password("sqlite:////home/anna/polyb0t.db") == "sqlite:////home/anna/polyb0t.db"


def test_a_cancel_of_an_order_that_is_nobodys_row_has_none(tmp_path: Path) -> None:
    stores = sqlite_stores(tmp_path, FakeClock())
    assert order_of(stores, OrderId("0x" + "9" * 64)) is None
    assert order_of(stores, None) is None


def test_the_newest_look_at_the_markets_counts(tmp_path: Path) -> None:
    stores = sqlite_stores(tmp_path, FakeClock())
    assert latest_universe(stores.engine) is None
    for count in range(3):
        stores.engine.note(
            None, kind="universe.observed", subject="universe", payload={"watched": count}, actor="engine:x"
        )
    latest = latest_universe(stores.engine)
    assert latest is not None
    assert latest["watched"] == 2


def test_what_is_held_comes_from_our_own_fills(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    stores = sqlite_stores(tmp_path, clock)
    lease = stores.engine.acquire(
        "engine", holder="h:1", boot_id="b", process_started="1.0", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    intent = an_intent()
    stores.intents.propose(intent, lease)
    stores.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
    stores.intents.claim(intent.id, lease, Regime.LIVE, wide_limits())
    order = an_order_for(intent)
    stores.intents.permit(order, lease, post_budget_seconds=10)
    stores.orders.settle(order.id, lease, status=OrderStatus.MATCHED, code="accepted", detail="")
    stores.orders.record_fills(order.id, [a_fill(order.id)], lease)
    (held,) = read_holdings(stores).ours
    view = held.view()
    assert (view["shares"], view["cost"], view["provisional_shares"]) == ("20", "9.696", "20")
    assert view["question"] == intent.question
    assert (view["bid"], view["value"], view["gain"]) == (None, None, None), "unknown is not zero"
    assert replace(held, bid=None).gain is None
