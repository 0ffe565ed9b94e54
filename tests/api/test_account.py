"""What is held and what it is worth, over HTTP."""

from decimal import Decimal

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.models.equity import AccountHealth
from polyb0t.runtime.health_facts import health_fact
from tests.api.conftest import Service
from tests.support.builders import NOW, a_deposit


def test_what_is_not_known_is_null_and_never_zero(service: Service) -> None:
    answer = service.http.get("/account")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["equity"], shown["peak"], shown["drawdown_fraction"], shown["marked_at"]) == (None,) * 4
    assert service.http.get("/positions").json() == {
        "positions": [],
        "foreign": [],
        "value": "0",
        "cost": "0",
    }


def test_the_account_as_the_engine_last_saw_it(service: Service) -> None:
    health = AccountHealth(
        NOW,
        Pusd(Decimal(950)),
        Pusd(Decimal(1_000)),
        "2026-11-22",
        Pusd(Decimal(1_000)),
        Pusd(Decimal(1_000)),
        unexplained_pusd=Pusd(Decimal("0.25")),
        stale_seconds={AssetId("7"): None},
    )
    service.stores.books.record_movements((Booked(a_deposit(kind="AIRDROP")),), service.lease)
    service.stores.engine.beat(service.lease, cycle=1, facts={"health": health_fact(health)})
    shown = service.http.get("/account").json()
    assert (shown["equity"], shown["drawdown_fraction"], shown["day_result"]) == ("950", "0.05", "-50")
    assert (shown["unexplained"], shown["stale"]) == ("0.25", [{"asset_id": "7", "age_seconds": None}])
    (movement,) = shown["movements"]
    assert (movement["kind"], movement["nature"], movement["pusd"]) == ("AIRDROP", None, "0")
