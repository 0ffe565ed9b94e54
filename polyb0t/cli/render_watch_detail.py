"""The selected trade in the watch: the seven facts, with the book as it is now beside the proposal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.terminal import Paint
from polyb0t.cli.trade_words import Trade
from polyb0t.core.units import Price
from polyb0t.data.order_book import Level, Side
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.onlookers import ShownBook
from polyb0t.execution.refusals import person
from polyb0t.models import wording
from polyb0t.models.limits import ControlResult
from polyb0t.models.taken_back import moved
from polyb0t.runtime.watch_look import WatchLook

OLD_BOOK_SECONDS: Final = 60.0
RULES_AT_ONCE: Final = 8  # lines of the rules on one page
_NOTE_AT: Final = 58  # where a second fact of a line begins, if there is room


def detail(
    item: Listed,
    look: WatchLook,
    paint: Paint,
    columns: int,
    *,
    page: int = 0,
    given: Sequence[str] = (),
    brief: bool = False,
) -> list[str]:
    """Everything that a glance needs; with `page` above 0 that page of the market's rules below it. `brief`
    gives who decides one line only: the list needs the room."""
    intent, trade = item.record.intent, item.trade
    digest = f"digest {wording.short_digest(item.record.digest)}"
    room = columns - 2
    lines = _title(trade, digest, look, columns)
    for left, right in _facts(item, look, paint, given, room - 12 if brief else 2 * room - 20):
        lines += [f"  {line}" for line in _pair(left, right, room)]
    if page:
        lines += _rules(intent, columns, page)
    return lines


def _facts(
    item: Listed, look: WatchLook, paint: Paint, given: Sequence[str], longest: int
) -> list[tuple[str, str]]:
    intent, trade = item.record.intent, item.trade
    facts = [(_stake(trade), "")]
    if intent.taken_back is not None:
        facts += [(f"{trade.manner()} Taken back {trade.taken_back()}.", "")]
    facts += [_why(item, paint)]
    if intent.intent_type.places_order:
        facts += [_book(intent, look, paint)]
    decided = trade.decided_by() or "rules that it does not tell"
    facts += [(f"decided by {words.cut(decided, longest)}", "")]
    facts += [_checks(intent, paint)]
    needs = _needs(intent, given)
    return [*facts, (paint.yellow(needs), "")] if needs else facts


def _title(trade: Trade, digest: str, look: WatchLook, columns: int) -> list[str]:
    """What it is and its digest, the question and what it is about: two lines, or as many as it takes."""
    sentence, question = trade.sentence(), wording.one_line(trade.intent.question)
    about = trade.about(look.now)
    beside = words.width(sentence) + words.width(digest) + 2 <= columns
    first = [words.spread(sentence, digest, columns)] if beside else words.wrap(sentence, columns)
    right = about if beside else digest
    if words.width(question) + words.width(right) + 2 <= columns:
        rest = [words.spread(question, right, columns)]
        return [*first, *rest] if beside else [*first, *rest, words.cut(about, columns)]
    last = words.cut(about, columns - 20)
    wrapped = words.wrap(question, columns)[:2]
    return [*first, *wrapped, last if beside else words.spread(last, digest, columns)]


def _stake(trade: Trade) -> str:
    """`pay at most 95.16, likely 92.96     YES: +57.07 or more     NO: all of it lost`"""
    intent = trade.intent
    if not intent.intent_type.places_order:
        return trade.stake()
    if not trade.buys:
        likely = (
            f", likely {wording.money(intent.estimated_cost)}" if intent.estimated_cost is not None else ""
        )
        return f"get at least {wording.at_least(trade.least_received)} for what fills{likely}"
    paid = f"pay at most {wording.at_most(intent.max_cost)}"
    if intent.estimated_cost is not None:
        paid += f", likely {wording.money(intent.estimated_cost)}"
    more = " or more" if trade.more else ""
    other = {"YES": "NO", "NO": "YES"}.get(trade.outcome, "if not")
    gain = wording.money(trade.least_gain, sign=True)
    return f"{paid}     {trade.outcome}: {gain}{more}     {other}: all of it lost"


def _why(item: Listed, paint: Paint) -> tuple[str, str]:
    """`model 66% (63% to 69%), offer 60¢, break-even 62.0%`; of what no model speaks of, the reason."""
    intent, trade = item.record.intent, item.trade
    if intent.model_probability is None:
        return wording.one_line(intent.reason) or "no reason was given", ""
    parts = [f"model {wording.percent(intent.model_probability)}"]
    if intent.model_low is not None and intent.model_high is not None:
        parts[0] += f" ({wording.percent(intent.model_low)} to {wording.percent(intent.model_high)})"
    at = intent.reference_price if intent.reference_price is not None else intent.best_ask
    if at is not None:
        parts.append(f"{'offer' if trade.buys else 'bid'} {wording.price(at, intent.tick)}")
    if trade.buys and trade.break_even is not None:
        parts.append(f"break-even {wording.percent(trade.break_even, 1)}")
    doubt = "" if intent.model_validated else paint.yellow("UNVALIDATED model")
    return ", ".join(parts), doubt


def _book(intent: TradeIntent, look: WatchLook, paint: Paint) -> tuple[str, str]:
    """The live book with its age, and what has become of the price that was proposed at."""
    book = look.books.get(intent.asset_id)
    if book is None:
        bid, ask = (wording.price(side, intent.tick) for side in (intent.best_bid, intent.best_ask))
        return f"bid {bid} | ask {ask} when proposed", paint.dim("live book: not there yet")
    age = max(0.0, (look.now - book.observed_at).total_seconds())
    bids = "-" if not book.bids else _level(book.bids[0], intent)
    asks = ", ".join(_level(each, intent) for each in book.asks[:2]) or "-"
    seen = wording.seconds(Decimal(f"{age:.3f}")) if age < OLD_BOOK_SECONDS else wording.coarse(age)
    text = f"bid {bids} | ask {asks}   {seen} ago"
    if age >= OLD_BOOK_SECONDS:
        return paint.yellow(text), paint.yellow("an old book")
    drifted = drift(intent, book)
    return text, paint.yellow(drifted) if _bad(drifted) else drifted


def _level(level: Level, intent: TradeIntent) -> str:
    return f"{wording.price(level.price, intent.tick)} x {wording.count(level.shares)}"


def drift(intent: TradeIntent, book: ShownBook) -> str:
    """`offer unchanged since proposed`, `offer 62¢, 2¢ worse: past your worst price`."""
    buys = intent.side is Side.BUY
    name, levels = ("offer", book.asks) if buys else ("bid", book.bids)
    proposed = intent.best_ask if buys else intent.best_bid
    if intent.taken_back is not None:
        return _rests_still(intent, book)
    if intent.order_type is None or not intent.order_type.takes:
        return ""
    if not levels:
        return f"nothing is {'offered' if buys else 'bid'} now"
    now = levels[0].price
    if proposed is None:
        return ""
    if now == proposed:
        return f"{name} unchanged since proposed"
    worse = (now > proposed) if buys else (now < proposed)
    by = wording.cents(abs(Price(now - proposed)))
    text = f"{name} {wording.price(now, intent.tick)}, {by} {'worse' if worse else 'better'}"
    return f"{text}: past your worst price" if worse and _past(intent, now, buys=buys) else text


def _rests_still(intent: TradeIntent, book: ShownBook) -> str:
    """`it would rest`, or why it would not any more."""
    bid, ask = (side[0].price if side else None for side in (book.bids, book.asks))
    if intent.worst_price is not None and ask is not None and ask <= intent.worst_price:
        return "nothing to rest for: it would trade at once"
    mid, spread = (None, None) if bid is None or ask is None else ((bid + ask) / 2, ask - bid)
    gone = moved(intent.taken_back, mid, spread) if intent.taken_back is not None else None
    return "it would rest" if gone is None else f"nothing to rest for: {gone.detail}"


def _past(intent: TradeIntent, now: Price, *, buys: bool) -> bool:
    worst = intent.worst_price
    return worst is not None and (now > worst if buys else now < worst)


def _bad(drifted: str) -> bool:
    return "past your" in drifted or drifted.startswith("nothing")


def _checks(intent: TradeIntent, paint: Paint) -> tuple[str, str]:
    """`18 of 18 checks passed; order 95.16 of 100.00`, and what stands about its exits."""
    passed = sum(control.passed for control in intent.controls)
    text = f"{passed} of {len(intent.controls)} checks passed"
    order = next((each for each in intent.controls if _is_size(each)), None)
    if order is not None:
        text += f"; order {order.value} of {order.limit}"
    exits = "exits: none approved" if intent.intent_type is IntentType.OPEN_POSITION else ""
    return text, paint.dim(exits)


def _is_size(control: ControlResult) -> bool:
    return control.name == "order_too_large" and bool(control.value) and bool(control.limit)


def _needs(intent: TradeIntent, given: Sequence[str]) -> str:
    """What an approval needs beside a y; empty where one person's word is enough."""
    if intent.approvals_required < 2 and not intent.code_required:
        return ""
    code = ", each with a one-time code" if intent.code_required else ""
    if intent.approvals_required < 2:
        return "needs a one-time code: polyb0t intents approve"
    names = ", ".join(wording.one_line(person(each)) for each in given)
    so_far = f"; {names} approved" if names else ""
    return f"{len(given)} of {intent.approvals_required} approvals{code}{so_far}"


