"""Whether a wallet can pay for an order, and what is kept aside for it."""

from collections.abc import Mapping
from typing import Final

from polyb0t.sandbox import rules
from polyb0t.sandbox.contracts import exchange_of
from polyb0t.sandbox.exchange import Fill, Order, by_price
from polyb0t.sandbox.fees import taker_fee_e6
from polyb0t.sandbox.ledger import PUSD, Ledger
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.types import MILLION, YES, Side

UNLIMITED: Final = 2**256 - 1
ERC1155: Final = "ERC1155"  # an approval of shares is all or nothing: one row for every token


class Funds:
    """Approvals, the balance check of an arriving order, and reservations of waiting ones."""

    def __init__(self, ledger: Ledger, markets: Mapping[str, Market]) -> None:
        self.allowances: dict[tuple[str, str, str], int] = {}  # wallet, spender, asset
        self._ledger = ledger
        self._markets = markets

    def allowance(self, wallet: str, spender: str, asset: str) -> int:
        """Unlimited unless somebody set it: practice accounts come approved."""
        return self.allowances.get((wallet.lower(), spender.lower(), asset), UNLIMITED)

    def check_allowance(self, order: Order, market: Market) -> None:
        """Raises the venue's refusal when the exchange of this market may not take so much."""
        spender = exchange_of(market.spec.version, market.spec.neg_risk)
        asset = PUSD if order.side is Side.BUY else ERC1155
        allowed = self.allowance(order.maker, spender, asset)
        if allowed < self.cost(order, market):
            raise rules.refuse(
                "not enough balance / allowance: the allowance is not enough -> "
                f"spender: {spender}, allowance: {allowed}"
            )

    def check(self, order: Order, market: Market, fills: list[Fill]) -> None:
        """Raises the venue's refusal when the wallet has not so much available."""
        if self.suffice(order, market, fills):
            return
        ledger, wallet, asset = self._ledger, order.maker, self.asset_of(order)
        raise rules.refuse(
            "not enough balance / allowance: the balance is not enough -> "
            f"balance: {ledger.balance(wallet, asset)}, "
            f"sum of active orders: {ledger.active(wallet, asset)}, "
            f"sum of matched orders: {ledger.unsettled(wallet, asset)}, "
            f"order amount (inc. fees): {self._need(order, market, fills)}"
        )

    def suffice(self, order: Order, market: Market, fills: list[Fill]) -> bool:
        """Whether what is available pays for the planned fills and for the rest at its limit."""
        available = self._ledger.available(order.maker, self.asset_of(order))
        return self._need(order, market, fills) <= available

    def cost(self, order: Order, market: Market) -> int:
        """pUSD or shares the order takes at its limit, fee included unless it can only rest."""
        if order.side is Side.SELL:
            return order.left
        spend = order.budget if order.market_buy else order.left * order.price // MILLION
        return spend if order.post_only else spend + self._fee(market, order.left, order.price)

    def _need(self, order: Order, market: Market, fills: list[Fill]) -> int:
        """The larger of the cost at the limit and of what the planned fills really take.

        Better prices buy more shares for the same collateral, and shares are what the fee counts;
        and every level's fee is rounded by itself.
        """
        cost = self.cost(order, market)
        if order.side is Side.SELL or not fills:
            return cost
        planned, rest = 0, order.left
        for group in by_price(fills):
            own = group[0].yes if order.outcome == YES else MILLION - group[0].yes
            shares = sum(fill.shares for fill in group)
            planned += shares * own // MILLION + self._fee(market, shares, own)
            rest -= shares
        if not order.market_buy:
            planned += max(rest, 0) * order.price // MILLION
        return max(cost, planned)

    def _fee(self, market: Market, shares: int, price: int) -> int:
        spec = market.spec
        rate = spec.fee_rate if spec.fees_enabled else "0"
        return taker_fee_e6(shares, price, rate=rate, exponent=spec.fee_exponent)

    def asset_of(self, order: Order) -> str:
        """What the order would give: pUSD or its token."""
        if order.side is Side.BUY:
            return PUSD
        return self._markets[order.condition_id].spec.token_ids[order.outcome]

    def reserve(self, order: Order, amount: int | None = None) -> None:
        """Keep aside what a waiting order may take: `amount`, or its remainder at its limit."""
        if amount is None:
            amount = order.left * order.price // MILLION if order.side is Side.BUY else order.left
        order.held = amount
        self._ledger.reserve(order.maker, self.asset_of(order), amount)

    def release(self, order: Order, amount: int | None = None) -> None:
        """Give back `amount`, or all that is kept for the order."""
        amount = order.held if amount is None else amount
        order.held -= amount
        self._ledger.reserve(order.maker, self.asset_of(order), -amount)
