"""`intents show` and the dialog of `approve`: the seven facts that a decision needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.claim_words import claim_facts
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.scene import Scene, context_line
from polyb0t.cli.terminal import FULL, Paint
from polyb0t.cli.trade_words import Trade
from polyb0t.core.units import ZERO
from polyb0t.execution.intents import IntentStatus, IntentType, TradeIntent
from polyb0t.execution.refusals import person
from polyb0t.execution.scope import Regime
from polyb0t.models import wording

_LABEL = 13  # columns of the fact's name
_LIMITS = (("order_too_large", "order"), ("exposure_market", "market"), ("exposure_category", ""))


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What `show` adds."""

    checks: bool = False
    rules: bool = False
    exits: tuple[str, str] | None = None  # of an opening: what stands about its exits, and a hint


def show_screen(item: Listed, scene: Scene, paint: Paint, columns: int, options: ShowOptions) -> list[str]:
    """The whole screen of one intent."""
    intent = item.record.intent
    trade = item.trade
    lines = [
        *context_line(scene, paint, columns).split("\n"),
        "",
        _heading(item, scene, paint, columns),
        "",
        *_indented(words.wrap(f"{trade.sentence()}. {trade.manner()}", columns - 4)),
        *_question(trade, scene, columns),
        "",
        *_facts(item, paint, columns, options),
        "",
    ]
    if options.checks:
        lines += [*_checks(intent, columns), ""]
    if options.rules:
        lines += [*_rules(intent, columns), ""]
    return [*lines, *_next(item, columns)]


def _heading(item: Listed, scene: Scene, paint: Paint, columns: int) -> str:
    record = item.record
    status = record.status.value
    if record.status is IntentStatus.PENDING:
        seconds = (record.intent.deadline - scene.now).total_seconds()
        rest = f"{wording.left(seconds)} left" if seconds > 0 else "its time is up"
        status = f"{status}, {paint.red(rest) if seconds < wording.HURRY_SECONDS else rest}"
    elif item.outcome:
        status = item.standing
    sent = _SENT[record.intent.regime]
    right = f"digest {wording.short_digest(record.digest)}   {sent}"
    return words.spread(f"{item.short}  {status}", right, columns - 4)


def _question(trade: Trade, scene: Scene, columns: int) -> list[str]:
    question, about = wording.one_line(trade.intent.question), trade.about(scene.now)
    if words.width(question) + words.width(about) + 6 <= columns:
        return ["  " + words.spread(question, about, columns - 7)]
    return _indented([*words.wrap(question, columns - 4), about])


def _facts(item: Listed, paint: Paint, columns: int, options: ShowOptions) -> Iterator[str]:
    """Name and value; a long value goes on under itself, a hint stands at the right end or below."""
    room = columns - _LABEL - 4
    for name, value, hint in _fact_list(item, paint, options, room):
        if name == "Page" and words.width(value) > room:
            yield f"  {name}"
            yield f"  {value}"
            continue
        fits = words.width(value) <= room
        first, *rest = [value] if fits else words.wrap(value.replace("   ", "; "), room)
        line = f"  {name:<{_LABEL}}{first}"
        if hint and not rest and words.width(line) + words.width(hint) + 4 <= columns:
            yield words.spread(line, paint.dim(hint), columns - 5)
            continue
        yield line
        yield from (" " * (_LABEL + 2) + more for more in rest)
        if hint:
            yield " " * (_LABEL + 2) + paint.dim(hint)


def _fact_list(item: Listed, paint: Paint, options: ShowOptions, room: int) -> Iterator[tuple[str, str, str]]:
    intent, trade = item.record.intent, item.trade
    yield from _money_facts(intent, trade)
    if intent.reason:
        yield "Why", wording.one_line(intent.reason), ""
    if intent.taken_back is not None:
        yield "Taken back", trade.taken_back(), ""
    if intent.model_probability is not None:
        yield "Model", _model(intent, paint), ""
    if intent.reference_price is not None or intent.best_ask is not None or intent.best_bid is not None:
        yield "Book", _book(intent), ""
    limits = _limits(intent)
    if limits:
        yield "Limits", limits, ""
    if intent.size_why:
        yield "Size", wording.one_line(intent.size_why), ""
    if intent.place:
        yield "Place", wording.one_line(intent.place), ""
    passed = sum(control.passed for control in intent.controls)
    all_ = "" if options.checks else "all of them: --checks"
    if intent.controls or intent.intent_type.places_order:
        yield "Checks", f"{passed} of {len(intent.controls)} passed", all_
    decided = item.trade.decided_by()
    if decided:
        full = "" if options.rules else "full text: --rules"
        yield "Decided by", words.cut(decided, 2 * room - 8), full
    if item.trade.page:
        yield "Page", item.trade.page, ""
    if options.exits is not None:
        yield ("Exits", *options.exits)
    yield from _standing_facts(item)


