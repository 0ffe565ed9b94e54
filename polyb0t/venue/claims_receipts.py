"""Money that redemptions paid, read from the logs of mined transactions.

A payment is a transfer of pUSD to the wallet that follows the giving back of its shares in the same
transaction. Shares given back are read from what every ledger of ERC-1155 tokens has to log, and from
the conditional tokens' `PayoutRedemption` (conditional-tokens-contracts 1.0.3), so that neither the
adapters' nor the Router's own events matter, nor who sent the transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.core.ids import ConditionId, Wallet
from polyb0t.core.units import Pusd, from_e6
from polyb0t.execution.settlement.ports import Payout
from polyb0t.venue.chain_rpc import as_quantity
from polyb0t.venue.claims_abi import WORD, address_of_word, number_list, raw_bytes, topic, words
from polyb0t.venue.parsing import Refused, Wire, as_object, describe

TRANSFER: Final = topic("Transfer(address,address,uint256)")
SINGLE: Final = topic("TransferSingle(address,address,address,uint256,uint256)")
BATCH: Final = topic("TransferBatch(address,address,address,uint256[],uint256[])")
REDEMPTION: Final = topic("PayoutRedemption(address,address,bytes32,bytes32,uint256[],uint256)")
_MOST_LOGS: Final = 20_000
_OUTCOME_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class Log:
    """One log of one transaction. `address` and `topics` in lower case."""

    address: str
    topics: tuple[str, ...]
    data: bytes
    index: int
    tx_hash: str
    block_number: int

    def party(self, place: int) -> str:
        """The address in a topic."""
        if place >= len(self.topics):
            raise Refused("malformed", "a log has too few topics")
        return address_of_word(int(self.topics[place], 16))


@dataclass(frozen=True, slots=True)
class Mined:
    """A receipt as the node tells it."""

    tx_hash: str
    succeeded: bool
    block_hash: str
    block_number: int
    sender: str
    gas_cost_wei: int
    logs: tuple[Log, ...]


def parse_receipt(raw: object, tx_hash: str) -> Mined:
    """A receipt.

    Raises:
        Refused: it is none, or one of another transaction.
    """
    told = as_object(raw, "the receipt")
    if _hash(told, "transactionHash") != tx_hash.lower():
        raise Refused("malformed", "the receipt is of another transaction")
    status = as_quantity(told.get("status"), "status")
    if status not in (0, 1):
        raise Refused("malformed", f"the receipt's status is {status}")
    gas = as_quantity(told.get("gasUsed"), "gasUsed")
    price = as_quantity(told.get("effectiveGasPrice"), "effectiveGasPrice")
    return Mined(
        tx_hash.lower(),
        status == 1,
        _hash(told, "blockHash"),
        as_quantity(told.get("blockNumber"), "blockNumber"),
        str(told.get("from")).lower(),
        gas * price,
        parse_logs(told.get("logs")),
    )


def parse_logs(raw: object) -> tuple[Log, ...]:
    """Logs in the order of the chain.

    Raises:
        Refused: anything else than logs of mined blocks.
    """
    if not isinstance(raw, list) or len(raw) > _MOST_LOGS:
        raise Refused("malformed", f"logs are {describe(raw)}")
    found = [_log(as_object(each, "a log")) for each in raw]
    return tuple(sorted(found, key=lambda log: (log.block_number, log.index)))


def _log(raw: Wire) -> Log:
    topics = raw.get("topics")
    if not isinstance(topics, list) or raw.get("removed") is True:
        raise Refused("malformed", "a log is taken back, or has no topics")
    return Log(
        "0x" + raw_bytes(raw.get("address"), "a log's address").hex(),
        tuple(_word(each, "a topic") for each in topics),
        raw_bytes(raw.get("data"), "a log's data"),
        as_quantity(raw.get("logIndex"), "logIndex"),
        _hash(raw, "transactionHash"),
        as_quantity(raw.get("blockNumber"), "blockNumber"),
    )


def hash_of(block: Wire) -> str:
    """A block's own hash, in lower case. Raises Refused: it has none."""
    return _hash(block, "hash")


def _hash(raw: Wire, name: str) -> str:
    return _word(raw.get(name), name)


def _word(raw: object, name: str) -> str:
    value = raw_bytes(raw, name)
    if len(value) != WORD:
        raise Refused("malformed", f"{name} is not a word of 32 bytes")
    return "0x" + value.hex()


def payouts_of(
    mined: Mined, wallet: Wallet, contracts: Mapping[str, Wallet], *, at: datetime
) -> tuple[Payout, ...]:
    """What redemptions in this transaction paid to the wallet; nothing where it failed.

    Raises:
        Refused: a log of a known event has another shape.
    """
    if not mined.succeeded:
        return ()
    return tuple(
        Payout(
            mined.tx_hash,
            log.index,
            mined.block_hash,
            mined.block_number,
            condition,
            wallet,
            Pusd(from_e6(pusd)),
            at,
        )
        for log, condition, pusd in _paid(mined.logs, wallet.lower(), contracts)
    )


def _paid(
    logs: Sequence[Log], wallet: str, contracts: Mapping[str, Wallet]
) -> Iterator[tuple[Log, ConditionId, int]]:
    pusd, first, second = (
        contracts[name].lower() for name in ("collateral", "conditional_tokens", "position_manager")
    )
    ours = False  # whether the shares that an adapter redeems next came from the wallet
    redeemed: ConditionId | None = None  # of the wallet's shares: what follows in pUSD is for it
    for log in logs:
        event = log.topics[0] if log.topics else ""
        if log.address == second and event in (SINGLE, BATCH):
            redeemed = _position_given(log, wallet) or redeemed
        elif log.address == first and event in (SINGLE, BATCH) and _moved(log):
            ours, redeemed = log.party(2) == wallet, None
        elif log.address == first and event == REDEMPTION:
            redeemed = ConditionId(f"0x{words(log.data, 3, 'PayoutRedemption')[0]:064x}") if ours else None
        elif log.address == pusd and event == TRANSFER and log.party(2) == wallet and redeemed is not None:
            yield log, redeemed, words(log.data, 1, "Transfer")[0]


def _moved(log: Log) -> bool:
    """Whether shares went from one holder to another, and were not made or burnt."""
    return int(log.party(2), 16) != 0 and int(log.party(3), 16) != 0


def _position_given(log: Log, wallet: str) -> ConditionId | None:
    """The condition of a position of Protocol V2 that the wallet gave away, its id padded as on the wire."""
    if log.party(2) != wallet:
        return None
    if log.topics[0] == SINGLE:
        position = words(log.data, 2, "TransferSingle")[0]
    else:
        ids = number_list(log.data, 0, "TransferBatch")
        if not ids:
            return None
        position = ids[0]
    return ConditionId(f"0x{position >> _OUTCOME_BITS << _OUTCOME_BITS:064x}")
