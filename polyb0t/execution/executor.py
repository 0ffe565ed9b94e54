"""What every executor does first: claim under all limits, look once more, or say why not.

There is one executor for each regime: `live_executor` alone has a gateway and with it a way to sign
and send, `rehearsing` (dry run) and `paper` have none. That a dry run cannot send is therefore a
matter of types, not of a setting that is read at the right place.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

import structlog

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.proposing import trade_of
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Denied, Lease, Stores
from polyb0t.models import limits
from polyb0t.models.limits import ControlContext, ControlResult

log = structlog.get_logger(__name__)

NO_ROOM: Final = ClaimLimits(  # a cancel needs none, so nothing that fails to be read can block it
    spendable_pusd=None,
    max_order_pusd=Pusd(ZERO),
    max_exposure_pusd=Pusd(ZERO),
    held_cost_pusd=Pusd(ZERO),
    closable_shares=None,
    as_of=0,
)
CLAIM_TRIES: Final = 5  # a fill stored between the look and the claim asks for another look


class BookSource(Protocol):
    """Books for the moment before a send."""

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        """The book as seen at most two seconds ago.

        Raises:
            VenueUnreachableError: there is no such book now.
        """
        ...


class Situation(Protocol):
    """What is known of account and market when an intent is about to be sent.

    Both answers leave the intent itself out: its own reservation and target do not count against it.
    """

    def claim_limits(self, intent: TradeIntent) -> ClaimLimits:
        """Account and limits now. A balance read before our newest fill is corrected by that fill."""
        ...

    def control_context(self, intent: TradeIntent, book: OrderBook) -> ControlContext:
        """Everything that the controls judge by, for `at_submit`."""
        ...


class Executor(Protocol):
    """Carries out what is approved in one scope and regime; shared between threads."""

    @property
    def stopped(self) -> str | None:
        """Why this process carries out no trades now, or None."""
        ...

    def execute(self, intent_id: IntentId) -> IntentRecord:
        """Take one approved intent to its end, or to an order that is open. Returns how it stands then.

        Raises:
            DatabaseError, LeaseLostError: a step could not be written; what is stored is the truth.
        """
        ...


@dataclass
class Preparing:
    """The steps that come before an order in every regime. `submit_mutex` decides limits one at a time."""

    stores: Stores
    lease: Lease
    regime: Regime
    books: BookSource
    situation: Situation
    halt_file: Callable[[], bool]
    submit_mutex: Lock = field(default_factory=Lock)

    def claim(self, intent: TradeIntent) -> IntentRecord | Denied:
        """APPROVED -> EXECUTING with its greatest cost reserved, or why not."""
        with self.submit_mutex:
            for _ in range(CLAIM_TRIES):
                places = intent.intent_type.places_order
                room = self.situation.claim_limits(intent) if places else NO_ROOM
                claimed = self.stores.intents.claim(intent.id, self.lease, self.regime, room)
                if not isinstance(claimed, Denied) or claimed.code != "account_moved":
                    break
        if isinstance(claimed, Denied):
            log.warning("intent.not_claimed", intent_id=intent.id, code=claimed.code, detail=claimed.detail)
        return claimed

    def halted(self) -> Denied | None:
        """The HALT file is looked for before anything is done, for the hour when the database is stuck."""
        if self.halt_file():
            return Denied("halted", "The HALT file is there; polyb0t resume removes it.")
        return None

    def look(self, intent: TradeIntent) -> OrderBook | Denied:
        """The book now, if every control passes on it."""
        try:
            book = self.books.fresh_book(intent.asset_id)
        except VenueUnreachableError as error:
            return Denied("no_fresh_book", error.what)
        context = self.situation.control_context(intent, book)
        broken = limits.breaches(limits.check(trade_of(intent), context))
        if broken:
            return Denied(broken[0].name, " ".join(result.detail for result in broken), broken)
        return book

    def fail(
        self, intent_id: IntentId, code: str, detail: str, controls: tuple[ControlResult, ...] = ()
    ) -> IntentRecord:
        """EXECUTING -> FAILED: proof that nothing came of it."""
        log.warning("intent.failed", intent_id=intent_id, code=code, detail=detail)
        return self.stores.intents.fail(intent_id, self.lease, code=code, detail=detail, controls=controls)

    def no_claims(self, intent_id: IntentId) -> IntentRecord:
        """A claim of a settled position that was approved although none can be carried out."""
        detail = "Claims of settled positions are not executed by this version. Nothing was sent."
        return self.fail(intent_id, "claims_not_available", detail)