def _money_facts(intent: TradeIntent, trade: Trade) -> Iterator[tuple[str, str, str]]:
    if not intent.intent_type.places_order:
        yield "It does", trade.stake(), ""
        yield from claim_facts(intent)
        return
    fee = f" (fee {wording.money(intent.estimated_fee)} in it)" if intent.estimated_fee else ""
    if not trade.buys:
        now = f"; {wording.money(intent.estimated_cost)} at the present price{fee}"
        likely = now if intent.estimated_cost is not None else ""
        yield "You get", f"at least {wording.at_least(trade.least_received)} pUSD for what fills{likely}", ""
        yield "You give", f"{wording.count(intent.shares or ZERO)} shares of {trade.outcome} at most", ""
        return
    likely = f"; {wording.money(intent.estimated_cost)} at the present price{fee}"
    yield (
        "You pay",
        f"at most {wording.at_most(intent.max_cost)} pUSD"
        + (likely if intent.estimated_cost is not None else ""),
        "",
    )
    more = " or more" if trade.more else ""
    back, gain = wording.at_least(trade.least_shares), wording.at_least(trade.least_gain)
    yield f"If {_short(trade.outcome)}", f"{back} pUSD{more} comes back: a gain of {gain}{more}", ""
    yield f"If {_other(trade.outcome)}", "nothing comes back", ""
    if trade.break_even is not None:
        yield (
            "Break-even",
            f"{trade.outcome} has to be at least {wording.percent(trade.break_even, 1)} likely",
            "",
        )


def _short(outcome: str) -> str:
    return outcome if outcome in ("YES", "NO") else "so"


def _other(outcome: str) -> str:
    return {"YES": "NO", "NO": "YES"}.get(outcome, "not")


def _model(intent: TradeIntent, paint: Paint) -> str:
    name = f"{wording.one_line(intent.model_name)} {wording.one_line(intent.model_version)}".strip()
    if intent.model_validated:
        return f"{name}, tested on own data"
    return f"{name}, {paint.yellow('UNVALIDATED')}: published figures, not yet tested on own data"


def _book(intent: TradeIntent) -> str:
    bid, ask = (wording.price(side, intent.tick) for side in (intent.best_bid, intent.best_ask))
    age = intent.book_age_seconds
    seen = f", seen {wording.round_to(age, 1)} s before it was proposed" if age is not None else ""
    return f"bid {bid} | ask {ask}{seen}"


def _limits(intent: TradeIntent) -> str:
    found = {control.name: control for control in intent.controls}
    parts = []
    for name, title in _LIMITS:
        control = found.get(name)
        if control is not None and control.value and control.limit:
            what = title or wording.one_line(intent.category) or "category"
            parts.append(f"{what} {control.value} of {control.limit}")
    return "   ".join(parts)


def _standing_facts(item: Listed) -> Iterator[tuple[str, str, str]]:
    record = item.record
    if record.decided_at is not None:
        when = wording.clock_time(record.decided_at)
        word = "Rejected" if record.status is IntentStatus.REJECTED else "Approved"
        yield word, f"by {wording.one_line(person(record.decided_by))} at {when}", ""
    if record.result_detail:
        yield "Result", wording.one_line(record.result_detail), ""
    if record.order_id is not None and record.intent.intent_type is not IntentType.CANCEL_ORDER:
        yield "Order", record.order_id, ""


