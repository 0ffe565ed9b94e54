"""What one day may take from the marks of our positions, by what was recorded: shown, and decides nothing."""

from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.errors import NotFoundError
from polyb0t.core.units import Pusd
from polyb0t.models.portfolio import NO_MONEY, portfolio_of
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import scope_dir
from polyb0t.runtime.views import View, value_view

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Marks:
    """`day_loss` is exceeded on one day of twenty. `pairs` move together most, with their correlation;
    `left_out` are positions of which too little was recorded."""

    day_loss: Pusd
    observations: int
    shrinkage: float
    pairs: tuple[tuple[str, str, float], ...]
    left_out: tuple[str, ...]


def marks_view(marks: Marks) -> View:
    """The same as data."""
    return {
        "day_loss": value_view(marks.day_loss),
        "observations": marks.observations,
        "shrinkage": round(marks.shrinkage, 3),
        "pairs": [{"first": a, "second": b, "correlation": round(rho, 2)} for a, b, rho in marks.pairs],
        "left_out": list(marks.left_out),
    }


def marks_of(opened: OpenedStore) -> Marks:
    """By the newest recorded prices of what is held.

    Raises:
        NotFoundError: nothing is held, or too little was recorded of everything that is.
    """
    from polyb0t.research.comovement import LEAST, Lot, mark_risk, recorded_mids  # noqa: PLC0415 - arrays

    fills, booked = opened.stores.orders.fills(), opened.stores.books.movements()
    held = tuple(portfolio_of(fills, starting_cash=NO_MONEY, booked=booked).held())
    if not held:
        raise _nothing("Nothing is held.", "Buy something first: polyb0t intents list")
    folder = scope_dir(opened.settings, opened.scope) / "record"
    mids = recorded_mids(folder, [position.asset_id for position in held])
    names = _names(opened)
    lots = []
    for each in held:
        seen = mids[each.asset_id]
        price = seen[max(seen)] if seen else 0.5
        lots.append(Lot(each.asset_id, names.get(each.asset_id, each.asset_id), float(each.shares), price))
    found = mark_risk(lots, mids)
    if found is None:
        why = f"It takes {LEAST} changes over six hours, seen of a market without a gap: about two weeks."
        raise _nothing(why, "Let it record (POLYBOT_RECORD), and look again.")
    loss = Pusd(Decimal(str(found.day_loss)).quantize(_CENT))
    return Marks(loss, found.observations, found.shrinkage, found.pairs, found.left_out)


def _names(opened: OpenedStore) -> dict[str, str]:
    """Question and outcome by asset, as the newest intents have them."""
    records = opened.stores.intents.list(limit=500)
    return {
        record.intent.asset_id: f"{record.intent.question} {record.intent.outcome_label}"
        for record in reversed(records)
    }


def _nothing(why: str, do: str) -> NotFoundError:
    return NotFoundError(
        "Nothing shown: what one day may take by prices is not known.", why=why, do=do, code="no_marks"
    )
