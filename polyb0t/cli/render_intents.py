"""`intents list`: what waits, as a table or, on a narrow screen, as cards; or why nothing waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polyb0t.cli import words
from polyb0t.cli.scene import Scene
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint
from polyb0t.cli.trade_words import Trade
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentRecord
from polyb0t.models import wording
from polyb0t.runtime.resting import Resting

_WAITING = (
    Column("ID"),
    Column("LEFT"),
    Column("TRADE", widest=40),
    Column("WORST PRICE", right=True),
    Column("WORST CASE"),
    Column("EDGE", right=True),
    Column("MARKET"),
)
_ALL = (
    Column("ID"),
    Column("WHEN"),
    Column("TRADE", widest=30),
    Column("WORST PRICE", right=True),
    Column("WHAT CAME OF IT", widest=40),
    Column("MARKET"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One intent as a list shows it."""

    record: IntentRecord
    short: str
    outcome: str

    @property
    def trade(self) -> Trade:
        return Trade(self.record.intent)

    @property
    def standing(self) -> str:
        """`EXECUTED, dry run, nothing sent`; EXECUTED never stands alone."""
        status = self.record.status.value
        outcome = self.outcome.removeprefix(f"{status.lower()}, ")
        return f"{status}, {outcome}" if outcome and outcome != status.lower() else status


def left_words(intent_deadline: datetime, now: datetime, paint: Paint) -> str:
    """The LEFT column; red under ten seconds."""
    seconds = (intent_deadline - now).total_seconds()
    text = wording.left(seconds, column=True)
    return paint.red(text) if seconds < wording.HURRY_SECONDS else text


def waiting_row(item: Listed, now: datetime, paint: Paint) -> list[str]:
    """The seven cells of an intent that waits."""
    intent, trade = item.record.intent, item.trade
    return [
        item.short,
        left_words(intent.deadline, now, paint),
        trade.column(),
        trade.worst_price_column(),
        trade.worst_case_column(),
        wording.edge(intent.edge_worst),
        wording.one_line(intent.question),
    ]


def waiting_table(items: Sequence[Listed], scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The table of what waits, and the two lines that explain it."""
    first = items[0].short
    if columns < MEDIUM:
        lines = [line for item in items for line in _card(item, scene.now, paint, columns)]
    else:
        lines = table(_WAITING, [waiting_row(item, scene.now, paint) for item in items], columns)
    explained = (
        f"{len(items)} waiting. Cents per share; money in pUSD, fees included; "
        "edge at the worst price, after costs."
    )
    following = [f"Closer look: polyb0t intents show {first}", "Decide as they come: polyb0t intents watch"]
    hint = ["      ".join(following)] if columns > 90 else following
    return [*lines, "", *(paint.dim(line) for line in words.wrap(explained, columns)), *hint]


def _card(item: Listed, now: datetime, paint: Paint, columns: int) -> list[str]:
    """An intent in three lines, for a narrow screen."""
    intent, trade = item.record.intent, item.trade
    price = trade.worst_price_column()
    return [
        f"{item.short}  {left_words(intent.deadline, now, paint)} left  {trade.column()}",
        f"      {price}  {trade.worst_case_column()}  {wording.edge(intent.edge_worst)}",
        "      " + words.cut(wording.one_line(intent.question), columns - 6),
    ]


def history_table(items: Sequence[Listed], scene: Scene, columns: int) -> list[str]:
    """All intents, newest first, with what came of each."""
    rows = [
        [
            item.short,
            f"{wording.coarse((scene.now - item.record.intent.created_at).total_seconds())} ago",
            item.trade.column(),
            item.trade.worst_price_column(),
            item.standing,
            wording.one_line(item.record.intent.question),
        ]
        for item in items
    ]
    if columns >= MEDIUM:
        return [*table(_ALL, rows, columns), "", f"{len(items)} shown, newest first."]
    cards = [[f"{row[0]}  {row[1]}  {row[2]}", f"      {row[4]}"] for row in rows]
    return [line for card in cards for line in card]


def nothing_waits(
    scene: Scene, universe: Mapping[str, object] | None, paint: Paint, rest: Resting | None = None
) -> list[str]:
    """Why the list is empty, what rests, and how close the nearest miss was."""
    lines = []
    missing = scene.no_engine("Nothing is proposed until one starts.")
    if missing:
        lines.append(f"Nothing is waiting for you. {missing}")
    elif scene.problem:
        lines += ["Nothing is waiting for you. The engine runs, but:", f"  {paint.yellow(scene.problem)}"]
    else:
        heard = f"last heard {wording.span(scene.beat_seconds)} ago"
        lines.append(f"Nothing is waiting for you. The engine works: {heard}.")
    if scene.running and scene.too_small:
        lines.append(paint.yellow(scene.too_small))
    if scene.stance.name != "ACTIVE":
        lines.append(f"Openings are stopped ({scene.stance.words}). Look: polyb0t status")
    if rest is not None:
        lines.append(_resting_words(rest))
    if universe is not None:
        lines.extend(_universe_words(universe))
    return [
        *lines,
        paint.dim("Why: polyb0t universe --why      What you let pass: polyb0t intents list --all"),
    ]


def _resting_words(rest: Resting) -> str:
    back = wording.clock_time(rest.until)
    if rest.count == 1:
        return f"1 idea rests after its end; it may come back at {back}."
    return f"{rest.count} ideas rest after their end; the last of them may come back at {back}."


def _universe_words(universe: Mapping[str, object]) -> list[str]:
    lines = [f"{universe.get('watched', 0)} markets watched, {universe.get('tradable', 0)} tradable."]
    misses = universe.get("misses")
    if isinstance(misses, list) and misses and isinstance(misses[0], dict):
        lines.append(f"Nearest miss: {miss_words(misses[0])}")
    return lines


def miss_words(miss: Mapping[str, object]) -> str:
    """`"Lower house vote in Tavia by March?" +0.9¢, needs +1.5¢.`"""
    question = words.cut(wording.one_line(str(miss.get("question", ""))), 60)
    return f'"{question}" {_edge(miss.get("edge"))}, needs {_edge(miss.get("needed"))}.'


def _edge(value: object) -> str:
    return "not known" if value is None else wording.edge(Decimal(str(value)))


def listed(
    records: Sequence[IntentRecord], short: Mapping[IntentId, str], outcomes: Mapping[IntentId, str]
) -> list[Listed]:
    """Records with the words that the screens need."""
    return [Listed(record, short[record.id], outcomes.get(record.id, "")) for record in records]
