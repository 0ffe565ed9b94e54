"""What each client's wallet did and holds, from settled movements alone.

The crowd has no portfolio: nobody reads it, and it trades much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.market import Market
from polyb0t.sandbox.types import YES, ActivityRow, ActivityType, MarketSpec, Side, TradeView

PART: Final = "PART"  # of a conversion that another row tells of
NO_TRANSACTION: Final = "0x" + "0" * 64


@dataclass(slots=True)
class Holding:
    """One wallet's business with one outcome; pUSD and shares in millionths."""

    condition_id: str
    outcome: int
    shares: int = 0
    cost: int = 0  # of the shares still held, without fees
    fees: int = 0
    bought: int = 0
    realized: int = 0
    first_ms: int = 0
    last_ms: int = 0

    def take(self, shares: int, cost: int, at_ms: int) -> None:
        """Shares came in for `cost`."""
        self.first_ms = self.first_ms or at_ms
        self.last_ms = at_ms
        self.shares += shares
        self.cost += cost
        self.bought += shares

    def give(self, shares: int, proceeds: int, at_ms: int) -> None:
        """Shares went out for `proceeds`; their cost is the average one."""
        basis = self.cost * shares // self.shares if self.shares else 0
        self.last_ms = at_ms
        self.shares -= shares
        self.cost -= basis
        self.realized += proceeds - basis


