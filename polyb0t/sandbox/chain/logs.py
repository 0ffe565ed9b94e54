"""What the chain's blocks say of redemptions: who gave which shares back, in which transaction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from eth_hash.auto import keccak

from polyb0t.sandbox.abi import results
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.signatures import checksum

TRANSFER_BATCH: Final = "0x" + keccak(b"TransferBatch(address,address,address,uint256[],uint256[])").hex()
TRANSFER_SINGLE: Final = "0x" + keccak(b"TransferSingle(address,address,address,uint256,uint256)").hex()
REDEEMED: Final = "0x" + keccak(b"Redeemed(address,bytes31,uint256,uint256,uint256)").hex()
_TAKERS: Final = {
    CONTRACTS[name].lower() for name in ("collateral_adapter", "neg_risk_collateral_adapter", "auto_redeemer")
}


@dataclass(frozen=True, slots=True)
class ChainRedemption:
    """Shares of one outcome that a wallet gave back, in millionths."""

    wallet: str
    token_id: str
    shares_e6: int
    transaction: str


def asked_for(first_block: int, last_block: int) -> dict[str, object]:
    """The filter of `eth_getLogs` that finds them."""
    return {
        "fromBlock": hex(first_block),
        "toBlock": hex(last_block),
        "address": [CONTRACTS[name] for name in ("conditional_tokens", "position_manager", "router")],
        "topics": [[TRANSFER_BATCH, TRANSFER_SINGLE, REDEEMED]],
    }


def redemptions(logs: list[dict[str, Any]]) -> Iterator[ChainRedemption]:
    """The redemptions in these logs, in their order; outcomes without shares are left out."""
    for log in logs:
        yield from _READERS[log["topics"][0]](log)


def _of_adapter(log: dict[str, Any]) -> Iterator[ChainRedemption]:
    _, _operator, owner, taker = log["topics"]
    if _address(taker).lower() not in _TAKERS:
        return
    ids, values = results("uint256[],uint256[]", log["data"])
    for token, shares in zip(ids, values, strict=True):
        if shares:
            yield ChainRedemption(_address(owner), str(token), shares, log["transactionHash"])


def _of_operator(log: dict[str, Any]) -> Iterator[ChainRedemption]:
    """Positions of Protocol V2 that the venue's operator took to redeem them."""
    _, _operator, owner, taker = log["topics"]
    token, shares = results("uint256,uint256", log["data"])
    if _address(taker).lower() == CONTRACTS["auto_redeemer"].lower() and shares:
        yield ChainRedemption(_address(owner), str(token), shares, log["transactionHash"])


def _of_router(log: dict[str, Any]) -> Iterator[ChainRedemption]:
    _, owner, condition = log["topics"]
    outcome, shares, _payout = results("uint256,uint256,uint256", log["data"])
    position = int(condition[2:64], 16) << 8 | outcome
    if shares:
        yield ChainRedemption(_address(owner), str(position), shares, log["transactionHash"])


def _address(topic: str) -> str:
    return checksum("0x" + topic[-40:])


_READERS: Final[dict[str, Callable[[dict[str, Any]], Iterator[ChainRedemption]]]] = {
    TRANSFER_BATCH: _of_adapter,
    TRANSFER_SINGLE: _of_operator,
    REDEEMED: _of_router,
}