def _rules(intent: TradeIntent, columns: int, page: int) -> list[str]:
    """That page of the rules, counted round: after the last one comes the first."""
    text = wording.one_line(intent.rules_text)
    if not text:
        return ["  The market has no rules text."]
    lines = words.wrap(text, columns - 4)
    pages = -(-len(lines) // RULES_AT_ONCE)
    at = (page - 1) % pages
    more = f", page {at + 1} of {pages}: d turns it" if pages > 1 else ""
    shown = lines[at * RULES_AT_ONCE : (at + 1) * RULES_AT_ONCE]
    return [f"  Rules{more}, Esc ends them", *(f"    {line}" for line in shown)]


def _pair(left: str, right: str, room: int) -> list[str]:
    """Two facts on one line where they fit, else below each other."""
    if not right:
        return words.wrap(left, room) if "     " not in left else _columns(left, room)
    gap = max(2, min(_NOTE_AT, room - words.width(right)) - words.width(left))
    if words.width(left) + gap + words.width(right) <= room:
        return [left + " " * gap + right]
    return [*words.fold(left, room), right]


def _columns(text: str, room: int) -> list[str]:
    """Figures stand apart while they fit, and below each other where they do not."""
    return [text] if words.width(text) <= room else words.wrap(text.replace("     ", "; "), room)
