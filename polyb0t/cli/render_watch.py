"""The watch screen: what waits, the selected trade in full, what happened, and the keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.render_intents import Listed, waiting_row
from polyb0t.cli.render_watch_detail import detail
from polyb0t.cli.render_watch_nothing import nothing_here
from polyb0t.cli.scene import Scene, context_line
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import FULL, MEDIUM, Paint
from polyb0t.cli.watch_offer import Offer
from polyb0t.cli.watch_source import listed, scene_of
from polyb0t.cli.watch_state import CODE_DIGITS, Manner, WatchState
from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.refusals import person
from polyb0t.execution.scope import Regime
from polyb0t.models import wording
from polyb0t.runtime.watch_look import STAYS_SECONDS, News, Purse, Row, WatchLook

_ID: Final = (Column("  ID"), Column("LEFT"))
_REST: Final = (Column("WORST CASE"), Column("EDGE", right=True), Column("MARKET"))
_WIDE: Final = (
    *(*_ID, Column(""), Column("TRADE", widest=30), Column("WORST PRICE", right=True)),
    *_REST,
)
_MEDIUM: Final = (*_ID, Column("TRADE", widest=26), Column("WORST", right=True), *_REST)
_NARROW: Final = (*_ID, Column("TRADE", widest=22), Column("WORST CASE"))
_BARS: Final = 4
_FEWEST: Final = 4  # lines of the list that a long trade leaves
_NEWS: Final = 3
_KEYS: Final = (
    *("a approve", "e approve with exits", "s smaller", "r reject", "m mute 24 h", "d rules", "o page"),
    *("H halt", "? help"),
)
_FEW_KEYS: Final = ("H halt", "? help", "q quit")
_HELP: Final = (
    ("a", "approve the selected trade: then y approves, any other key does not"),
    ("e", "the same with its later exits, which then run without asking"),
    ("s", "approve half of it; each s more halves again, then y"),
    ("r", "reject it"),
    ("m", "reject it, and ask nobody about its market for 24 h"),
    ("d", "the market's rules, page by page; Esc ends them"),
    ("o", "the market's page"),
    ("j k", "select; arrows and 1 to 9 do it as well"),
    ("space", "the list stands still, until space again"),
    ("H H", "within two seconds: halt all trading"),
    ("q", "leave; what was decided stays decided"),
    ("", "After the list has moved by itself, keys do nothing for 0.4 s."),
)
_NO_ENGINE: Final = "An approval now is sent only if one starts before the time is up."
SMALLEST: Final = (40, 14)  # columns, rows


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn, and on how much room. `at` is on the clock of the state, `me` the journal's name of who
    sits here, `known` every trade that the list may show, also those that have ended."""

    look: WatchLook
    state: WatchState
    columns: int
    rows: int
    at: float
    me: str = ""
    offer: Offer | None = None
    known: Mapping[IntentId, Row] = field(default_factory=dict)
    trouble: str = ""  # why the look is an old one
    note: str = ""  # where this shell's settings say something else than the engine does

    @property
    def scene(self) -> Scene:
        return scene_of(self.look)


def waiting_rows(look: WatchLook) -> list[Row]:
    """What waits for a decision, the most urgent first."""
    waits = [
        row
        for row in look.rows
        if row.record.status is IntentStatus.PENDING and row.record.intent.deadline > look.now
    ]
    return sorted(waits, key=lambda row: (row.record.intent.deadline, row.record.id))


def watch_screen(view: View, paint: Paint) -> list[str]:
    """At most `rows` lines of at most `columns`, top to bottom."""
    columns = view.columns
    if columns < SMALLEST[0] or view.rows < SMALLEST[1]:
        return words.wrap("Too small: make this window at least 40 x 14.", max(1, columns))[: view.rows]
    rule = "-" * columns
    head = [*_head(view, paint), rule]
    foot = [rule, *_foot(view, paint)]
    room = view.rows - len(head) - len(foot)
    if view.state.help:
        return [*head, *_cut_off(_help(columns), room, ""), *foot]
    return [*head, *_body(view, paint, room, rule), *foot]


