"""The doors for wallets: balances, approvals, complete sets, redemption, positions."""

from collections.abc import Sequence
from typing import Final

from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.sandbox.funds import ERC1155
from polyb0t.sandbox.ledger import PUSD
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import (
    NO,
    YES,
    ActivityRow,
    ActivityType,
    MarketSpec,
    OrderStatus,
    PositionView,
)

# What may come as money alone, without a market.
CREDITS: Final = (
    ActivityType.MIGRATION,
    ActivityType.TIP,
    ActivityType.REWARD,
    ActivityType.YIELD,
    ActivityType.MAKER_REBATE,
    ActivityType.TAKER_REBATE,
    ActivityType.REFERRAL_REWARD,
    ActivityType.NOVELTY,
)
VOID: Final = "0x000000000000000000000000000000000000dEaD"  # where shares go that an operator takes away


class Treasury(WorldState):
    """What a wallet has and what it does on the chain."""

    def balance(self, wallet: str, token_id: str | None = None) -> int:
        """What the wallet owns on the chain: settled, whether or not orders reserve it."""
        return self.ledger.balance(self._wallet(wallet), token_id or PUSD)

    def reserved(self, wallet: str, token_id: str | None = None) -> int:
        """What its active orders and unsettled trades speak for."""
        wallet, asset = self._wallet(wallet), token_id or PUSD
        return self.ledger.active(wallet, asset) + self.ledger.unsettled(wallet, asset)

    def allowance(self, wallet: str, spender: str, token_id: str | None = None) -> int:
        """What the spender may take; unlimited for everybody until `set_allowance`."""
        return self.engine.funds.allowance(wallet, spender, ERC1155 if token_id else PUSD)

    def set_allowance(self, wallet: str, spender: str, amount: int, token_id: str | None = None) -> None:
        """Approve so much; for shares an approval covers every token (ERC-1155)."""
        asset = ERC1155 if token_id else PUSD
        self.engine.funds.allowances[(wallet.lower(), spender.lower(), asset)] = amount

    def fund(self, wallet: str, pusd_e6: int) -> None:
        """Deposit practice money.

        Raises:
            UsageError: the amount is not positive.
        """
        if pusd_e6 <= 0:
            raise UsageError(f"{pusd_e6} millionths cannot be deposited.", do="Deposit a positive amount.")
        self._canonical.setdefault(wallet.lower(), wallet)
        wallet = self._wallet(wallet)
        self.ledger.deposit(wallet, pusd_e6)
        self.portfolio.deposited(wallet, pusd_e6, self.now_ms)

    def credit(self, wallet: str, kind: ActivityType, pusd_e6: int) -> None:
        """Money that comes by itself: a reward, a rebate, yield, a tip, and whatever is told under `kind`.

        Raises:
            UsageError: the amount is not positive, or the kind is not one of money alone.
        """
        if pusd_e6 <= 0 or kind not in CREDITS:
            raise UsageError(
                f"{pusd_e6} millionths were not credited as {kind}.",
                do=f"Credit a positive amount as one of {', '.join(CREDITS)}.",
            )
        self._canonical.setdefault(wallet.lower(), wallet)
        wallet = self._wallet(wallet)
        self.ledger.deposit(wallet, pusd_e6)
        self.portfolio.deposited(wallet, pusd_e6, self.now_ms, kind)

    def convert(self, wallet: str, condition_ids: Sequence[str], shares_e6: int) -> int:
        """NO shares of these markets of a neg-risk event into YES shares of its others; the pUSD received.

        At most one of them comes true, so NO of k markets is worth YES of all others and k - 1 pUSD. The
        void stands for the venue's adapter: it pays that and is left with NO of every market.

        Raises:
            NotFoundError: no such market.
            ConflictError: they are not of one open neg-risk event, or the wallet has not so much.
        """
        wallet = self._wallet(wallet)
        chosen = [self._market(condition).spec for condition in dict.fromkeys(condition_ids)]
        event = {spec.event_id for spec in chosen}
        every = [market for market in self.engine.markets.values() if market.spec.event_id in event]
        free = (
            self.ledger.balance(wallet, spec.token_ids[NO])
            - self.ledger.unsettled(wallet, spec.token_ids[NO])
            for spec in chosen
        )
        fits = len(event) == 1 and all(each.spec.neg_risk and each.payouts is None for each in every)
        if shares_e6 <= 0 or not fits or any(amount < shares_e6 for amount in free):
            raise ConflictError(
                "Nothing was converted.",
                why="The markets are not of one open neg-risk event, or the wallet has not so many shares.",
            )
        others = [each.spec for each in every if each.spec not in chosen]
        received = (len(chosen) - 1) * shares_e6
        for spec in chosen:
            self._swap(spec, spec.token_ids[NO], wallet, VOID, shares_e6)
        self.ledger.deposit(VOID, len(others) * shares_e6)
        for spec in others:
            self.ledger.split(VOID, spec.condition_id, spec.token_ids, shares_e6)
            self._swap(spec, spec.token_ids[YES], VOID, wallet, shares_e6)
        self.ledger.deposit(wallet, received)
        tokens = [(spec, spec.token_ids[NO]) for spec in chosen]
        tokens += [(spec, spec.token_ids[YES]) for spec in others]
        self.portfolio.converted(
            wallet, tokens, shares=shares_e6, pusd=received, at_ms=self.now_ms, tx=self._transaction()
        )
        for spec in chosen:
            self._shed(wallet, spec.token_ids[NO])
        self._settle_up()
        return received

    def _swap(self, spec: MarketSpec, token: str, giver: str, taker: str, shares_e6: int) -> None:
        legs = ((giver, token, -shares_e6), (taker, token, shares_e6))
        self.ledger.settle(spec.condition_id, spec.token_ids, legs, 0)

    def alter_balance(self, wallet: str, change_e6: int, token_id: str | None = None) -> None:
        """pUSD or shares that come or go outside of trading; orders not covered any more are cancelled.

        Shares come from the void and go there; a complete set of those is no money.

        Raises:
            ConflictError: the wallet has not so much beside what matched trades will take.
        """
        self._canonical.setdefault(wallet.lower(), wallet)
        wallet, asset = self._wallet(wallet), token_id or PUSD
        free = self.ledger.balance(wallet, asset) - self.ledger.unsettled(wallet, asset)
        if change_e6 == 0 or free + change_e6 < 0:
            raise ConflictError(
                "The balance was not changed.", why="The wallet has not so much, beside trades under way."
            )
        if token_id is None:
            self.ledger.deposit(wallet, change_e6)
            self.portfolio.deposited(wallet, change_e6, self.now_ms)
        else:
            self._give_shares(wallet, token_id, change_e6)
        self._shed(wallet, asset)
        self._settle_up()

    def _give_shares(self, wallet: str, token_id: str, change_e6: int) -> None:
        """From or to the void; it makes or keeps as many complete sets as that takes."""
        market = self._market(self.engine.tokens[token_id][0])
        if change_e6 > 0:
            self.ledger.deposit(VOID, change_e6)
            self.ledger.split(VOID, market.spec.condition_id, market.spec.token_ids, change_e6)
        legs = ((wallet, token_id, change_e6), (VOID, token_id, -change_e6))
        self.ledger.settle(market.spec.condition_id, market.spec.token_ids, legs, 0)
        self.portfolio.moved(wallet, market.spec, token_id, change_e6, self.now_ms)

    def _shed(self, wallet: str, asset: str) -> None:
        """Cancel waiting orders, the newest first, until what is left of the balance covers them."""
        waiting = sorted(
            (
                order
                for orders in self.engine.live.values()
                for order in orders.values()
                if order.maker == wallet and self.engine.funds.asset_of(order) == asset
            ),
            key=lambda order: order.sequence,
        )
        while waiting and self.ledger.available(wallet, asset) < 0:
            self.engine.withdraw(waiting.pop(), OrderStatus.CANCELED_NOT_ENOUGH_BALANCE, self.now_ms)

    def split(self, wallet: str, condition_id: str, shares_e6: int) -> None:
        """pUSD into complete sets; a negative count merges them back. Reservations do not stop it.

        Raises:
            NotFoundError: no such market.
            ConflictError: the wallet has not so much beside trades under way, or the market is resolved.
        """
        market, wallet = self._market(condition_id), self._wallet(wallet)
        assets = (PUSD,) if shares_e6 > 0 else market.spec.token_ids
        owned = (self.ledger.balance(wallet, each) - self.ledger.unsettled(wallet, each) for each in assets)
        enough = all(amount >= abs(shares_e6) for amount in owned)
        if shares_e6 == 0 or not enough or market.payouts is not None:
            raise ConflictError(
                f"{shares_e6} millionths of complete sets were not made or merged.",
                why="The wallet has not so much available, or the market is resolved.",
            )
        self.ledger.split(wallet, condition_id, market.spec.token_ids, shares_e6)
        self.portfolio.split(
            wallet, market.spec, shares_e6, at_ms=self.now_ms, transaction=self._transaction()
        )
        for asset in assets:
            self._shed(wallet, asset)
        self._settle_up()

    def redeem(self, wallet: str, condition_id: str) -> int:
        """Pay out both outcomes of a resolved market; the pUSD received.

        Raises:
            NotFoundError: no such market.
            ConflictError: it is not resolved.
        """
        market, wallet = self._market(condition_id), self._wallet(wallet)
        if market.payouts is None:
            raise ConflictError("Nothing was redeemed.", why="The market is not resolved.")
        transaction, received = self._transaction(), 0
        for token, payout in zip(market.spec.token_ids, market.payouts, strict=True):
            shares, pusd = self.ledger.redeem(wallet, condition_id, token, payout)
            received += pusd
            if shares:
                self.portfolio.redeemed(
                    wallet,
                    market.spec,
                    token,
                    shares=shares,
                    pusd=pusd,
                    at_ms=self.now_ms,
                    transaction=transaction,
                )
        return received

    @property
    def indexed_ms(self) -> int:
        """Up to which instant the Data API has read the chain."""
        return self.now_ms - self.data_lag_ms

    def positions(self, wallet: str, until_ms: int | None = None) -> list[PositionView]:
        """Every outcome the wallet ever held, in the order of first contact; now or at an instant."""
        wallet, views = self._wallet(wallet), list[PositionView]()
        until_ms = self.now_ms if until_ms is None else until_ms
        for token, held in self.portfolio.holdings_at(wallet, until_ms).items():
            market = self.engine.markets[held.condition_id]
            views.append(
                PositionView(
                    wallet=wallet,
                    token_id=token,
                    condition_id=held.condition_id,
                    outcome_index=held.outcome,
                    shares_e6=held.shares,
                    cost_e6=held.cost,
                    fees_e6=held.fees,
                    bought_e6=held.bought,
                    realized_e6=held.realized,
                    price_e6=market.mark(held.outcome),
                    first_ms=held.first_ms,
                    last_ms=held.last_ms,
                    resolved=market.closed_ms is not None and market.closed_ms <= until_ms,
                )
            )
        return views

    def activity(self, wallet: str, until_ms: int | None = None) -> list[ActivityRow]:
        """Settled movements, newest first; all or those up to an instant."""
        rows = self.portfolio.activity.get(self._wallet(wallet), [])[::-1]
        return rows if until_ms is None else [row for row in rows if row.at_ms <= until_ms]
