"""Which pUSD in a transaction was paid for the wallet's shares, and which came otherwise."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from eth_abi.abi import encode

from polyb0t.core.ids import Wallet
from polyb0t.venue.claims_receipts import (
    BATCH,
    REDEMPTION,
    SINGLE,
    TRANSFER,
    parse_logs,
    parse_receipt,
    payouts_of,
)
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.parsing import Refused

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONTRACTS = POLYMARKET.contracts
PUSD, CTF, MANAGER, ADAPTER, ROUTER = (
    CONTRACTS[name]
    for name in ("collateral", "conditional_tokens", "position_manager", "collateral_adapter", "router")
)
NOBODY = "0x" + "00" * 20
OURS, THEIRS = Wallet("0x" + "0a" * 20), Wallet("0x" + "0b" * 20)
TX, BLOCK = "0x" + "ab" * 32, "0x" + "cd" * 32
FIRST, SECOND = "0x" + "5f" * 32, "0x" + "6f" * 32
POSITION = int("017791f201d5a788e0039e511fc1900e5f" + "00" * 14, 16) << 8


def padded(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def log(address: str, topics: list[str], types: list[str], values: list[Any]) -> dict[str, Any]:
    return {"address": address, "topics": topics, "data": "0x" + encode(types, values).hex()}


def paid(to: str, millionths: int, *, by: str = NOBODY, token: str = PUSD) -> dict[str, Any]:
    return log(token, [TRANSFER, padded(by), padded(to)], ["uint256"], [millionths])


def given(by: str, to: str, *, ledger: str = CTF, ids: list[int] | None = None) -> dict[str, Any]:
    ids = ids or [1, 2]
    topics = [BATCH, padded(ADAPTER), padded(by), padded(to)]
    return log(ledger, topics, ["uint256[]", "uint256[]"], [ids, [5] * len(ids)])


def burnt(by: str, position: int) -> dict[str, Any]:
    topics = [SINGLE, padded(ROUTER), padded(by), padded(NOBODY)]
    return log(MANAGER, topics, ["uint256", "uint256"], [position, 5])


def redeemed(condition: str, millionths: int) -> dict[str, Any]:
    topics = [REDEMPTION, padded(ADAPTER), padded(PUSD), "0x" + "00" * 32]
    values = [bytes.fromhex(condition[2:]), [1, 2], millionths]
    return log(CTF, topics, ["bytes32", "uint256[]", "uint256"], values)


def receipt(logs: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    rows = [
        {"logIndex": hex(index), "transactionHash": TX, "blockNumber": "0x5", "removed": False, **each}
        for index, each in enumerate(logs)
    ]
    return {
        "transactionHash": TX,
        "blockHash": BLOCK,
        "blockNumber": "0x5",
        "status": "0x1",
        "gasUsed": "0x64",
        "effectiveGasPrice": "0x7",
        "from": OURS,
        "logs": rows,
        **changes,
    }


def found(logs: list[dict[str, Any]], **changes: Any) -> list[tuple[str, Decimal, int]]:
    mined = parse_receipt(receipt(logs, **changes), TX)
    return [
        (each.condition_id, each.pusd, each.log_index) for each in payouts_of(mined, OURS, CONTRACTS, at=AT)
    ]


def test_an_adapters_redemption() -> None:
    logs = [given(OURS, ADAPTER), redeemed(FIRST, 5_000_000), paid(OURS, 5_000_000)]
    assert found(logs) == [(FIRST, Decimal(5), 2)]
    assert found(logs, status="0x0") == []


def test_a_batch_of_several_markets_keeps_them_apart() -> None:
    logs = [
        given(OURS, ADAPTER),
        redeemed(FIRST, 5_000_000),
        paid(OURS, 5_000_000),
        given(OURS, ADAPTER),
        redeemed(SECOND, 3),
        paid(OURS, 3),
        burnt(OURS, POSITION + 1),
        paid(OURS, 7),
    ]
    second = f"0x{POSITION:064x}"
    assert found(logs) == [
        (FIRST, Decimal(5), 2),
        (SECOND, Decimal("0.000003"), 5),
        (second, Decimal("0.000007"), 7),
    ]


def test_money_on_its_way_through_an_adapter_is_counted_when_it_arrives() -> None:
    logs = [
        given(OURS, ADAPTER),
        redeemed(FIRST, 5),
        paid(ADAPTER, 5),
        paid(OURS, 5, by=ADAPTER),
    ]
    assert found(logs) == [(FIRST, Decimal("0.000005"), 3)]


@pytest.mark.parametrize(
    "logs",
    [
        [paid(OURS, 5)],  # a deposit
        [given(OURS, THEIRS), paid(OURS, 5)],  # a sale
        [given(THEIRS, ADAPTER), redeemed(FIRST, 5), paid(THEIRS, 5), paid(OURS, 5)],  # somebody else's
        [given(OURS, ADAPTER), redeemed(FIRST, 5), given(THEIRS, ADAPTER), paid(OURS, 5)],
        [given(OURS, ADAPTER), redeemed(FIRST, 5), paid(OURS, 5, token=CTF)],  # another token
        [redeemed(FIRST, 5), paid(OURS, 5)],  # nobody's shares
        [burnt(THEIRS, POSITION), paid(OURS, 5)],
    ],
)
def test_what_was_not_paid_for_our_shares_is_no_payout(logs: list[dict[str, Any]]) -> None:
    assert found(logs) == []


def test_the_sender_and_what_it_paid() -> None:
    mined = parse_receipt(receipt([]), TX)
    assert (mined.sender, mined.gas_cost_wei, mined.succeeded) == (OURS.lower(), 700, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"transactionHash": BLOCK},
        {"status": "0x2"},
        {"status": None},
        {"blockNumber": None},
        {"blockHash": "0x1"},
        {"logs": None},
        {"gasUsed": 7},
    ],
)
def test_a_receipt_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        parse_receipt(receipt([]) | changes, TX)


@pytest.mark.parametrize(
    "log",
    [
        {"removed": True},
        {"topics": None},
        {"topics": ["zz"]},
        {"data": "zz"},
        {"address": 7},
        {"logIndex": -1},
    ],
)
def test_a_log_that_is_none_is_refused(log: dict[str, Any]) -> None:
    rows = receipt([paid(OURS, 5) | log])["logs"]
    with pytest.raises(Refused):
        parse_logs(rows)


@pytest.mark.parametrize(
    "logs",
    [
        [given(OURS, ADAPTER) | {"topics": [BATCH]}],
        [given(OURS, ADAPTER), redeemed(FIRST, 5) | {"data": "0x00"}],
        [given(OURS, ADAPTER), redeemed(FIRST, 5), paid(OURS, 5) | {"data": "0x"}],
        [given(OURS, THEIRS, ledger=MANAGER) | {"data": "0x" + "ff" * 64}],
    ],
)
def test_a_known_event_of_another_shape_is_refused(logs: list[dict[str, Any]]) -> None:
    with pytest.raises(Refused):
        found(logs)
