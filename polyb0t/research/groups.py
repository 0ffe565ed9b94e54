"""The same result seen from other sides: by category, by model.

Each is a sum over a report's rows, so all of them come to the same total to the millionth.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.intents import IntentRecord, IntentType
from polyb0t.research.report_rows import MarketRow, Origin
from polyb0t.research.what_if import Fate, fate_of

T = TypeVar("T")
BY_HAND: Final = "by hand"  # of what a person thought of, without a model


class By(StrEnum):
    """What a table of a report has a row for: an outcome of a market, or one of the others."""

    MARKET = "market"
    CATEGORY = "category"
    MODEL = "model"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """pUSD. Bought, sold, paid out, fees, settled and saved are of the period; `open_pusd` stands at its
    end and is None while something held has no price."""

    name: str
    proposed: int
    approved: int
    bought_pusd: Pusd
    sold_pusd: Pusd
    paid_out_pusd: Pusd
    fees_pusd: Pusd
    settled_pusd: Pusd
    open_pusd: Pusd | None
    saved_pusd: Pusd


def origins(intents: Iterable[IntentRecord]) -> dict[AssetId, Origin]:
    """By asset; an asset that several models bought is the first one's."""
    found: dict[AssetId, Origin] = {}
    oldest_first = sorted(intents, key=lambda record: (record.intent.created_at, record.id))
    for opening in (True, False):
        for record in oldest_first:
            intent = record.intent
            if (intent.intent_type is IntentType.OPEN_POSITION) is opening:
                found.setdefault(
                    intent.asset_id,
                    Origin(intent.question, intent.outcome_label, category_of(record), model_of(record)),
                )
    return found


def category_of(record: IntentRecord) -> str:
    return record.intent.category or Origin().category


def model_of(record: IntentRecord) -> str:
    """Name and version, or that no model had the idea."""
    intent = record.intent
    return f"{intent.model_name} {intent.model_version}".strip() or BY_HAND


def group_rows(by: By, rows: Sequence[MarketRow], proposed: Iterable[IntentRecord]) -> tuple[GroupRow, ...]:
    """A row for each category or model (`by`), most money first. `proposed`: in the period."""
    of_row, of_intent = _NAMES[by]
    openings = [each for each in proposed if each.intent.intent_type is IntentType.OPEN_POSITION]
    traded, asked = _split(rows, of_row), _split(openings, of_intent)
    made = [_row(name, traded.get(name, ()), asked.get(name, ())) for name in {**traded, **asked}]
    return tuple(sorted(made, key=lambda row: (-(row.bought_pusd + row.sold_pusd), row.name)))


_NAMES: Final[dict[By, tuple[Callable[[MarketRow], str], Callable[[IntentRecord], str]]]] = {
    By.CATEGORY: (lambda row: row.category, category_of),
    By.MODEL: (lambda row: row.model, model_of),
}


def _split(items: Iterable[T], name_of: Callable[[T], str]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(name_of(item), []).append(item)
    return found


def _row(name: str, rows: Sequence[MarketRow], proposed: Sequence[IntentRecord]) -> GroupRow:
    held = [row.open_pusd for row in rows if row.shares]
    known = [value for value in held if value is not None]
    return GroupRow(
        name=name,
        proposed=len(proposed),
        approved=sum(fate_of(record) is Fate.APPROVED for record in proposed),
        bought_pusd=_sum(row.bought_pusd for row in rows),
        sold_pusd=_sum(row.sold_pusd for row in rows),
        paid_out_pusd=_sum(row.paid_out_pusd for row in rows),
        fees_pusd=_sum(row.fees_pusd for row in rows),
        settled_pusd=_sum(row.settled_pusd for row in rows),
        open_pusd=_sum(known) if len(known) == len(held) else None,
        saved_pusd=_sum(row.saved_pusd for row in rows),
    )


def _sum(values: Iterable[Pusd]) -> Pusd:
    return Pusd(sum(values, ZERO))