def _checks(intent: TradeIntent, columns: int) -> list[str]:
    lines = []
    for control in intent.controls:
        mark = "ok    " if control.passed else "FAILED"
        limit = f"limit {control.limit}" if control.limit and control.limit != control.value else ""
        measured = ", ".join(part for part in (control.value, limit) if part)
        found = f"{wording.one_line(measured)}  {wording.one_line(control.detail)}".strip()
        lines.append("  " + words.cut(f"{mark}  {control.name:<20}  {found}".rstrip(), columns - 2))
    return lines


def _rules(intent: TradeIntent, columns: int) -> list[str]:
    text = [
        line
        for paragraph in intent.rules_text.splitlines()
        for line in words.wrap(wording.one_line(paragraph), columns - 4)
    ]
    return [*_indented(text or ["The market has no rules text."]), f"  SHA-256 {intent.rules_hash}"]


def _next(item: Listed, columns: int) -> list[str]:
    match item.record.status:
        case IntentStatus.PENDING:
            short = item.short
            ways = [f"Approve: polyb0t intents approve {short}", f"Reject: polyb0t intents reject {short}"]
            if item.record.intent.intent_type.places_order:
                ways.insert(1, "Less: --shares 50")
            line = "    ".join(ways)
            return [line] if words.width(line) <= columns else ways
        case IntentStatus.APPROVED:
            return [f"Stop it before it is sent: polyb0t intents reject {item.short}"]
        case _ if item.record.order_id is not None:
            return [f"Follow: polyb0t orders show {item.record.order_id[:6]}"]
        case _:
            return []


_SENT: Final = {
    Regime.LIVE: "sent: at once",
    Regime.DRY_RUN: "nothing is sent",
    Regime.PAPER: "simulated, nothing is sent",
}


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def dialog(item: Listed, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """What somebody approves, in five lines; the digest stands beside the mode."""
    intent, trade = item.record.intent, item.trade
    mode = f"{scene.mode}   {scene.account}"
    first = words.spread(mode, f"digest {wording.short_digest(item.record.digest)}", min(columns, FULL) - 2)
    seconds = (intent.deadline - scene.now).total_seconds()
    why = _why(intent, paint)
    rest = f"{wording.left(seconds)} left"
    last = f"  {why}"
    fits = words.width(last) + words.width(rest) + 4 <= columns
    return [
        paint.red(first) if scene.real_money else first,
        *_indented(words.wrap(f"{trade.sentence()}: {trade.stake()}", columns - 4)),
        *_indented(words.wrap(wording.one_line(intent.question), columns - 4)),
        *_indented(_how_it_rests(trade, columns - 4)),
        *(
            [words.spread(last, rest, columns - 2)]
            if fits
            else [*_indented(words.wrap(why, columns - 4)), f"  {rest}"]
        ),
    ]


def _how_it_rests(trade: Trade, room: int) -> list[str]:
    """Of an opening that rests: for how long, and for what it is taken back. Nothing of any other trade."""
    if trade.intent.taken_back is None:
        return []
    return words.wrap(f"{trade.manner()} Taken back {trade.taken_back()}.", room)


def _why(intent: TradeIntent, paint: Paint) -> str:
    if intent.model_probability is None:
        return f"Why: {wording.one_line(intent.reason) or 'no reason was given.'}"
    at = intent.reference_price if intent.reference_price is not None else intent.best_ask
    offer = f", the offer is {wording.price(at, intent.tick)}" if at is not None else ""
    doubt = "" if intent.model_validated else " " + paint.yellow("UNVALIDATED model.")
    return f"Why: the model says {wording.percent(intent.model_probability)}{offer}.{doubt}"


def question(item: Listed, scene: Scene) -> str:
    """The one question; it names the sum where money is real."""
    if scene.real_money and item.record.intent.regime is Regime.LIVE:
        if item.trade.buys:
            most = wording.at_most(item.record.intent.max_cost)
            return f"Send a REAL order, at most {most} pUSD? [y/N]"
        if item.record.intent.intent_type is IntentType.CLAIM_SETTLEMENT:
            return f"Send a REAL claim of {wording.at_least(item.trade.brings)} pUSD? [y/N]"
        return "Send a REAL order? [y/N]"
    return "Approve? [y/N]"
