"""Who owns which pUSD and which shares, to the millionth, and what is spoken for.

A complete set (one share of each outcome) is backed by one pUSD that the ledger locks, so at any
moment: pUSD in wallets + pUSD locked = pUSD ever deposited less withdrawn, and the two outcomes of an
unresolved market have exactly as many shares as pUSD is locked for it.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.types import MILLION

PUSD: Final = ""  # the asset name of collateral; shares go by their token id
Leg = tuple[str, str, int]  # wallet, asset, signed millionths


class LedgerBrokenError(PolybotError):
    """Money or shares came from nowhere or went there; the world must not go on."""

    code = "ledger_broken"


class Ledger:
    """Balances, reservations of active orders, and outflows of trades that are not settled yet."""

    def __init__(self) -> None:
        self.balances: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.reserved: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.matched: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.locked: defaultdict[str, int] = defaultdict(int)  # pUSD behind the sets of a market
        self.deposited = 0

    def balance(self, wallet: str, asset: str = PUSD) -> int:
        """What the wallet owns, spoken for or not."""
        return self.balances[wallet][asset] if wallet in self.balances else 0

    def active(self, wallet: str, asset: str = PUSD) -> int:
        """What the wallet's active orders reserve."""
        return self.reserved[wallet][asset] if wallet in self.reserved else 0

    def unsettled(self, wallet: str, asset: str = PUSD) -> int:
        """What matched trades will take once they are mined."""
        return self.matched[wallet][asset] if wallet in self.matched else 0

    def available(self, wallet: str, asset: str = PUSD) -> int:
        """What a new order may use."""
        return self.balance(wallet, asset) - self.active(wallet, asset) - self.unsettled(wallet, asset)

    def deposit(self, wallet: str, amount: int) -> None:
        """New pUSD from outside the world."""
        self._move(wallet, PUSD, amount)
        self.deposited += amount

    def reserve(self, wallet: str, asset: str, amount: int) -> None:
        """Speak for `amount` on behalf of an active order; negative gives back.

        Raises:
            LedgerBrokenError: more was given back than was reserved.
        """
        held = self.reserved[wallet]
        held[asset] += amount
        if held[asset] < 0:
            raise LedgerBrokenError(f"{wallet} has {held[asset]} of {asset or 'pUSD'} reserved.")

    def hold(self, legs: Iterable[Leg], *, release: bool = False) -> None:
        """Speak for the outflows of a matched trade until it settles."""
        for wallet, asset, amount in legs:
            if amount < 0:
                self.matched[wallet][asset] += amount if release else -amount

    def settle(self, condition_id: str, tokens: tuple[str, str], legs: Iterable[Leg], minted: int) -> None:
        """Apply a trade: pUSD plus newly locked collateral, and each outcome less mints, sum to zero.

        Raises:
            LedgerBrokenError: the legs do not balance or a wallet would go below zero.
        """
        sums = {PUSD: minted, tokens[0]: -minted, tokens[1]: -minted}
        for wallet, asset, amount in legs:
            sums[asset] += amount
            self._move(wallet, asset, amount)
        if any(sums.values()):
            raise LedgerBrokenError(f"A trade of {condition_id} does not balance: {sums}.")
        self.locked[condition_id] += minted

    def split(self, wallet: str, condition_id: str, tokens: tuple[str, str], shares: int) -> None:
        """pUSD into complete sets; negative merges them back."""
        legs = [(wallet, PUSD, -shares), (wallet, tokens[0], shares), (wallet, tokens[1], shares)]
        self.settle(condition_id, tokens, legs, shares)

    def redeem(
        self, wallet: str, condition_id: str, token: str, payout_e6: int, *, shares: int | None = None
    ) -> tuple[int, int]:
        """Burn `shares` of a resolved outcome, or all of them, for `payout_e6` pUSD each; (shares, pUSD).

        Less than a millionth is lost when the payout is split; it stays locked.
        """
        shares = self.balance(wallet, token) if shares is None else shares
        paid = shares * payout_e6 // MILLION
        self._move(wallet, token, -shares)
        self._move(wallet, PUSD, paid)
        self.locked[condition_id] -= paid
        return shares, paid

    def total_pusd(self) -> int:
        """pUSD in wallets and behind complete sets; equals `deposited` for ever."""
        return sum(wallet.get(PUSD, 0) for wallet in self.balances.values()) + sum(self.locked.values())

    def supply(self, token: str) -> int:
        """Shares of an outcome in all wallets."""
        return sum(wallet.get(token, 0) for wallet in self.balances.values())

    def check(self, markets: Iterable[tuple[str, tuple[str, str]]]) -> None:
        """Both conservation laws, for `markets` that are not resolved.

        Raises:
            LedgerBrokenError: one of them does not hold.
        """
        if self.total_pusd() != self.deposited:
            raise LedgerBrokenError(f"{self.total_pusd()} pUSD millionths of {self.deposited} deposited.")
        for condition_id, (first, second) in markets:
            supplies = (self.supply(first), self.supply(second), self.locked[condition_id])
            if len(set(supplies)) != 1:
                raise LedgerBrokenError(f"{condition_id} has supplies and collateral {supplies}.")

    def _move(self, wallet: str, asset: str, amount: int) -> None:
        owned = self.balances[wallet]
        owned[asset] += amount
        if owned[asset] < 0:
            raise LedgerBrokenError(f"{wallet} would own {owned[asset]} of {asset or 'pUSD'}.")
