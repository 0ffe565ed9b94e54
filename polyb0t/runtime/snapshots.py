"""Account states for later questions: kept on change, else every five minutes."""

from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.data.account_state import AccountState
from polyb0t.execution.store import EngineStore, Lease

EVERY_SECONDS: Final = 300.0


class Snapshots:
    """One row whenever cash, holdings or open orders changed, and one every five minutes besides."""

    def __init__(self, engine: EngineStore, lease: Lease, clock: Clock) -> None:
        self._engine = engine
        self._lease = lease
        self._clock = clock
        self._latest: AccountState | None = None
        self._saved: AccountState | None = None
        self._saved_at: float | None = None

    def observe(self, state: AccountState) -> None:
        self._latest = state

    def save(self) -> bool:
        """Write the newest state if it is worth a row; whether it was."""
        state = self._latest
        if state is None or not (self._changed(state) or self._due()):
            return False
        self._engine.save_account_state(state, self._lease)
        self._saved, self._saved_at = state, self._clock.boot_seconds()
        return True

    def _changed(self, state: AccountState) -> bool:
        return self._saved is None or _substance(state) != _substance(self._saved)

    def _due(self) -> bool:
        return self._saved_at is None or self._clock.boot_seconds() - self._saved_at >= EVERY_SECONDS


def _substance(state: AccountState) -> tuple[object, ...]:
    """What makes two states differ: not the time, and not prices that move all day."""
    held = state.positions
    return (
        None if held is None else sorted((each.asset_id, each.shares) for each in held),
        state.cash_pusd,
        state.allowances_pusd,
        state.open_orders,
        sorted(state.missing),
    )
