"""What one claims process works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import ChainHead, ClaimChain, ClaimRoute, Relayer
from polyb0t.execution.settlement.store import ClaimStores
from polyb0t.models.kill_switches import Stance, stance_of


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
    watch_blocks: int = 1_800  # for so long what was paid is compared with the chain: an hour of Polygon
    recheck_seconds: float = 60


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
    anchor: Callable[[], None] = lambda: None  # writes how far the journal is, before anything leaves

    def head(self) -> ChainHead:
        """The newest block of the chain that this scope is on.

        Raises:
            VenueUnreachableError: not read, or the node is on another chain: nothing is concluded of it.
        """
        head, own = self.chain.head(), self.stores.scope.chain_id
        if head.chain_id != own:
            raise VenueUnreachableError(
                f"The chain was not read: the node is on chain {head.chain_id}, not {own}.",
                why="What it says of this wallet means nothing here.",
                do="Set POLYBOT_RPC_URL to a node for Polygon.",
                code="wrong_chain",
            )
        return head

    def anchored(self) -> str:
        """After a send was stored and before a byte of it leaves, so that a backup restored later is known
        as one. Why it could not be done; empty where it was."""
        try:
            self.anchor()
        except (OSError, PolybotError) as error:
            return f"The anchor file could not be written: {error}. Nothing was sent."
        return ""

    def stopped(self) -> bool:
        """Whether not even a second copy of what was permitted may leave now."""
        return self.halt_file() or stance_of(self.stores.switches.list()) is Stance.HALTED
