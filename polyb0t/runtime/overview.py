"""The state of everything in one value: what `status` prints and `/status` answers."""

from dataclasses import dataclass

from polyb0t.core.clock import iso
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.account_state import AccountState
from polyb0t.data.windows import OPEN, Window
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import DOUBTFUL_ORDER, OPEN_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime, mode_words
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.kill_switches import Stance, SwitchState, stance_of
from polyb0t.runtime.facts import EngineFacts, read_facts
from polyb0t.runtime.holdings import Holdings, read_holdings
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, switch_view, value_view


@dataclass(frozen=True, slots=True)
class Overview:
    """Read at one moment; nothing in it was asked of the exchange now."""

    opened: OpenedStore
    engine: LeaseInfo | None
    running: bool
    switches: tuple[SwitchState, ...]
    waiting: tuple[IntentRecord, ...]
    approved: tuple[IntentRecord, ...]
    open_orders: tuple[OrderRecord, ...]
    account: AccountState | None
    holdings: Holdings
    reserved: Pusd
    facts: EngineFacts

    @property
    def stance(self) -> Stance:
        return stance_of(self.switches)

    @property
    def doubtful(self) -> tuple[OrderRecord, ...]:
        """Orders of which nobody knows whether they exist."""
        return tuple(order for order in self.open_orders if order.status in DOUBTFUL_ORDER)

    @property
    def resting(self) -> tuple[OrderRecord, ...]:
        """Orders that are known to stay at the exchange."""
        return tuple(order for order in self.open_orders if order.status in OPEN_ORDER)

    @property
    def window(self) -> Window:
        """Whether the exchange takes orders, as a running engine knows it; open where nobody does."""
        return self.facts.window if self.running else OPEN

    @property
    def cash_pusd(self) -> Pusd | None:
        """The engine's latest while it runs, else the last stored one; None where it was not read."""
        known = self.engine is not None and self.engine.regime is not Regime.DRY_RUN
        if known and self.running and self.facts.cash_pusd is not None:
            return self.facts.cash_pusd
        return self.account.cash_pusd if self.account else None

    @property
    def too_small(self) -> str:
        """Why no order fits this account and what to do; empty where one does or nobody knows."""
        risk = self.facts.risk
        return f"{risk.too_small} {risk.remedy}" if risk is not None and risk.too_small else ""

    @property
    def small_orders(self) -> str:
        """How far the phase of small orders has come; empty where there is none."""
        risk = self.facts.risk
        return risk.small_orders.words if risk is not None and risk.small_orders is not None else ""

    @property
    def at_risk(self) -> Pusd:
        """What positions cost and what may still be spent."""
        return Pusd(self.holdings.cost + self.reserved)

    def view(self) -> View:
        """The same as data."""
        scope, engine = self.opened.scope, self.engine
        regime = engine.regime if engine else self.opened.regime()
        cash = self.cash_pusd
        return {
            "mode": mode_words(scope, regime),
            "scope": str(scope),
            "venue": scope.venue,
            "wallet": scope.wallet,
            "regime": regime.value,
            "stance": self.stance.value,
            "trading_allowed": self.stance is Stance.ACTIVE,
            "engine": {
                "running": self.running,
                "cycle": engine.cycle if engine else None,
                "started_at": iso(engine.started_at) if engine else None,
                "heard_at": iso(engine.beat_at) if engine else None,
                "holder": engine.holder if engine else None,
            },
            "switches": [switch_view(state) for state in self.switches],
            "halt_file": self.opened.halt_file.present(),
            "waiting": len(self.waiting),
            "approved": len(self.approved),
            "open_orders": len(self.open_orders),
            "unknown_orders": len(self.doubtful),
            "cash": value_view(cash),
            "equity": value_view(self.facts.equity_pusd),
            "day": self.facts.day or None,
            "day_result": value_view(self.facts.day_result_pusd),
            "problem": self.facts.problem or None,
            "clock_skew_seconds": value_view(self.facts.clock_skew_seconds),
            "window": {
                "kind": self.window.kind.value,
                "since": iso(self.window.since) if self.window.since else None,
                "until": iso(self.window.until) if self.window.until else None,
            },
            "at_risk": value_view(self.at_risk),
            "too_small": self.too_small or None,
            "small_orders": self.small_orders or None,
            "reserved": value_view(self.reserved),
            "missing": dict(self.account.missing) if self.account else {},
        }


def overview(opened: OpenedStore) -> Overview:
    """Read everything."""
    stores, engine = opened.stores, opened.engine()
    orders = stores.orders.watched()
    return Overview(
        opened=opened,
        engine=engine,
        running=opened.engine_runs(),
        switches=tuple(stores.switches.list()),
        waiting=stores.intents.list(statuses=(IntentStatus.PENDING,)),
        approved=stores.intents.list(statuses=(IntentStatus.APPROVED, IntentStatus.EXECUTING)),
        open_orders=tuple(order for order in orders if order.status is not OrderStatus.FILLED),
        account=stores.engine.latest_account_state(),
        holdings=read_holdings(stores),
        reserved=Pusd(stores.orders.reserved_pusd() or ZERO),
        facts=read_facts(engine),
    )
