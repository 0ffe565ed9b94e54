"""The watch screen: the list, the selected trade in full, what happened, and the keys."""

from collections.abc import Sequence

from polyb0t.cli import words
from polyb0t.cli.render_intents import Listed, nothing_waits, waiting_row
from polyb0t.cli.scene import Scene, context_line
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint
from polyb0t.cli.watch_offer import Offer
from polyb0t.cli.watch_state import Manner, WatchState
from polyb0t.core.units import ZERO
from polyb0t.models import wording
from polyb0t.runtime.resting import Resting

_COLUMNS = (
    Column(" "),
    Column("ID"),
    Column("LEFT"),
    Column("TRADE", widest=30),
    Column("WORST PRICE", right=True),
    Column("WORST CASE"),
    Column("EDGE", right=True),
    Column("MARKET"),
)
_FEWEST = 4  # lines of the list that a long trade leaves
_KEYS = "a approve  e with exits  s smaller  r reject  m mute 24 h  j k select  d rules  H halt  q quit"


def watch_screen(
    items: Sequence[Listed],
    state: WatchState,
    scene: Scene,
    paint: Paint,
    columns: int,
    rest: Resting | None = None,
    *,
    rows: int = 1_000,
    offer: Offer | None = None,
) -> list[str]:
    """At most `rows` lines, if that is 17 or more, top to bottom; `rest` for when nothing waits, `offer` is
    what is asked about."""
    rule = "-" * columns
    head = [*context_line(scene, paint, columns).split("\n"), rule]
    chosen = next((item for item in items if item.record.id == state.selected), None)
    foot = [rule, *_foot(state, offer, scene, paint, columns)]
    room = rows - len(head) - len(foot)
    if chosen is None:
        waits = nothing_waits(scene, None, paint, rest)
        return [*head, *[part for line in waits for part in words.wrap(line, columns)][:room], *foot]
    listed = _rows(items, state, scene, paint, columns)
    detail = _detail(chosen, scene, paint, columns, rules=state.rules)
    listed = _around(listed, room - 1 - len(detail))
    return [*head, *listed, rule, *_cut_off(detail, room - 1 - len(listed)), *foot]


def _foot(state: WatchState, offer: Offer | None, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """What happened, and the keys or the question: never pushed off the screen by what stands above."""
    said = [words.cut(wording.one_line(message), columns) for message in state.messages]
    if state.asking is None or offer is None:
        return [*said, *(paint.dim(line) for line in words.fold(_KEYS, columns))]
    seconds = (offer.item.record.intent.deadline - scene.now).total_seconds()
    again = "s = half of that, " if state.manner is Manner.SMALLER else ""
    ask = (
        f"{_ask(offer.item, scene)}{offer.besides}, {wording.left(seconds)} left. "
        f"y = approve, {again}any other key = no"
    )
    return [*said, *(paint.reverse(line) for line in words.wrap(ask, columns))]


def _around(listed: list[str], room: int) -> list[str]:
    """The list in `room` lines, or in a few if there is less: the selected row is among them."""
    room = max(room, _FEWEST)
    if len(listed) <= room:
        return listed
    at = next((index for index, line in enumerate(listed) if line.startswith(">")), 0)
    shown = room - 1  # one line tells how many are left out
    first = max(0, min(at - shown + 1, len(listed) - shown))
    return [*listed[first : first + shown], f"  {len(listed) - shown} lines more, j k to move"]


def _cut_off(lines: list[str], room: int) -> list[str]:
    """The first `room` lines; the last one says that there are more."""
    if len(lines) <= room:
        return lines
    return [*lines[: max(0, room - 1)], "  .. more than fits: polyb0t intents show"]


def _rows(items: Sequence[Listed], state: WatchState, scene: Scene, paint: Paint, columns: int) -> list[str]:
    marks = [">" if item.record.id == state.selected else " " for item in items]
    rows = [[mark, *waiting_row(item, scene.now, paint)] for mark, item in zip(marks, items, strict=True)]
    if columns >= MEDIUM:
        return table(_COLUMNS, rows, columns)
    return [words.cut(f"{row[0]} {row[1]}  {row[2]}  {row[3]}", columns) for row in rows]


def _detail(item: Listed, scene: Scene, paint: Paint, columns: int, *, rules: bool) -> list[str]:
    """The seven facts of the selected trade."""
    intent, trade = item.record.intent, item.trade
    digest = f"digest {wording.short_digest(item.record.digest)}"
    lines = [
        words.spread(words.cut(trade.sentence(), columns - 20), digest, columns - 2),
        *words.fold(f"{wording.one_line(intent.question)}   {trade.about(scene.now)}", columns),
    ]
    facts = [trade.stake()]
    if trade.buys and intent.estimated_cost is not None:
        facts.append(f"likely {wording.money(intent.estimated_cost)}")
        facts.append(f"if it comes true a gain of {wording.at_least(trade.least_gain or ZERO)} or more")
    lines += [f"  {line}" for line in words.wrap(", ".join(facts), columns - 2)]
    lines += [f"  {line}" for line in words.fold(_why(item, paint), columns - 2)]
    bid, ask = (wording.price(side, intent.tick) for side in (intent.best_bid, intent.best_ask))
    passed = sum(control.passed for control in intent.controls)
    lines.append(f"  bid {bid} | ask {ask} when proposed   {passed} of {len(intent.controls)} checks passed")
    decided = words.cut(trade.decided_by(), 2 * columns - 24) or "rules that it does not tell"
    lines += [f"  {line}" for line in words.wrap(f"decided by: {decided}", columns - 2)]
    if rules:
        text = words.wrap(wording.one_line(intent.rules_text) or "The market has no rules text.", columns - 2)
        lines += [f"  {line}" for line in text]
    return lines


def _why(item: Listed, paint: Paint) -> str:
    intent = item.record.intent
    if intent.model_probability is None:
        return wording.one_line(intent.reason)
    model = f"model {wording.percent(intent.model_probability)}"
    if intent.model_low is not None and intent.model_high is not None:
        model += f" ({wording.percent(intent.model_low)} to {wording.percent(intent.model_high)})"
    parts = [model, f"edge {wording.edge(intent.edge_worst)} at the worst price"]
    if item.trade.buys and item.trade.break_even is not None:
        parts.append(f"break-even {wording.percent(item.trade.break_even, 1)}")
    doubt = "" if intent.model_validated else "   " + paint.yellow("UNVALIDATED model")
    return ", ".join(parts) + doubt


def _ask(item: Listed, scene: Scene) -> str:
    trade = item.trade
    real = "REAL ORDER: " if scene.real_money else ""
    if trade.buys:
        what = f"pay at most {wording.at_most(trade.intent.max_cost)} pUSD"
    else:
        what = trade.stake()
    side = f"{trade.intent.side} {trade.outcome}" if trade.intent.side else trade.sentence()
    return f"{real}{side}, {what}"
