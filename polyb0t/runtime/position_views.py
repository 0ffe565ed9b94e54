"""A held position as the exit rules see it: its purchases, the market at entry, the market now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId
from polyb0t.core.units import Price, Shares, parse_decimal
from polyb0t.data.fills import Fill
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.exit_rules import Entry, ExitView, HeldPosition, entry_of
from polyb0t.models.fees import effective_fee
from polyb0t.models.portfolio import Position, entry_bid
from polyb0t.models.signals import OTHERS, Belief, MarketState, ProbabilityModel, ProbEstimate
from polyb0t.runtime.standing_terms import orders_behind
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger(__name__)

ENTERED: Final = "position.entered"
LEARN_EVERY_SECONDS: Final = 300.0


class MarketLookup(Protocol):
    """Reads markets that the catalogue does not list any more, and terms."""

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]: ...
    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]: ...


@dataclass
class PositionViews:
    """Used by one thread. What never changes is read once."""

    stores: Stores
    lease: Lease
    watch: MarketWatch
    model: ProbabilityModel
    clock: Clock
    lookup: MarketLookup
    _entries: dict[IntentId, Entry] = field(default_factory=dict)
    _known: dict[OrderId, TradeIntent] = field(default_factory=dict)
    _learnt_at: dict[ConditionId, float] = field(default_factory=dict)

    def learn(self, held: Sequence[Position]) -> None:
        """Markets and terms of what is held that the catalogue does not list: small, ending, or closed."""
        watch, now = self.watch, self.clock.boot_seconds()
        missing = [
            position.condition_id
            for position in held
            if (watch.market(position.condition_id) is None or watch.terms(position.condition_id) is None)
            and now - self._learnt_at.get(position.condition_id, float("-inf")) >= LEARN_EVERY_SECONDS
        ]
        if not missing:
            return
        self._learnt_at.update(dict.fromkeys(missing, now))
        watch.learn(self.lookup.markets_of(missing), self.lookup.terms(missing))

    def view(
        self, position: Position, fills: Sequence[Fill], openings: Sequence[TradeIntent]
    ) -> ExitView | None:
        watch = self.watch
        market = watch.market(position.condition_id)
        book, terms = watch.book(position.asset_id), watch.terms(position.condition_id)
        if market is None or book is None:
            return None
        bid = entry_bid(fills, position.asset_id, lambda order: self._opening(order).best_bid)
        entry = self._entry(openings[-1], position)
        held = HeldPosition(
            asset_id=position.asset_id,
            condition_id=position.condition_id,
            shares=position.shares,
            closable=position.closable(Shares(Decimal(0))),
            cost=position.cost,
            entry=replace(entry, bid=bid if bid is not None else entry.bid),
        )
        now = self.clock.now()
        return ExitView(
            held, now, market, book, effective_fee(market, terms), self.belief(market, held.asset_id, now)
        )

    def _entry(self, opening: TradeIntent, position: Position) -> Entry:
        """The market at entry: spread by the opening's own quotes, depth as it was when it was first seen
        held. Written down once, so that a restart compares with the same."""
        known = self._entries.get(opening.id)
        if known is not None:
            return known
        subject = f"position:{opening.id}"
        entry = self._remembered(subject)
        if entry is None:
            book = self.watch.book(position.asset_id)
            if book is None:
                return Entry()
            spread = book.spread
            if opening.best_ask is not None and opening.best_bid is not None:
                spread = opening.best_ask - opening.best_bid
            entry = replace(entry_of(book), spread=spread)
            payload = {"bid": entry.bid, "spread": entry.spread, "bid_depth": entry.bid_depth}
            self.stores.engine.note(
                self.lease, kind=ENTERED, subject=subject, payload=payload, actor="engine"
            )
        self._entries[opening.id] = entry
        return entry

    def _remembered(self, subject: str) -> Entry | None:
        found = self.stores.engine.latest_entry(subject)
        return None if found is None else _entry_from(found.payload)

    def belief(self, market: Market, asset_id: AssetId, now: datetime) -> Belief | None:
        """The present model's view of one outcome; None where it does not speak, or cannot.

        Whatever goes wrong in a model keeps no other rule from selling: a stop does not need its view.
        """
        state = self.watch.state(market, now)
        try:
            estimate = self.model.estimate_all([state, *self._others(state)])[0]
        except Exception:
            log.exception("model.failed", model=self.model.name, condition_id=market.condition_id)
            return None
        if not isinstance(estimate, ProbEstimate):
            return None
        return estimate.belief(0 if asset_id == market.outcomes[0].asset_id else 1)

    def _others(self, state: MarketState) -> list[MarketState]:
        """The markets beside it, for a model that learns from them."""
        if OTHERS not in self.model.requires:
            return []
        mine = state.market.condition_id
        return [each for each in self.watch.states(state.now) if each.market.condition_id != mine]

    def openings(self, fills: Sequence[Fill]) -> Sequence[TradeIntent]:
        """The purchases behind what is held, oldest first, since it was last nothing."""
        return [self._opening(order) for order in orders_behind(fills)]

    def _opening(self, order: OrderId) -> TradeIntent:
        """An intent never changes, so it is read once."""
        if order not in self._known:
            intent_id = self.stores.orders.order(order).intent_id
            self._known[order] = self.stores.intents.get(intent_id).intent
        return self._known[order]


def _entry_from(payload: str) -> Entry:
    """What was written down at entry; what cannot be read is not known."""
    content = json.loads(payload)

    def figure(name: str) -> Decimal | None:
        value = content.get(name)
        return None if value is None else parse_decimal(value)

    bid, spread, depth = figure("bid"), figure("spread"), figure("bid_depth")
    return Entry(None if bid is None else Price(bid), spread, None if depth is None else Shares(depth))
