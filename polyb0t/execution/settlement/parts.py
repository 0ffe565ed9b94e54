"""What one claims process works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from polyb0t.core.clock import Clock
from polyb0t.core.ids import Wallet
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import ClaimChain, ClaimRoute, Relayer
from polyb0t.execution.settlement.store import ClaimStores


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """Seconds of our clock but for `deadline_seconds`, which the chain's time judges."""

    confirmations: int = 12
    deadline_seconds: int = 600  # the life of a relayer's batch
    budget_seconds: float = 15  # a send's own time limit with room to spare
    resend_seconds: float = 20
    replace_seconds: float = 90
    proof_seconds: float = 30  # a nonce that went elsewhere is believed after so long
    batch_most: int = 10


@dataclass(frozen=True)
class ClaimParts:
    """What one claims process works with. `relayer` None: it has no key for one."""

    stores: ClaimStores
    lease: Lease
    chain: ClaimChain
    relayer: Relayer | None
    wallet: Wallet
    route: ClaimRoute
    clock: Clock
    settings: ClaimSettings = field(default_factory=ClaimSettings)
    halt_file: Callable[[], bool] = lambda: False
