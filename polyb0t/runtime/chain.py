"""The chain and the relayer as the settings name them: for the claims process, the results, and `doctor`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, PolybotError
from polyb0t.data.resolution import ResolutionReader
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.chain_rpc import ChainRpc
from polyb0t.venue.claims import ChainClaims
from polyb0t.venue.claims_checks import check_claim_approvals, check_node, check_relayer_key
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.preflight import Check
from polyb0t.venue.relayer import PolymarketRelayer, RelayerKey
from polyb0t.venue.resolutions_chain import ChainResults
from polyb0t.venue.resolutions_state import PolymarketResolutionStates
from polyb0t.venue.signing import DigestSigner
from polyb0t.venue.transactions import GWEI, GasPolicy

_LIMITS = ReadLimits(total_seconds=10, attempts=2, budget_seconds=20)


@dataclass(frozen=True, slots=True)
class ChainDoor:
    """One process's connection to the node, if one is set, and to the relayer. Close it with its block."""

    settings: Settings
    around: Surroundings
    clock: Clock
    reader: HttpReader
    one_shot: OneShot
    rpc: ChainRpc | None

    def claims(self, key: DigestSigner | None = None) -> ChainClaims | None:
        """Claims of the wallet through the node; None without one. With `key` an EOA's can be signed."""
        if self.rpc is None:
            return None
        policy = GasPolicy(self.settings.claim_gas_cap_gwei * GWEI)
        contracts = self.around.environment.contracts
        return ChainClaims(self.rpc, contracts, policy, key=key, receiver=self.around.wallet)

    def relayer(self, owner: DigestSigner, key: RelayerKey) -> PolymarketRelayer:
        """Raises ConfigurationError: the relayer's key is another owner's."""
        environment = self.around.environment
        return PolymarketRelayer(
            environment.relayer_url,
            self.around.wallet,
            owner,
            key,
            chain_id=environment.chain_id,
            contracts=environment.contracts,
            reader=self.reader,
            one_shot=self.one_shot,
            throttle=Throttle(self.clock),
        )

    def resolutions(self) -> ResolutionReader:
        """Where markets stand: the index, and the chain where a node is set."""
        environment = self.around.environment
        results = None if self.rpc is None else ChainResults(self.rpc, environment.contracts)
        return PolymarketResolutionStates(environment.data_url, self.reader, self.clock, chain=results)

    def checks(self, key: RelayerKey | None) -> tuple[Check, ...]:
        """`doctor`'s findings on claims."""
        around, rpc = self.around, self.rpc
        kind, contracts = around.signature_type, around.environment.contracts
        found = (
            check_node(rpc, self.claims(), around.wallet, self.clock),
            check_relayer_key(around.environment.relayer_url, key, kind, self.reader),
        )
        if rpc is None:
            return found
        return (*found, check_claim_approvals(rpc, contracts, around.wallet, kind))


@contextmanager
def chain_door(settings: Settings, around: Surroundings, clock: Clock) -> Iterator[ChainDoor]:
    """Open it; nothing is asked yet.

    Raises:
        ConfigurationError: `POLYBOT_RPC_URL` is no address.
    """
    one_shot = OneShot(clock)
    with HttpReader(clock, limits=_LIMITS, sandbox=around.environment.is_sandbox) as reader:
        try:
            url = rpc_url(settings, around, reader)
            rpc = ChainRpc(url, around.environment.chain_id, reader, one_shot) if url else None
            yield ChainDoor(settings, around, clock, reader, one_shot, rpc)
        finally:
            one_shot.close()


def rpc_url(settings: Settings, around: Surroundings, reader: HttpReader) -> str:
    """The node's address; on the sandbox its own chain, where it runs one; "" where there is none.

    Raises:
        ConfigurationError: a node of the world for a practice account.
    """
    own = around.environment.rpc_url
    if not around.environment.is_sandbox:
        return settings.rpc_url or ""
    if settings.rpc_url not in (None, own):
        raise ConfigurationError(
            "Not started: POLYBOT_RPC_URL is set, and this is the sandbox.",
            why="Practice shares are on no chain but the sandbox's own.",
            do="Unset POLYBOT_RPC_URL.",
            code="real_node_on_sandbox",
        )
    return own if own and _answers(own, reader) else ""


def _answers(url: str, reader: HttpReader) -> bool:
    """Whether the sandbox runs a chain; one without refuses the call."""
    try:
        reader.post(url, {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    except PolybotError:
        return False
    return True
