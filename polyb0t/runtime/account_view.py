"""How the account stands by its books: equity and what it consists of, peak, day, and what moved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.core.clock import iso
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.account_state import AccountState
from polyb0t.data.cash_flows import Booked
from polyb0t.execution.books import Opening
from polyb0t.models.bookkeeping import Ledger, ledger_of
from polyb0t.models.cash_flows import cash_effect, nature_of
from polyb0t.models.equity import AccountHealth
from polyb0t.runtime.facts import EngineFacts, read_facts
from polyb0t.runtime.holdings import Holdings, read_holdings
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, to_millionth, value_view

NEWEST: Final = 10  # movements that a screen names


@dataclass(frozen=True, slots=True)
class Account:
    """From the database alone. `health` is the engine's last, None where none has looked yet."""

    running: bool
    now: datetime
    facts: EngineFacts
    opening: Opening | None
    ledger: Ledger
    holdings: Holdings
    reserved: Pusd
    booked: tuple[Booked, ...]
    read: AccountState | None

    @property
    def health(self) -> AccountHealth | None:
        return self.facts.health

    def view(self) -> View:
        """The same as data."""
        health = self.health or AccountHealth(self.now)
        portfolio = self.ledger.portfolio
        money = {
            "cash": self.facts.cash_pusd,
            "reserved": self.reserved,
            "positions": self.holdings.value,
            "equity": health.equity_pusd,
            "peak": health.peak_pusd,
            "day_start": health.day_start_pusd,
            "day_result": health.day_result_pusd,
            "day_flows": health.day_flows_pusd,
            "unexplained": health.unexplained_pusd,
            "realised": portfolio.realised,
            "fees": portfolio.fees,
            "flows": self.ledger.flows,
        }
        return {
            **{name: value_view(value) for name, value in money.items()},
            "drawdown_fraction": value_view(to_millionth(health.drawdown_fraction)),
            "day_result_fraction": value_view(to_millionth(health.day_result_fraction)),
            "day": health.day or None,
            "marked_at": iso(health.marked_at) if self.health else None,
            "opened_at": iso(self.opening.at) if self.opening else None,
            "stale": [
                {"asset_id": asset, "age_seconds": None if age is None else int(age)}
                for asset, age in health.stale_seconds.items()
            ],
            "movements": [movement_view(entry) for entry in reversed(self.booked[-NEWEST:])],
            "missing": dict(self.read.missing) if self.read else {},
        }


def movement_view(entry: Booked) -> View:
    """One movement; `pusd` is what came in by it, negative went out."""
    movement, nature = entry.movement, nature_of(entry.movement)
    return {
        "kind": movement.kind,
        "nature": nature.value if nature else None,
        "at": iso(movement.at),
        "pusd": value_view(cash_effect(movement)),
        "shares": value_view(movement.shares),
        "asset_id": movement.asset_id,
        "transaction_hash": movement.transaction_hash,
        "taken": [{"asset_id": one.asset_id, "shares": value_view(one.shares)} for one in entry.taken],
    }


def read_account(opened: OpenedStore) -> Account:
    """Read everything; asks no exchange."""
    stores = opened.stores
    engine = opened.engine()
    regime = engine.regime if engine else opened.regime()
    opening = stores.books.opening(regime)
    fills, booked = stores.orders.fills(), stores.books.movements()
    return Account(
        running=opened.engine_runs(),
        now=stores.intents.now(),
        facts=read_facts(engine),
        opening=opening,
        ledger=ledger_of(opening.pusd if opening else Pusd(ZERO), fills, booked),
        holdings=read_holdings(stores),
        reserved=stores.orders.reserved_pusd(),
        booked=booked,
        read=stores.engine.latest_account_state(),
    )
