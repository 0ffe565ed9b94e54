"""Exits in the cycle: what is held is judged, proposed to be sold, and sold where that was approved before.

Runs after the openings, and also when openings are stopped; never when everything is halted. A proposal
that waits is re-quoted quietly while its cause holds: when its floor no longer fills, or its time is nearly
over.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import Price, Shares, floor_to
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.data.resolutions import ResolutionSource
from polyb0t.execution.intents import (
    LIVE_STATUSES,
    IntentRecord,
    IntentStatus,
    IntentType,
    Purpose,
    TradeIntent,
)
from polyb0t.execution.proposing import Frame, closing_intent
from polyb0t.execution.standing import StandingRecord
from polyb0t.execution.store import Denied, Lease, Stores
from polyb0t.models.closing import CannotClose, close_proposal
from polyb0t.models.exit_manager import ExitManager, ExitProposal, TooSmall
from polyb0t.models.exit_rules import ExitView
from polyb0t.models.kill_switches import Stance, stance_of
from polyb0t.models.portfolio import Position
from polyb0t.runtime.desk import AccountDesk, Wanted
from polyb0t.runtime.position_views import PositionViews
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)

PASSED: Final = "standing.passed"
REQUOTE_SECONDS: Final = 30.0  # a waiting exit is not re-quoted more often than this
LAST_SECONDS: Final = 60.0  # before its deadline a waiting exit is quoted anew
RESOLVED_EVERY_SECONDS: Final = 300.0
HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ExitParts:
    """What the stage works with. `frame` carries the time to decide on a close."""

    stores: Stores
    lease: Lease
    watch: MarketWatch
    desk: AccountDesk
    views: PositionViews
    manager: ExitManager
    frame: Callable[[], Frame]
    clock: Clock
    resolutions: ResolutionSource
    grace_seconds: float
    may_propose: Callable[[], bool] = lambda: True  # records agree, and the exchange takes orders


class Exits:
    """One pass a cycle. Used by the cycle's thread alone."""

    def __init__(self, parts: ExitParts) -> None:
        self._parts = parts
        self._passed: set[IntentId] = set()
        self._looked_at = float("-inf")
        self._live: dict[AssetId, IntentRecord] | None = None

    def propose(self) -> int:
        """How many exits were proposed now, those that run by themselves included.

        Raises:
            DatabaseError, LeaseLostError: nothing more was proposed.
        """
        parts = self._parts
        self._account_for_the_past()
        held = parts.desk.portfolio().held()
        parts.manager.keep(position.asset_id for position in held)
        if not held or stance_of(parts.stores.switches.list()) is Stance.HALTED or not parts.may_propose():
            return 0
        self._live = None
        parts.views.learn(held)
        fills: dict[AssetId, list[Fill]] = defaultdict(list)
        for fill in parts.stores.orders.fills():
            fills[fill.asset_id].append(fill)
        standing = parts.stores.standing.active()
        return sum(self._one(position, fills[position.asset_id], standing) for position in held)

    def _one(self, position: Position, fills: Sequence[Fill], standing: Sequence[StandingRecord]) -> bool:
        openings = self._parts.views.openings(fills)
        if not openings:
            return False
        view = self._parts.views.view(position, fills, openings)
        terms = self._parts.watch.terms(position.condition_id)
        if view is None or terms is None or self._parts.manager.decide(view, terms.min_shares) is None:
            return False
        # Only now what other sales have claimed: it is asked of the store for each asset.
        taken = self._parts.stores.orders.reserved_shares(position.asset_id)
        view = replace(view, position=replace(view.position, closable=position.closable(taken)))
        answer = self._parts.manager.decide(view, terms.min_shares)
        if isinstance(answer, TooSmall):
            if self._parts.manager.first_told(answer):
                log.info("exit.too_small", asset_id=answer.asset_id, shares=str(answer.shares))
            return False
        if answer is None:
            return False
        cover = _covering(standing, openings, answer)
        return self._carry_on(answer, view, openings, cover)

    def _carry_on(
        self,
        exit_: ExitProposal,
        view: ExitView,
        openings: Sequence[TradeIntent],
        cover: StandingRecord | None,
    ) -> bool:
        waiting = self._waiting(exit_.asset_id)
        if waiting is not None and (
            waiting.status is not IntentStatus.PENDING or waiting.intent.purpose is Purpose.PERSON
        ):
            return False  # it is being sold, or a person is selling it himself
        if cover is not None and view.bid is not None and view.bid < cover.standing.worst_price:
            self._past_worst_price(cover, view.bid)
            cover = None
        if cover is not None and waiting is not None and self._spend(waiting, cover):
            return True
        intent = self._intent(exit_, view, openings, cover)
        if intent is None:
            return False
        stored = self._store(intent, waiting, covered=cover is not None)
        if stored is None:
            return False
        log.info("exit.proposed", intent_id=stored.id, triggers=list(intent.triggers))
        if cover is not None:
            self._spend(stored, cover)
        return True

    # -- what is proposed ------------------------------------------------------------------------

    def _intent(
        self,
        exit_: ExitProposal,
        view: ExitView,
        openings: Sequence[TradeIntent],
        cover: StandingRecord | None,
    ) -> TradeIntent | None:
        parts = self._parts
        assert view.book is not None  # `decide` says nothing without one
        assert view.bid is not None
        shares, triggers, opening = exit_.shares, tuple(exit_.triggers), openings[-1]
        least: Price | None = None
        if cover is not None:
            shares = Shares(floor_to(min(shares, cover.left), HUNDREDTH))
            triggers = tuple(trigger for trigger in triggers if trigger in cover.standing.triggers)
            opening = next(each for each in openings if each.id == cover.standing.opening_id)
            least = cover.standing.worst_price
        wanted = Wanted(view.position.condition_id, exit_.asset_id, Side.SELL)
        context = parts.desk.control_context(wanted, view.book, at_submit=False)
        proposal = close_proposal(
            exit_.asset_id, context=context, reason=exit_.reason, shares=shares, least=least
        )
        if isinstance(proposal, CannotClose):
            log.info("exit.not_proposed", code=proposal.code, asset_id=exit_.asset_id, reason=proposal.reason)
            return None
        return closing_intent(proposal, parts.frame(), opened_by=opening, triggers=triggers)

    def _store(
        self, intent: TradeIntent, waiting: IntentRecord | None, *, covered: bool
    ) -> IntentRecord | None:
        stores, lease = self._parts.stores, self._parts.lease
        if waiting is None:
            answer = stores.intents.propose(intent, lease)
        elif covered or _stale(waiting, intent, stores.intents.now()):
            answer = stores.intents.supersede(waiting.id, intent, lease)
        else:
            return None  # what waits still stands: nothing moves under a person's finger
        if isinstance(answer, Denied):
            log.info("exit.not_proposed", code=answer.code, asset_id=intent.asset_id, reason=answer.detail)
            return None
        return answer

    def _waiting(self, asset: AssetId) -> IntentRecord | None:
        """Read once a pass, and only when something is to be sold: a crash sells hundreds at once. What is
        decided meanwhile is found by the stores, which compare before they set."""
        if self._live is None:
            live = self._parts.stores.intents.list(
                statuses=tuple(LIVE_STATUSES), types=(IntentType.CLOSE_POSITION,), limit=None
            )
            self._live = {record.intent.asset_id: record for record in live}
        return self._live.get(asset)

    # -- standing approvals ----------------------------------------------------------------------

    def _spend(self, record: IntentRecord, cover: StandingRecord) -> bool:
        """Approve under the standing approval; whether it was."""
        answer = self._parts.stores.standing.approve_exit(
            record.id, cover.id, self._parts.lease, grace_seconds=self._parts.grace_seconds
        )
        if isinstance(answer, Denied):
            log.info("exit.not_approved", intent_id=record.id, standing_id=cover.id, code=answer.code)
            return False
        log.info("exit.approved", intent_id=record.id, standing_id=cover.id)
        return True

    def _past_worst_price(self, cover: StandingRecord, bid: Price) -> None:
        """It wants to sell and may not so low: said loudly, once; an ordinary proposal waits."""
        if cover.id in self._passed:
            return
        self._passed.add(cover.id)
        log.error("exit.past_worst_price", standing_id=cover.id, bid=str(bid))
        payload = {"bid": bid, "worst_price": cover.standing.worst_price}
        self._parts.stores.engine.note(
            self._parts.lease, kind=PASSED, subject=cover.id, payload=payload, actor="engine"
        )

    # -- what exits came to ----------------------------------------------------------------------

    def _account_for_the_past(self) -> None:
        """What ended sales brought, and, once their markets have ended, what holding would have brought."""
        parts = self._parts
        for record in parts.stores.exits.record_ended(parts.lease):
            log.info("exit.recorded", intent_id=record.intent_id, hold_needs=str(round(record.hold_needs, 4)))
        now = parts.clock.boot_seconds()
        if now - self._looked_at < RESOLVED_EVERY_SECONDS:
            return
        self._looked_at = now
        open_ = parts.stores.exits.unresolved()
        if not open_:
            return
        payouts = parts.resolutions.resolved(list(dict.fromkeys(record.asset_id for record in open_)))
        conditions = {record.asset_id: record.condition_id for record in open_}
        for asset, payout in payouts.items():
            if asset in conditions:
                parts.stores.exits.resolve(conditions[asset], {asset: payout}, parts.lease)


def _covering(
    standing: Sequence[StandingRecord], openings: Sequence[TradeIntent], exit_: ExitProposal
) -> StandingRecord | None:
    """The standing approval that covers most of it; None where a person has to decide."""
    ours = {opening.id for opening in openings}
    fitting = [
        record
        for record in standing
        if record.standing.opening_id in ours
        and record.left > 0
        and set(exit_.triggers) & set(record.standing.triggers)
    ]
    return max(fitting, key=lambda record: record.left, default=None)


def _stale(waiting: IntentRecord, new: TradeIntent, now: datetime) -> bool:
    """Whether what waits has to give way to the same exit at the price of now."""
    old = waiting.intent
    if old.deadline - now < timedelta(seconds=LAST_SECONDS):
        return True
    if now - old.created_at < timedelta(seconds=REQUOTE_SECONDS):
        return False
    unfillable = new.best_bid is not None and old.worst_price is not None and new.best_bid < old.worst_price
    had, wants = old.shares or Decimal(0), new.shares or Decimal(0)
    return unfillable or wants < had or set(new.triggers) - set(old.triggers) != set()
