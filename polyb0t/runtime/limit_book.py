"""What the desk knows of limits beyond the account: the lists, the pace, and the first small orders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypedDict

from polyb0t.core.ids import IntentId
from polyb0t.core.units import Pusd
from polyb0t.data.account_state import AccountOrder, AccountState
from polyb0t.data.deny_list import NOTHING_DENIED, DenyList
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentRecord, IntentType
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.execution.small_orders import Judged, phase_of
from polyb0t.execution.store import Stores
from polyb0t.execution.using import bought_since, openings_taken_up, own_orders, usage_of
from polyb0t.models.risk import NOTHING, RiskLimits
from polyb0t.models.usage import OwnOrder, SmallOrders, Usage

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """`small_orders` is how many have to settle as predicted before an order may cost more than
    `small_order_pusd`; zero where no real money is at stake."""

    deny: DenyList = NOTHING_DENIED
    active_model: str = ""
    small_orders: int = 0
    small_order_pusd: Pusd = NOTHING


NO_LISTS: Final = LimitSettings()


class Known(TypedDict):
    """Fields of the same names of `Desk` and `ControlContext`."""

    deny: DenyList
    usage: Usage
    own_orders: tuple[OwnOrder, ...]
    small_orders: SmallOrders
    active_model: str


@dataclass(frozen=True, slots=True)
class Records:
    """What our records say, read at one moment. `reserved` is without the trade that is judged."""

    live: Sequence[IntentRecord]
    unresolved: Sequence[OrderRecord]
    fills: Sequence[Fill]
    reserved: Pusd
    realised: Pusd
    held: Pusd  # what our own positions cost


class LimitBook:
    """Of one regime. Asked by the cycle's thread and the executor's threads."""

    def __init__(self, stores: Stores, settings: LimitSettings, regime: Regime) -> None:
        self._stores = stores
        self._settings = settings
        self._regime = regime
        self._judged: Judged = {}

    def known(self, records: Records, account: AccountState | None, *, without: IntentId | None) -> Known:
        """What the controls of the lists and of the pace judge by, without one intent."""
        return Known(
            deny=self._settings.deny,
            usage=self._usage(records, without),
            own_orders=own_orders(records.unresolved, self._foreign(account), without),
            small_orders=self.small_orders(),
            active_model=self._settings.active_model,
        )

    def small_orders(self) -> SmallOrders:
        """How far the phase of small orders is."""
        return phase_of(
            self._stores,
            needed=self._settings.small_orders,
            most_pusd=self._settings.small_order_pusd,
            judged=self._judged,
        )

    def in_force(self, limits: RiskLimits) -> RiskLimits:
        """The limits by which sizes are found: while orders have to be small, they are."""
        phase = self.small_orders()
        if not phase.active:
            return limits
        return replace(limits, order_max_pusd=min(limits.order_max_pusd, phase.most_pusd))

    def bought_today(self, fills: Sequence[Fill]) -> Pusd:
        """What purchases of this UTC day cost, fees in it."""
        midnight = self._stores.intents.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return bought_since(fills, midnight)

    def _usage(self, records: Records, without: IntentId | None) -> Usage:
        since = self._stores.intents.now() - HOUR
        recent = self._stores.intents.list(types=(IntentType.OPEN_POSITION,), changed_since=since, limit=None)
        return usage_of(
            [record for record in records.live if record.intent.regime is self._regime],
            records.unresolved,
            reserved=records.reserved,
            bought_today=self.bought_today(records.fills),
            taken_up=openings_taken_up(recent, since, without, self._regime),
            realised=records.realised,
            held=records.held,
            without=without,
        )

    def _foreign(self, account: AccountState | None) -> list[AccountOrder]:
        """Orders of this wallet that are none of ours, as the exchange last listed them."""
        listed = account.open_orders or () if account is not None else ()
        ours = self._stores.orders.ours([order.order_id for order in listed]) if listed else frozenset()
        return [order for order in listed if order.order_id not in ours]


def within_budget(equity: Pusd | None, limits: RiskLimits) -> Pusd | None:
    """The bankroll: what the account is worth, or the budget where that is less."""
    if equity is None or limits.budget_pusd is None:
        return equity
    return Pusd(min(equity, limits.budget_pusd))
