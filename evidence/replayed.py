"""The pretend exchange's past through the engine: does trading on it make money, and does the future leak?

A replay is a paper run of the real engine. The model of each month is fitted and licensed on what had ended
by then; a simulated person approves what is proposed.
"""

import gzip
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import structlog

from evidence.findings import Finding
from evidence.sandbox import MARKETS, START_MS
from polyb0t.core.clock import SystemClock, from_microseconds, iso, microseconds
from polyb0t.research.history.past_markets import read_history, write_history
from polyb0t.research.replay.assumptions import AssumedSpread, Assumptions
from polyb0t.research.replay.human import APPROVES_ALL
from polyb0t.research.replay.past_market_tape import past_market_tape
from polyb0t.research.replay.refits import MonthlyModels
from polyb0t.runtime.replay.records import DECISIONS
from polyb0t.runtime.replay.request import Request
from polyb0t.runtime.replay.running import Past, run_into
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import MONTHLY, speaker
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.world import World

Line = dict[str, Any]

CATEGORY: Final = "politics"
UNTIL: Final = from_microseconds(1_000 * START_MS)
DAYS: Final = 270
POISON_DAYS: Final = 40  # replayed before and after the instant of the poison together
BUCKET_MS: Final = 43_200_000
EVERY_SECONDS: Final = 86_400.0
FEWEST: Final = 50
HELD: Final = dict.fromkeys(  # to the end: an exit before it pays the spread once more
    (f"exit_{kind}" for kind in ("take_profit", "stop_loss", "time", "liquidity", "edge_gone")), "false"
)
BOOKS: Final = Assumptions(spread=AssumedSpread(half_e6=0))  # a tick on each side: two cents between


@dataclass(frozen=True)
class Done:
    """One replay: what `run.json` says, and every line of what was decided."""

    told: Mapping[str, Any]
    lines: list[Line]
    text: list[str]

    def before(self, instant: datetime) -> list[str]:
        return [text for line, text in zip(self.lines, self.text, strict=True) if line["at"] < iso(instant)]

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]


def replay_tests(markets: int = MARKETS, days: int = DAYS) -> tuple[Finding, Finding]:
    """Both need the same past, which is made once."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        everything, spoken_of = here / "everything.jsonl.gz", here / "spoken-of.jsonl.gz"
        write_history(everything, sandbox_lines(markets), source="the sandbox's past")
        lines = (line for line in lines_of(everything) if line["category"] == CATEGORY)
        write_history(spoken_of, lines, source="the sandbox's past")
        return gain_test(here, everything, spoken_of, days), poison_test(here, spoken_of)


# -- does it make money? --------------------------------------------------------------------------


def gain_test(here: Path, everything: Path, spoken_of: Path, days: int) -> Finding:
    """Fitted on all categories, and shown the biased one's markets: on others the model is silent."""
    done = _replay(here / "gain", everything, spoken_of, (UNTIL - timedelta(days=days), UNTIL), HELD)
    money = done.told["money"]
    bankroll, result, fees = (Decimal(money[f"{name}_pusd"]) for name in ("bankroll", "result", "fees"))
    bought = done.of("fill")
    shares = sum((Decimal(line["shares"]) for line in bought), Decimal(0))
    expected = [Decimal(line["edge_now"]) for line in done.of("intent")]
    gains = gains_of(done)
    return Finding(
        "The sandbox's crowd, through the engine",
        f"A paper run of the whole engine over the last {days} days of that past, once a day, with the model "
        "that one would have had in each month, books two cents wide and a person who approves everything; "
        "what is bought is held to the end. Does it make money?",
        f"{len(bought):,} purchases of {len(gains):,} outcomes brought {result:+,.2f} pUSD on {bankroll:,} "
        f"(t {_t(gains):.1f} by outcome) after fees of {fees:,.2f}: "
        f"{100 * result / shares if shares else 0:+.2f} cents a share, where "
        f"{100 * sum(expected) / max(len(expected), 1):.2f} were expected at the proposal. "
        f"Worst drawdown {Decimal(money['worst_drawdown']):.1%}.",
        len(bought) >= FEWEST and result > 0,
        (("month", "proposed", "approved", "fills"), *_by_month(done)),
    )


def gains_of(done: Done) -> list[float]:
    """What each outcome brought in all: its payments less what it cost."""
    found: dict[str, Decimal] = {}
    for fill in done.of("fill"):
        cost = Decimal(fill["price"]) * Decimal(fill["shares"]) + Decimal(fill["fee"])
        found[fill["asset"]] = found.get(fill["asset"], Decimal(0)) - cost
    for payment in done.of("paid"):
        found[payment["asset"]] += Decimal(payment["pusd"])
    return [float(gain) for gain in found.values()]