class Portfolio:
    """Holdings and activity of every wallet that is not the venue's own.

    A holding is what its activity adds up to, so it can be told for any instant of the past: that is
    what a reader sees who is some minutes behind the chain.
    """

    def __init__(self, house: frozenset[str], markets: Mapping[str, Market]) -> None:
        self._house = house
        self._markets = markets
        self.holdings: dict[str, dict[str, Holding]] = {}  # wallet -> token -> holding
        self.activity: dict[str, list[ActivityRow]] = {}  # wallet -> oldest first

    def holdings_at(self, wallet: str, until_ms: int) -> Mapping[str, Holding]:
        """What the wallet held at an instant, by token."""
        rows = self.activity.get(wallet, [])
        if not rows or rows[-1].at_ms <= until_ms:
            return self.holdings.get(wallet, {})
        held: dict[str, Holding] = {}
        for row in rows:
            if row.at_ms <= until_ms:
                self._apply(held, row)
        return held

    def settled(self, spec: MarketSpec, trade: TradeView, at_ms: int) -> None:
        """A trade was mined."""
        parts = [(trade.maker, trade.side, trade.token_id, trade.size_e6, trade.pusd_e6, trade.fee_e6)]
        parts += [
            (fill.maker, fill.side, fill.token_id, fill.matched_e6, fill.pusd_e6, 0)
            for fill in trade.maker_orders
        ]
        for wallet, side, token, shares, pusd, fee in parts:
            if wallet in self._house:
                continue
            self._note(
                ActivityRow(
                    wallet=wallet,
                    kind=ActivityType.TRADE,
                    at_ms=at_ms,
                    condition_id=spec.condition_id,
                    token_id=token,
                    outcome=spec.outcomes[spec.token_ids.index(token)],
                    side=side.value,
                    shares_e6=shares,
                    pusd_e6=pusd,
                    price_e6=pusd * 1_000_000 // shares,
                    fee_e6=fee,
                    transaction_hash=trade.transaction_hash,
                )
            )

    def split(self, wallet: str, spec: MarketSpec, shares: int, *, at_ms: int, transaction: str) -> None:
        """Complete sets made from pUSD, each outcome at half; negative: merged back."""
        kind = ActivityType.SPLIT if shares > 0 else ActivityType.MERGE
        size = abs(shares)
        self._plain(
            wallet, kind, at_ms=at_ms, condition=spec.condition_id, shares=size, pusd=size, tx=transaction
        )

    def redeemed(
        self,
        wallet: str,
        spec: MarketSpec,
        token: str,
        *,
        shares: int,
        pusd: int,
        at_ms: int,
        transaction: str,
    ) -> None:
        """A resolved outcome was paid out."""
        self._plain(
            wallet,
            ActivityType.REDEEM,
            at_ms=at_ms,
            condition=spec.condition_id,
            token=token,
            shares=shares,
            pusd=pusd,
            tx=transaction,
        )

    def deposited(
        self, wallet: str, pusd: int, at_ms: int, kind: ActivityType = ActivityType.DEPOSIT
    ) -> None:
        """pUSD came in from outside, by itself as a deposit; negative: it was withdrawn."""
        kind = kind if pusd > 0 else ActivityType.WITHDRAWAL
        side = "IN" if kind is ActivityType.TIP else ""
        self._note(ActivityRow(wallet, kind, at_ms, "", "", "", side, 0, abs(pusd), 0, 0, NO_TRANSACTION))

    def converted(
        self,
        wallet: str,
        tokens: Sequence[tuple[MarketSpec, str]],
        *,
        shares: int,
        pusd: int,
        at_ms: int,
        tx: str,
    ) -> None:
        """NO shares of some markets of an event became YES shares of the others and pUSD.

        Readers are told of the first token's row alone: the index has one for all of it.
        """
        for place, (spec, token) in enumerate(tokens):
            self._note(
                ActivityRow(
                    wallet=wallet,
                    kind=ActivityType.CONVERSION,
                    at_ms=at_ms,
                    condition_id=spec.condition_id,
                    token_id=token,
                    outcome="",
                    side="" if place == 0 else PART,
                    shares_e6=shares,
                    pusd_e6=pusd if place == 0 else 0,
                    price_e6=0,
                    fee_e6=0,
                    transaction_hash=tx,
                )
            )

    def moved(self, wallet: str, spec: MarketSpec, token: str, shares: int, at_ms: int) -> None:
        """Shares of one outcome came for nothing, or went. The index has no word for it: half a split."""
        kind = ActivityType.SPLIT if shares > 0 else ActivityType.MERGE
        condition = spec.condition_id
        self._plain(wallet, kind, at_ms=at_ms, condition=condition, token=token, shares=abs(shares))

    def _apply(self, held: dict[str, Holding], row: ActivityRow) -> None:
        """What a movement did to its wallet's holdings."""
        if not row.condition_id:
            return
        spec = self._markets[row.condition_id].spec
        tokens = (row.token_id,) if row.token_id else spec.token_ids
        for token in tokens:
            holding = held.get(token)
            if holding is None:
                holding = held[token] = Holding(spec.condition_id, spec.token_ids.index(token))
            _move(holding, row)

    def _plain(
        self,
        wallet: str,
        kind: ActivityType,
        *,
        at_ms: int,
        condition: str = "",
        token: str = "",
        shares: int = 0,
        pusd: int = 0,
        tx: str = NO_TRANSACTION,
    ) -> None:
        self._note(ActivityRow(wallet, kind, at_ms, condition, token, "", "", shares, pusd, 0, 0, tx))

    def _note(self, row: ActivityRow) -> None:
        if row.wallet in self._house:
            return
        self.activity.setdefault(row.wallet, []).append(row)
        if row.condition_id:  # whoever holds nothing has no place among the holders, also after a load
            self._apply(self.holdings.setdefault(row.wallet, {}), row)


def _move(holding: Holding, row: ActivityRow) -> None:
    match row.kind:
        case ActivityType.SPLIT:
            holding.take(row.shares_e6, row.pusd_e6 // 2, row.at_ms)
        case ActivityType.MERGE:
            holding.give(row.shares_e6, row.pusd_e6 // 2, row.at_ms)
        case ActivityType.REDEEM:
            holding.give(row.shares_e6, row.pusd_e6, row.at_ms)
        case ActivityType.CONVERSION if holding.outcome == YES:
            holding.take(row.shares_e6, 0, row.at_ms)
        case ActivityType.CONVERSION:
            holding.give(row.shares_e6, row.pusd_e6, row.at_ms)
        case ActivityType.TRADE if row.side == Side.BUY:
            holding.fees += row.fee_e6
            holding.take(row.shares_e6, row.pusd_e6, row.at_ms)
        case ActivityType.TRADE:
            holding.fees += row.fee_e6
            holding.give(row.shares_e6, row.pusd_e6, row.at_ms)
