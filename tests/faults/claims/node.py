"""What one node tells of the pretended chain: the truth, an older state of it, another chain, or nothing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.execution.settlement.booking import expected_of
from polyb0t.execution.settlement.ports import (
    ChainHead,
    ClaimCall,
    Payout,
    Receipt,
    SendClass,
    SendOutcome,
    SignedClaim,
    Simulation,
)
from tests.support.pretend_chain import GAS, Block, Mined, PretendChain

FOREIGN = "0xforeign"  # the hashes of transactions that use the wallet's nonce and are not ours
_ELSEWHERE = 80_002


@dataclass
class Node:
    """`down`, `wrong_chain`, or `behind` by so many blocks; `one_in_two`: only every other answer is.

    What it is asked to send reaches the chain while it is behind, and may or may not while it is down.
    """

    chain: PretendChain
    chance: random.Random
    uses_nonce: bool  # whether our claims use the wallet's own nonce
    down: bool = False
    wrong_chain: bool = False
    behind: int = 0
    one_in_two: bool = False
    struck: int = 0  # answers that were not the truth

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chain, name)

    def head(self) -> ChainHead:
        lag = self._lag()
        if self.wrong_chain:
            return ChainHead(_ELSEWHERE, 9, self.chain.blocks[-1].at)
        newest = self.chain.blocks[-1 - lag]
        return ChainHead(137, newest.number, newest.at)

    def shares(self, wallet: Wallet, asset_id: AssetId, *, version: str, neg_risk: bool) -> Shares:
        lag = self._lag()
        if self.wrong_chain:
            return Shares(ZERO)
        return self._held(lag, asset_id)

    def nonce(self, wallet: Wallet) -> int:
        lag = self._lag()
        if self.wrong_chain:
            return 999
        return self.chain.nonces - sum(self._counts(mined) for mined in self._unseen(lag))

    def balance(self, wallet: Wallet) -> Pusd:
        lag = self._lag()
        if self.wrong_chain:
            return Pusd(ZERO)
        late = (payout.pusd for mined in self._unseen(lag) for payout in mined.payouts)
        return Pusd(self.chain.money - sum(late, ZERO))

    def receipt(self, tx_hash: str) -> Receipt | None:
        lag = self._lag()
        found = None if self.wrong_chain else self.chain.receipt(tx_hash)
        if found is None or found.confirmations <= lag:
            return None
        return replace(found, confirmations=found.confirmations - lag)

    def block_hash(self, number: int) -> str | None:
        lag = self._lag()
        if self.wrong_chain:
            return "0xelsewhere"
        return next((block.hash for block in self._known(lag) if block.number == number), None)

    def payouts(
        self, wallet: Wallet, condition_ids: Sequence[ConditionId], *, from_block: int
    ) -> tuple[Payout, ...]:
        lag = self._lag()
        if self.wrong_chain:
            return ()
        newest = self.chain.blocks[-1 - lag].number
        found = self.chain.payouts(wallet, condition_ids, from_block=from_block)
        return tuple(each for each in found if each.block_number <= newest)

    def simulate(self, calls: Sequence[ClaimCall]) -> Simulation:
        lag = self._lag()
        if self.wrong_chain:
            return Simulation(None, why="no such contract")
        if lag == 0 or self.chain.reverting:
            return self.chain.simulate(calls)
        total = ZERO
        for call in calls:
            market = self.chain.markets[call.condition_id]
            if market.payouts is None:
                return Simulation(None, why="result for condition not received yet")
            first, second = (self._held(lag, asset) for asset in market.assets)
            total += expected_of((first, second), market.payouts)
        return Simulation(Pusd(total), GAS)

    def broadcast(self, signed: SignedClaim) -> SendOutcome:
        if self.wrong_chain:
            return SendOutcome(SendClass.REFUSED, "another chain", retryable=True)
        if self.down:
            self.struck += 1
            if self.chance.random() < 0.5:
                return SendOutcome(SendClass.REFUSED, "nothing left", retryable=True)
            self.chain.broadcast(signed)
            return SendOutcome(SendClass.UNKNOWN, "the answer did not come")
        return self.chain.broadcast(signed)

    # -- what it knows -------------------------------------------------------------------------

    def _lag(self) -> int:
        """By how many blocks this answer is late."""
        self.chain.read()
        if self.one_in_two and self.chance.random() < 0.5:
            return 0
        self.struck += self.down or self.wrong_chain or self.behind > 0
        if self.down:
            raise VenueUnreachableError("The node does not answer.")
        return min(self.behind, len(self.chain.blocks) - 1)

    def _known(self, lag: int) -> list[Block]:
        return self.chain.blocks[: len(self.chain.blocks) - lag]

    def _unseen(self, lag: int) -> list[Mined]:
        late = self.chain.blocks[len(self.chain.blocks) - lag :] if lag else []
        return [mined for block in late for mined in block.mined]

    def _counts(self, mined: Mined) -> bool:
        return (mined.ours and self.uses_nonce) or mined.tx_hash.startswith(FOREIGN)

    def _held(self, lag: int, asset_id: AssetId) -> Shares:
        """Before the redemptions that it has not seen."""
        for mined in self._unseen(lag):
            for payout in mined.payouts:
                assets = self.chain.markets[payout.condition_id].assets
                if asset_id in assets:
                    before: Shares = self.chain._before[payout.condition_id][assets.index(asset_id)]
                    return before
        return self.chain.held.get(asset_id, Shares(ZERO))