def _t(gains: list[float]) -> float:
    """Their sum in standard errors, if none of them is expected to bring anything."""
    spread = sum(gain * gain for gain in gains) ** 0.5
    return float(sum(gains) / spread) if spread else 0.0


def _by_month(done: Done) -> Iterator[tuple[str, ...]]:
    for month in sorted({line["at"][:7] for line in done.lines}):
        of_it = [line for line in done.lines if line["at"].startswith(month)]
        counts = (
            sum(line["kind"] == "intent" for line in of_it),
            sum(line["kind"] == "word" and line["came"] == "approved" for line in of_it),
            sum(line["kind"] == "fill" for line in of_it),
        )
        yield month, *(f"{count:,}" for count in counts)


# -- does the future leak? ------------------------------------------------------------------------


def poison_test(here: Path, spoken_of: Path) -> Finding:
    """The same replay over the same past, but from the middle on everything in it is wrong."""
    since = UNTIL - timedelta(days=2 * POISON_DAYS)
    instant, until = since + timedelta(days=POISON_DAYS // 2), since + timedelta(days=POISON_DAYS)
    false = here / "false.jsonl.gz"
    lines = (poisoned(line, microseconds(instant)) for line in lines_of(spoken_of))
    write_history(false, lines, source="the sandbox's past")
    true_run = _replay(here / "true", spoken_of, spoken_of, (since, until))
    false_run = _replay(here / "false", false, false, (since, until))
    before, before_then = true_run.before(instant), false_run.before(instant)
    changed = _differing(before, before_then)
    after = _differing(true_run.text[len(before) :], false_run.text[len(before_then) :])
    trades = sum('"kind":"fill"' in text for text in before)
    return Finding(
        "Poison test, through the engine",
        f"{POISON_DAYS} days are replayed twice; the second time every price, result and date from the "
        "middle on is wrong, for the models as well. Does a line of what was decided before change?",
        f"Of {len(before):,} lines before that instant, {trades} of them fills, {changed} differ by a byte; "
        f"of those after it {after:,} do.",
        changed == 0 < after and trades > 0,
    )


def _differing(ours: list[str], theirs: list[str]) -> int:
    """How many lines of the one are not those of the other."""
    differ = sum(a != b for a, b in zip(ours, theirs, strict=False))
    return differ + abs(len(ours) - len(theirs))


def poisoned(line: Line, instant_us: int) -> Line:
    """What a market's line would say if nothing that was told from `instant_us` on were true."""
    points = [[at, price if at < instant_us else MILLION - price] for at, price in line["points"]]
    if line["resolved_us"] < instant_us:
        return line
    ended = instant_us + 2 * (line["resolved_us"] - instant_us) // 3
    return {
        **line,
        "points": [[at, price] for at, price in points if at <= max(ended, instant_us)],
        "pays_e6": MILLION - line["pays_e6"],
        "resolved_us": ended,
    }


# -- the past, and a replay of it -----------------------------------------------------------------


def sandbox_lines(markets: int) -> Iterator[Line]:
    """Every market of the sandbox that is over, as `model collect` writes them."""
    world = World(seed=7, markets=1, start_ms=START_MS, archive=markets)
    for view in world.archive.views():
        spec, payouts, closed = view.spec, view.payouts_e6, view.closed_ms
        assert payouts is not None
        assert closed is not None
        points = world.price_history(spec.token_ids[0], 0, closed, BUCKET_MS)
        yield {
            "market": spec.condition_id,
            "event": spec.event_id,
            "category": spec.category.lower(),
            "question": spec.question,
            "named_sides": False,
            "opens_us": spec.start_ms * 1_000,
            "ends_us": spec.end_ms * 1_000,
            "resolved_us": closed * 1_000,
            "pays_e6": payouts[0],
            "points": [[at * 1_000, price] for at, price in points],
        }


def lines_of(path: Path) -> Iterator[Line]:
    """The markets of a history file, as they stand in it."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        next(file)
        yield from map(json.loads, file)


def _replay(
    folder: Path,
    learnt_from: Path,
    shown: Path,
    span: tuple[datetime, datetime],
    changed: Mapping[str, str] = MappingProxyType({}),
) -> Done:
    folder.mkdir()
    since, until = span
    asked = Request(
        tapes=(shown.name,), since=since, until=until, every_seconds=EVERY_SECONDS, settings=dict(changed)
    )
    settings = replay_settings({"data_dir": folder, "venue": "sandbox"}, changed)
    months = MonthlyModels(read_history(learnt_from), venue="sandbox")
    past = Past(
        asked,
        settings,
        past_market_tape(shown, BOOKS),
        speaker(settings, MONTHLY, since, months),
        APPROVES_ALL,
    )
    told, _ = run_into(past, folder, SystemClock())
    text = (folder / told["id"] / DECISIONS).read_text("utf-8").splitlines()
    return Done(told, [json.loads(each) for each in text], text)
