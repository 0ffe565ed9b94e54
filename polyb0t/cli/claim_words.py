"""What a claim would do, as facts for its approver, and what happened to it, as sentences of its story."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from polyb0t.execution.intents import TradeIntent
from polyb0t.models import wording
from polyb0t.models.gas import pol_of

if TYPE_CHECKING:
    from polyb0t.runtime.auditing import Step

_BY = {
    "transaction": "a transaction of your own key, which pays the gas",
    "relayer": "the venue's relayer, which pays the gas",
}


def claim_facts(intent: TradeIntent) -> Iterator[tuple[str, str, str]]:
    """Name, value and hint: all that an approval permits. Of an intent that names no call nothing."""
    told = intent.claim or {}
    if "shares" in told and "payouts" in told:
        yield "For", _for_what(intent, told), ""
    if "function" in told:
        yield "Calls", wording.one_line(told["function"]), ""
        yield "Contract", wording.one_line(told["contract"]), ""
    if "wallet" in told:
        yield "Paid to", f"{wording.one_line(told['wallet'])}, your wallet", ""
    if "route" in told:
        yield "Sent by", _BY.get(told["route"], wording.one_line(told["route"])), ""


def _for_what(intent: TradeIntent, told: Mapping[str, str]) -> str:
    """`20 shares of YES at 0.5 pUSD each, and 3 of the other outcome at 0.5`."""
    label = wording.outcome(intent.outcome_label)
    parts = []
    for asset, shares, price in zip(
        told["asset_ids"].split(), told["shares"].split(), told["payouts"].split(), strict=True
    ):
        if Decimal(shares):
            name = label if asset == intent.asset_id else "the other outcome"
            parts.append(f"{shares} shares of {name} at {price} pUSD each")
    return " and ".join(parts)


def sentence(step: "Step") -> str:
    """One entry of the journal about a claim's transaction or a payment."""
    payload = step.payload
    match step.kind:
        case "claim.prepared":
            return _prepared(step)
        case "claim.settled":
            return _settled(step)
        case "claim.final":
            tx_hash = wording.short_hex(str(payload["tx_hash"]))
            return f"transaction {tx_hash} is beyond doubt; its signed bytes are erased"
        case "payout.booked":
            by = "its transaction" if payload["send"] else "another's transaction"
            tx_hash = wording.short_hex(str(payload["tx_hash"]))
            return f"{_pusd(payload['pusd'])} pUSD paid by {by} {tx_hash}{_for(step)}"
        case _:
            tx_hash, detail = wording.short_hex(str(payload["tx_hash"])), payload["detail"]
            return (
                f"{_pusd(payload['pusd'])} pUSD of {tx_hash} left the books: {wording.one_line(str(detail))}"
            )


def _prepared(step: "Step") -> str:
    payload = step.payload
    others = len(payload["members"]) - 1
    beside = f", with {others} more claims" if others > 1 else ", with another claim" if others else ""
    again = ", in place of one that nobody took" if payload["replaces"] else ""
    how = "relayer's batch" if payload["route"] == "relayer" else "transaction"
    expects = f"{_pusd(payload['expected'])} pUSD expected"
    return f"{how} stored, nonce {payload['nonce']}, {expects}{beside}{again}; it may be sent"


def _settled(step: "Step") -> str:
    payload = step.payload
    detail = wording.one_line(str(payload.get("detail") or ""))
    gas = int(payload.get("gas_cost_wei") or 0)
    cost = f", gas {pol_of(gas):.6f} POL" if gas else ""
    return f"transaction {payload['from']} -> {payload['to']} ({payload['code']}){cost}" + (
        f": {detail}" if detail else ""
    )


def _for(step: "Step") -> str:
    taken = step.payload["taken"]
    shares = sum((Decimal(each) for each in taken.values()), Decimal(0))
    return f" for {shares.normalize():f} shares of ours" if shares else ""


def _pusd(text: object) -> str:
    return f"{Decimal(str(text)):f}"
