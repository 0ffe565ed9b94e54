"""The ladder: which gate comes next, and the two gates that no setting passes over."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.ids import TradeId, Wallet
from polyb0t.core.units import Price, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.data.markets import FeeSchedule
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.models.fees import taker_fee
from polyb0t.runtime.ladder import PRACTISED, Climb, Rung, next_climb, require_gates
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.environment import POLYMARKET
from tests.e2e.household import Household
from tests.support.builders import WALLET, a_fill, a_scope, an_intent
from tests.support.clock import FakeClock
from tests.support.databases import World, migrated_file, sqlite_url

REAL = a_scope(venue="polymarket", world="")
KEY = "0x" + "11" * 32
AROUND = Surroundings(POLYMARKET, Wallet(WALLET), 3)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[World]:
    """The database of an account of the real venue."""
    (tmp_path / "polyb0t.db").write_bytes(migrated_file())
    world = World(sqlite_url(tmp_path), FakeClock(), REAL)
    yield world
    world.close()


def settings(**given: Any) -> Settings:
    return load_settings(venue="polymarket", mode="live", wallet_address=WALLET, **given)


def climb(world: World, **given: Any) -> Climb:
    return next_climb(settings(**given), AROUND, world.stores)


def undone(found: Climb) -> list[str]:
    return [step.what for step in found.steps if not step.done]


def decide(world: World, number: int, regime: Regime) -> None:
    """A person's decisions; rejecting is one."""
    for each in range(number):
        intent = an_intent(
            scope=str(REAL), regime=regime, created_at=world.intents.now(), asset_id=str(each + 1)
        )
        world.intents.reject(world.proposed(intent).id, actor="user:anna", reason="")


def settled(world: World, *numbers: int) -> None:
    """Orders that ended exactly as they were predicted."""
    for each in numbers:
        order = world.permitted(scope=str(REAL), asset_id=str(1_000 + each))
        world.orders.settle(order.id, world.lease, status=OrderStatus.MATCHED, code="accepted", detail="")
        fee = taker_fee(Shares(Decimal(20)), Price(Decimal("0.48")), FeeSchedule(Decimal("0.02"), Decimal(1)))
        fill = a_fill(
            order.id,
            trade_id=TradeId(f"t{each}"),
            asset_id=order.asset_id,
            status=FillStatus.CONFIRMED,
            fee=fee,
        )
        world.orders.record_fills(order.id, [fill], world.lease)
        world.orders.settle(order.id, world.lease, status=OrderStatus.FILLED, code="filled", detail="")
        world.advance(1_000)
        world.engine.beat(world.lease, cycle=1)


# -- the gates that are kept -------------------------------------------------------------------


def test_real_money_needs_a_budget(real: World) -> None:
    with pytest.raises(ConfigurationError) as error:
        require_gates(settings(dry_run=False), real.stores, attended=True)

    assert error.value.code == "no_budget"
    require_gates(settings(dry_run=False, budget_pusd=Decimal(500)), real.stores, attended=True)


def test_the_first_orders_need_somebody_who_watches(real: World) -> None:
    with pytest.raises(ConflictError) as error:
        require_gates(settings(budget_pusd=Decimal(500)), real.stores, attended=False)

    assert error.value.code == "not_unattended_yet"
    assert "0 of 20 settled orders agree" in error.value.why


def test_after_them_nobody_has_to_sit_there(real: World) -> None:
    given = settings(budget_pusd=Decimal(500), small_orders=2)
    settled(real, 1)
    with pytest.raises(ConflictError):
        require_gates(given, real.stores, attended=False)

    settled(real, 2)

    require_gates(given, real.stores, attended=False)


@pytest.mark.parametrize(
    ("budget", "code", "said"),
    [
        ({}, 2, "no budget is set"),
        ({"POLYBOT_BUDGET_PUSD": "500"}, 4, "need somebody who watches"),
    ],
)
def test_a_start_with_real_money_is_refused_before_anything_leaves(
    tmp_path: Path, budget: dict[str, str], code: int, said: str
) -> None:
    home = Household(tmp_path)
    given = {"POLYBOT_VENUE": "polymarket", "POLYBOT_WALLET_ADDRESS": WALLET, "POLYBOT_PRIVATE_KEY": KEY}

    refused = home.command("run", "--live", "--no-dry-run", "--yes", code=code, **given, **budget)

    assert said in refused
    assert KEY not in refused


# -- what is told ------------------------------------------------------------------------------


def test_a_dry_run_on_the_real_exchange_leads_to_the_first_order(real: World) -> None:
    found = climb(real)

    assert found.rung is Rung.FIRST_ORDER
    assert undone(found) == ["10 decisions of your own", "a budget", "the test order on 0 of 3 exchanges"]
    decide(real, PRACTISED, Regime.DRY_RUN)
    assert undone(climb(real, budget_pusd=Decimal(500))) == ["the test order on 0 of 3 exchanges"]
    assert climb(real, budget_pusd=Decimal(500)).lines[-1] == (
        "  done: 10 decisions of your own, a budget of 500.00 pUSD"
    )


def test_with_real_money_the_small_orders_belong_to_it(real: World) -> None:
    found = climb(real, dry_run=False, budget_pusd=Decimal(500))

    assert found.rung is Rung.FIRST_ORDER
    assert "the small orders" in undone(found)


def test_paper_leads_to_a_dry_run_by_hand(real: World) -> None:
    found = next_climb(load_settings(venue="polymarket", mode="paper"), AROUND, real.stores)

    assert found.rung is Rung.DRY_RUN
    assert undone(found) == ["10 decisions of your own", "you decide, not the engine"]


def test_what_is_told_names_what_to_do(real: World) -> None:
    assert climb(real).lines == [
        "Next on the ladder: the first real order. Left to do:",
        "  10 decisions of your own: 0 so far; polyb0t intents watch",
        "  a budget: POLYBOT_BUDGET_PUSD",
        "  the test order on 0 of 3 exchanges: polyb0t doctor --live, then polyb0t doctor --test-order",
    ]
