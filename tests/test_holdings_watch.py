"""Cash against the books: what the index explains is no difference, also when it is told late."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd, Shares
from polyb0t.execution.holdings import Explained, Findings, HoldingsWatch
from tests.support.clock import FakeClock
from tests.support.decisions import d
from tests.test_portfolio import YES, a_fill

OPENING = d(1000)


class Wallet:
    """A balance that is compared every two minutes."""

    def __init__(self, cash: str = "1000", held: str = "0") -> None:
        self.clock = FakeClock()
        self.cash, self.held = d(cash), d(held)
        self.explained = d(0)
        self.taken: Mapping[AssetId, Shares] = {}
        self.fills: list[object] = []
        self.watch = HoldingsWatch(lambda _asset: Shares(self.held), lambda: Pusd(self.cash), self.clock)

    def look(self, times: int = 1) -> Findings:
        found = Findings()
        for _ in range(times):
            self.clock.advance(seconds=120)
            known = Explained(Pusd(OPENING), Pusd(self.explained), self.taken)
            found = self.watch.compare(self.fills, frozenset(), known)  # type: ignore[arg-type]
        return found


@pytest.fixture
def wallet() -> Wallet:
    wallet = Wallet()
    wallet.look()
    return wallet


def lasting(wallet: Wallet, looks: int = 6) -> list[Decimal]:
    """What was found apart often and long enough to say so, in so many looks; negative is missing."""
    found = [each for _ in range(looks) for each in wallet.look().differences]
    return [each.value - each.limit for each in found if each.lasting]


class TestCash:
    def test_a_withdrawal_that_the_index_tells_of_is_no_difference(self, wallet: Wallet) -> None:
        wallet.cash -= 300
        assert lasting(wallet, looks=1) == []
        wallet.explained -= 300
        assert lasting(wallet) == []

    def test_one_that_nothing_tells_of_is_missing(self, wallet: Wallet) -> None:
        wallet.cash -= 300
        assert lasting(wallet) == [-300]

    def test_a_deposit_of_which_the_index_tells_an_hour_later_is_not_missing_then(
        self, wallet: Wallet
    ) -> None:
        wallet.cash += 500
        assert lasting(wallet, looks=30) == [500]
        wallet.explained += 500
        assert lasting(wallet) == []

    def test_a_deposit_made_before_a_restart_and_told_after_it_is_not_missing(self) -> None:
        wallet = Wallet("1500")
        wallet.look()
        wallet.explained += 500
        assert lasting(wallet) == []

    def test_a_withdrawal_made_before_a_restart_and_told_after_it_is_not_too_much(self) -> None:
        wallet = Wallet("800")
        wallet.look()
        wallet.explained -= 200
        assert lasting(wallet) == []

    def test_what_is_told_and_never_came_is_missing(self, wallet: Wallet) -> None:
        wallet.explained += 500
        assert lasting(wallet) == [-500]

    def test_a_theft_behind_a_deposit_that_was_told_is_seen(self, wallet: Wallet) -> None:
        wallet.cash += 500
        wallet.explained += 500
        assert lasting(wallet) == []
        wallet.cash -= 500
        assert lasting(wallet) == [-500]


class TestShares:
    def test_shares_that_a_redemption_took_are_not_missing(self) -> None:
        wallet = Wallet(held="152.50")
        wallet.fills = [a_fill()]
        assert wallet.look(4).differences == ()
        wallet.held = d(0)
        assert wallet.look().differences != ()
        wallet.taken = {YES: Shares(d("152.50"))}
        assert wallet.look(4).differences == ()
