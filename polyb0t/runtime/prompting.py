"""How many new proposals a person may still be asked about, and how those that he approved fared."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Stores
from polyb0t.execution.using import openings_taken_up
from polyb0t.models.shortlist import Waiting

NEW_PER_CYCLE: Final = 2  # what is born together expires together, and then nothing waits for anybody
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LOOKED_AT: Final = 200  # of the newest that ended
_AGAIN: Final = timedelta(minutes=10)
_ENDED: Final = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
_GONE: Final = "price_worse"


class Prompting:
    """Of one regime; asked by the cycle's thread. Prompts of any regime tire a person."""

    def __init__(
        self,
        stores: Stores,
        regime: Regime,
        *,
        per_hour: int,
        per_day: int,
        most_waiting: int,
        decide_seconds: int,
    ) -> None:
        self._stores, self._regime = stores, regime
        self._per_hour, self._per_day, self._most_waiting = per_hour, per_day, most_waiting
        self._waiting = Waiting(Decimal(decide_seconds))
        self._looked_at: datetime | None = None

    def room(self, live: Iterable[IntentRecord], orders_hour_max: int) -> int:
        """How many new proposals there is room for: by the hour, by the day, by what waits, by the cycle."""
        now = self._stores.intents.now()
        waiting = sum(record.status is IntentStatus.PENDING for record in live)
        # A day's limit that the hour's keeps by itself needs no look at the day.
        by_day = self._per_day < 24 * self._per_hour
        recent = self._stores.intents.list(
            types=(IntentType.OPEN_POSITION,), changed_since=now - (DAY if by_day else HOUR), limit=None
        )
        born = [record.intent.created_at for record in recent]
        left = [
            self._per_hour - sum(at > now - HOUR for at in born),
            orders_hour_max - openings_taken_up(recent, now - HOUR, None, self._regime),
            self._most_waiting - waiting,
            NEW_PER_CYCLE,
        ]
        if by_day:
            left.append(self._per_day - sum(at > now - DAY for at in born))
        return max(0, min(left))

    def waiting(self) -> Waiting:
        """How long a person may take, with our own rate; counted anew every ten minutes."""
        now = self._stores.intents.now()
        if self._looked_at is None or now - self._looked_at >= _AGAIN or now < self._looked_at:
            filled, sent = self._own_rate()
            self._waiting = Waiting(self._waiting.seconds, filled, sent)
            self._looked_at = now
        return self._waiting

    def _own_rate(self) -> tuple[int, int]:
        """Of approved purchases that take: how many found an offer, and how many there were. One whose
        price was gone before it was sent found none."""
        orders = self._stores.orders.orders(statuses=_ENDED, limit=LOOKED_AT)
        taken = [order for order in orders if order.side is Side.BUY and order.order_type.takes]
        failed = self._stores.intents.list(
            types=(IntentType.OPEN_POSITION,), statuses=(IntentStatus.FAILED,), limit=LOOKED_AT
        )
        gone = sum(record.result == _GONE and record.intent.regime is self._regime for record in failed)
        return sum(order.filled_shares > 0 for order in taken), len(taken) + gone
