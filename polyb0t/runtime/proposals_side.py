"""What proposes, joined: the same for an engine at an exchange and for a replay of its past."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import IntentId, new_intent_id
from polyb0t.data.resolutions import ResolutionSource
from polyb0t.execution.intents import IntentManager, ProposingRules
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.exit_manager import ExitManager
from polyb0t.models.signals import ProbabilityModel
from polyb0t.runtime.choices import exit_rules
from polyb0t.runtime.desk import AccountDesk
from polyb0t.runtime.exits import ExitParts, Exits
from polyb0t.runtime.position_views import MarketLookup, PositionViews
from polyb0t.runtime.proposal_prices import Asking, ProposalPrices
from polyb0t.runtime.resting_orders import RestingOrders
from polyb0t.runtime.thresholds import thresholds_of
from polyb0t.runtime.watching import MarketWatch
from polyb0t.runtime.withdrawing import CancelOrder, Withdrawing


@dataclass(frozen=True, slots=True)
class Ground:
    """What proposing stands on. `may_propose`: records agree, and the exchange takes orders."""

    settings: Settings
    regime: Regime
    stores: Stores
    lease: Lease
    clock: Clock
    watch: MarketWatch
    desk: AccountDesk
    model: ProbabilityModel
    lookup: MarketLookup
    ask: Asking
    resolutions: ResolutionSource
    may_propose: Callable[[], bool]
    take_back: CancelOrder  # an order of ours that rests, as was approved with it
    new_id: Callable[[], IntentId] = new_intent_id

    def frame(self) -> Frame:
        """What every intent of one cycle has in common."""
        settings = self.settings
        return Frame(
            self.stores.scope,
            self.regime,
            self.stores.intents.now(),
            settings.intent_expiry_seconds,
            thresholds=thresholds_of(settings, self.regime),
            new_id=self.new_id,
        )


@dataclass(frozen=True, slots=True)
class ProposalsSide:
    """The stages of a cycle that propose, and the one that follows what was proposed."""

    manager: IntentManager
    exits: Exits
    cancels: RestingOrders
    prices: ProposalPrices
    withdrawing: Withdrawing

    def cancel(self) -> int:
        """Take back what was approved to be, then propose the cancels that a person decides about."""
        self.withdrawing.look()
        return self.cancels.propose()


def build_proposals(ground: Ground) -> ProposalsSide:
    """Join it. Makes no call and writes nothing."""
    settings, stores, lease, watch = ground.settings, ground.stores, ground.lease, ground.watch
    manager = IntentManager(
        stores.intents,
        ProposingRules(edge_min=settings.min_edge, grace_seconds=settings.execution_grace_seconds),
    )
    views = PositionViews(stores, lease, watch, ground.model, ground.clock, ground.lookup)
    exits = Exits(
        ExitParts(
            stores=stores,
            lease=lease,
            watch=watch,
            desk=ground.desk,
            views=views,
            manager=ExitManager(exit_rules(settings)),
            frame=lambda: replace(ground.frame(), decide_seconds=settings.close_expiry_seconds),
            clock=ground.clock,
            resolutions=ground.resolutions,
            grace_seconds=settings.execution_grace_seconds,
            may_propose=ground.may_propose,
        )
    )
    cancels = RestingOrders(stores, lease, watch, manager, ground.frame, settings.cancel_expiry_seconds)
    prices = ProposalPrices(
        stores,
        lease,
        ground.clock,
        book=watch.book,
        ask=ground.ask,
        resolutions=ground.resolutions,
    )
    withdrawing = Withdrawing(stores, lease, watch, ground.desk, views.belief, ground.take_back)
    return ProposalsSide(manager, exits, cancels, prices, withdrawing)
