"""Bytes of a transaction, its fee, and what a node's answer proves."""

from dataclasses import replace
from decimal import Decimal

import pytest
import rlp as reference  # type: ignore[import-untyped]
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import ConditionId, Wallet
from polyb0t.core.units import Pusd
from polyb0t.execution.settlement.ports import ClaimCall, SendClass
from polyb0t.venue.claims_abi import call_data, revert_reason, right_padded, selector, wallet_word
from polyb0t.venue.claims_calls import REDEEM_V1, REDEEM_V2
from polyb0t.venue.claims_simulation import outcome_of, program
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.parsing import Refused
from polyb0t.venue.signing import ZERO_WORD, word
from polyb0t.venue.transactions import GWEI, GasPolicy, of_error, of_result, rlp

HASH = "0x" + "ab" * 32
_ITEMS = st.recursive(
    st.binary(max_size=80) | st.integers(0, 2**256 - 1), lambda each: st.lists(each, max_size=5), max_leaves=8
)


def packed(item: object) -> object:
    """As the reference wants it: numbers as their shortest bytes."""
    if isinstance(item, int):
        return item.to_bytes((item.bit_length() + 7) // 8, "big")
    return [packed(each) for each in item] if isinstance(item, list) else item


@given(_ITEMS)
def test_the_packing_is_the_references(item: object) -> None:
    assert rlp(item) == reference.encode(packed(item))  # type: ignore[arg-type]


def test_the_selectors_are_the_published_ones() -> None:
    assert selector(REDEEM_V1).hex() == "01b7037c"
    assert selector(REDEEM_V2).hex() == "d217a3cc"
    assert selector("isApprovedForAll(address,address)").hex() == "e985e9c5"


def test_the_calls_are_the_references() -> None:
    pusd, condition = POLYMARKET.contracts["collateral"], bytes(range(32))
    ours = call_data(REDEEM_V1, wallet_word(pusd), ZERO_WORD, condition, tail=(1, 2))
    types = ["address", "bytes32", "bytes32", "uint256[]"]
    assert ours == "0x01b7037c" + encode(types, [pusd, bytes(32), condition, [1, 2]]).hex()

    ours = call_data(REDEEM_V2, right_padded(condition[:31]), word(1), word(7))
    assert ours == "0xd217a3cc" + encode(["bytes31", "uint256", "uint256"], [condition[:31], 1, 7]).hex()


def test_a_reason_is_read_and_nonsense_is_none() -> None:
    told = bytes.fromhex("08c379a0") + encode(["string"], ["not\nresolved"])
    assert revert_reason(told) == "not resolved"
    assert revert_reason(bytes.fromhex("4e487b71") + word(0x11)) == "panic 0x11"
    assert revert_reason(told[:20]) == ""
    assert revert_reason(b"") == ""
    assert revert_reason(bytes.fromhex("27e1f1e5")) == "error 27e1f1e5"


@pytest.mark.parametrize("cut", [0, 32, 64, 95, 97])
def test_a_simulation_of_another_length_is_refused(cut: int) -> None:
    call = ClaimCall(
        ConditionId("0x"), Wallet("0x" + "11" * 20), Wallet("0x" + "22" * 20), "f()", "0x01", Pusd(Decimal(1))
    )
    assert program([call], POLYMARKET.contracts["collateral"]).endswith("01")
    with pytest.raises(Refused):
        outcome_of((word(1) + word(1000) + word(2) + word(3))[:cut], [call])
    less = outcome_of(word(2) + word(1_000) + word(1), [call])
    assert less.pays is None


# --- fees --------------------------------------------------------------------------------------


@given(base=st.integers(0, 600 * GWEI), tip=st.integers(0, 600 * GWEI), gas=st.integers(21_000, 10**7))
def test_fees_stay_under_the_cap_and_over_polygons_least(base: int, tip: int, gas: int) -> None:
    policy = GasPolicy(500 * GWEI)
    if base + 30 * GWEI > 500 * GWEI:
        with pytest.raises(ConflictError):
            policy.fees(gas, base_wei=base, suggested_tip_wei=tip)
        return

    fees = policy.fees(gas, base_wei=base, suggested_tip_wei=tip)

    assert 30 * GWEI <= fees.priority_fee_wei <= fees.max_fee_wei <= 500 * GWEI
    assert fees.max_fee_wei >= base + fees.priority_fee_wei
    assert fees.gas > gas
    policy.check(fees)
    with pytest.raises(ConflictError):
        policy.check(replace(fees, max_fee_wei=500 * GWEI + 1))


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "kind", "retryable"),
    [
        ("already known", SendClass.ACCEPTED, False),
        ("replacement transaction underpriced", SendClass.REFUSED, False),
        ("transaction underpriced: gas tip cap 1, minimum needed 25000000000", SendClass.REFUSED, False),
        ("max fee per gas less than block base fee", SendClass.REFUSED, False),
        ("insufficient funds for gas * price + value: balance 0", SendClass.REFUSED, False),
        ("txpool is full", SendClass.REFUSED, True),
        ("nonce too low: next nonce 8, tx nonce 7", SendClass.UNKNOWN, False),
        ("nonce too low", SendClass.UNKNOWN, False),
        ("Internal error", SendClass.UNKNOWN, False),
        ("rate limit exceeded", SendClass.UNKNOWN, False),
        ("", SendClass.UNKNOWN, False),
    ],
)
def test_what_an_error_proves(message: str, kind: SendClass, retryable: bool) -> None:
    told = of_error(message)
    assert (told.kind, told.retryable) == (kind, retryable)


@pytest.mark.parametrize("result", [None, "", "0x", HASH[:-1] + "c", 7, {"hash": HASH}])
def test_another_hash_proves_nothing(result: object) -> None:
    assert of_result(result, HASH).kind is SendClass.UNKNOWN
    assert of_result(HASH.upper().replace("0X", "0x"), HASH).kind is SendClass.ACCEPTED
