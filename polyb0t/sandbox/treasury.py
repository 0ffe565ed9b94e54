"""The doors for wallets: balances, approvals, complete sets, redemption, positions."""

from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.sandbox.funds import ERC1155
from polyb0t.sandbox.ledger import PUSD
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import ActivityRow, PositionView


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

    def split(self, wallet: str, condition_id: str, shares_e6: int) -> None:
        """pUSD into complete sets; a negative count merges them back.

        Raises:
            NotFoundError: no such market.
            ConflictError: the wallet has not so much available, or the market is resolved.
        """
        market, wallet = self._market(condition_id), self._wallet(wallet)
        assets = (PUSD,) if shares_e6 > 0 else market.spec.token_ids
        enough = all(self.ledger.available(wallet, asset) >= abs(shares_e6) for asset in assets)
        if shares_e6 == 0 or not enough or market.payouts is not None:
            raise ConflictError(
                f"{shares_e6} millionths of complete sets were not made or merged.",
                why="The wallet has not so much available, or the market is resolved.",
            )
        self.ledger.split(wallet, condition_id, market.spec.token_ids, shares_e6)
        self.portfolio.split(
            wallet, market.spec, shares_e6, at_ms=self.now_ms, transaction=self._transaction()
        )

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

    def positions(self, wallet: str) -> list[PositionView]:
        """Every outcome the wallet ever held, in the order of first contact."""
        wallet, views = self._wallet(wallet), list[PositionView]()
        for token, held in self.portfolio.holdings.get(wallet, {}).items():
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
                    resolved=market.payouts is not None,
                )
            )
        return views

    def activity(self, wallet: str) -> list[ActivityRow]:
        """Settled movements, newest first."""
        return self.portfolio.activity.get(self._wallet(wallet), [])[::-1]
