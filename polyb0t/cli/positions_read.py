"""`positions`: every holding with what it cost and what the bid would bring."""

from decimal import Decimal

from polyb0t.cli import words
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint, Terminal
from polyb0t.core.units import ONE, ZERO
from polyb0t.execution.scope import Regime
from polyb0t.models import wording
from polyb0t.runtime.exit_column import WAITS
from polyb0t.runtime.holdings import FIELDS, Holding, Holdings, read_holdings, short_ids
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.resolution_notes import WORDS
from polyb0t.runtime.views import View, foreign_position_view

_COLUMNS = (
    Column("ID"),
    Column("HOLDING", widest=30),
    Column("MARKET", widest=28),
    Column("PAID", right=True),
    Column("BID", right=True),
    Column("VALUE", right=True),
    Column("GAIN", right=True),
    Column("", right=True),
    Column("EXIT"),
)


def show(terminal: Terminal, opened: OpenedStore) -> None:
    """Print the holdings."""
    holdings = read_holdings(opened.stores)
    if terminal.json:
        terminal.data(position_rows(holdings))
        return
    scene = look(opened)
    terminal.show(positions_screen(holdings, scene, terminal.paint, terminal.columns))


def position_rows(holdings: Holdings) -> list[View]:
    """Ours, then what is from elsewhere, told apart by `foreign`; of those what we do not know is None."""
    ours: list[View] = [{**holding.view(), "foreign": False} for holding in holdings.ours]
    unknown = dict.fromkeys(FIELDS)
    return [
        *ours,
        *({**unknown, **foreign_position_view(each), "foreign": True} for each in holdings.foreign),
    ]


def positions_screen(holdings: Holdings, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The whole screen."""
    lines = [*context_line(scene, paint, columns).split("\n"), ""]
    ids = short_ids(holdings.ours)
    rows = [_row(holding, paint, ids[holding.position.asset_id]) for holding in holdings.ours]
    if not rows:
        lines.append("Nothing is held that polyb0t bought.")
        if scene.regime is Regime.DRY_RUN:
            lines.append(
                "This is a dry run: approved trades are noted, nothing is bought. make practice buys."
            )
    elif columns < MEDIUM:
        lines += [line for row in rows for line in _card(row, columns)]
        lines += words.fold(_total(holdings), columns)
    else:
        lines += table(_COLUMNS, rows, columns)
        lines += words.fold(_total(holdings), columns)
    lines += [line for sentence in _not_fresh(holdings) for line in words.wrap(sentence, columns)]
    lines += _next(holdings, columns)
    if holdings.foreign:
        lines += ["", "Not from polyb0t: counted, never touched"]
        lines += [
            words.cut(
                f"  {wording.shares(each.shares)} {wording.outcome(each.outcome_label)}  "
                f"{wording.one_line(each.question)}",
                columns,
            )
            for each in holdings.foreign
        ]
    if holdings.account is not None and "positions" in holdings.account.missing:
        why = wording.one_line(holdings.account.missing["positions"])
        lines += words.wrap(f"The exchange's own list of positions was not read: {why}", columns)
    return lines


def _next(holdings: Holdings, columns: int) -> list[str]:
    """What a person can do, complete with an id."""
    ids = short_ids(holdings.ours)
    sold = [each for each in holdings.ours if not each.redeemable]
    waits = [each for each in sold if each.exit == WAITS]
    ways = [f"Sell now: polyb0t positions close {ids[each.position.asset_id]}" for each in sold[:1]]
    ways += [
        f"Approve its exits: polyb0t positions protect {ids[each.position.asset_id]}" for each in waits[:1]
    ]
    line = "      ".join(ways)
    return [line] if ways and words.width(line) <= columns else ways


def _not_fresh(holdings: Holdings) -> list[str]:
    """Which prices are old, in so many words: a value that is said without its age is believed."""
    ids, sentences = short_ids(holdings.ours), []
    for holding in holdings.ours:
        name, age = ids[holding.position.asset_id], holding.age_seconds
        if holding.resolution in WORDS:
            sentences.append(f"{name}: {WORDS[holding.resolution]}.")
        if holding.stale and holding.bid is None:
            sentences.append(f"{name} has no bid and counts at cost.")
        elif holding.stale and age is not None:
            sentences.append(f"The bid of {name} is {wording.span(int(age))} old.")
    return sentences


def _row(holding: Holding, paint: Paint, short: str) -> list[str]:
    position, intent = holding.position, holding.intent
    cost = position.average_cost
    return [
        short,
        f"{wording.shares(position.shares)} {wording.outcome(intent.outcome_label)}",
        words.cut(wording.one_line(intent.question), 28),
        "-" if cost is None else f"{wording.round_to(cost * 100, 1)}¢",
        _bid(holding),
        wording.money(holding.value),
        _colour(holding.gain, wording.money(holding.gain, sign=True), paint),
        _relative(holding, paint),
        holding.exit,
    ]


def _bid(holding: Holding) -> str:
    """A lost position is redeemable too, and brings nothing; one of a split pot brings its part."""
    if holding.redeemable and holding.bid in (ZERO, ONE):
        return "won" if holding.bid else "lost"
    return wording.price(holding.bid, holding.intent.tick)


def _relative(holding: Holding, paint: Paint) -> str:
    if holding.gain is None or not holding.position.cost:
        return ""
    share = wording.round_to(holding.gain / holding.position.cost * 100, 1)
    return _colour(holding.gain, f"{share:+.1f}%", paint)


def _colour(gain: Decimal | None, text: str, paint: Paint) -> str:
    if gain is None or gain == 0:
        return text
    return paint.green(text) if gain > 0 else paint.red(text)


def _card(row: list[str], columns: int) -> list[str]:
    lines = [f"{row[0]}  {row[1]}  {row[6]} {row[7]}", "      " + words.cut(row[2], columns - 6)]
    return [*lines, "      " + words.cut(f"exit: {row[8]}", columns - 6)] if row[8] else lines


def _total(holdings: Holdings) -> str:
    value = holdings.value
    gain = None if value is None else value - holdings.cost
    return (
        f"Total at bid {wording.money(value)}   paid {wording.money(holdings.cost)}   "
        f"gain {wording.money(gain, sign=True)} pUSD. PAID has the fee in it; "
        f"{wording.shares(holdings.provisional)} provisional."
    )
