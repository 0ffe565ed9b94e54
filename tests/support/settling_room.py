"""An engine's settling over one holding, with an index and a chain that say what they are told to."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from polyb0t.core.ids import AssetId, ConditionId, EventId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import Market, Outcome
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.execution.intents import IntentRecord, IntentType
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.ports import ClaimChain
from polyb0t.runtime.claim_routes import Way
from polyb0t.runtime.hints import Hints
from polyb0t.runtime.settling import Settling, SettlingParts
from polyb0t.runtime.watching import MarketWatch
from tests.support.builders import WALLET
from tests.support.claim_room import ClaimRoom
from tests.support.trading import a_market

CONDITION = ConditionId("0x" + "01" * 32)
ASSETS = (AssetId("1001"), AssetId("2001"))
R = ResolutionState


@dataclass
class SettlingRoom:
    """An engine's settling over one holding, with an index that says what it is told to."""

    claims: ClaimRoom
    pol_price_pusd: Decimal | None = None
    shares: tuple[str, str] = ("20", "0")
    state: ResolutionState = R.OPEN
    payouts: tuple[Price, Price] = (Price(Decimal(1)), Price(Decimal(0)))
    reads: int = 0
    watched: list[tuple[AssetId, ...]] = field(default_factory=list)
    woken: int = 0

    def __post_init__(self) -> None:
        self.claims._bought(CONDITION, ASSETS[0], Shares(Decimal(self.shares[0])))
        self.claims.chain.market(CONDITION, ASSETS, *self.shares)
        market = replace(
            a_market(),
            condition_id=CONDITION,
            event_id=EventId("42"),
            outcomes=(Outcome("Yes", ASSETS[0]), Outcome("No", ASSETS[1])),
        )
        world = self.claims.world
        self.hints = Hints(self.claims.clock)
        self.hints.wake = self._woken
        self.hints.hold([CONDITION])
        self.settling = Settling(
            SettlingParts(
                stores=world.stores,
                lease=world.lease,
                wallet=Wallet(WALLET),
                watch=cast("MarketWatch", Known(market)),
                lookup=cast("Any", None),
                doors=self,
                way=lambda _node: Way(self.claims.route),
                frame=lambda: Frame(world.scope, Regime.LIVE, world.intents.now(), 86_400),
                clock=self.claims.clock,
                least_pusd=Pusd(Decimal("0.1")),
                read_seconds=30,
                hints=self.hints,
                ends=self,
                pol_price_pusd=self.pol_price_pusd,
            )
        )

    def open(self, _stack: ExitStack) -> tuple["SettlingRoom", ClaimChain]:
        return self, cast("ClaimChain", self.claims.chain)

    def read(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, Resolution]:
        self.reads += 1
        payouts = self.payouts if self.state is R.RESOLVED else None
        now = self.claims.clock.now()
        return {name: Resolution(name, self.state, now, payouts=payouts) for name in condition_ids}

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        self.watched.append(tuple(asset_ids))

    def close(self) -> None:
        self.watched.append(())

    def ends(self, state: ResolutionState, *payouts: str) -> None:
        self.state = state
        if state is R.RESOLVED:
            first, second = payouts or ("1", "0")
            self.payouts = (Price(Decimal(first)), Price(Decimal(second)))
            self.claims.chain.resolve(CONDITION, first, second)

    def claim(self) -> IntentRecord | None:
        """The newest that was proposed."""
        found = self.claims.world.intents.list(types=(IntentType.CLAIM_SETTLEMENT,))
        return found[0] if found else None

    def cycle(self, seconds: float = 10) -> int:
        proposed = self.settling.propose()
        self.claims.clock.advance(seconds=seconds)
        return proposed

    def _woken(self) -> None:
        self.woken += 1


class Known:
    """A watch that knows one market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def market(self, name: ConditionId) -> Market | None:
        return self._market if name == self._market.condition_id else None
