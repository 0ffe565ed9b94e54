"""Which contract call redeems a holding. Contracts and functions: the vendor's SDK, autumn 2026.

Shares of the first protocol are redeemed through a collateral adapter, one for plain and one for neg-risk
markets: it takes the whole balance of both outcomes and pays pUSD. (The ledger contract itself would pay
bridged USDC.) Those of Protocol V2 go to the Router, one outcome and one amount a call.
"""

from collections.abc import Mapping
from typing import Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.core.units import to_e6
from polyb0t.data.markets import ProtocolVersion
from polyb0t.execution.settlement.ports import ClaimCall, Holding
from polyb0t.venue.claims_abi import call_data, number_word, right_padded, wallet_word
from polyb0t.venue.signing import ZERO_WORD

REDEEM_V1: Final = "redeemPositions(address,bytes32,bytes32,uint256[])"
REDEEM_V2: Final = "redeem(bytes31,uint256,uint256)"
APPROVED: Final = "isApprovedForAll(address,address)"
_BOTH_OUTCOMES: Final = (1, 2)

# Ledger contract and who must be permitted to take shares from it, by kind of market.
CLAIM_APPROVALS: Final = (
    ("conditional_tokens", "collateral_adapter"),
    ("conditional_tokens", "neg_risk_collateral_adapter"),
    ("position_manager", "router"),
)
TARGETS: Final = ("collateral_adapter", "neg_risk_collateral_adapter", "router")


def ledger_of(version: str, contracts: Mapping[str, Wallet]) -> Wallet:
    """The contract that counts the shares of such a market.

    Raises:
        ConfigurationError: an unknown protocol version.
    """
    if version == ProtocolVersion.V2:
        return contracts["position_manager"]
    if version == ProtocolVersion.V1:
        return contracts["conditional_tokens"]
    raise ConfigurationError(
        f"Shares of protocol version {version!r:.20} can not be claimed.",
        why="Which contract pays them is not known.",
        do="Claim on the venue's website.",
        code="unknown_protocol",
    )


def claim_call(wallet: Wallet, holding: Holding, contracts: Mapping[str, Wallet]) -> ClaimCall:
    """The one call that redeems `holding`.

    Raises:
        ConfigurationError: an unknown protocol version, or more than one call of Protocol V2 redeems.
    """
    condition = bytes.fromhex(holding.condition_id[2:])
    if ledger_of(holding.version, contracts) == contracts["position_manager"]:
        outcome = _one_outcome(holding)
        amount = number_word(to_e6(holding.shares[outcome]))
        data = call_data(REDEEM_V2, right_padded(condition[:31]), number_word(outcome), amount)
        target, function = contracts["router"], REDEEM_V2
    else:
        adapter = "neg_risk_collateral_adapter" if holding.neg_risk else "collateral_adapter"
        pusd = wallet_word(contracts["collateral"])
        data = call_data(REDEEM_V1, pusd, ZERO_WORD, condition, tail=_BOTH_OUTCOMES)
        target, function = contracts[adapter], REDEEM_V1
    return ClaimCall(holding.condition_id, wallet, target, function, data, holding.expected)


def _one_outcome(holding: Holding) -> int:
    """A call of Protocol V2 pays one outcome: of a market that pays both, each is a claim of its own."""
    named = [outcome for outcome, shares in enumerate(holding.shares) if shares > 0]
    if len(named) != 1:
        raise wrong_claim(f"One call of Protocol V2 redeems one outcome, not {len(named)}.")
    return named[0]


def approval_query(owner: str, operator: str) -> str:
    """Whether `operator` may take the owner's shares, asked of a ledger contract."""
    return call_data(APPROVED, wallet_word(owner), wallet_word(operator))


def wrong_claim(why: str) -> ConfigurationError:
    """The refusal to sign a call that would not pay this wallet."""
    return ConfigurationError(
        "Nothing was signed: the claim is not one of this wallet.",
        why=why,
        do="Nothing to do: it stays unsent; see: polyb0t claims show",
        code="wrong_claim",
    )
