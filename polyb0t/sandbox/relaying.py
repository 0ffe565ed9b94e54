"""What the relayer sends for deposit wallets: accepted, sent, mined, confirmed, over the world's time.

One action at a time for each wallet, with the wallet's own counter; it counts on when a batch is mined,
also when that batch reverts inside. What was signed is kept, so a restart goes on with it.
"""

import uuid
from typing import Final

from polyb0t.sandbox.redeeming import Redeeming, RevertedError
from polyb0t.sandbox.relayed import ENDED, Relayed, RelayState

SEND_MS: Final = 500


class Relaying(Redeeming):
    """The relayer's side of the world."""

    def wallet_nonce(self, wallet: str) -> int:
        """The counter that the wallet's next batch has to carry."""
        return self.wallet_nonces.get(wallet.lower(), 0)

    def in_flight(self, wallet: str) -> Relayed | None:
        """The wallet's action that has not ended."""
        mine = (each for each in self.relayed.values() if each.wallet.lower() == wallet.lower())
        return next((each for each in mine if each.state not in ENDED), None)

    def relay(self, batch: Relayed) -> None:
        """Accept a batch whose signature was checked; it goes on by itself from here."""
        self.relayed[batch.id] = batch
        faults = self.relay_faults
        if faults.invalid > 0:
            faults.invalid -= 1
            batch.state, batch.error = RelayState.INVALID, "simulation failed"
        elif faults.stall > 0:
            faults.stall -= 1
        else:
            self._at(self.now_ms + SEND_MS, "relay", batch.id)

    def new_relay_id(self) -> str:
        """An id as the venue's look."""
        return str(uuid.UUID(self._transaction()[2:34]))

    def _relay(self, batch_id: str) -> None:
        """The next step of a batch."""
        batch = self.relayed[batch_id]
        settling = self.engine.settling
        if batch.state is RelayState.NEW:
            batch.state, batch.transaction = RelayState.EXECUTED, self._transaction()
            self._at(self.now_ms + settling.mined_ms, "relay", batch_id)
        elif batch.state is RelayState.EXECUTED:
            self._mine_batch(batch)
            self._at(self.now_ms + settling.confirmed_ms, "relay", batch_id)
        elif batch.state is RelayState.MINED:
            batch.state = RelayState.CONFIRMED

    def _mine_batch(self, batch: Relayed) -> None:
        if self.relay_faults.fail > 0:
            self.relay_faults.fail -= 1
            batch.state, batch.error = RelayState.FAILED, "transaction reverted"
            return
        self.wallet_nonces[batch.wallet.lower()] = batch.nonce + 1
        try:
            if batch.deadline_s * 1_000 < self.now_ms:
                raise RevertedError("execution reverted: TooLate")
            if self.chain is not None:
                self.chain.relay(batch)
                self.chain.tick()
            else:
                self.carry_out(batch.wallet, batch.calls, batch.transaction)
            batch.state = RelayState.MINED
        except RevertedError as reverted:
            batch.state, batch.error = RelayState.FAILED, reverted.what
