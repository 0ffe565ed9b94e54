"""The venue's operator that pays winnings by itself, some time after the result, sometimes not at all.

`PUT /sandbox/auto-redeem` switches it on for what has a result and for what will have one. It pays wallets
that approved its contract, as practice accounts have; over the local chain, where there is one. Source: the
venue's help pages on automatic redemption, April 2026; how late it is differs, so that is a setting here.
"""

from typing import Final

import msgspec

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.funds import ERC1155
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.redeeming import RevertedError
from polyb0t.sandbox.relayed import AutoRedeem
from polyb0t.sandbox.relaying import Relaying
from polyb0t.sandbox.state import ChainPort
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body

LONGEST_MS: Final = 7 * 86_400_000
AGAIN_MS: Final = 1_000  # after a chain that did not answer


class AutoRedeeming(Relaying):
    """The operator's side of the world."""

    def set_auto_redeem(self, order: AutoRedeem) -> None:
        """From now on; what has a result already is paid when its time has come, at once if it is over."""
        self.auto_redeem = order
        for condition, market in self.engine.markets.items():
            if order.on and market.payouts is not None and market.closed_ms is not None:
                self._at(max(self.now_ms, market.closed_ms + order.after_ms), "auto", condition)

    def _redeem_by_itself(self, condition_id: str) -> None:
        """Pay every practice account what it won in this market."""
        if not self.auto_redeem.on:
            return
        market, operator = self.engine.markets[condition_id], CONTRACTS["auto_redeemer"]
        for account in self.accounts:
            approved = self.engine.funds.allowance(account.wallet, operator, ERC1155) > 0
            if approved and self._won(market, account.wallet):
                self._pay_for(market, account.wallet)

    def _won(self, market: Market, wallet: str) -> list[int]:
        """The outcomes of which the wallet has shares that pay."""
        payouts = market.payouts or (0, 0)
        return [
            outcome
            for outcome, token in enumerate(market.spec.token_ids)
            if payouts[outcome] > 0 and self.ledger.balance(wallet, token) > 0
        ]

    def _pay_for(self, market: Market, wallet: str) -> None:
        outcomes = self._won(market, wallet) if market.spec.version == "v2" else [0, 1]
        if self.chain is not None:
            self._pay_over(self.chain, market, wallet, outcomes)
            return
        transaction = self._transaction()
        for outcome in outcomes:
            held = self.ledger.balance(wallet, market.spec.token_ids[outcome])
            self._redeem_outcome(wallet, market, outcome, held, transaction)

    def _pay_over(self, chain: ChainPort, market: Market, wallet: str, outcomes: list[int]) -> None:
        try:
            chain.tick()  # the shares are there before they are redeemed
            chain.redeem_for(wallet, market.spec, outcomes)
            chain.tick()
        except RevertedError:
            return  # missed, as it happens at the venue: the owner claims
        except PolybotError:  # the node does not answer
            self._at(self.now_ms + AGAIN_MS, "auto", market.spec.condition_id)


def add_routes(router: Router, world: AutoRedeeming) -> None:
    """`GET` and `PUT /sandbox/auto-redeem`."""

    def show(_request: Request) -> Reply:
        return json_reply(msgspec.to_builtins(world.auto_redeem))

    def change(request: Request) -> Reply:
        order = parse_body(request, AutoRedeem, "expected on and after_ms")
        if not 0 <= order.after_ms <= LONGEST_MS:
            raise WireError(400, f"after_ms must be between 0 and {LONGEST_MS}")
        world.set_auto_redeem(order)
        return show(request)

    router.add("GET", "/sandbox/auto-redeem", show)
    router.add("PUT", "/sandbox/auto-redeem", change)
