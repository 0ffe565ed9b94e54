"""How the venue is disposed just now: its windows, whom it lets in, how fast it answers for orders.

All of it is set by the operator of the sandbox and none of it belongs to the world's state: a market
that trades is the same market on a day on which the venue refuses half of its visitors.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.sandbox.wire import WireError
from polyb0t.sandbox.world import World

POST_ONLY_MS: Final = 120_000  # about two minutes after a restart only post-only orders are taken
NOT_READY: Final = "service not ready"
POST_ONLY: Final = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY: Final = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
DISABLED: Final = "Trading is currently disabled. Check polymarket.com for updates"
RESTRICTED: Final = (
    "Trading restricted in your region, please refer to available regions - "
    "https://docs.polymarket.com/developers/CLOB/geoblock"
)


class Mode(StrEnum):
    """What the matching engine takes."""

    NORMAL = "normal"
    RESTART = "restart"  # nothing, also no reads of orders; post-only for two minutes afterwards
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"


class VenueClock:
    """The clock that the venue judges signatures by, which may go wrong."""

    def __init__(self, clock: Clock) -> None:
        self.right = clock
        self.offset_ms = 0

    def now(self) -> datetime:
        """The venue's idea of the time."""
        return self.right.now() + timedelta(milliseconds=self.offset_ms)

    def boot_seconds(self) -> float:
        """Durations go right even where the time of day does not."""
        return self.right.boot_seconds()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.right.sleep(seconds)


@dataclass
class House:
    """The disposition of one venue; `until_ms` and lags are on the world's clock."""

    world: World
    clock: VenueClock
    mode: Mode = Mode.NORMAL
    until_ms: int | None = None  # None: until somebody says otherwise
    geoblocked: bool = False
    country: str = ""
    closed_only: set[str] = field(default_factory=set)  # lower-case addresses of keys
    banned: set[str] = field(default_factory=set)
    order_lag_ms: int = 0  # for so long after its acceptance nobody can read an order
    forgotten: set[str] = field(default_factory=set)  # orders that the venue does not know any more

    def enter(self, mode: Mode, for_ms: int | None) -> None:
        """Change what is taken, for a while or until further notice."""
        self.mode = mode
        self.until_ms = None if for_ms is None else self.world.now_ms + for_ms

    def wipe(self, *, forget: bool) -> int:
        """Cancel every client's orders, as a restart may; forgotten ones are not found afterwards."""
        wiped: list[str] = []
        for owner in tuple(self.world.engine.live):
            wiped += self.world.cancel_all(owner).canceled
        if forget:
            self.forgotten.update(wiped)
        return len(wiped)

    def present_mode(self) -> Mode:
        """The window at this instant; one that is over gives way to the next."""
        while self.until_ms is not None and self.world.now_ms >= self.until_ms:
            ended, self.until_ms = self.until_ms, None
            restarted = self.mode is Mode.RESTART
            self.mode = Mode.POST_ONLY if restarted else Mode.NORMAL
            if restarted:
                self.until_ms = ended + POST_ONLY_MS
        return self.mode

    def check_region(self) -> None:
        """Before anything else, also before anybody is asked who they are."""
        if self.geoblocked:
            raise WireError(403, RESTRICTED)

    def check_reads(self) -> None:
        """Orders cannot be read while the engine restarts."""
        if self.present_mode() is Mode.RESTART:
            raise self._not_ready()

    def check_cancels(self) -> None:
        """Cancels are taken in every window but two."""
        self.check_reads()
        if self.mode is Mode.DISABLED:
            raise WireError(503, DISABLED)

    def check_orders(self, *, post_only: bool) -> None:
        """Whether new orders are taken."""
        self.check_cancels()
        if self.mode is Mode.CANCEL_ONLY:
            raise WireError(503, CANCEL_ONLY)
        if self.mode is Mode.POST_ONLY and not post_only:
            extra: dict[str, object] = {"code": "post_only_mode"}
            if self.until_ms is not None:
                extra["retry_after_seconds"] = self._seconds_left()
            raise WireError(503, POST_ONLY, extra)

    def check_person(self, address: str, *, opening: bool) -> None:
        """A banned key places nothing, one in closed-only mode only sells."""
        if address.lower() in self.banned:
            raise WireError(400, f"'{address}' address banned")
        if opening and address.lower() in self.closed_only:
            raise WireError(400, f"'{address}' address in closed only mode")

    def readable(self, order_id: str, created_ms: int) -> bool:
        """Whether readers find this order already, or still."""
        return order_id not in self.forgotten and created_ms + self.order_lag_ms <= self.world.now_ms

    def _not_ready(self) -> WireError:
        headers = () if self.until_ms is None else (("retry-after", str(self._seconds_left())),)
        return WireError(425, NOT_READY, headers=headers)

    def _seconds_left(self) -> int:
        return 0 if self.until_ms is None else -(-(self.until_ms - self.world.now_ms) // 1_000)
