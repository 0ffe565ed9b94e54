"""A wallet's transaction in the sandbox's own ledger: redemptions and approvals, read from call data.

v1 positions are redeemed through a collateral adapter, which takes the whole balance of both outcomes;
those of Protocol V2 through the Router, one outcome and one amount a call. The adapter of the other
kind of market finds no shares under its own ids, pays nothing and is no error, as on the chain.
"""

from typing import Any, Final

from eth_abi.exceptions import DecodingError

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.abi import arguments, selector
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.funds import ERC1155, UNLIMITED
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.relayed import WalletCall
from polyb0t.sandbox.treasury import Treasury

REDEEM_ADAPTER: Final = "redeemPositions(address,bytes32,bytes32,uint256[])"
REDEEM_ROUTER: Final = "redeem(bytes31,uint256,uint256)"
APPROVE: Final = "approve(address,uint256)"
APPROVE_ALL: Final = "setApprovalForAll(address,bool)"
_ADAPTERS: Final = {
    CONTRACTS["collateral_adapter"].lower(): False,
    CONTRACTS["neg_risk_collateral_adapter"].lower(): True,
}
_TOKENS: Final = {CONTRACTS["conditional_tokens"].lower(), CONTRACTS["position_manager"].lower()}
_ROUTER: Final = CONTRACTS["router"].lower()
_PUSD: Final = CONTRACTS["collateral"].lower()
PERMITTED: Final = frozenset((*_ADAPTERS, *_TOKENS, _ROUTER, _PUSD))


class RevertedError(PolybotError):
    """The contract refused; nothing was moved. `what` is its own text."""

    code = "reverted"


class Redeeming(Treasury):
    """Calls of wallets, carried out all together or not at all."""

    def carry_out(self, wallet: str, calls: tuple[WalletCall, ...], transaction: str) -> int:
        """Do what the calls say; the pUSD received, in millionths.

        Raises:
            RevertedError: one of them is refused, and then none of them was done.
        """
        wallet = self._wallet(wallet)
        before = dict(self.engine.funds.allowances)
        try:
            for call in calls:  # approvals count for what follows, as on the chain
                self._approve(wallet, call)
                self._check(wallet, call)
        except RevertedError:
            self.engine.funds.allowances.clear()
            self.engine.funds.allowances.update(before)
            raise
        return sum(self._pay(wallet, call, transaction) for call in calls)

    def redeemed_on_chain(self, wallet: str, token: str, shares_e6: int, transaction: str) -> None:
        """Book what a local chain has paid already. Shares that the ledger does not know are none of ours."""
        wallet = self._wallet(wallet)
        place = self.engine.tokens.get(token)
        if place is None or self.ledger.balance(wallet, token) < shares_e6:
            return
        condition, outcome = place
        market = self.engine.markets[condition]
        if market.payouts is not None:
            self._redeem_outcome(wallet, market, outcome, shares_e6, transaction)

    def _approve(self, wallet: str, call: WalletCall) -> None:
        if selector(call.data) == selector(APPROVE) and call.target.lower() == _PUSD:
            spender, amount = _read(APPROVE, call)
            self.set_allowance(wallet, spender, min(amount, UNLIMITED))
        elif selector(call.data) == selector(APPROVE_ALL) and call.target.lower() in _TOKENS:
            operator, approved = _read(APPROVE_ALL, call)
            self.engine.funds.allowances[(wallet.lower(), operator.lower(), ERC1155)] = (
                UNLIMITED if approved else 0
            )

    def _check(self, wallet: str, call: WalletCall) -> None:
        market = self._redeemed_market(call)
        if market is None:
            return
        if market.payouts is None:
            raise RevertedError("execution reverted: result for condition not received yet")
        if self.engine.funds.allowance(wallet, call.target, ERC1155) <= 0:
            raise RevertedError("execution reverted: need operator approval for 3rd party transfers")
        if call.target.lower() == _ROUTER:
            _condition, outcome, amount = _read(REDEEM_ROUTER, call)
            token = market.spec.token_ids[outcome % 2]
            if amount > self.ledger.balance(wallet, token):
                raise RevertedError("execution reverted: balance")

    def _pay(self, wallet: str, call: WalletCall, transaction: str) -> int:
        market = self._redeemed_market(call)
        if market is None:
            return 0
        if call.target.lower() == _ROUTER:
            _condition, outcome, amount = _read(REDEEM_ROUTER, call)
            return self._redeem_outcome(wallet, market, outcome, amount, transaction)
        if _ADAPTERS[call.target.lower()] is not market.spec.neg_risk or market.spec.version == "v2":
            return 0
        amounts = [self.ledger.balance(wallet, token) for token in market.spec.token_ids]
        return sum(
            self._redeem_outcome(wallet, market, outcome, amount, transaction)
            for outcome, amount in enumerate(amounts)
        )

    def _redeem_outcome(
        self, wallet: str, market: Market, outcome: int, amount: int, transaction: str
    ) -> int:
        assert market.payouts is not None
        spec, token = market.spec, market.spec.token_ids[outcome]
        shares, pusd = self.ledger.redeem(
            wallet, spec.condition_id, token, market.payouts[outcome], shares=amount
        )
        if shares:
            self.portfolio.redeemed(
                wallet, spec, token, shares=shares, pusd=pusd, at_ms=self.now_ms, transaction=transaction
            )
        return pusd

    def _redeemed_market(self, call: WalletCall) -> Market | None:
        """The market that a call redeems; None for any other call, and for a market nobody knows."""
        target, asked = call.target.lower(), selector(call.data)
        if target in _ADAPTERS and asked == selector(REDEEM_ADAPTER):
            condition = "0x" + bytes(_read(REDEEM_ADAPTER, call)[2]).hex()
        elif target == _ROUTER and asked == selector(REDEEM_ROUTER):
            condition = "0x" + bytes(_read(REDEEM_ROUTER, call)[0]).hex() + "00"
        else:
            return None
        return self.engine.markets.get(condition)


def _read(signature: str, call: WalletCall) -> tuple[Any, ...]:
    try:
        return arguments(signature, call.data)
    except DecodingError as error:
        raise RevertedError("execution reverted") from error
