"""What a claim's approver saw: wallet, contract, function, the exact call and what it pays."""

from collections.abc import Mapping
from dataclasses import dataclass

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, parse_decimal, plain
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.settlement.ports import ClaimCall, ClaimRoute, Holding

_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTerms:
    """The content of `TradeIntent.claim`. `call_hash` is SHA-256 of the call data."""

    route: ClaimRoute
    wallet: Wallet
    contract: Wallet
    function: str
    call_hash: str
    holding: Holding
    payouts: tuple[Price, Price]  # pUSD per share, in the market's order

    def written(self) -> dict[str, str]:
        """As an intent carries it: every value a text, so that it is hashed as it was shown."""
        return {
            "route": self.route.value,
            "wallet": self.wallet,
            "contract": self.contract,
            "function": self.function,
            "call_hash": self.call_hash,
            "asset_ids": " ".join(self.holding.asset_ids),
            "shares": " ".join(plain(each) for each in self.holding.shares),
            "payouts": " ".join(plain(each) for each in self.payouts),
            "version": self.holding.version,
            "neg_risk": _YES if self.holding.neg_risk else _NO,
            "expected_pusd": plain(self.holding.expected),
        }

    def fits(self, call: ClaimCall) -> bool:
        """Whether it is the very call that was approved."""
        mine = (self.wallet, self.contract, self.call_hash, self.holding.expected)
        return mine == (call.wallet, call.target, call_hash(call), call.expected)


def call_hash(call: ClaimCall) -> str:
    return sha256_hex(call.data.lower())


def terms_of(intent: TradeIntent) -> ClaimTerms:
    """The terms that were approved with `intent`.

    Raises:
        ConflictError: `claim_unreadable`; nothing is sent for it.
    """
    try:
        told: Mapping[str, str] = intent.claim or {}
        first, second = told["asset_ids"].split()
        prices = tuple(Price(parse_decimal(each)) for each in told["payouts"].split())
        shares = tuple(Shares(parse_decimal(each)) for each in told["shares"].split())
        if len(prices) != 2 or len(shares) != 2 or sum(prices, ZERO) != ONE or min(*prices, *shares) < 0:
            raise ValueError(f"payouts {told['payouts']} of shares {told['shares']}")
        holding = Holding(
            ConditionId(intent.condition_id),
            told["version"],
            {_YES: True, _NO: False}[told["neg_risk"]],
            (AssetId(first), AssetId(second)),
            (shares[0], shares[1]),
            Pusd(parse_decimal(told["expected_pusd"])),
        )
        return ClaimTerms(
            route=ClaimRoute(told["route"]),
            wallet=Wallet(told["wallet"]),
            contract=Wallet(told["contract"]),
            function=told["function"],
            call_hash=told["call_hash"],
            holding=holding,
            payouts=(prices[0], prices[1]),
        )
    except (KeyError, ValueError) as error:
        raise ConflictError(
            f"Claim {intent.id} was not carried out.",
            why=f"What it says about its call cannot be read: {error}.",
            do="Claim this market on the website.",
            code="claim_unreadable",
        ) from error
