"""`polyb0t account` and its data: figures with what they consist of, doubts in words."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from polyb0t.cli.account_read import account_screen
from polyb0t.cli.terminal import PLAIN
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Booked, Taken
from polyb0t.execution.scope import Regime
from polyb0t.models.bookkeeping import ledger_of
from polyb0t.models.equity import AccountHealth
from polyb0t.runtime.account_view import Account
from polyb0t.runtime.facts import EngineFacts
from polyb0t.runtime.health_facts import health_fact
from polyb0t.runtime.holdings import Holdings
from tests.cli.conftest import Place
from tests.cli.scenes import NOW, D, scene
from tests.support.builders import a_deposit

HEALTH = AccountHealth(
    marked_at=NOW,
    equity_pusd=Pusd(D("950")),
    peak_pusd=Pusd(D("1000")),
    day="2026-11-22",
    day_start_pusd=Pusd(D("700")),
    day_base_pusd=Pusd(D("950")),
    day_flows_pusd=Pusd(D("250")),
)


def account(health: AccountHealth | None = HEALTH, **changes: Any) -> Account:
    booked = (Booked(a_deposit(at=NOW - timedelta(hours=1))),)
    content: dict[str, Any] = {
        "running": True,
        "now": NOW,
        "facts": EngineFacts(cash_pusd=Pusd(D("950")), health=health),
        "opening": None,
        "ledger": ledger_of(Pusd(D("700")), (), booked),
        "holdings": Holdings((), (), None),
        "reserved": Pusd(D("17")),
        "booked": booked,
        "read": None,
    }
    return Account(**{**content, **changes})


def screen(of: Account, columns: int = 100) -> list[str]:
    return account_screen(of, scene(), PLAIN, columns)[2:]


def test_every_figure_says_what_it_consists_of() -> None:
    assert screen(account()) == [
        "Equity      950.00 pUSD: cash 950.00 (17.00 held for orders), positions at bid 0.00",
        "Peak        1,000.00, equity is 5.0% under it",
        "Today       +0.00 (+0.00%) since 00:00 UTC, from 700.00",
        "Moved       +250.00 in or out today, +250.00 since the books were opened: no result",
        "Result      +0.00 settled, fees 0.00",
        "",
        "Moved besides our orders, the newest first",
        "  2026-11-22T11:41:07Z  DEPOSIT               +250.00 pUSD",
    ]


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ({"unexplained_pusd": Pusd(D("250"))}, "250.00 pUSD came in that nothing explains yet."),
        ({"unexplained_pusd": Pusd(D("-30"))}, "30.00 pUSD are missing from the wallet"),
        ({"stale_seconds": {AssetId("1"): 90.0}}, "1 of the prices are not fresh"),
    ],
)
def test_what_is_doubtful_is_said(health: dict[str, Any], said: str) -> None:

    assert said in "\n".join(screen(account(replace(HEALTH, **health))))


def test_figures_of_an_engine_that_is_gone_have_their_age() -> None:
    text = "\n".join(screen(account(running=False, now=NOW + timedelta(minutes=9))))
    assert "No engine is running: this is how it stood 9 min ago." in text


def test_what_nobody_has_looked_at_is_not_zero() -> None:
    text = screen(account(None))
    assert text[0].startswith("What the account is worth is not known yet")
    view = account(None).view()
    assert (view["equity"], view["peak"], view["drawdown_fraction"]) == (None, None, None)


def test_shares_that_went_with_a_movement_are_said() -> None:
    taken = Booked(a_deposit(kind="REDEEM", at=NOW), (Taken(AssetId("7"), Shares(D("5")), None),))
    assert "1 of our positions went with it" in screen(account(booked=(taken,)))[-1]
    assert account(booked=(taken,)).view()["movements"] == [
        {
            "kind": "REDEEM",
            "nature": "settled",
            "at": "2026-11-22T12:41:07.000000Z",
            "pusd": "250",
            "shares": "0",
            "asset_id": None,
            "transaction_hash": "0x0",
            "taken": [{"asset_id": "7", "shares": "5"}],
        }
    ]


def test_it_fits_a_narrow_screen() -> None:
    assert all(len(line) <= 60 for line in screen(account(), 60))


def publish(place: Place, **health: Any) -> None:
    """An engine that runs and has looked at the account."""
    place.runs()
    place.stores.books.open_books(Regime.DRY_RUN, Pusd(D("700")), place.lease)
    place.stores.books.record_movements(
        (Booked(a_deposit(at=SystemClock().now().replace(microsecond=0))),), place.lease
    )
    facts = {"health": health_fact(replace(HEALTH, **health)), "equity_pusd": D("950")}
    place.stores.engine.beat(place.lease, cycle=2, facts=facts)


class TestAtTheCommandLine:
    def test_it_is_known_from_the_database_alone(self, place: Place) -> None:
        publish(place)
        shown = place.type("account", "--json").json
        assert (shown["equity"], shown["peak"], shown["drawdown_fraction"]) == ("950", "1000", "0.05")
        assert (shown["day_result"], shown["day_flows"]) == ("0", "250")
        assert [each["kind"] for each in shown["movements"]] == ["DEPOSIT"]

    def test_the_state_says_what_is_unexplained_and_which_prices_are_old(self, place: Place) -> None:
        publish(place, unexplained_pusd=Pusd(D("250")), stale_seconds={AssetId("7"): 90.0})
        for command in ("status", "account"):
            text = " ".join(place.type(command).out.split())
            assert "250.00 pUSD came in that nothing explains yet." in text
            assert "1 of the prices are not fresh" in text

    def test_before_anything_has_run_it_says_so(self, place: Place) -> None:
        assert "not known yet" in place.type("account").out
        assert place.type("positions", "--json").json == []
