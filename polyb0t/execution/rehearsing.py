"""The dry run: an approved intent is claimed, the book is read, and what would have come of it is noted.

Nothing in this module can sign or send: it knows no gateway.
"""

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import IntentId
from polyb0t.execution import dry_run
from polyb0t.execution.executor import Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.proposing import trade_of
from polyb0t.execution.store import Denied
from polyb0t.models import limits


class Rehearser:
    """The executor of the dry run."""

    stopped: str | None = None  # it has nothing that could stop it

    def __init__(self, preparing: Preparing, in_flight: InFlight) -> None:
        self._preparing = preparing
        self._in_flight = in_flight

    def execute(self, intent_id: IntentId) -> IntentRecord:
        """Claim, and write down what the book would have filled. Raises as `Executor.execute`."""
        stores = self._preparing.stores
        with self._in_flight.holding(intent_id):
            claimed = self._preparing.claim(stores.intents.get(intent_id).intent)
            if isinstance(claimed, Denied):
                return stores.intents.get(intent_id)
            detail = self._rehearsed(claimed.intent)
            return stores.intents.finish(intent_id, self._preparing.lease, code="dry_run", detail=detail)

    def _rehearsed(self, intent: TradeIntent) -> str:
        if not intent.intent_type.places_order:
            return dry_run.NOTHING_SENT
        try:
            book = self._preparing.books.fresh_book(intent.asset_id)
        except VenueUnreachableError as error:
            return f"{dry_run.NOTHING_SENT} What the book would have filled is not known: {error.what}"
        context = self._preparing.situation.control_context(intent, book)
        broken = limits.breaches(limits.check(trade_of(intent), context))
        return dry_run.sentence(intent, dry_run.rehearse(intent, book), broken)
