"""What must be right for claims, as findings for a person: node, relayer key, permissions of the wallet."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError, VenueUnreachableError
from polyb0t.core.ids import ConditionId, Wallet
from polyb0t.core.units import ONE, Pusd
from polyb0t.execution.settlement.ports import ClaimCall
from polyb0t.venue.chain_rpc import ChainRpc
from polyb0t.venue.claims import ChainClaims
from polyb0t.venue.claims_abi import words
from polyb0t.venue.claims_calls import CLAIM_APPROVALS, approval_query
from polyb0t.venue.http import HttpReader
from polyb0t.venue.preflight import Check, CheckState
from polyb0t.venue.relayer import RelayerKey
from polyb0t.venue.signing import EOA, POLY_1271

BEHIND: Final = timedelta(minutes=2)  # Polygon makes a block every two seconds
_NOBODYS: Final = "00000000-0000-4000-8000-000000000000"
_PAID_FOR: Final = {"collateral_adapter": "plain", "neg_risk_collateral_adapter": "neg-risk", "router": "V2"}


def check_node(rpc: ChainRpc | None, claims: ChainClaims | None, wallet: Wallet, clock: Clock) -> Check:
    """Whether the node answers, is on the venue's chain, is not behind, and can simulate a claim."""
    if rpc is None or claims is None:
        return Check(
            "chain",
            CheckState.WARNING,
            "No node is set: results come from the exchange's index alone, and nothing can be claimed here.",
            "Set POLYBOT_RPC_URL to a node for Polygon, or claim on the exchange's website.",
        )
    try:
        rpc.require_chain()
        head = claims.head()
        claims.simulate([_harmless(wallet)])
    except PolybotError as error:
        detail = " ".join(part for part in (error.what, error.why) if part)
        return Check("chain", CheckState.FAILED, detail, error.do or "Check the node of POLYBOT_RPC_URL.")
    age = clock.now() - head.at
    if age > BEHIND:
        return Check(
            "chain",
            CheckState.FAILED,
            f"The node {rpc.host} is behind: its newest block is {age.total_seconds():.0f} s old.",
            "Wait until it has caught up, or set POLYBOT_RPC_URL to another node.",
        )
    return Check("chain", CheckState.OK, f"The node {rpc.host} is at block {head.number} of the right chain.")


def check_relayer_key(url: str, key: RelayerKey | None, signature_type: int, reader: HttpReader) -> Check:
    """Whether the relayer knows the key. It is asked for a submission that nobody made; nothing is sent."""
    if signature_type == EOA:
        return Check("relayer", CheckState.OK, "A plain wallet pays its own gas and needs no relayer.")
    if signature_type != POLY_1271:
        detail = "A claim of a proxy wallet or Safe becomes an instruction for the exchange's website."
        return Check("relayer", CheckState.OK, detail)
    if key is None:
        return Check(
            "relayer",
            CheckState.WARNING,
            "No relayer key here: a claim of this deposit wallet becomes an instruction for the website.",
            "Set POLYBOT_RELAYER_API_KEY and POLYBOT_RELAYER_API_KEY_ADDRESS for: polyb0t claims run",
        )
    try:
        answer = reader.get(
            f"{url.rstrip('/')}/v1/account/transactions/{_NOBODYS}",
            also=frozenset({400, 401, 403, 404}),
            headers=key.headers,
        )
    except VenueUnreachableError as error:
        return Check("relayer", CheckState.FAILED, f"{error.what} {error.why}", error.do)
    if answer.status in (401, 403):
        return Check(
            "relayer",
            CheckState.FAILED,
            "The relayer does not accept the key.",
            "Make a new one on the exchange's website, under Settings, API Keys.",
        )
    return Check("relayer", CheckState.OK, "The relayer accepts the key.")


def check_claim_approvals(
    rpc: ChainRpc, contracts: Mapping[str, Wallet], wallet: Wallet, signature_type: int
) -> Check:
    """Whether the contracts that pay may take the wallet's shares, asked of the chain itself."""
    try:
        lacking = _lacking(rpc, contracts, wallet)
    except PolybotError as error:
        return Check("claiming", CheckState.FAILED, f"{error.what} {error.why}", error.do)
    if not lacking:
        return Check("claiming", CheckState.OK, "Every contract that pays may take the wallet's shares.")
    kinds = ", ".join(_PAID_FOR[name] for name in lacking)
    do = "Approve trading once on the exchange's website with this wallet."
    if signature_type == EOA:
        calls = "; ".join(
            f"setApprovalForAll({contracts[operator]}, true) on {contracts[ledger]}"
            for ledger, operator in CLAIM_APPROVALS
            if operator in lacking
        )
        do = f"Permit it once from this wallet: {calls}"
    detail = f"Claims in {kinds} markets would be refused: the contract may not take the wallet's shares."
    return Check("claiming", CheckState.WARNING, detail, do)


def _lacking(rpc: ChainRpc, contracts: Mapping[str, Wallet], wallet: Wallet) -> Sequence[str]:
    found = []
    for ledger, operator in CLAIM_APPROVALS:
        with rpc.answering():
            answer = rpc.read(contracts[ledger], approval_query(wallet, contracts[operator]))
            if words(answer, 1, "the approval")[0] != 1:
                found.append(operator)
    return found


def _harmless(wallet: Wallet) -> ClaimCall:
    """A call of nothing to the wallet itself: what matters is whether the node runs the simulation."""
    nowhere = Wallet("0x0000000000000000000000000000000000000001")
    return ClaimCall(ConditionId("0x" + "00" * 32), wallet, nowhere, "", "0x", Pusd(ONE))