def _body(view: View, paint: Paint, room: int, rule: str) -> list[str]:
    listing = _listing(view, paint)
    chosen = view.known.get(view.state.selected or IntentId(""))
    if chosen is None or view.state.selected not in view.state.ids:
        waits = nothing_here(view.look, view.scene, paint, view.columns)
        lines = [*listing, *([rule] if listing else []), *waits]
        return _cut_off(lines, room, "")
    item, page, given = listed(chosen), view.state.rules, chosen.given
    shown = detail(item, view.look, paint, view.columns, page=page, given=given)
    if len(listing) + 1 + len(shown) > room:
        shown = detail(item, view.look, paint, view.columns, page=page, given=given, brief=True)
    kept = _around(listing, room - 1 - len(shown))
    hint = f"polyb0t intents show {chosen.short}"
    return [*kept, rule, *_cut_off(shown, room - 1 - len(kept), hint)]


def _head(view: View, paint: Paint) -> list[str]:
    lines = context_line(view.scene, paint, view.columns).split("\n")
    pretend = view.look.regime is Regime.DRY_RUN
    purse = words.side_by_side(purse_parts(view.look.purse, paint, pretend=pretend), view.columns, gap=3)
    lines += [paint.yellow(line) for line in words.wrap(view.note, view.columns)]
    if view.look.halt_file:
        lines.append(paint.yellow("The HALT file is there: nothing new is sent."))
    if view.trouble:
        shown = words.wrap(
            f"Not read since {wording.clock_time(view.look.now)}. {view.trouble}", view.columns
        )
        return [*lines, *(paint.yellow(line) for line in shown[:3])]
    return [*lines, *purse[:2]]


def purse_parts(purse: Purse, paint: Paint, *, pretend: bool) -> list[str]:
    """`cash 9,879.20`, `at risk 102.01 of 5,000.00`, `today +0.80 pUSD`, `proposals this hour 4 of 6`.
    `pretend`: the cash is what a dry run sizes against."""
    cash = "not known" if purse.cash_pusd is None else wording.money(purse.cash_pusd)
    parts = [f"{'pretend cash' if pretend else 'cash'} {cash}"]
    if purse.at_risk_pusd is not None:
        limit = f" of {wording.limit(purse.at_risk_limit_pusd)}" if purse.at_risk_limit_pusd else ""
        parts.append(f"at risk {wording.money(purse.at_risk_pusd)}{limit}")
    if purse.day_result_pusd is not None:
        today = wording.money(purse.day_result_pusd, sign=True)
        parts.append(f"today {paint.red(today) if purse.day_result_pusd < 0 else today} pUSD")
    if purse.prompts_per_hour is not None:
        parts.append(f"proposals this hour {purse.proposed_last_hour} of {purse.prompts_per_hour}")
    return parts


def _listing(view: View, paint: Paint) -> list[str]:
    """The table of what waits, with what ended a moment ago dimmed: below it, or in its place while held."""
    places = [view.known[each] for each in view.state.places if each in view.known]
    lines: list[str] = []
    if places:
        heading, *rows = _table(view, places, paint)
        ended = set(view.state.places) - set(view.state.ids)
        lines = [heading] + [
            _ended(place, view, paint) if place.record.id in ended else row
            for place, row in zip(places, rows, strict=True)
        ]
    missing = view.scene.no_engine(_NO_ENGINE) if places else ""
    lines += [paint.yellow(f"  {line}") for line in words.wrap(missing, view.columns - 2)]
    if view.state.held:
        more = f", {view.state.behind} more behind it" if view.state.behind else ""
        still = words.cut(f"  The list stands still{more}. space lets it go on.", view.columns)
        lines.append(paint.yellow(still))
    shown = {place.record.id for place in places}
    late = [row for row in view.look.rows if row.record.id not in shown and _stays(row.record, view.look)]
    return [*lines, *(_ended(row, view, paint) for row in late[:_NEWS])]


