"""Trades on their way to finality: MATCHED, then MINED (balances move), then CONFIRMED.

The venue matches off the chain and settles on it a little later. Until a trade is mined its outflows
are spoken for and its inflows cannot be used, as at the venue. A trade may also fail: then nothing
moves and the fill is void.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.exchange import Fill, Order
from polyb0t.sandbox.fees import taker_fee_e6
from polyb0t.sandbox.ledger import PUSD, Leg
from polyb0t.sandbox.types import (
    MILLION,
    YES,
    MakerFill,
    MarketSpec,
    Side,
    TradeStatus,
    TradeView,
)

FEE_WALLET: Final = "0x00000000000000000000000000000000000000Fe"


@dataclass(frozen=True, slots=True)
class Settling:
    """How long the chain takes after a match, and whether a trade's hash is known before its block."""

    mined_ms: int = 2_000
    confirmed_ms: int = 5_000
    retry_ms: int = 3_000  # from a failed transaction to the next attempt
    hashes_at_once: bool = False


@dataclass(slots=True)
class Trade:
    """One settlement: a taker against the resting orders of one price level."""

    view: TradeView  # as matched; its status and instants below are the current ones
    legs: tuple[Leg, ...]  # until it settles
    minted: int  # complete sets created; negative when merged
    status: TradeStatus
    update_ms: int
    hashed: bool = True  # whether its hash is known
    attempt: int = 0  # each has another hash

    @property
    def transaction_hash(self) -> str:
        """The hash of the present attempt, "" before anybody can know it."""
        if not self.hashed:
            return ""
        first = self.view.transaction_hash
        return "0x" + hex_of(first, self.attempt) if self.attempt else first

    def current(self) -> TradeView:
        """The trade for a reader."""
        matched = self.view
        if self.status is matched.status and self.hashed:
            return matched
        return TradeView(
            **{
                **{name: getattr(matched, name) for name in TradeView.__slots__},
                "status": self.status,
                "update_ms": self.update_ms,
                "transaction_hash": self.transaction_hash,
            }
        )


def hex_of(*parts: object) -> str:
    """64 hex characters that depend on `parts` alone."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def trade_id(seed: int, sequence: int) -> str:
    """A trade's id in the shape of a UUID, the same for the same world."""
    digest = hex_of(seed, "trade", sequence)
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def make_trade(
    spec: MarketSpec, taker: Order, fills: list[Fill], *, seed: int, sequence: int, bucket: int, now_ms: int
) -> Trade:
    """The settlement of `taker` with `fills`, all at one price."""
    own = fills[0].yes if taker.outcome == YES else MILLION - fills[0].yes
    size = sum(fill.shares for fill in fills)
    pusd = size * own // MILLION
    rate = spec.fee_rate if spec.fees_enabled else "0"
    fee = taker_fee_e6(size, own, rate=rate, exponent=spec.fee_exponent)
    if taker.side is Side.SELL:
        fee = min(fee, pusd)  # it is taken from the proceeds; the smallest fee may exceed a crumb's
    makers = tuple(_maker_fill(spec, fill) for fill in fills)
    buys = sum(maker.matched_e6 for maker in makers if maker.side is Side.BUY)
    view = TradeView(
        trade_id=trade_id(seed, sequence),
        taker_order_id=taker.order_id,
        condition_id=spec.condition_id,
        token_id=spec.token_ids[taker.outcome],
        outcome=spec.outcomes[taker.outcome],
        side=taker.side,
        size_e6=size,
        price_e6=own,
        pusd_e6=pusd,
        fee_e6=fee,
        status=TradeStatus.MATCHED,
        match_ms=now_ms,
        update_ms=now_ms,
        bucket_index=bucket,
        owner=taker.owner,
        maker=taker.maker,
        transaction_hash="0x" + hex_of(seed, "transaction", sequence),
        maker_orders=makers,
        sequence=sequence,
    )
    minted = buys if taker.side is Side.BUY else -(size - buys)
    return Trade(view, _legs(view), minted, TradeStatus.MATCHED, now_ms)


def _maker_fill(spec: MarketSpec, fill: Fill) -> MakerFill:
    maker = fill.maker
    return MakerFill(
        order_id=maker.order_id,
        owner=maker.owner,
        maker=maker.maker,
        token_id=spec.token_ids[maker.outcome],
        outcome=spec.outcomes[maker.outcome],
        side=maker.side,
        matched_e6=fill.shares,
        price_e6=maker.price,
        pusd_e6=fill.shares * maker.price // MILLION,
    )


def _legs(view: TradeView) -> tuple[Leg, ...]:
    """Who gains and loses what; with the mint they sum to zero."""
    legs = _side_legs(
        view.maker, view.side, view.token_id, shares=view.size_e6, pusd=view.pusd_e6, fee=view.fee_e6
    )
    for fill in view.maker_orders:
        legs += _side_legs(fill.maker, fill.side, fill.token_id, shares=fill.matched_e6, pusd=fill.pusd_e6)
    if view.fee_e6:
        legs.append((FEE_WALLET, PUSD, view.fee_e6))
    return tuple(legs)


def _side_legs(wallet: str, side: Side, token: str, *, shares: int, pusd: int, fee: int = 0) -> list[Leg]:
    if side is Side.BUY:
        return [(wallet, PUSD, -pusd - fee), (wallet, token, shares)]
    return [(wallet, token, -shares), (wallet, PUSD, pusd - fee)]
