"""What claiming needs of a chain and of the venue's relayer.

Every answer that is no proof is `UNKNOWN` or None; nothing here raises for a refusal of the other side.
Money is pUSD with six decimals, gas in wei. All numbers of the chain (nonce, block, deadline) are its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import Pusd, Shares


class ClaimRoute(StrEnum):
    """Who carries a claim to the chain."""

    TRANSACTION = "transaction"  # the wallet is an own key: it signs and pays the gas
    RELAYER = "relayer"  # a deposit wallet: its owner signs a batch, the venue's relayer sends it
    WEBSITE = "website"  # nobody here can: a person does it on the venue's page


@dataclass(frozen=True, slots=True)
class Holding:
    """What of one resolved market is claimed: shares by outcome, in the market's order.

    A claim of Protocol V2 names one outcome, that of one position; the other one is claimed after it.
    """

    condition_id: ConditionId
    version: str  # data.markets.ProtocolVersion
    neg_risk: bool
    asset_ids: tuple[AssetId, AssetId]
    shares: tuple[Shares, Shares]
    expected: Pusd  # what the payouts make of them, cut down to whole millionths for each outcome


@dataclass(frozen=True, slots=True)
class ClaimCall:
    """One contract call that redeems one market for `wallet`, which holds the shares."""

    condition_id: ConditionId
    wallet: Wallet
    target: Wallet  # the contract that is called
    function: str  # its signature in words, for a person
    data: str  # 0x and the call data
    expected: Pusd

    def __post_init__(self) -> None:
        if self.expected <= 0:
            raise ValueError(f"a claim of {self.expected} pUSD would pay nothing")


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest block as the node tells it; `at` is the block's own time."""

    chain_id: int
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction may cost: gas units, and the most per unit in wei (EIP-1559)."""

    gas: int
    max_fee_wei: int
    priority_fee_wei: int

    @property
    def most_wei(self) -> int:
        return self.gas * self.max_fee_wei


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the calls would do now. `pays` None: they would revert, `why` says so."""

    pays: Pusd | None
    gas: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """Exactly what is sent, and nothing of it has left. The bytes authorise, so no log or repr has them."""

    route: ClaimRoute
    nonce: int
    raw: str = field(repr=False)  # TRANSACTION: 0x and the raw transaction; RELAYER: the JSON body
    tx_hash: str = ""  # TRANSACTION: known beforehand; RELAYER: empty until the relayer tells one
    deadline: int | None = None  # RELAYER: unix seconds of the chain after which the batch is void
    max_fee_wei: int = 0
    priority_fee_wei: int = 0
    gas: int = 0


class SendClass(StrEnum):
    """What an answer to a send proves."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # proof that these bytes were not taken, this time
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """An answer. `retryable` of a refusal: busy or too many, the same bytes may go again."""

    kind: SendClass
    text: str = ""
    transaction_id: str = ""  # RELAYER: its name for the submission
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Payout:
    """pUSD that a redemption of `condition_id` paid to `wallet`, as one log of the chain tells it."""

    tx_hash: str
    log_index: int
    block_hash: str
    block_number: int
    condition_id: ConditionId
    wallet: Wallet
    pusd: Pusd
    at: datetime  # of the block


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction. `confirmations` counts its own block as one."""

    tx_hash: str
    succeeded: bool
    block_hash: str
    block_number: int
    confirmations: int
    payouts: tuple[Payout, ...] = ()
    gas_cost_wei: int = 0  # paid by the sender; 0 where a relayer paid


class RelayerState(StrEnum):
    """The relayer's word on a submission."""

    NEW = "STATE_NEW"
    EXECUTED = "STATE_EXECUTED"
    MINED = "STATE_MINED"
    CONFIRMED = "STATE_CONFIRMED"
    FAILED = "STATE_FAILED"
    INVALID = "STATE_INVALID"
    UNKNOWN = "unknown"  # it did not answer, or said something else


@dataclass(frozen=True, slots=True)
class RelayerTransaction:
    """Where the relayer says that a submission is. Only the chain proves a payment."""

    state: RelayerState
    tx_hash: str = ""
    error: str = ""


class ClaimChain(Protocol):
    """The chain through one node, whose chain id was checked.

    Raises VenueUnreachableError where it says nothing else: not read, and nothing is concluded of it.
    """

    def head(self) -> ChainHead: ...

    def shares(self, wallet: Wallet, asset_id: AssetId, *, version: str, neg_risk: bool) -> Shares:
        """What the ledger contract says that the wallet holds."""
        ...

    def build(self, wallet: Wallet, holding: Holding) -> ClaimCall:
        """The call that redeems it. Raises ConfigurationError where no one call is known for it."""
        ...

    def simulate(self, calls: Sequence[ClaimCall]) -> Simulation:
        """What they would pay the wallet all together if they were mined now, each of them in turn."""
        ...

    def fees(self, gas: int) -> Fees: ...

    def sign(self, call: ClaimCall, nonce: int, fees: Fees) -> SignedClaim:
        """An EOA's transaction. The same call, nonce and fees give the same bytes."""
        ...

    def broadcast(self, signed: SignedClaim) -> SendOutcome:
        """Send the raw bytes; a node that knows them already accepts."""
        ...

    def receipt(self, tx_hash: str) -> Receipt | None:
        """None: it is in no block that the node knows."""
        ...

    def block_hash(self, number: int) -> str | None:
        """Of the block that lies there now, in lower case. None: the node has none so high."""
        ...

    def carries(self, tx_hash: str, raw: str) -> bool:
        """Whether that transaction brought the batch that was signed as `raw` (RELAYER) to the chain: a
        proof of whose it is where the relayer told no name. False also where the node does not know it."""
        ...

    def nonce(self, wallet: Wallet) -> int:
        """How many transactions of an EOA are mined: its next nonce, those that wait not counted."""
        ...

    def balance(self, wallet: Wallet) -> Pusd:
        """pUSD of the wallet."""
        ...

    def payouts(
        self, wallet: Wallet, condition_ids: Sequence[ConditionId], *, from_block: int
    ) -> tuple[Payout, ...]:
        """What redemptions paid the wallet since that block, by whoever they were sent."""
        ...


class Relayer(Protocol):
    """The venue's relayer, with a key that only the claims process reads."""

    def nonce(self) -> int | None:
        """The wallet's next counter; None: not told."""
        ...

    def sign(self, calls: Sequence[ClaimCall], nonce: int, *, deadline: int) -> SignedClaim:
        """The whole batch, signed by the wallet's owner. The same input gives the same bytes."""
        ...

    def submit(self, signed: SignedClaim) -> SendOutcome:
        """Send these bytes once."""
        ...

    def state(self, transaction_id: str) -> RelayerTransaction: ...