def _table(view: View, rows: Sequence[Row], paint: Paint) -> list[str]:
    cells = []
    for row in rows:
        item = listed(row)
        mark = ">" if row.record.id == view.state.selected else " "
        short, *others = waiting_row(item, view.look.now, paint)
        cells.append([f"{mark} {short}", *others])
    if view.columns >= FULL:
        bars = [_bar(row.record.intent, view.look) for row in rows]
        wide = [[*each[:2], bar, *each[2:]] for each, bar in zip(cells, bars, strict=True)]
        return table(_WIDE, wide, view.columns)
    if view.columns >= MEDIUM:
        return table(_MEDIUM, cells, view.columns)
    return table(_NARROW, [[*each[:3], each[4]] for each in cells], view.columns)


def _help(columns: int) -> list[str]:
    lines = []
    for key, text in _HELP:
        first, *rest = words.wrap(text, columns - 9)
        lines += [f"  {key:<7}{first}" if key else first, *(" " * 9 + more for more in rest)]
    return lines


def _bar(intent: TradeIntent, look: WatchLook) -> str:
    """`===-`: how much of its time is left, in quarters, the begun one counted."""
    whole = (intent.deadline - intent.created_at).total_seconds()
    left = (intent.deadline - look.now).total_seconds()
    full = min(_BARS, max(0, -int(-(left * _BARS) // whole))) if whole > 0 else 0
    return "=" * full + "-" * (_BARS - full)


def _stays(record: IntentRecord, look: WatchLook) -> bool:
    """What is under way, and for ten seconds what has ended."""
    if record.status in (IntentStatus.APPROVED, IntentStatus.EXECUTING):
        return True
    ended = record.intent.deadline if record.status is IntentStatus.PENDING else record.updated_at
    return (look.now - ended).total_seconds() <= STAYS_SECONDS


def _ended(row: Row, view: View, paint: Paint) -> str:
    """`  k7m2  EXECUTED, dry run, nothing sent   BUY YES 150.00+ sh   Will Harbor City..`"""
    item = listed(row)
    standing = "its time is up" if row.record.status is IntentStatus.PENDING else _standing(item)
    line = (
        f"  {row.short}  {standing}   {item.trade.column()}   {wording.one_line(row.record.intent.question)}"
    )
    text = words.cut(line, view.columns)
    return paint.yellow(text) if "unknown" in standing else paint.dim(text)


def _standing(item: Listed) -> str:
    record = item.record
    match record.status:
        case IntentStatus.REJECTED:
            return f"REJECTED by {wording.one_line(person(record.decided_by))}"
        case IntentStatus.EXPIRED:
            why = (record.result or "").replace("_", " ")
            return f"EXPIRED, {why}" if why and why != "expired" else "EXPIRED"
        case _:
            return item.standing


def _foot(view: View, paint: Paint) -> list[str]:
    """What happened, then the question, the last answers, or the keys: nothing above pushes them away."""
    columns, state = view.columns, view.state
    lines = [paint.dim(line) for line in _news(view)]
    for text, refused in state.messages(view.at):
        said = words.wrap(wording.one_line(text), columns)[:3]
        lines += [paint.yellow(line) if refused else line for line in said]
    if state.asking is not None and view.offer is not None:
        return [*lines, *(paint.reverse(line) for line in words.wrap(_ask(view, view.offer), columns))]
    keys = _KEYS if state.selected is not None else _FEW_KEYS
    return [*lines, *(paint.dim(line) for line in words.side_by_side(keys, columns, gap=2))]


def _news(view: View) -> list[str]:
    """One line, as many of the newest as fit; who else looks comes first, since it may decide next."""
    others = [
        f"{wording.one_line(person(each.actor))} is looking at {view.known[each.looking_at].short}"
        for each in view.look.onlookers
        if each.actor != view.me and each.looking_at in view.state.ids and each.looking_at in view.known
    ]
    parts = [*dict.fromkeys(others[:2]), *(news_words(each) for each in view.look.news[:_NEWS])]
    line = ""
    for part in parts:
        longer = f"{line}       {part}" if line else part
        if words.width(longer) > view.columns:
            break
        line = longer
    return [line] if line else []


def news_words(news: News) -> str:
    """`12:40:12 tz6w rejected by bob`, `12:39:50 r5tn expired, unseen`."""
    who = wording.one_line(person(news.actor))
    at = f"{wording.clock_time(news.at)[:-4]} {news.short or news.subject}"
    match news.what:
        case "intent.approved":
            return f"{at} approved by {who}"
        case "approval.given":
            return f"{at} approved by {who}, more needed"
        case "intent.rejected":
            return f"{at} rejected by {who}"
        case "intent.expired" if news.code == "superseded":
            return f"{at} replaced by a newer one"
        case "intent.expired":
            return f"{at} expired" if news.shown else f"{at} expired, unseen"
        case "intent.executed":
            return f"{at} dry run, nothing sent" if news.code == "dry_run" else f"{at} accepted"
        case "intent.failed":
            return f"{at} failed, {news.code.replace('_', ' ')}"
        case _:
            return f"{at} {news.what.partition('.')[2]} by {who}"


def _ask(view: View, offer: Offer) -> str:
    """`BUY YES, pay at most 95.16 pUSD, 29 s left. y = approve, any other key = no`"""
    trade, intent = offer.shown.trade, offer.shown.record.intent
    real = "REAL ORDER: " if view.scene.real_money else ""
    what = f"pay at most {wording.at_most(intent.max_cost)} pUSD" if trade.buys else trade.stake()
    side = f"{intent.side} {trade.outcome}" if intent.side else trade.sentence()
    left = wording.left((intent.deadline - view.look.now).total_seconds())
    changed = f"{offer.changed} " if offer.changed else ""
    text = f"{changed}{real}{side}, {what}{offer.besides}, {left} left."
    if view.state.needs_code:
        typed = view.state.code + "_" * (CODE_DIGITS - len(view.state.code))
        return f"{text} One-time code {typed}, Enter = approve, any other key = no"
    again = "s = half of that, " if offer.manner is Manner.SMALLER else ""
    return f"{text} y = approve, {again}any other key = no"


def changed_words(old: TradeIntent, new: TradeIntent) -> str:
    """What is different in the proposal that has taken the place of the one that was asked about."""
    parts = []
    if old.worst_price != new.worst_price:
        before, after = (wording.price(each.worst_price, each.tick) for each in (old, new))
        parts.append(f"worst price {before} to {after}")
    if (old.amount, old.shares) != (new.amount, new.shares):
        before, after = (wording.at_most(each.max_cost or each.shares or ZERO) for each in (old, new))
        parts.append(f"size {before} to {after}")
    return f"CHANGED: {', '.join(parts) or 'proposed anew'}."


def _around(listing: list[str], room: int) -> list[str]:
    """The list in `room` lines, or in a few if there is less: the selected row is among them."""
    room = max(room, _FEWEST)
    if len(listing) <= room:
        return listing
    at = next((index for index, line in enumerate(listing) if line.startswith(">")), 0)
    shown = room - 1  # one line tells how many are left out
    first = max(0, min(at - shown + 1, len(listing) - shown))
    return [*listing[first : first + shown], f"  {len(listing) - shown} lines more, j k to move"]


def _cut_off(lines: list[str], room: int, hint: str) -> list[str]:
    """The first `room` lines; the last one says that there are more."""
    if len(lines) <= room:
        return lines
    more = f"  .. more than fits: {hint}" if hint else "  .. more than fits"
    return [*lines[: max(0, room - 1)], more][: max(0, room)]
