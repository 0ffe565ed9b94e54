"""Claims for commands and HTTP: the proposal, its transactions, what the chain paid."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import iso
from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.core.units import ZERO, Pusd, parse_decimal
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType
from polyb0t.execution.settlement.sends import SendRecord, SendStatus
from polyb0t.execution.settlement.store import BookedPayout, ClaimStores
from polyb0t.models.gas import Gas, gas_of
from polyb0t.runtime.claim_routes import problem_of, runs
from polyb0t.runtime.views import View, value_view

MOST: Final = 500
_SHOWN: Final = (
    *("id", "route", "status", "nonce", "tx_hash", "transaction_id", "deadline", "expected", "paid"),
    *("gas_cost_wei", "code", "detail", "replaces", "created_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim with everything that was sent for it. `paid` is of its market, by whoever it was sent."""

    record: IntentRecord
    sends: tuple[SendRecord, ...]
    payouts: tuple[BookedPayout, ...]
    pol_price_pusd: Decimal | None = None

    @property
    def gas(self) -> Gas:
        """What its transactions cost so far; a batch's is the relayer's."""
        return gas_of((send.gas_cost_wei for send in self.sends), self.pol_price_pusd)

    @property
    def expected(self) -> Pusd:
        told = self.record.intent.claim or {}
        return Pusd(parse_decimal(told.get("expected_pusd", "0")))

    @property
    def paid(self) -> Pusd:
        return Pusd(sum((each.payout.pusd for each in self.payouts), ZERO))

    @property
    def stands(self) -> str:
        """In a few words: who or what is waited for."""
        status = self.record.status
        if status is IntentStatus.PENDING:
            return "waits for you"
        if status is IntentStatus.APPROVED:
            return "approved, waits for polyb0t claims run"
        if status is IntentStatus.EXECUTING:
            return _WORDS.get(self.sends[-1].status, "under way") if self.sends else "being prepared"
        if status is not IntentStatus.EXECUTED:
            return f"{status}, {self.record.result or 'ended'}"
        stands = any(send.status is SendStatus.CONFIRMED for send in self.sends)
        return "paid" if stands or not self.sends else "was paid, and the chain took it back"

    def view(self) -> View:
        """The same as data. The signed bytes are no part of it."""
        return {
            "id": self.record.id,
            "status": self.record.status.value,
            "stands": self.stands,
            "question": self.record.intent.question,
            "condition_id": self.record.intent.condition_id,
            "outcome_label": self.record.intent.outcome_label,
            "expected": value_view(self.expected),
            "paid": value_view(self.paid),
            "claim": dict(self.record.intent.claim or {}),
            "result": self.record.result,
            "result_detail": self.record.result_detail,
            "gas_pol": value_view(self.gas.pol),
            "gas_pusd": value_view(self.gas.pusd),
            "deadline": iso(self.record.intent.deadline),
            "sends": [{name: value_view(getattr(each, name)) for name in _SHOWN} for each in self.sends],
            "payouts": [_payout_view(each) for each in self.payouts],
        }


_WORDS: Final = {
    SendStatus.PREPARED: "signed",
    SendStatus.SENT: "sent, not in a block yet",
    SendStatus.UNKNOWN: "may have left; it is looked up",
    SendStatus.MINED: "in a block, not deep enough yet",
    SendStatus.DROPPED: "void; it is signed anew",
}


def read_claims(stores: ClaimStores, pol_price_pusd: Decimal | None = None) -> tuple[Claim, ...]:
    """Newest first."""
    records = stores.intents.list(types=(IntentType.CLAIM_SETTLEMENT,), limit=MOST)
    return tuple(_claim(stores, record, pol_price_pusd) for record in records)


def find_claim(stores: ClaimStores, prefix: str, pol_price_pusd: Decimal | None = None) -> Claim:
    """By the beginning of its intent's id, or of a transaction's hash.

    Raises:
        NotFoundError, AmbiguousError.
    """
    wanted = prefix.strip().lower()
    if wanted.startswith("0x"):
        found = [
            member
            for send in stores.claims.sends()
            for member in send.members
            if send.tx_hash.startswith(wanted)
        ]
        if len(set(found)) > 1:
            raise AmbiguousError(f"{prefix} is of several claims.", why=f"They are {', '.join(found[:5])}.")
        record = stores.intents.get(found[0]) if found else None
    else:
        record = _found(stores, wanted)
    if record is None or record.intent.intent_type is not IntentType.CLAIM_SETTLEMENT:
        raise NotFoundError(
            f"There is no claim {prefix:.40}.",
            do="See them with `polyb0t claims list`.",
            code="claim_not_found",
        )
    return _claim(stores, record, pol_price_pusd)


@dataclass(frozen=True, slots=True)
class Process:
    """The process that carries claims out. `problem`: why it sends nothing now."""

    running: bool
    problem: str

    def view(self) -> View:
        return {"running": self.running, "problem": self.problem}


def process_of(stores: ClaimStores) -> Process:
    """By its lease."""
    info = stores.engine.lease_info("claims")
    running = runs(info, stores.intents.now())
    return Process(running, problem_of(info) if running else "")


def _found(stores: ClaimStores, prefix: str) -> IntentRecord | None:
    try:
        return stores.intents.find(prefix)
    except NotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class ByHand:
    """A market whose winnings a person has to claim."""

    question: str
    page: str
    why: str
    do: str

    def view(self) -> View:
        return {"question": self.question, "page": self.page, "why": self.why, "do": self.do}


def by_hand(stores: ClaimStores) -> tuple[ByHand, ...]:
    """Instructions for markets of which something is still held and no claim is under way."""
    from polyb0t.models.portfolio import NO_MONEY, portfolio_of  # noqa: PLC0415 - not for who only imports

    booked = stores.books.movements()
    held = portfolio_of(stores.orders.fills(), starting_cash=NO_MONEY, booked=booked).held()
    live = stores.intents.list(
        statuses=tuple(LIVE_STATUSES), types=(IntentType.CLAIM_SETTLEMENT,), limit=None
    )
    claimed = {record.intent.condition_id for record in live}
    found = []
    for condition in dict.fromkeys(position.condition_id for position in held):
        if condition in claimed:
            continue
        entry = stores.engine.latest_entry(f"claim:{condition}")
        if entry is not None:
            told = json.loads(entry.payload)
            found.append(ByHand(told["question"], told["page"], told["why"], told["do"]))
    return tuple(found)


def _claim(stores: ClaimStores, record: IntentRecord, pol_price_pusd: Decimal | None) -> Claim:
    sends = stores.claims.sends(intent_id=record.id)
    ids = {send.id for send in sends}
    paid = stores.claims.payouts((record.intent.condition_id,))
    ours = tuple(each for each in paid if not each.send_id or each.send_id in ids)
    return Claim(record, sends, ours, pol_price_pusd)


def _payout_view(entry: BookedPayout) -> View:
    payout = entry.payout
    return {
        "tx_hash": payout.tx_hash,
        "log_index": payout.log_index,
        "block_number": payout.block_number,
        "pusd": value_view(payout.pusd),
        "at": iso(payout.at),
        "ours": bool(entry.send_id),
    }
