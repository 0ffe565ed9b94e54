"""What a decision to buy knows about us: money, limits, holdings, orders, and what the safety allows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from polyb0t.core.ids import AssetId, EventId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import Market
from polyb0t.models.event_stakes import NO_EVENTS, EventBook
from polyb0t.models.execution_choice import TAKER_ONLY, ExecutionRules
from polyb0t.models.kill_switches import Stance
from polyb0t.models.movement import Movement
from polyb0t.models.opening import OpeningProposal
from polyb0t.models.portfolio_tail import PortfolioTail
from polyb0t.models.risk import Allowance, Exposure, RiskLimits, ends_far
from polyb0t.models.shortlist import USUAL_WAIT, Waiting
from polyb0t.models.usage import OwnOrder, SmallOrders, Usage, UsualSpread


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything about us that a decision depends on. None means not known, and then nothing passes.

    `resting_assets` are ideas that cool down after an end, `sold_assets` outcomes that were sold and are not
    bought back yet; `live_assets` are targets of live intents and open orders. `at_most` is how many new
    proposals there is room for.
    """

    now: datetime
    limits: RiskLimits
    regime: str
    stance: Stance | None
    bankroll_pusd: Pusd | None
    spendable_pusd: Pusd | None
    exposure: Exposure | None
    live_assets: frozenset[AssetId] | None
    resting_assets: frozenset[AssetId]
    sold_assets: frozenset[AssetId]
    clock_skew_seconds: Decimal | None
    allow_unvalidated: bool
    identity_proven: bool
    at_most: int
    allowance_of: Callable[[Market], Allowance | None] = lambda _market: None  # None: not known
    identity_proven_of: Callable[[Market], bool] = lambda _market: False  # where it is not for all of them
    deny: DenyList | None = None
    frozen_events: frozenset[EventId] = frozenset()
    usage: Usage | None = None
    own_orders: tuple[OwnOrder, ...] | None = None
    small_orders: SmallOrders | None = None
    active_model: str | None = None
    usual_spread_of: Callable[[Market], UsualSpread | None] = lambda _market: None
    execution: ExecutionRules = TAKER_ONLY
    movement_of: Callable[[Market], Movement | None] = lambda _market: None
    events: EventBook = NO_EVENTS  # what is held and under way, and what is declared exclusive
    waiting: Waiting = USUAL_WAIT
    tail: PortfolioTail | None = None
    drawdown: Decimal | None = ZERO  # how far the account is under its peak, as a fraction


def after(desk: Desk, proposal: OpeningProposal) -> Desk:
    """The desk as if `proposal` had been filled at its worst."""
    market = proposal.market
    assert desk.exposure is not None  # a proposal passed the controls, which need all three
    assert desk.spendable_pusd is not None
    assert desk.live_assets is not None
    assert desk.usage is not None
    assert desk.tail is not None
    bought = (market, proposal.outcome.asset_id, proposal.min_shares, proposal.max_cost)
    return replace(
        desk,
        tail=desk.tail.plus(*bought),
        usage=desk.usage.plus(proposal.max_cost),
        exposure=desk.exposure.plus(
            market,
            proposal.max_cost,
            far=ends_far(market, desk.now, desk.limits),
            dependent=not proposal.estimate.independent,
        ),
        events=desk.events.plus(*bought),
        spendable_pusd=Pusd(desk.spendable_pusd - proposal.max_cost),
        live_assets=desk.live_assets | {proposal.outcome.asset_id},
    )
