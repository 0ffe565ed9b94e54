"""What the engine publishes of its limits: how much of each is used, and whether any order fits at all."""

from collections.abc import Mapping

from polyb0t.core.ids import ConditionId
from polyb0t.models.account_size import Purse, TooSmall, smallest_order, too_small
from polyb0t.models.decision_desk import Desk
from polyb0t.models.limit_use import Labels, limit_uses
from polyb0t.models.risk import event_key
from polyb0t.runtime.watching import MarketWatch

_LIVE = "live"


def risk_facts(desk: Desk, watch: MarketWatch) -> Mapping[str, object]:
    """What `risk_facts.read_risk` reads back."""
    small, phase = size_problem(desk, watch), desk.small_orders
    uses = limit_uses(desk, _labels(desk, watch))
    return {
        "at": desk.now,
        "bankroll_pusd": desk.bankroll_pusd,
        "uses": [[use.name, use.label, use.used, use.limit, use.unit] for use in uses],
        "small_orders": None if phase is None else [phase.agreed, phase.needed, phase.most_pusd],
        "too_small": small.what if small else "",
        "remedy": small.do if small else "",
    }


def size_problem(desk: Desk, watch: MarketWatch) -> TooSmall | None:
    """Why this account can place no order in the markets that are watched; None if it can."""
    if desk.bankroll_pusd is None or desk.small_orders is None:
        return None
    setting = "" if desk.regime == _LIVE else "POLYBOT_BANKROLL_PUSD"
    if desk.limits.budget_pusd == desk.bankroll_pusd:
        setting = "POLYBOT_BUDGET_PUSD"
    purse = Purse(desk.bankroll_pusd, desk.limits, desk.small_orders, setting)
    return too_small(purse, smallest_order(watch.states(desk.now), desk.limits))


def _labels(desk: Desk, watch: MarketWatch) -> Labels:
    """Markets by their question, events by their title, everything else by its own name."""
    conditions = desk.exposure.by_market if desk.exposure is not None else ()
    markets = {condition: watch.market(ConditionId(condition)) for condition in conditions}
    known = {condition: market for condition, market in markets.items() if market is not None}
    events = {event_key(market): market.event_title or market.question for market in known.values()}

    def label(kind: str, key: str) -> str:
        if kind == "market":
            market = known.get(ConditionId(key))
            return market.question if market is not None else key
        return events.get(key, key) if kind == "event" else key or "no category"

    return label
