"""What proposals would have made, taken or not: bought as proposed, held, and worth what is paid now.

The same yardstick for all of them, so that approved, rejected and expired ones can be compared. It is a
yardstick and no result: nobody knows whether the book would have filled a trade that was never sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd, floor_e6
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType


class Fate(StrEnum):
    """What a person, or nobody, made of a proposal."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class IfTaken:
    """Ideas of one fate. An outcome that was proposed again and again is one idea, at its first proposal.

    `made_pusd` is what the `priced` ones would be worth beyond their cost, fees of buying in it; None
    without any. A price is the last bid that was seen, or what a resolved market pays.
    """

    fate: Fate
    ideas: int
    priced: int
    made_pusd: Pusd | None


def fate_of(record: IntentRecord) -> Fate | None:
    """None for what is undecided, and for what a newer proposal replaced."""
    if record.status is IntentStatus.REJECTED:
        return Fate.REJECTED
    if record.decided_by:
        return Fate.APPROVED
    if record.status is IntentStatus.EXPIRED and record.result != "superseded":
        return Fate.EXPIRED
    return None


def if_taken(
    proposed: Iterable[IntentRecord], fills: Iterable[Fill], worth: Mapping[AssetId, Price]
) -> tuple[IfTaken, ...]:
    """One row a fate, of the openings among `proposed`. `worth` is pUSD a share now."""
    bought = _bought(fills)
    return tuple(_of(fate, ideas, bought, worth) for fate, ideas in _ideas(proposed).items())


def _ideas(proposed: Iterable[IntentRecord]) -> dict[Fate, Sequence[IntentRecord]]:
    found: dict[Fate, dict[AssetId, IntentRecord]] = {fate: {} for fate in Fate}
    for record in sorted(proposed, key=lambda each: (each.intent.created_at, each.id)):
        fate = fate_of(record)
        if fate is not None and record.intent.intent_type is IntentType.OPEN_POSITION:
            found[fate].setdefault(record.intent.asset_id, record)
    return {fate: tuple(each.values()) for fate, each in found.items()}


@dataclass(frozen=True, slots=True)
class _Bought:
    shares: Decimal = ZERO
    cost: Decimal = ZERO


def _bought(fills: Iterable[Fill]) -> Mapping[OrderId, _Bought]:
    found: dict[OrderId, _Bought] = {}
    for fill in fills:
        if fill.side is Side.BUY and fill.status is not FillStatus.FAILED:
            had = found.get(fill.order_id, _Bought())
            found[fill.order_id] = _Bought(had.shares + fill.shares, had.cost + fill.notional + fill.fee)
    return found


def _of(
    fate: Fate,
    ideas: Sequence[IntentRecord],
    bought: Mapping[OrderId, _Bought],
    worth: Mapping[AssetId, Price],
) -> IfTaken:
    made = [value for value in (_made(record, bought, worth) for record in ideas) if value is not None]
    total = floor_e6(sum(made, ZERO))
    return IfTaken(fate, len(ideas), len(made), Pusd(total) if made else None)


def _made(
    record: IntentRecord, bought: Mapping[OrderId, _Bought], worth: Mapping[AssetId, Price]
) -> Decimal | None:
    """Of what was really bought where something was, else of what the book offered when it was proposed."""
    intent = record.intent
    price = worth.get(intent.asset_id)
    if price is None:
        return None
    real = bought.get(record.order_id) if record.order_id is not None else None
    if real is not None:
        return real.shares * price - real.cost
    if record.order_id is not None and record.status is not IntentStatus.EXECUTING:
        return ZERO  # sent, and nothing was bought
    if intent.estimated_shares is None or intent.estimated_cost is None:
        return None
    return intent.estimated_shares * price - intent.estimated_cost
