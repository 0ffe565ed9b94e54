"""Joins what settling needs: results, the chain, and how this wallet can be claimed for."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.units import Pusd
from polyb0t.data.resolution import ResolutionReader
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import ClaimChain
from polyb0t.execution.store import Stores
from polyb0t.runtime.chain import chain_door
from polyb0t.runtime.claim_routes import Way, way_of
from polyb0t.runtime.hints import Hints
from polyb0t.runtime.position_views import MarketLookup
from polyb0t.runtime.settling import Settling, SettlingParts
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.runtime.watching import MarketWatch
from polyb0t.venue.resolution_stream import ResolutionStream

READ_SECONDS = 30.0
SANDBOX_READ_SECONDS = 3.0


@dataclass(frozen=True)
class ChainDoors:
    """Opens the door when something is held; a dry run and paper never do."""

    settings: Settings
    around: Surroundings
    clock: Clock

    def open(self, stack: ExitStack) -> tuple[ResolutionReader, ClaimChain | None]:
        door = stack.enter_context(chain_door(self.settings, self.around, self.clock))
        return door.resolutions(), door.claims()


def build_settling(
    settings: Settings,
    around: Surroundings,
    stores: Stores,
    lease: Lease,
    *,
    watch: MarketWatch,
    lookup: MarketLookup,
    frame: Callable[[], Frame],
    clock: Clock,
) -> Settling:
    """Makes no call."""

    def way(node: bool) -> Way:
        info = stores.engine.lease_info("claims")
        return way_of(around.signature_type, node=node, claims=info, now=stores.intents.now())

    hints = Hints(clock)
    return Settling(
        SettlingParts(
            stores=stores,
            lease=lease,
            wallet=around.wallet,
            watch=watch,
            lookup=lookup,
            doors=ChainDoors(settings, around, clock),
            way=way,
            frame=lambda: replace(frame(), decide_seconds=settings.claim_expiry_seconds),
            clock=clock,
            least_pusd=Pusd(settings.claim_least_pusd),
            read_seconds=SANDBOX_READ_SECONDS if around.environment.is_sandbox else READ_SECONDS,
            hints=hints,
            pol_price_pusd=settings.pol_price_pusd,
            ends=ResolutionStream(around.environment.market_ws_url, clock, hints.heard),
        )
    )
