"""What a payment of the chain means for the books.

The same redemption is told twice: by the chain's log at once, and minutes later by the venue's index. It
counts once. Whichever of the two took our shares stands, so that they leave the books exactly once.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, Shares, floor_e6
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.execution.settlement.ports import Holding, Payout
from polyb0t.execution.settlement.store import BookedPayout
from polyb0t.models.settling import expected_payout


class _Event(NamedTuple):
    transaction_hash: str
    condition_id: ConditionId | None


def with_payouts(told: Sequence[Booked], paid: Sequence[BookedPayout]) -> tuple[Booked, ...]:
    """The movements that the index told and those that the chain proved, oldest first, each event once.

    What the chain took back counts no more, even where the index has told it meanwhile.
    """
    chain = {
        event: tuple(entry for entry in entries if entry.removed_at is None)
        for event, entries in groupby(sorted(paid, key=_paid_event), key=_paid_event)
    }
    index: dict[_Event, list[Booked]] = {}
    others = []
    for entry in told:
        event = _told_event(entry)
        if entry.movement.kind == MovementKind.REDEEM and event in chain:
            index.setdefault(event, []).append(entry)
        else:
            others.append(entry)
    for event, entries in chain.items():
        by_index = index.get(event, [])
        taken_there = any(entry.taken for entry in by_index)
        if entries and taken_there and not any(entry.taken for entry in entries):
            others += by_index
        else:
            others += [_as_booked(entry) for entry in entries]
    return tuple(sorted(others, key=lambda entry: entry.movement.at))


def shares_of(holding: Holding, payouts: tuple[Price, Price], own: Mapping[AssetId, Shares]) -> list[Taken]:
    """Which shares of ours a redemption of all of `holding` takes, and what came in for them.

    Only what pays something: what paid nothing was closed in the books when its market resolved.
    """
    taken = []
    for asset, shares, price in zip(holding.asset_ids, holding.shares, payouts, strict=True):
        ours = Shares(min(shares, own.get(asset, Shares(ZERO))))
        if ours > 0 and price > 0:
            taken.append(Taken(asset, ours, Pusd(floor_e6(ours * price))))
    return taken


def expected_of(shares: tuple[Shares, Shares], payouts: tuple[Price, Price]) -> Pusd:
    """What redeeming them pays: the contract cuts each outcome down to a millionth by itself."""
    return expected_payout(shares, payouts)


def total_of(payouts: Sequence[Payout]) -> Pusd:
    return Pusd(sum((payout.pusd for payout in payouts), ZERO))


def _as_booked(entry: BookedPayout) -> Booked:
    payout = entry.payout
    movement = Movement(
        kind=MovementKind.REDEEM,
        at=payout.at,
        transaction_hash=payout.tx_hash,
        pusd=payout.pusd,
        shares=Shares(sum((one.shares for one in entry.taken), ZERO)),
        condition_id=payout.condition_id,
        copy=payout.log_index,
    )
    return Booked(movement, entry.taken)


def _paid_event(entry: BookedPayout) -> _Event:
    return _Event(entry.payout.tx_hash.lower(), entry.payout.condition_id)


def _told_event(entry: Booked) -> _Event:
    return _Event(entry.movement.transaction_hash.lower(), entry.movement.condition_id)
