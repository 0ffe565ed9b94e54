"""What a movement of the wallet means for our books: a result of ours, or money that was moved.

Own trades are known by their fills and count there. Everything else that the index tells explains cash
that no fill explains. Rewards and rebates are found money: they come in like a deposit, so that they
never make a bad day look good. A kind that is not known explains nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from polyb0t.core.ids import AssetId
from polyb0t.core.units import E6, ZERO, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side

# A trade whose parts agree with our own fills within this is ours; rounding makes up the rest.
OWN_WITHIN: Final = Decimal("0.01")


class Nature(StrEnum):
    """What kind of event it is for the books."""

    TRADED = "traded"  # ours by its fills; else somebody's own trade with the same wallet
    MOVED = "moved"  # in from outside or out
    FOUND = "found"  # rewards, rebates, yield: not a result of trading
    RESHAPED = "reshaped"  # cash into shares or back, beside us
    SETTLED = "settled"  # a resolved market paid


NATURES: Final[Mapping[str, Nature]] = MappingProxyType(
    {
        MovementKind.TRADE: Nature.TRADED,
        MovementKind.SPLIT: Nature.RESHAPED,
        MovementKind.MERGE: Nature.RESHAPED,
        MovementKind.CONVERSION: Nature.RESHAPED,
        MovementKind.REDEEM: Nature.SETTLED,
        MovementKind.DEPOSIT: Nature.MOVED,
        MovementKind.WITHDRAWAL: Nature.MOVED,
        MovementKind.MIGRATION: Nature.MOVED,
        MovementKind.TIP: Nature.MOVED,
        MovementKind.REWARD: Nature.FOUND,
        MovementKind.YIELD: Nature.FOUND,
        MovementKind.MAKER_REBATE: Nature.FOUND,
        MovementKind.TAKER_REBATE: Nature.FOUND,
        MovementKind.REFERRAL_REWARD: Nature.FOUND,
    }
)
_OUT: Final = frozenset({MovementKind.WITHDRAWAL, MovementKind.SPLIT})


def nature_of(movement: Movement) -> Nature | None:
    """None: not known, so it explains nothing and stops trading until a person has looked."""
    if movement.kind == MovementKind.TIP and not movement.side:
        return None  # given or got: it does not say
    return NATURES.get(movement.kind)


def cash_effect(movement: Movement) -> Pusd:
    """pUSD that came in by it; negative went out. A trade's own fee is not told."""
    if nature_of(movement) is None:
        return Pusd(ZERO)
    out = movement.kind in _OUT or movement.side in (Side.BUY, "OUT")
    return Pusd(-movement.pusd if out else movement.pusd)


class TradeKey(NamedTuple):
    """What the index and our fills both say of a trade."""

    transaction_hash: str
    asset_id: AssetId | None
    side: str


def explained_cash(booked: Sequence[Booked], fills: Iterable[Fill]) -> Pusd:
    """What came in less what went out by everything booked, without what our fills tell already."""
    return Pusd(sum((cash_effect(entry.movement) for entry in not_ours(booked, fills)), ZERO))


def not_ours(booked: Sequence[Booked], fills: Iterable[Fill]) -> list[Booked]:
    """Without what our own fills tell already; of a trade that is ours in part, the rest."""
    trades = {_trade_key(entry.movement) for entry in booked if entry.movement.kind == MovementKind.TRADE}
    own = _own_parts(fills, trades) if trades else {}
    kept = []
    for entry in booked:
        movement = entry.movement
        if movement.kind == MovementKind.TRADE:
            rest = _rest(movement, own)
            if rest is None:
                continue
            entry = replace(entry, movement=rest)
        kept.append(entry)
    return kept


def foreign_part(movement: Movement, fills: Iterable[Fill]) -> Movement | None:
    """What of one row our fills do not tell; None when it is all ours."""
    rest = not_ours((Booked(movement),), fills)
    return rest[0].movement if rest else None


def may_take(movement: Movement) -> bool:
    """Whether shares of ours can have gone with it."""
    nature = nature_of(movement)
    if nature is Nature.TRADED:
        return movement.side == Side.SELL
    return nature is Nature.SETTLED or movement.kind in (MovementKind.MERGE, MovementKind.CONVERSION)


def shares_taken(
    movement: Movement, own: Mapping[AssetId, Shares], held: Mapping[AssetId, Shares]
) -> tuple[Taken, ...]:
    """Which shares of ours `movement` must have taken: those of `own` that are no longer `held`.

    What else the wallet held goes first, so nothing of ours is given up that is still there.
    """
    if not may_take(movement):
        return ()
    taken = []
    for asset, ours in own.items():
        gone = Shares(ours - held[asset])
        most = _at_most(movement)
        gone = gone if most is None else min(gone, most)
        if gone > 0:
            taken.append(Taken(asset, gone, _brought(movement, gone)))
    return tuple(taken)


def _at_most(movement: Movement) -> Shares | None:
    """How many shares of one outcome it can have taken; None: the row does not say.

    A merged set brings one pUSD, so a merge that brought nothing took nothing.
    """
    if movement.kind == MovementKind.MERGE:
        return Shares(movement.pusd)
    return movement.shares or None


def _brought(movement: Movement, gone: Shares) -> Pusd | None:
    """What came in for `gone` of the movement's shares, where it has a price of its own."""
    if nature_of(movement) is Nature.RESHAPED or not movement.shares:
        return None
    return Pusd((movement.pusd * gone / movement.shares).quantize(E6, ROUND_DOWN))


def _trade_key(movement: Movement) -> TradeKey:
    return TradeKey(movement.transaction_hash.lower(), movement.asset_id, movement.side)


def _own_parts(fills: Iterable[Fill], trades: set[TradeKey]) -> dict[TradeKey, tuple[Decimal, Decimal]]:
    """Shares and pUSD of our fills in these trades."""
    parts: dict[TradeKey, tuple[Decimal, Decimal]] = {}
    for fill in fills:
        key = TradeKey(fill.transaction_hash.lower(), fill.asset_id, fill.side)
        if key in trades and fill.status is not FillStatus.FAILED:
            shares, pusd = parts.get(key, (ZERO, ZERO))
            parts[key] = (shares + fill.shares, pusd + fill.notional)
    return parts


def _rest(movement: Movement, own: dict[TradeKey, tuple[Decimal, Decimal]]) -> Movement | None:
    """Each share of ours is taken off once, since a trade may be told in several rows."""
    key = _trade_key(movement)
    shares, pusd = own.get(key, (ZERO, ZERO))
    if not shares:
        return movement
    both = min(shares, movement.shares)
    paid = pusd * both / shares
    own[key] = (shares - both, pusd - paid)
    left = movement.shares - both
    if left <= OWN_WITHIN:
        return None
    return replace(movement, shares=Shares(left), pusd=Pusd(max(ZERO, movement.pusd - paid)))
