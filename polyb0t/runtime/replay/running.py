"""One replay from a request to a folder of results."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from polyb0t.config.settings import Settings
from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import Clock, from_microseconds, iso, microseconds
from polyb0t.core.errors import UsageError
from polyb0t.core.files import write_durably
from polyb0t.core.units import ZERO, plain
from polyb0t.db.scratch import scratch_stores
from polyb0t.execution.intents import IntentType
from polyb0t.execution.store import Stores
from polyb0t.models.opening import Openings
from polyb0t.models.signals import model_id
from polyb0t.research.replay.human import HumanModel
from polyb0t.research.replay.tape import Tape
from polyb0t.runtime.choices import cycle_seconds
from polyb0t.runtime.outside_source import most_age
from polyb0t.runtime.replay import code_version
from polyb0t.runtime.replay.clock import SimulatedClock
from polyb0t.runtime.replay.funnel import Funnel
from polyb0t.runtime.replay.hand import Hand
from polyb0t.runtime.replay.loop import Loop
from polyb0t.runtime.replay.past_markets import PastMarkets
from polyb0t.runtime.replay.records import DECISIONS, EQUITY, Decisions, EquityCurve
from polyb0t.runtime.replay.request import Request
from polyb0t.runtime.replay.settings import deciding
from polyb0t.runtime.replay.speakers import Speaker
from polyb0t.runtime.replay.timeline import Timeline
from polyb0t.runtime.replay.wiring import REGIME, build_replay, replay_scope

RUN: Final = "run.json"
BOOK: Final = "book.db"
FORMAT: Final = "polyb0t-backtest-1"
_MILLION: Final = 1_000_000
_HOUR_US: Final = 3_600 * _MILLION
_DAILY_FROM_US: Final = 60 * 24 * _HOUR_US
_ID_LENGTH: Final = 10
# From one cycle to the next where the history itself is coarser than an engine's pace.
_EVERY_SECONDS: Final[Mapping[str, float]] = {
    "trades": 300.0,
    "price_series": 600.0,
    "past_markets": 6 * 3_600.0,
}


_FILES: Final = ("model_file", "links_file", "independent_file")


@dataclass(frozen=True, slots=True)
class Past:
    """What is replayed, by whom it is judged, and who decides."""

    request: Request
    settings: Settings
    tape: Tape
    speaker: Speaker
    human: HumanModel

    @property
    def since(self) -> datetime:
        return self.request.since or self.tape.about.starts

    @property
    def until(self) -> datetime:
        return self.request.until or self.tape.about.ends

    @property
    def every_seconds(self) -> float:
        asked = self.request.every_seconds
        if asked is not None:
            return asked
        usual = [_EVERY_SECONDS.get(kind, 0.0) for kind in self.tape.about.kind.split("+")]
        return max(*usual, cycle_seconds(self.settings))

    def identity(self) -> dict[str, Any]:
        """Everything that the result depends on."""
        model = self.speaker.model
        return {
            "code": code_version.code_hash(),
            "data": self.tape.about.data_hash,
            "since": iso(self.since),
            "until": iso(self.until),
            "every_seconds": str(self.every_seconds),
            "seed": self.request.seed,
            "human": repr(self.human),
            "model": model_id(model.name, model.version),
            "walk_forward": self.request.walk_forward,
            "assume": dict(self.request.assume),
            "settings": deciding(self.settings),
            "files": {name: _hash_of(path) for name, path in self._files()},
        }

    def _files(self) -> list[tuple[str, Path]]:
        """The files beside the history that decisions depend on."""
        found = [(name, getattr(self.settings, name, None)) for name in _FILES]
        learnt_from = self.request.walk_forward
        found.append(("walk_forward", None if learnt_from is None else Path(learnt_from)))
        return [(name, path) for name, path in found if path is not None]

    @property
    def run_id(self) -> str:
        """The same for the same replay by the same program."""
        return sha256_hex(json.dumps(self.identity(), sort_keys=True))[:_ID_LENGTH]


def _hash_of(path: Path) -> str:
    try:
        return sha256(path.expanduser().read_bytes()).hexdigest()
    except OSError:
        return ""  # who needs it says so


Tell = Callable[[str], None]


def say_nothing(_text: str) -> None:
    """To nobody who waits."""


@dataclass
class Running:
    """A replay in a folder. `run` is called once."""

    past: Past
    folder: Path
    clock: Clock  # of this machine: how long it took
    tell: Tell = say_nothing

    def run(self) -> dict[str, Any]:
        """What `run.json` says, which is written as well.

        Raises:
            UsageError: the history has nothing in that time.
        """
        past = self.past
        self._refuse_nothing()
        started = self.clock.boot_seconds()
        simulated = SimulatedClock(past.since)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=False)
        stores = scratch_stores(
            self.folder / BOOK,
            replay_scope(past.settings.venue),
            simulated,
            opening_cooldown_seconds=past.settings.cooldown_seconds,
        )
        decisions = Decisions(self.folder / DECISIONS, simulated)
        equity = EquityCurve(self.folder / EQUITY, simulated, self._equity_every_us())
        try:
            loop = self._loop(stores, simulated, decisions, equity)
            loop.run()
            told = self._told(loop, self.clock.boot_seconds() - started)
        finally:
            decisions.close()
            equity.close()
            stores.close()
        write_durably(self.folder / RUN, json.dumps(told, indent=2, sort_keys=False) + "\n")
        return told

    def _loop(self, stores: Stores, clock: SimulatedClock, decisions: Decisions, equity: EquityCurve) -> Loop:
        past = self.past
        timeline = Timeline(past.tape.events(past.since, past.until))
        markets = PastMarkets(timeline, clock, past.settings.max_markets, most_age(past.settings))
        funnel = Funnel()

        def tell_openings(openings: Openings) -> None:
            decisions.openings(openings)
            funnel.decided(openings)

        engine = build_replay(
            past.settings,
            stores,
            markets,
            clock,
            past.speaker.model,
            seed=past.request.seed,
            tell_openings=tell_openings,
        )
        hand = Hand(
            stores,
            past.human,
            past.request.seed,
            past.settings.execution_grace_seconds,
            decisions.word,
        )
        return Loop(
            engine,
            timeline,
            clock,
            hand,
            decisions,
            equity,
            funnel,
            every_us=round(past.every_seconds * _MILLION),
            until_us=microseconds(past.until),
            tell=self._tell,
        )

    def _tell(self, at_us: int, fills: int) -> None:
        since_us, until_us = microseconds(self.past.since), microseconds(self.past.until)
        share, traded = (at_us - since_us) / (until_us - since_us), "fill" if fills == 1 else "fills"
        at = f"{from_microseconds(at_us):%Y-%m-%d %H:%M}"
        self.tell(f"Replaying: {at}, {share:.0%} of the time, {fills:,} {traded}")

    def _refuse_nothing(self) -> None:
        about, past = self.past.tape.about, self.past
        if past.since < past.until and past.since <= about.ends and past.until >= about.starts:
            return
        raise UsageError(
            f"Not replayed: {about.name} has nothing from {past.since:%Y-%m-%d %H:%M} "
            f"to {past.until:%Y-%m-%d %H:%M} UTC.",
            why=f"It goes from {about.starts:%Y-%m-%d %H:%M} to {about.ends:%Y-%m-%d %H:%M} UTC.",
            do="Name another time: --since, --until",
        )

    def _equity_every_us(self) -> int:
        span_us = microseconds(self.past.until) - microseconds(self.past.since)
        return _HOUR_US if span_us < _DAILY_FROM_US else 24 * _HOUR_US

    # -- what came of it -------------------------------------------------------------------------

    def _told(self, loop: Loop, seconds: float) -> dict[str, Any]:
        past, about = self.past, self.past.tape.about
        model, worst = past.speaker.model, about.fidelity.value
        return {
            "format": FORMAT,
            "id": past.run_id,
            "fidelity": max((grade or worst for grade in loop.grades), default=worst),
            "history_fidelity": worst,
            "request": past.request.as_dict(),
            "code": code_version.as_dict(),
            "data": {
                "name": about.name,
                "kind": about.kind,
                "hash": about.data_hash,
                "starts": iso(about.starts),
                "ends": iso(about.ends),
                "markets": about.markets,
            },
            "since": iso(past.since),
            "until": iso(past.until),
            "every_seconds": past.every_seconds,
            "model": {
                "name": model.name,
                "version": model.version,
                "validated": model.validated,
                "words": past.speaker.words(),
            },
            "human": past.human.name,
            "settings": deciding(past.settings),
            "assumed": [*about.assumed, past.human.sentence, *_ALWAYS_ASSUMED],
            "looks_ahead": [*about.looks_ahead, *past.speaker.said],
            "problems": [*about.problems.sentences(), *_failures(loop)],
            "counts": self._counts(loop),
            "funnel": loop.funnel.as_dict(),
            "money": _money(loop),
            "seconds": round(seconds, 3),
            "decisions_per_second": round(loop.decisions.estimates / seconds, 1) if seconds else None,
        }

    def _counts(self, loop: Loop) -> dict[str, int]:
        stores, timeline = loop.engine.stores, loop.timeline
        intents = stores.intents.list(limit=None)
        kinds = [record.intent.intent_type for record in intents]
        return {
            "cycles": loop.cycles,
            "decisions": loop.decisions.estimates,
            "openings_proposed": kinds.count(IntentType.OPEN_POSITION),
            "closes_proposed": kinds.count(IntentType.CLOSE_POSITION),
            **{f"human: {what}": count for what, count in sorted(loop.hand.counts.items())},
            "orders": len(stores.orders.orders(limit=None)),
            "fills": len(stores.orders.fills()),
            "silences": loop.silences,
            "silent_seconds": loop.silent_us // _MILLION,
            **dict(sorted(timeline.counts.items())),
        }


# Of every replay, whatever its history.
_ALWAYS_ASSUMED: Final = (
    "Nobody else reacts to our orders; what we took stays taken for as long as it is shown.",
    "Nobody clears a kill switch: what trips stays tripped.",
)


# What the timeline counts and a reader has to know.
_TROUBLES: Final = (
    "events out of order",
    "changes of a book that was never shown",
    "books whose sides crossed, not used",
)


def _failures(loop: Loop) -> list[str]:
    counts = loop.timeline.counts
    return [
        *(f"{counts[trouble]:,} {trouble}." for trouble in _TROUBLES if counts[trouble]),
        *(f"{count:,} cycles could not do a stage ({what})." for what, count in loop.failed.most_common()),
    ]


def _money(loop: Loop) -> dict[str, Any]:
    worth = loop.worth()
    opened = loop.engine.stores.books.opening(REGIME)
    bankroll = opened.pusd if opened is not None else worth.cash
    fees = sum((fill.fee for fill in loop.engine.stores.orders.fills()), ZERO)
    return {
        "bankroll_pusd": plain(bankroll),
        "cash_pusd": plain(worth.cash),
        "held_pusd": plain(worth.held),
        "held_cost_pusd": plain(worth.cost),
        "positions": worth.positions,
        "equity_pusd": plain(worth.equity),
        "result_pusd": plain(worth.equity - bankroll),
        "fees_pusd": plain(fees),
        "worst_drawdown": plain(round(loop.equity.worst_drawdown, 6)),
    }


def run_into(
    past: Past, folder: Path, clock: Clock, tell: Tell = say_nothing
) -> tuple[dict[str, Any], bool | None]:
    """Run it and keep it under its id in `folder`; the result, and whether it is the same as one that was
    there. None: there was none.

    A replay that fails leaves nothing behind.
    """
    target = folder / past.run_id
    scratch = folder / f".{past.run_id}.part"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        told = Running(past, scratch, clock, tell).run()
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    same = None
    if (target / DECISIONS).exists():
        same = (target / DECISIONS).read_bytes() == (scratch / DECISIONS).read_bytes()
        shutil.rmtree(target)
    scratch.rename(target)
    return told, same
