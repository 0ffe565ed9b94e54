"""A claim on a real chain: what it would pay is known before, and what it paid is read from the chain."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from eth_account import Account

from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.ids import Wallet
from polyb0t.core.practice import practice_key
from polyb0t.core.units import Price, Pusd
from polyb0t.execution.settlement.ports import ClaimCall, Receipt, SendClass, SignedClaim
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import act_as, send, token_balance
from polyb0t.sandbox.contracts import CONTRACTS, ORACLE
from polyb0t.sandbox.node import Node
from polyb0t.venue.transactions import GWEI
from tests.evm.claiming import (
    CTF,
    KEY,
    KINDS,
    PUSD,
    Hands,
    assets_of,
    condition_of,
    give,
    hands,
    holding,
    report,
    won,
)

STRANGER = Wallet("0x00000000000000000000000000000000000A0001")
FULL = Pusd(Decimal("40.000001"))


@pytest.fixture
def ours(chain: Node) -> Iterator[Hands]:
    with hands(chain) as made:
        yield made


def carried(ours: Hands, call: ClaimCall) -> Receipt:
    """Sign, send and read the receipt."""
    signed = signed_now(ours, call)
    assert ours.claims.broadcast(signed).kind is SendClass.ACCEPTED
    for _ in range(1_000):  # the node mines at once, beside its answer
        receipt = ours.claims.receipt(signed.tx_hash)
        if receipt is not None:
            return receipt
    raise AssertionError("it was not mined")


def signed_now(ours: Hands, call: ClaimCall) -> SignedClaim:
    gas = ours.claims.simulate([call]).gas
    return ours.claims.sign(call, ours.claims.nonce(ours.wallet), ours.claims.fees(gas))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_simulated_is_paid_to_the_millionth(ours: Hands, kind: str) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, kind))
    before = ours.claims.balance(ours.wallet)

    simulated = ours.claims.simulate([call])
    assert simulated.pays == FULL == call.expected
    assert ours.claims.balance(ours.wallet) == before  # nothing has happened yet
    receipt = carried(ours, call)

    assert receipt.succeeded
    assert ours.claims.balance(ours.wallet) - before == FULL
    (payout,) = receipt.payouts
    assert (payout.pusd, payout.condition_id, payout.wallet) == (FULL, condition_of(kind), ours.wallet)
    assert payout.block_hash == receipt.block_hash
    assert receipt.gas_cost_wei > 0
    assert ours.claims.payouts(ours.wallet, [condition_of(kind)], from_block=0) == (payout,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("first", "paid"), [(500_000, "27.5"), (0, "15")])
def test_half_and_half_and_the_second_outcome(ours: Hands, kind: str, first: int, paid: str) -> None:
    give(ours.node, ours.wallet, kind, (40_000_000, 15_000_000))
    report(ours.node, kind, first)
    wanted = [holding(kind, ("40", "15"), paid)]
    before = ours.claims.balance(ours.wallet)
    if kind == "v2":  # one outcome a call; the other is another claim
        wanted = [holding(kind, ("0", "15"), "7.5" if first else "15")]
        wanted += [holding(kind, ("40", "0"), "20")] if first else []

    for each in wanted:
        call = ours.claims.build(ours.wallet, each)
        assert ours.claims.simulate([call]).pays == call.expected == each.expected
        assert carried(ours, call).payouts[0].pusd == each.expected

    assert ours.claims.balance(ours.wallet) - before == Decimal(paid)


@pytest.mark.parametrize("shares", [("40", "15"), ("0", "0")])
def test_a_claim_of_protocol_v2_names_one_outcome(ours: Hands, shares: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="one outcome") as refused:
        ours.claims.build(ours.wallet, holding("v2", shares, "27.5"))
    assert refused.value.code == "wrong_claim"


def test_several_markets_are_simulated_in_turn_as_one(ours: Hands) -> None:
    wins = [won(ours.node, kind) for kind in ("standard", "v2")]
    calls = [ours.claims.build(ours.wallet, each) for each in wins]

    assert ours.claims.simulate(calls).pays == 2 * FULL
    assert ours.claims.simulate([*calls, calls[0]]).pays == 2 * FULL  # nothing is left for the third


@pytest.mark.parametrize("kind", KINDS)
def test_before_a_result_the_simulation_says_why(ours: Hands, kind: str) -> None:
    give(ours.node, ours.wallet, kind, (40_000_000, 0))
    call = ours.claims.build(ours.wallet, holding(kind, ("40", "0"), "40"))

    simulated = ours.claims.simulate([call])

    assert simulated.pays is None
    expected = "not resolved" if kind == "v2" else "result for condition not received yet"
    assert expected in simulated.why


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_permission_of_the_wallet_the_simulation_says_so(ours: Hands, kind: str) -> None:
    give(ours.node, ours.wallet, kind, (40_000_000, 0), approve=False)
    report(ours.node, kind, 1_000_000)

    simulated = ours.claims.simulate([ours.claims.build(ours.wallet, holding(kind, ("40", "0"), "40"))])

    assert simulated.pays is None
    assert "appro" in simulated.why


@pytest.mark.parametrize("kind", ["standard", "neg-risk"])
def test_a_wallet_without_the_shares_is_paid_nothing(ours: Hands, kind: str) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, kind))
    adapter = CONTRACTS["collateral_adapter" if kind == "standard" else "neg_risk_collateral_adapter"]
    act_as(ours.node, STRANGER)
    send(ours.node, STRANGER, CTF, call_data("setApprovalForAll(address,bool)", adapter, True))

    assert ours.claims.simulate([replace(call, wallet=STRANGER)]).pays == 0


def test_the_wrong_kinds_adapter_would_pay_nothing_without_an_error(ours: Hands) -> None:
    won(ours.node, "standard")
    wrong = replace(holding("standard", ("40", "0"), "40"), neg_risk=True)
    adapter = CONTRACTS["neg_risk_collateral_adapter"]
    send(ours.node, ours.wallet, CTF, call_data("setApprovalForAll(address,bool)", adapter, True))

    assert ours.claims.simulate([ours.claims.build(ours.wallet, wrong)]).pays == 0


def test_a_call_of_another_wallet_or_contract_is_not_signed(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "standard"))
    fees = ours.claims.fees(300_000)

    for wrong in (replace(call, wallet=STRANGER), replace(call, target=Wallet(PUSD))):
        with pytest.raises(ConfigurationError) as refused:
            ours.claims.sign(wrong, 0, fees)
        assert refused.value.code == "wrong_claim"


def test_the_bytes_are_those_of_the_reference_signer(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "neg-risk"))
    fees = ours.claims.fees(200_000)

    signed = ours.claims.sign(call, 200, fees)

    theirs = Account.sign_transaction(
        {
            "chainId": 137,
            "nonce": 200,
            "to": call.target,
            "data": call.data,
            "value": 0,
            "gas": fees.gas,
            "maxFeePerGas": fees.max_fee_wei,
            "maxPriorityFeePerGas": fees.priority_fee_wei,
        },
        practice_key(60),
    )
    assert signed.raw == "0x" + bytes(theirs.raw_transaction).hex()
    assert signed.tx_hash == "0x" + bytes(theirs.hash).hex()
    assert ours.claims.sign(call, 200, fees) == signed
    assert signed.raw not in repr(signed)


def test_a_node_of_another_chain_gets_nothing_signed_and_nothing_sent(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "standard"))
    signed = signed_now(ours, call)
    with hands(ours.node, chain_id=80_002) as elsewhere:
        with pytest.raises(ConfigurationError) as refused:
            elsewhere.claims.sign(call, 0, elsewhere.claims.fees(300_000))
        told = elsewhere.claims.broadcast(signed)

    assert refused.value.code == "wrong_chain"
    assert (told.kind, told.retryable) == (SendClass.REFUSED, True)
    assert ours.claims.receipt(signed.tx_hash) is None


# --- fees, nonces, replacement ---------------------------------------------------------------


def test_fees_have_polygons_least_tip_and_stay_under_the_cap(ours: Hands) -> None:
    fees = ours.claims.fees(200_000)
    assert fees.priority_fee_wei >= 30 * GWEI
    assert fees.gas == 250_000

    ours.node.call("anvil_setNextBlockBaseFeePerGas", hex(460 * GWEI))
    ours.node.call("evm_mine")
    assert ours.claims.fees(200_000).max_fee_wei == 500 * GWEI

    ours.node.call("anvil_setNextBlockBaseFeePerGas", hex(480 * GWEI))
    ours.node.call("evm_mine")
    with pytest.raises(ConflictError) as refused:
        ours.claims.fees(200_000)
    assert refused.value.code == "gas_over_cap"


def test_fees_above_the_cap_are_not_signed(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "standard"))
    fees = ours.claims.fees(200_000)

    with pytest.raises(ConflictError) as refused:
        ours.claims.sign(call, 0, replace(fees, max_fee_wei=501 * GWEI))

    assert refused.value.code == "gas_over_cap"


def test_a_stuck_transaction_is_replaced_under_its_nonce_and_pays_once(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "standard"))
    before = ours.claims.balance(ours.wallet)
    ours.node.call("evm_setAutomine", False)
    try:
        first = signed_now(ours, call)
        assert ours.claims.broadcast(first).kind is SendClass.ACCEPTED
        assert ours.claims.receipt(first.tx_hash) is None
        assert ours.claims.nonce(ours.wallet) == first.nonce  # what waits does not count
        assert ours.claims.broadcast(first).kind is SendClass.ACCEPTED  # known already

        fees = ours.claims.fees(200_000)
        cheaper = replace(
            fees, max_fee_wei=first.max_fee_wei - 1, priority_fee_wei=first.priority_fee_wei - 1
        )
        refused = ours.claims.broadcast(ours.claims.sign(call, first.nonce, cheaper))
        assert (refused.kind, refused.retryable) == (SendClass.REFUSED, False)

        dearer = replace(
            fees,
            max_fee_wei=first.max_fee_wei * 9 // 8 + 1,
            priority_fee_wei=first.priority_fee_wei * 9 // 8 + 1,
        )
        second = ours.claims.sign(call, first.nonce, dearer)
        assert ours.claims.broadcast(second).kind is SendClass.ACCEPTED
        ours.node.call("evm_mine")
    finally:
        ours.node.call("evm_setAutomine", True)

    assert ours.claims.receipt(first.tx_hash) is None
    receipt = ours.claims.receipt(second.tx_hash)
    assert receipt is not None
    assert receipt.payouts[0].pusd == FULL
    assert ours.claims.balance(ours.wallet) - before == FULL
    assert (
        ours.claims.broadcast(first).kind is SendClass.UNKNOWN
    )  # its nonce is used: by whom it does not say


# --- receipts ----------------------------------------------------------------------------------


def test_confirmations_grow_and_a_block_that_is_taken_back_takes_the_receipt_with_it(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "standard"))
    before = ours.claims.balance(ours.wallet)
    first = carried(ours, call)
    ours.node.call("anvil_mine", "0x3")
    later = ours.claims.receipt(first.tx_hash)
    assert later is not None
    assert (first.confirmations, later.confirmations) == (1, 4)

    assert ours.claims.block_hash(first.block_number) == first.block_hash
    assert ours.claims.block_hash(first.block_number + 1_000) is None

    ours.node.call("anvil_reorg", 4, [])

    assert ours.claims.block_hash(first.block_number) not in (None, first.block_hash)
    assert ours.claims.receipt(first.tx_hash) is None
    assert ours.claims.payouts(ours.wallet, [call.condition_id], from_block=0) == ()
    assert ours.claims.balance(ours.wallet) == before


def test_a_transaction_that_did_nothing_pays_nothing_and_costs_gas(ours: Hands) -> None:
    call = ours.claims.build(ours.wallet, won(ours.node, "v2"))
    late = signed_now(ours, call)  # signed, and then the shares are redeemed by somebody else
    position = int(assets_of("v2")[0])
    raw = bytes.fromhex(condition_of("v2")[2:64])
    redeem = call_data("redeem(bytes31,uint256,uint256)", raw, 0, 40_000_001)
    send(ours.node, ours.wallet, CONTRACTS["router"], redeem)
    late = ours.claims.sign(call, late.nonce + 1, ours.claims.fees(late.gas))
    before = ours.claims.balance(ours.wallet)

    ours.claims.broadcast(late)
    ours.node.call("evm_mine")
    receipt = ours.claims.receipt(late.tx_hash)

    assert receipt is not None
    assert (receipt.succeeded, receipt.payouts) == (False, ())
    assert receipt.gas_cost_wei > 0
    assert ours.claims.balance(ours.wallet) == before
    assert token_balance(ours.node, CONTRACTS["position_manager"], ours.wallet, str(position)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_operator_of_the_venue_redeemed_is_a_payout_of_its_transaction(
    ours: Hands, kind: str
) -> None:
    held = won(ours.node, kind)
    operator, ledger = CONTRACTS["auto_redeemer"], CONTRACTS["position_manager"] if kind == "v2" else CTF
    send(ours.node, ours.wallet, ledger, call_data("setApprovalForAll(address,bool)", operator, True))
    raw = bytes.fromhex(condition_of(kind)[2:])
    asked = call_data("redeemFor(address,bytes32)", ours.wallet, raw)
    if kind == "v2":
        asked = call_data("redeemPositionFor(address,bytes31,uint256)", ours.wallet, raw[:31], 0)
    theirs = send(ours.node, ORACLE, operator, asked)

    (payout,) = ours.claims.payouts(ours.wallet, [condition_of(kind)], from_block=0)

    assert (payout.tx_hash, payout.pusd) == (theirs["transactionHash"], FULL)
    receipt = ours.claims.receipt(payout.tx_hash)
    assert receipt is not None
    assert receipt.gas_cost_wei == 0  # they paid it
    simulated = ours.claims.simulate([ours.claims.build(ours.wallet, held)])
    assert simulated.pays in (0, None)  # Protocol V2 refuses what is not there


def test_money_that_comes_otherwise_is_no_payout(ours: Hands) -> None:
    won(ours.node, "standard")
    send(ours.node, ORACLE, PUSD, call_data("mint(address,uint256)", ours.wallet, 5_000_000))

    assert ours.claims.payouts(ours.wallet, [condition_of("standard")], from_block=0) == ()
    assert token_balance(ours.node, PUSD, KEY.address) == 5_000_000


# --- what the chain knows ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", ["1", "0", "0.5"])
def test_the_chains_own_result(ours: Hands, kind: str, first: str) -> None:
    give(ours.node, ours.wallet, kind, (1, 0))
    assert ours.results.payouts(condition_of(kind)) is None

    report(ours.node, kind, int(Decimal(first) * 1_000_000))

    assert ours.results.payouts(condition_of(kind)) == (Price(Decimal(first)), Price(1 - Decimal(first)))


@pytest.mark.parametrize("kind", KINDS)
def test_shares_and_head(ours: Hands, kind: str) -> None:
    give(ours.node, ours.wallet, kind, (40_000_001, 2))
    version = "v2" if kind == "v2" else "v1"

    held = [
        ours.claims.shares(ours.wallet, each, version=version, neg_risk=kind == "neg-risk")
        for each in assets_of(kind)
    ]

    assert held == [FULL, Decimal("0.000002")]
    head = ours.claims.head()
    assert head.chain_id == 137
    assert head.number == int(ours.node.call("eth_blockNumber"), 16)
