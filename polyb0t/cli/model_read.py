"""What the commands of `polyb0t model` do and print."""

import atexit
import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from polyb0t.cli import words
from polyb0t.cli.model_speaking import speaking
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConflictError, NotFoundError, UsageError, VenueUnreachableError
from polyb0t.execution.scope import POLYMARKET, SANDBOX
from polyb0t.research.cards import words as card_words
from polyb0t.research.cards.card import POOL_WEIGHTS, Card, make_card, nothing_to_learn
from polyb0t.research.cards.files import card_data
from polyb0t.research.cards.shelf import Shelf, Shelved
from polyb0t.research.challengers.boosted import make_boosted
from polyb0t.research.challengers.trees import library
from polyb0t.research.history.past_markets import History, read_history, write_history
from polyb0t.research.history.price_series import read_price_series
from polyb0t.runtime.activating import activate as activate_model
from polyb0t.runtime.modelling import ModelPlace, model_place, past_lines

_TOLD_EVERY: Final = 500
_VENUES: Final = (POLYMARKET, SANDBOX)
_NO_CONNECTION: Final = (
    "Check the connection; to practise without one: polyb0t sandbox, and then "
    "POLYBOT_VENUE=sandbox polyb0t model collect"
)
_COLUMNS: Final = (
    Column(""),
    Column("MODEL"),
    Column("FITTED"),
    Column("EXPIRES"),
    Column("ROWS", right=True),
    Column("MAY SPEAK IN"),
)
_CARD_COLUMNS: Final = tuple(
    Column(name, right=name in {"EVENTS", "PRICE", "MODEL"}, widest=18 if name == "CATEGORY" else None)
    for name in card_words.TABLE
)


def collect(terminal: Terminal, settings: Settings, since: str, most: int) -> None:
    """Read the venue's past into the history file.

    Raises:
        UsageError: `since` is no day. VenueUnreachableError: the file stays as it was.
    """
    place, start = model_place(settings), _day(since)

    def told(count: int) -> None:
        if count % _TOLD_EVERY == 0 and not terminal.json:
            terminal.show([f"{count:,} markets read"])

    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lines = past_lines(place, SystemClock(), since=start, most=most, told=told)
        count = write_history(place.history, lines, source=f"{place.venue} since {since}")
    except VenueUnreachableError as error:
        raise VenueUnreachableError(
            f"Nothing was collected: {error.what}",
            why=error.why,
            do=error.do if place.venue == SANDBOX else _NO_CONNECTION,
            code=error.code,
        ) from error
    if terminal.json:
        terminal.data({"markets": count, "file": str(place.history)})
        return
    terminal.show([f"{count:,} markets that are over: {place.history}", "Next: polyb0t model fit"])


def fit(terminal: Terminal, settings: Settings, path: Path | None, *, keep: bool, boosted: bool) -> None:
    """Fit and judge; with `keep` the model goes on the shelf. Every different fit is counted as a trial.

    Raises:
        NotFoundError: nothing was collected. ConfigurationError: the file cannot be used, or the library
        for trees is not installed. ConflictError: a model is to be kept, and the history is that of another
        venue. LookAheadError: a feature knows what it cannot know.
    """
    if boosted:
        library()
    place = model_place(settings)
    history = _history(place, path)
    if keep:
        _refuse_foreign(place, history)
    shelf = Shelf(place.folder)
    now = SystemClock().now()

    def make(trials: int) -> tuple[Card, str | None]:
        if boosted:
            fitted = make_boosted(history, venue=place.venue, now=now, trials=trials)
            card, text = fitted.card, fitted.text
        else:
            card, text = make_card(history, venue=place.venue, now=now, trials=trials), None
        if not card.rows:
            raise nothing_to_learn(history, now)
        return card, text

    made, trees = shelf.trial(make)
    again = keep and shelf.holds(made)
    page = shelf.put(made, trees) if keep else None
    if again:
        made = shelf.card(made.id)
    if terminal.json:
        terminal.data(card_data(made))
        return
    terminal.show(screen_of(made, terminal.columns))
    if page is not None:
        unchanged = ["Fitted already today on this history, and unchanged."] if again else []
        terminal.show(["", *unchanged, f"Its page: {page}", _next(made, shelf)])


def listed(terminal: Terminal, settings: Settings) -> None:
    """Every model of this venue."""
    place = model_place(settings)
    found = Shelf(place.folder).all()
    if terminal.json:
        terminal.data([_row_data(each) for each in found])
        return
    terminal.show([*speaking(settings, place.venue, terminal.columns), ""])
    if not found:
        terminal.show(
            [f"No model was fitted on {place.venue} yet; the published coefficients are used.",
             "To fit one: polyb0t model collect, then polyb0t model fit"]
        )  # fmt: skip
        return
    rows = [
        ["*" if each.active else "", each.id, f"{each.fitted_at:%Y-%m-%d}", f"{each.expires_at:%Y-%m-%d}",
         f"{each.rows:,}", ", ".join(each.live) or "nowhere"]
        for each in found
    ]  # fmt: skip
    terminal.show(table(_COLUMNS, rows, terminal.columns))
    terminal.show(["* is active." if any(each.active for each in found) else "None is active.",
                   f"Its evidence: polyb0t model card {found[0].id}"])  # fmt: skip


