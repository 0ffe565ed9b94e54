"""What became of each proposal, and what it was worth: every one is scored alike, taken or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from polyb0t.core.units import ZERO, Price, Pusd
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.research.analytics.markouts import Horizon, Markout
from polyb0t.research.analytics.records import Records, event_of
from polyb0t.research.groups import category_of, model_of
from polyb0t.research.what_if import Fate as Decision
from polyb0t.research.what_if import fate_of

HALTED: Final = "halted"


class Fate(StrEnum):
    """The end of a proposal. The first three were approved."""

    FILLED = "filled"
    NOT_FILLED = "not filled"  # sent, or too late to be sent, and nothing was traded
    REHEARSED = "noted"  # by a dry run, which sends nothing
    REFUSED = "refused"  # by a control or a switch, after the proposal
    REJECTED = "rejected"  # by a person
    EXPIRED = "expired"  # nobody decided


def end_of(record: IntentRecord, fills: Sequence[Fill], *, over: bool) -> Fate | None:
    """None for what waits, rests, or was replaced by a newer proposal: nothing has become of it yet. `over`:
    its order has ended."""
    decision = fate_of(record)
    if decision is None:
        return None
    if decision is Decision.EXPIRED:
        return Fate.EXPIRED
    if decision is Decision.REJECTED:
        return Fate.REFUSED if record.result == HALTED else Fate.REJECTED
    if fills:
        return Fate.FILLED
    return _without_fills(record, over=over)


def _without_fills(record: IntentRecord, *, over: bool) -> Fate | None:
    if record.result == "dry_run":
        return Fate.REHEARSED
    if record.status is IntentStatus.FAILED:
        return Fate.REFUSED if record.order_id is None else Fate.NOT_FILLED
    if record.status is IntentStatus.EXPIRED:
        return Fate.NOT_FILLED
    if record.status is IntentStatus.EXECUTED and record.intent.order_type is not None:
        return Fate.NOT_FILLED if over or record.intent.order_type.takes else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One proposal. Edges and prices are pUSD a share, PnL is pUSD after fees.

    `outcome_pusd` is what its fills came to (None: a price is missing), `counterfactual_pusd` what it
    would have come to, taken at once from the book of the proposal: no more than that book showed.
    A sale is measured against keeping the shares.
    """

    record: IntentRecord
    fate: Fate | None
    event: str
    category: str
    model: str
    shares: Decimal  # that were filled; else those that the book of the proposal would have given
    cost: Decimal  # of them with fee; of a sale what it brought after it
    expected_now: Decimal | None
    expected_worst: Decimal | None
    value: Price | None  # of a share now; `over` where that is a payout
    over: bool
    outcome_pusd: Pusd | None
    counterfactual_pusd: Pusd | None
    markouts: Mapping[Horizon, Markout] = field(default_factory=dict)

    @property
    def intent(self) -> TradeIntent:
        return self.record.intent

    @property
    def opening(self) -> bool:
        return self.intent.intent_type is IntentType.OPEN_POSITION

    @property
    def filled(self) -> bool:
        return self.fate is Fate.FILLED

    @property
    def made_pusd(self) -> Pusd | None:
        """What it brought where it was filled, else what it would have brought."""
        return self.outcome_pusd if self.filled else self.counterfactual_pusd

    @property
    def cost_per_share(self) -> Decimal | None:
        return self.cost / self.shares if self.shares else None

    @property
    def expected_edge(self) -> Decimal | None:
        """The model's probability less what a share cost with everything."""
        probability, cost = self.intent.model_probability, self.cost_per_share
        if not self.opening or probability is None or cost is None:
            return None
        return probability - cost

    @property
    def realised_edge(self) -> Decimal | None:
        """What a share is worth less what it cost with everything."""
        cost = self.cost_per_share
        if not self.opening or self.value is None or cost is None:
            return None
        return self.value - cost


def score(record: IntentRecord, records: Records, markouts: Mapping[Horizon, Markout]) -> Scored:
    """One proposal with all that is known of it."""
    intent, fills = record.intent, records.fills_of.get(record.id, ())
    value = records.value_of(intent.asset_id)
    as_proposed = _as_proposed(intent)
    shares, cost = _traded(fills) if fills else as_proposed or (ZERO, ZERO)
    return Scored(
        record=record,
        fate=end_of(record, fills, over=record.id in records.over),
        event=event_of(record),
        category=category_of(record),
        model=model_of(record),
        shares=shares,
        cost=cost,
        expected_now=intent.edge_now,
        expected_worst=intent.edge_worst,
        value=value,
        over=intent.asset_id in records.pays,
        outcome_pusd=_worth(intent, _traded(fills), value),
        counterfactual_pusd=_worth(intent, as_proposed, value),
        markouts=markouts,
    )


def _traded(fills: Sequence[Fill]) -> tuple[Decimal, Decimal]:
    """Shares, and what they cost or brought with the fee."""
    shares = sum((each.shares for each in fills), ZERO)
    sign = 1 if fills and fills[0].side is Side.BUY else -1
    return shares, sum((each.notional + sign * each.fee for each in fills), ZERO)


def _as_proposed(intent: TradeIntent) -> tuple[Decimal, Decimal] | None:
    """What the book of the proposal would have given; a proposal keeps that walk of the book. None: it was
    to rest, and nobody knows whether anybody would have come."""
    shares = intent.estimated_shares if intent.estimated_shares is not None else intent.shares
    if shares is None or intent.estimated_cost is None:
        return None
    return shares, intent.estimated_cost


def _worth(intent: TradeIntent, traded: tuple[Decimal, Decimal] | None, value: Price | None) -> Pusd | None:
    """pUSD: bought and worth `value` now, or sold instead of being worth it."""
    if traded is None:
        return None
    shares, cost = traded
    if not shares:
        return Pusd(ZERO)
    if value is None:
        return None
    gained = shares * value - cost
    return Pusd(gained if intent.side is Side.BUY else -gained)
