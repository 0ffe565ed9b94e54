"""The sandbox's world: markets, accounts, a crowd and a clock, in one process and one thread.

Nothing here waits or reads a wall clock: whoever owns the world advances it. With the same seed, the
same steps and the same requests the state is the same, byte for byte.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from polyb0t.sandbox.types import (
    ActivityRow,
    BookView,
    Cancellation,
    MarketSpec,
    MarketView,
    OrderRequest,
    OrderView,
    Placement,
    PositionView,
    PracticeAccount,
    TradeView,
    WorldEvent,
)


class World:
    """The whole state of the sandbox and every way to change it."""

    world_id: str  # random, not part of the state's hash
    seed: int
    speed: float  # scales the crowd, not the clock
    now_ms: int
    paused: bool
    accounts: tuple[PracticeAccount, ...]

    def __init__(
        self,
        *,
        seed: int = 1,
        markets: int | Sequence[MarketSpec] = 60,
        speed: float = 1.0,
        start_ms: int,
        accounts: int = 10,
        funding_e6: int = 10_000_000_000,
        crowd: bool = True,
        world_id: str | None = None,
    ) -> None:
        raise NotImplementedError

    # --- orders; every refusal is a types.Refusal -------------------------------------------------
    def place(self, request: OrderRequest) -> Placement: ...
    def cancel(self, owner: str, order_ids: Sequence[str]) -> Cancellation: ...
    def cancel_all(self, owner: str) -> Cancellation: ...
    def cancel_market(self, owner: str, *, market: str = "", asset_id: str = "") -> Cancellation: ...
    def order(self, order_id: str) -> OrderView | None: ...
    def orders(self, owner: str, *, market: str = "", asset_id: str = "", order_id: str = "") -> list[OrderView]:
        """Live orders of `owner`; with `order_id` that one in any status. Oldest first."""

    def trades(
        self,
        owner: str = "",
        *,
        maker: str = "",
        trade_id: str = "",
        market: str = "",
        asset_id: str = "",
        after_s: int | None = None,
        before_s: int | None = None,
    ) -> list[TradeView]:
        """Trades in which `owner` (API key) or `maker` (wallet) took part, newest first."""

    # --- market data ----------------------------------------------------------------------------------
    def market(self, condition_id: str) -> MarketView:
        """Raises KeyError when there is none."""

    def markets(self) -> list[MarketView]: ...
    def condition_of(self, token_id: str) -> str | None: ...
    def book(self, token_id: str) -> BookView:
        """Raises KeyError when there is none; the same object until the book changes."""

    def tape(self, condition_id: str) -> list[TradeView]:
        """The market's last trades of anybody, newest first (bounded)."""

    def price_history(self, token_id: str) -> list[tuple[int, int]]:
        """(at_ms, price_e6) samples of the midpoint, oldest first (bounded)."""

    # --- accounts ---------------------------------------------------------------------------------------
    def balance(self, wallet: str, token_id: str | None = None) -> int: ...
    def reserved(self, wallet: str, token_id: str | None = None) -> int: ...
    def allowance(self, wallet: str, spender: str, token_id: str | None = None) -> int: ...
    def set_allowance(self, wallet: str, spender: str, amount: int, token_id: str | None = None) -> None: ...
    def fund(self, wallet: str, pusd_e6: int) -> None: ...
    def positions(self, wallet: str) -> list[PositionView]: ...
    def activity(self, wallet: str) -> list[ActivityRow]: ...

    # --- control ------------------------------------------------------------------------------------------
    def resolve(self, condition_id: str, payouts_e6: tuple[int, int]) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def step(self, milliseconds: int) -> None: ...
    def advance_to(self, now_ms: int) -> None: ...
    def state(self) -> dict[str, object]: ...
    def state_hash(self) -> str: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path) -> Self: ...
    def subscribe(self, callback: Callable[[WorldEvent], None]) -> Callable[[], None]:
        """Returns the way to stop."""
