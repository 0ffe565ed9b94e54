"""All that a screen of waiting trades shows, read at one moment; read again only where something changed."""

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.errors import DatabaseError
from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import Price, Pusd
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.onlookers import MARK_SECONDS, Glance, Onlooker, ShownBook
from polyb0t.execution.outcome import outcome_of
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import JournalEntry, LeaseInfo, Stores
from polyb0t.models.kill_switches import SwitchState
from polyb0t.runtime.facts import EngineFacts, read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.resting import Resting, resting
from polyb0t.runtime.views import latest_universe, order_of

STAYS_SECONDS: Final = 10.0  # what has ended is shown for so long
NEWS_SECONDS: Final = 900.0
_NEWS_KEPT: Final = 8
_LOOK_BACK: Final = 200  # journal entries, for the news of a screen that is just opened
_ANEW_SECONDS: Final = 30.0  # what rests and what was proposed within an hour moves without the journal
_LIVE: Final = (IntentStatus.PENDING, IntentStatus.APPROVED, IntentStatus.EXECUTING)
_KINDS: Final = frozenset(
    {
        *("intent.approved", "intent.rejected", "intent.expired", "intent.executed", "intent.failed"),
        *("approval.given", "switch.tripped", "switch.cleared", "switch.overridden"),
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """A trade with the words that stand beside it. `given`: who has approved one that needs several."""

    record: IntentRecord
    short: str
    outcome: str
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """One line of what has happened. `what` is the journal's kind; `code` why a trade ended; `shown` whether
    any screen had shown it before it ended."""

    sequence: int
    at: datetime
    what: str
    subject: str
    short: str
    actor: str
    code: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """Money and pace as the engine last published them; None: not known."""

    cash_pusd: Pusd | None
    at_risk_pusd: Pusd | None
    at_risk_limit_pusd: Pusd | None
    day_result_pusd: Pusd | None
    proposed_last_hour: int
    prompts_per_hour: int | None


@dataclass(frozen=True, slots=True)
class Miss:
    """An idea that was nearly proposed: its edge and the least that it needs, pUSD per share."""

    question: str
    edge: Decimal | None
    needed: Decimal | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why nothing waits: how many markets, what rests, what was nearest."""

    watched: int | None
    tradable: int | None
    miss: Miss | None
    resting: int
    resting_until: datetime | None


@dataclass(frozen=True, slots=True)
class WatchLook:
    """`mark` is another one whenever anything but time, onlookers and books may have changed."""

    mark: str
    now: datetime
    scope: Scope
    regime: Regime
    switches: tuple[SwitchState, ...]
    engine: LeaseInfo | None
    alive: bool
    halt_file: bool
    problem: str
    decides_itself: bool
    too_small: str
    rows: tuple[Row, ...]  # waiting or under way, and what ended a moment ago; newest first
    news: tuple[News, ...]  # newest first
    purse: Purse
    nothing: Nothing | None  # only where nothing waits
    onlookers: tuple[Onlooker, ...]
    books: Mapping[AssetId, ShownBook]


@dataclass(frozen=True, slots=True)
class Brief:
    """What changes all the time."""

    now: datetime
    onlookers: tuple[Onlooker, ...]
    books: Mapping[AssetId, ShownBook]


class Watcher:
    """Looks again and again at one store; may be shared by threads."""

    def __init__(self, opened: OpenedStore) -> None:
        self._opened = opened
        self._last: WatchLook | None = None
        self._read_at: datetime | None = None
        self._lock = threading.Lock()

    def look(self) -> WatchLook:
        """Raises DatabaseError: it could not be read."""
        with self._lock:
            glance = self._opened.stores.onlookers.glance()
            mark = self._mark(glance)
            last = self._last
            if last is None or last.mark != mark or self._is_old(glance.now):
                last, self._read_at = _read(self._opened, glance, mark), glance.now
            self._last = replace(last, now=glance.now, onlookers=glance.onlookers, books=glance.books)
            return self._last

    def _mark(self, glance: Glance) -> str:
        token, beat = glance.beat if glance.beat is not None else (0, None)
        halted = "h" if self._opened.halt_file.present() else ""
        return f"{glance.sequence}-{token}-{beat.timestamp() if beat else 0:.3f}{halted}"

    def _is_old(self, now: datetime) -> bool:
        return self._read_at is None or (now - self._read_at).total_seconds() > _ANEW_SECONDS


class Marks:
    """Leaves the marks of screens that look through us, each as often as one that stands beside the database
    does. May be shared by threads."""

    _MOST: Final = 1_000

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._left: dict[str, tuple[datetime, IntentId | None]] = {}

    def leave_one(self, viewer: str, actor: str, looking_at: IntentId | None, look: WatchLook) -> None:
        """A hint: a database that is busy, or may only be read, fails nothing."""
        last = self._left.get(viewer)
        if last is not None and last[1] == looking_at and (look.now - last[0]).total_seconds() < MARK_SECONDS:
            return
        if len(self._left) >= self._MOST:
            self._left = {}
        self._left[viewer] = look.now, looking_at
        waiting = [row.record.id for row in look.rows if row.record.status is IntentStatus.PENDING]
        with contextlib.suppress(DatabaseError):
            self._stores.onlookers.look(viewer, actor=actor, looking_at=looking_at)
            self._stores.intents.mark_seen(waiting, actor=actor)


def _read(opened: OpenedStore, glance: Glance, mark: str) -> WatchLook:
    stores, engine = opened.stores, opened.engine()
    regime, facts = opened.regime(), read_facts(engine)
    live = stores.intents.list(statuses=_LIVE, limit=1_000)
    since = glance.now - timedelta(seconds=STAYS_SECONDS)
    ended = [each for each in stores.intents.list(changed_since=since) if each.status not in _LIVE]
    waits = any(each.status is IntentStatus.PENDING and each.intent.deadline > glance.now for each in live)
    risk = facts.risk
    return WatchLook(
        mark=mark,
        now=glance.now,
        scope=opened.scope,
        regime=regime,
        switches=tuple(stores.switches.list()),
        engine=None if engine is None else replace(engine, facts="{}"),
        alive=opened.engine_alive(),
        halt_file=opened.halt_file.present(),
        problem=facts.problem,
        decides_itself=facts.decides_itself,
        too_small=f"{risk.too_small} {risk.remedy}".strip() if risk is not None else "",
        rows=_rows(stores, [*live, *ended]),
        news=_news(stores, glance),
        purse=_purse(opened, facts, glance.now),
        nothing=None if waits else _nothing(opened, regime, glance.now),
        onlookers=glance.onlookers,
        books=glance.books,
    )


def _rows(stores: Stores, records: Sequence[IntentRecord]) -> tuple[Row, ...]:
    short = stores.intents.shortest_prefixes([each.id for each in records]) if records else {}
    return tuple(
        Row(each, short[each.id], outcome_of(each, order_of(stores, each.order_id)), _given(stores, each))
        for each in records
    )


def _given(stores: Stores, record: IntentRecord) -> tuple[str, ...]:
    if record.intent.approvals_required < 2:
        return ()
    return tuple(each.actor for each in stores.access.approvals(record.id))


def _news(stores: Stores, glance: Glance) -> tuple[News, ...]:
    entries = stores.engine.journal(after=max(0, glance.sequence - _LOOK_BACK), limit=_LOOK_BACK)
    since = glance.now - timedelta(seconds=NEWS_SECONDS)
    told = [each for each in entries if each.kind in _KINDS and each.at >= since][-_NEWS_KEPT:]
    ids = [IntentId(each.subject) for each in told if not each.kind.startswith("switch.")]
    short = stores.intents.shortest_prefixes(ids) if ids else {}
    shown = {each: stores.intents.get(each).seen_at is not None for each in set(ids)}
    return tuple(_news_of(entry, short, shown) for entry in reversed(told))


def _news_of(entry: JournalEntry, short: Mapping[IntentId, str], shown: Mapping[IntentId, bool]) -> News:
    subject = IntentId(entry.subject)
    code = json.loads(entry.payload).get("code")
    return News(
        entry.sequence,
        entry.at,
        entry.kind,
        entry.subject,
        short.get(subject, ""),
        entry.actor,
        str(code or ""),
        shown.get(subject, True),
    )


def _purse(opened: OpenedStore, facts: EngineFacts, now: datetime) -> Purse:
    uses = {use.name: use for use in facts.risk.uses} if facts.risk is not None else {}
    at_risk = uses.get("exposure_total")
    hour = now - timedelta(hours=1)
    recent = opened.stores.intents.list(types=(IntentType.OPEN_POSITION,), changed_since=hour, limit=1_000)
    cash = facts.cash_pusd
    return Purse(
        cash_pusd=cash,
        at_risk_pusd=None if at_risk is None or at_risk.used is None else Pusd(at_risk.used),
        at_risk_limit_pusd=None if at_risk is None else Pusd(at_risk.limit),
        day_result_pusd=facts.day_result_pusd,
        proposed_last_hour=sum(each.intent.created_at > hour for each in recent),
        prompts_per_hour=facts.prompts_per_hour,
    )


def _nothing(opened: OpenedStore, regime: Regime, now: datetime) -> Nothing:
    rest: Resting | None = resting(opened, regime, now)
    universe = latest_universe(opened.stores.engine) or {}
    misses = universe.get("misses")
    nearest = misses[0] if isinstance(misses, list) and misses and isinstance(misses[0], dict) else None
    return Nothing(
        watched=_whole(universe.get("watched")),
        tradable=_whole(universe.get("tradable")),
        miss=None if nearest is None else _miss(nearest),
        resting=0 if rest is None else rest.count,
        resting_until=None if rest is None else rest.until,
    )


def _miss(stored: Mapping[str, object]) -> Miss:
    edge, needed = (
        None if stored.get(name) is None else Price(Decimal(str(stored[name]))) for name in ("edge", "needed")
    )
    return Miss(str(stored.get("question", "")), edge, needed)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