def card(terminal: Terminal, settings: Settings, prefix: str) -> None:
    """A kept card.

    Raises:
        NotFoundError: no such model.
    """
    shelf = Shelf(model_place(settings).folder)
    model = shelf.find(prefix)
    if terminal.json:
        terminal.data(card_data(shelf.card(model)))
        return
    terminal.show([*screen_of(shelf.card(model), terminal.columns), "", f"Its page: {shelf.page(model)}"])


def activate(terminal: Terminal, settings: Settings, prefix: str) -> None:
    """Make a model the one that the engine uses.

    Raises:
        NotFoundError, ConflictError: said in `Shelf`. ConfigurationError: said in `activating`.
    """
    place = model_place(settings)
    now_active = activate_model(place, Shelf(place.folder).find(prefix), SystemClock().now())
    if terminal.json:
        terminal.data(_row_data(now_active))
        return
    where, until = ", ".join(now_active.live), f"{now_active.expires_at:%Y-%m-%d}"
    said = f"{now_active.id} is active. It speaks in: {where}, until {until}."
    terminal.show([*words.wrap(said, terminal.columns), "The engine uses it from its next start."])


def deactivate(terminal: Terminal, settings: Settings) -> None:
    """Back to the published coefficients."""
    gone = Shelf(model_place(settings).folder).deactivate()
    if terminal.json:
        terminal.data({"deactivated": gone})
        return
    what = "No model was active." if gone is None else f"{gone} is no longer active."
    terminal.show([what, "The published coefficients are used from the engine's next start."])


def history_of(place: ModelPlace) -> History:
    """The collected history of a venue.

    Raises:
        NotFoundError: nothing was collected. ConfigurationError: it cannot be used.
    """
    return _history(place, None)


def _history(place: ModelPlace, path: Path | None) -> History:
    if path is not None and path.suffix == ".parquet" and path.exists():
        atexit.unregister(gc.freeze)  # the library behind it complains of whatever is left at the end
        return read_price_series(path)
    chosen = path or place.history
    if not chosen.exists():
        raise NotFoundError(
            "Nothing was fitted: there is no history." if path is None else f"Nothing was fitted: no {path}.",
            why=f"Looked for {chosen}.",
            do="Collect one: polyb0t model collect",
            code="no_history",
        )
    return read_history(chosen)


def _refuse_foreign(place: ModelPlace, history: History) -> None:
    """A history says which venue it was collected on; one in Parquet, of which nothing is licensed, does not.

    Raises:
        ConflictError: on another one.
    """
    learnt_on = history.source.partition(" ")[0]
    if learnt_on in _VENUES and learnt_on != place.venue:
        raise ConflictError(
            f"Nothing was fitted: this history was collected on {learnt_on}.",
            why=f"What was learnt there is never used on {place.venue}.",
            do="Judge it without keeping a model: polyb0t model evaluate FILE",
            code="other_venue",
        )


def screen_of(made: Card, columns: int) -> list[str]:
    """The card as a terminal shows it."""
    lines = []
    for name, value in card_words.facts(made):
        first, *more = words.wrap(value, columns - 15) or [""]
        lines += [f"{name:<13}  {first}", *(f"{'':<15}{each}" for each in more)]
    lines += ["", *words.wrap(card_words.verdict(made.overall), columns), ""]
    lines += [line for reason in card_words.reasons(made) for line in words.wrap(reason, columns)]
    rows = card_words.rows(made)
    if rows:
        lines += ["", *table(_CARD_COLUMNS, rows, columns)]
    if made.problems:
        lines += ["", "What was wrong with the data:"]
        lines += [f"  {line}" for each in made.problems for line in words.wrap(each, columns - 2)]
    return lines


def _next(made: Card, shelf: Shelf) -> str:
    if made.live:
        return f"To let it speak: polyb0t model activate {made.id}"
    active = next((each.id for each in shelf.all() if each.active and each.kind != POOL_WEIGHTS), None)
    if active is not None:
        return f"It speaks nowhere: {active} stays active."
    return "It speaks nowhere: the published coefficients stay, marked as not tested on own data."


def _row_data(each: Shelved) -> dict[str, Any]:
    return {
        "id": each.id,
        "fitted_at": each.fitted_at.isoformat(),
        "expires_at": each.expires_at.isoformat(),
        "rows": each.rows,
        "live": list(each.live),
        "active": each.active,
        "kind": each.kind,
    }


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(
            f"Nothing was collected: {text!r:.20} is no day.", do="Write it like 2025-01-01."
        ) from None
