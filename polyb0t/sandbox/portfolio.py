"""What each client's wallet did and holds, from settled movements alone.

The crowd has no portfolio: nobody reads it, and it trades much.
"""

from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.types import ActivityRow, ActivityType, MarketSpec, Side, TradeView

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
    """Holdings and activity of every wallet that is not the venue's own."""

    def __init__(self, house: frozenset[str]) -> None:
        self._house = house
        self.holdings: dict[str, dict[str, Holding]] = {}  # wallet -> token -> holding
        self.activity: dict[str, list[ActivityRow]] = {}  # wallet -> oldest first

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
            holding = self._holding(wallet, spec, token)
            holding.fees += fee
            if side is Side.BUY:
                holding.take(shares, pusd, at_ms)
            else:
                holding.give(shares, pusd, at_ms)
            self._note(
                ActivityRow(
                    wallet=wallet,
                    kind=ActivityType.TRADE,
                    at_ms=at_ms,
                    condition_id=spec.condition_id,
                    token_id=token,
                    outcome=spec.outcomes[holding.outcome],
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
        for token in spec.token_ids:
            holding = self._holding(wallet, spec, token)
            if shares > 0:
                holding.take(shares, shares // 2, at_ms)
            else:
                holding.give(-shares, -shares // 2, at_ms)
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
        self._holding(wallet, spec, token).give(shares, pusd, at_ms)
        condition = spec.condition_id
        self._plain(
            wallet,
            ActivityType.REDEEM,
            at_ms=at_ms,
            condition=condition,
            shares=shares,
            pusd=pusd,
            tx=transaction,
        )

    def deposited(self, wallet: str, pusd: int, at_ms: int) -> None:
        """pUSD came in from outside; negative: it went out."""
        kind = ActivityType.DEPOSIT if pusd > 0 else ActivityType.WITHDRAWAL
        self._plain(wallet, kind, at_ms=at_ms, pusd=abs(pusd))

    def _holding(self, wallet: str, spec: MarketSpec, token: str) -> Holding:
        held = self.holdings.setdefault(wallet, {})
        if token not in held:
            held[token] = Holding(spec.condition_id, spec.token_ids.index(token))
        return held[token]

    def _plain(
        self,
        wallet: str,
        kind: ActivityType,
        *,
        at_ms: int,
        condition: str = "",
        shares: int = 0,
        pusd: int = 0,
        tx: str = NO_TRANSACTION,
    ) -> None:
        self._note(ActivityRow(wallet, kind, at_ms, condition, "", "", "", shares, pusd, 0, 0, tx))

    def _note(self, row: ActivityRow) -> None:
        if row.wallet not in self._house:
            self.activity.setdefault(row.wallet, []).append(row)
