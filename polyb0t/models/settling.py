"""What a resolved market means for what is held of it: lost, won, or not known yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, Shares, floor_e6
from polyb0t.data.markets import Market, ProtocolVersion
from polyb0t.data.resolution import Resolution
from polyb0t.models.portfolio import Position

NOTHING: Final = Shares(ZERO)


@dataclass(frozen=True, slots=True)
class Won:
    """A holding of ours that pays. `shares` are the wallet's, by outcome: what a claim would redeem."""

    market: Market
    position: Position
    payouts: tuple[Price, Price]
    shares: tuple[Shares, Shares]
    expected: Pusd


def lost(position: Position, market: Market, resolution: Resolution) -> bool:
    """Whether it pays nothing for certain, with nothing of it still on its way."""
    pays = payout_of(market, resolution, position.asset_id)
    return pays == ZERO and position.provisional == ZERO and position.confirmed > 0


def won(
    position: Position, market: Market, resolution: Resolution, held: Mapping[AssetId, Shares]
) -> Won | None:
    """What a claim of it would bring, by what the wallet holds; None: nothing.

    A claim of the first protocol takes all of both outcomes, one of the second protocol names one.
    """
    if resolution.payouts is None or position.confirmed <= 0:
        return None
    shares = [held.get(outcome.asset_id, NOTHING) for outcome in market.outcomes]
    if market.version is ProtocolVersion.V2:
        shares = [
            held_shares if outcome.asset_id == position.asset_id else NOTHING
            for outcome, held_shares in zip(market.outcomes, shares, strict=True)
        ]
    expected = expected_payout(shares, resolution.payouts)
    if expected <= 0:
        return None
    return Won(market, position, resolution.payouts, (shares[0], shares[1]), expected)


def payout_of(market: Market, resolution: Resolution, asset: AssetId) -> Price | None:
    """pUSD that one share of `asset` pays; None while that is not known."""
    if resolution.payouts is None:
        return None
    sides = [outcome.asset_id for outcome in market.outcomes]
    return resolution.payouts[sides.index(asset)] if asset in sides else None


def expected_payout(shares: Sequence[Shares], payouts: Sequence[Price]) -> Pusd:
    """What redeeming them pays; the contract cuts each outcome down to a millionth by itself."""
    return Pusd(sum((floor_e6(each * price) for each, price in zip(shares, payouts, strict=True)), ZERO))


def frozen_events(
    resolutions: Mapping[ConditionId, Resolution], markets: Mapping[ConditionId, Market]
) -> frozenset[str]:
    """Events on which a result is disputed or not understood: nothing is opened on them."""
    return frozenset(
        str(markets[name].event_id)
        for name, resolution in resolutions.items()
        if resolution.freezes and name in markets and markets[name].event_id is not None
    )
