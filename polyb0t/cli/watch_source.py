"""Where the watch reads and decides: the database beside it. `watch_http` does the same over HTTP."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from polyb0t.cli import door
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.scene import Scene
from polyb0t.cli.watch_offer import Offer
from polyb0t.core.errors import DatabaseError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.standing import StandingApproval
from polyb0t.models.kill_switches import overridden, stance_of
from polyb0t.runtime import deciding
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.watch_look import Row, Watcher, WatchLook


class Source(Protocol):
    """Each call may wait, and none is made by the thread that draws."""

    @property
    def where(self) -> str:
        """The address of the API; empty for the database of this computer."""
        ...

    def look(self) -> WatchLook: ...

    def mark(self, viewer: str, looking_at: IntentId | None, showing: Sequence[IntentId]) -> None:
        """This screen shows these, and that one is selected. A hint: nothing fails because of it."""
        ...

    def leave(self, viewer: str) -> None: ...

    def exits(self, opening: TradeIntent) -> StandingApproval:
        """What approving its exits as well would say. Raises UsageError: it opens nothing."""
        ...

    def approve(self, offer: Offer, code: str | None) -> IntentStatus:
        """Exactly what the offer shows; PENDING where others have to approve as well. Raises PolybotError in
        sentences, which say whether anything was approved."""
        ...

    def reject(self, item: Listed, mute: timedelta | None) -> datetime | None:
        """Until when its market stays away, if it does. Raises PolybotError in sentences."""
        ...

    def halt(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoreSource:
    """The database of this computer, and whoever sits at this keyboard."""

    opened: OpenedStore
    watcher: Watcher

    @property
    def where(self) -> str:
        return ""

    def look(self) -> WatchLook:
        return self.watcher.look()

    def mark(self, viewer: str, looking_at: IntentId | None, showing: Sequence[IntentId]) -> None:
        with contextlib.suppress(DatabaseError):  # a database that may only be read is still shown
            stores = self.opened.stores
            stores.onlookers.look(viewer, actor=door.actor(), looking_at=looking_at)
            stores.intents.mark_seen(showing, actor=door.actor())

    def leave(self, viewer: str) -> None:
        with contextlib.suppress(DatabaseError):
            self.opened.stores.onlookers.leave(viewer)

    def exits(self, opening: TradeIntent) -> StandingApproval:
        from polyb0t.runtime.approving import exits_for

        return exits_for(self.opened, opening)

    def approve(self, offer: Offer, code: str | None) -> IntentStatus:
        from polyb0t.runtime.approving import approver_here, most_required

        waiting = offer.waiting.record
        needed = most_required([waiting.intent, *([offer.shape.exits] if offer.shape.exits else [])])
        approver = approver_here(self.opened, needed, actor=door.actor(), code=code)
        approved = deciding.approve_as_shown(
            self.opened.stores,
            door.manager(self.opened),
            waiting,
            digest=waiting.digest,
            actor=approver.actor,
            shape=offer.shape,
            code=approver.code,
        )
        return approved.status

    def reject(self, item: Listed, mute: timedelta | None) -> datetime | None:
        stores, manager = self.opened.stores, door.manager(self.opened)
        until = None if mute is None else stores.intents.now() + mute
        deciding.reject(stores, manager, item.record.id, actor=door.actor(), reason="", muted_until=until)
        return until

    def halt(self) -> None:
        from polyb0t.cli.halting import halt_now

        halt_now(self.opened, "halted in the watch screen")


def scene_of(look: WatchLook) -> Scene:
    """Line one of the screen."""
    return Scene(
        scope=look.scope,
        regime=look.regime,
        stance=stance_of(look.switches),
        overridden=overridden(look.switches),
        engine=look.engine,
        alive=look.alive,
        now=look.now,
        trouble=look.problem,
        decides_itself=look.decides_itself,
        too_small=look.too_small,
    )


def listed(row: Row) -> Listed:
    return Listed(row.record, row.short, row.outcome)
