"""The routes of claims: winnings of resolved markets, from the proposal to the money in the wallet."""

from fastapi import APIRouter

from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer, DecimalText, Instant
from polyb0t.runtime.claims_view import by_hand, find_claim, process_of, read_claims
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View


class ClaimSend(Answer):
    """One signed transaction or batch. `paid` is null until it is mined; gas is in the chain's wei."""

    id: str
    route: str
    status: str
    nonce: int
    tx_hash: str
    transaction_id: str
    deadline: int | None
    expected: DecimalText
    paid: DecimalText | None
    gas_cost_wei: int
    code: str
    detail: str
    replaces: str | None
    created_at: Instant
    updated_at: Instant


class ChainPayout(Answer):
    """A payment that the chain proves; `ours`: by a transaction that we sent."""

    tx_hash: str
    log_index: int
    block_number: int
    pusd: DecimalText
    at: Instant
    ours: bool


class ClaimAnswer(Answer):
    """A claim with its transactions and payments, in pUSD; gas in POL, and in pUSD where a price is set."""

    id: str
    status: str
    stands: str
    question: str
    condition_id: str
    outcome_label: str
    expected: DecimalText
    paid: DecimalText
    claim: dict[str, str]
    result: str | None
    result_detail: str
    gas_pol: DecimalText
    gas_pusd: DecimalText | None
    deadline: Instant
    sends: list[ClaimSend]
    payouts: list[ChainPayout]


class Instruction(Answer):
    """Winnings that a person has to claim: why, what to do, and where."""

    question: str
    page: str
    why: str
    do: str


class ClaimsProcess(Answer):
    """The process that carries claims out; `problem` says why it sends nothing now."""

    running: bool
    problem: str


class Claims(Answer):
    """Every claim, newest first, and what is to be claimed by hand."""

    claims: list[ClaimAnswer]
    process: ClaimsProcess
    by_hand: list[Instruction]


def claim_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(tags=["claims"])

    @router.get("/claims", response_model=Claims, responses=responses(503))
    def claims() -> View:
        """Claims, newest first."""
        return {
            "claims": [each.view() for each in read_claims(opened.stores, opened.settings.pol_price_pusd)],
            "process": process_of(opened.stores).view(),
            "by_hand": [each.view() for each in by_hand(opened.stores)],
        }

    @router.get("/claims/{claim_id}", response_model=ClaimAnswer, responses=responses(404, 409, 503))
    def claim(claim_id: str) -> View:
        """One claim, by the beginning of its id or of its transaction's hash."""
        return find_claim(opened.stores, claim_id, opened.settings.pol_price_pusd).view()

    return router
