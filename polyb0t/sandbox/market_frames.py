"""World events as texts of the market socket. A text names its token, or nobody in particular."""

from collections.abc import Iterator
from typing import Final

import msgspec

from polyb0t.sandbox.books import Books
from polyb0t.sandbox.gamma_json import fee_schedule, iso_ms
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import (
    BookEvent,
    LastTrade,
    LevelChange,
    MarketResolved,
    MarketSpec,
    NewMarket,
    PriceChange,
    TickSizeChange,
    WorldEvent,
)
from polyb0t.sandbox.world import World

_MILLION: Final = 1_000_000
Texts = Iterator[tuple[str, str]]


class MarketFrames:
    """Encodes events of one world."""

    def __init__(self, world: World, books: Books) -> None:
        self._world = world
        self._books = books
        self._best: dict[str, tuple[int | None, int | None]] = {}

    def tokens_of(self, event: WorldEvent) -> tuple[str, ...]:
        """Whose listeners an event concerns."""
        match event:
            case PriceChange():
                return tuple({change.token_id for change in event.changes})
            case LastTrade():
                return (event.token_id,)
            case BookEvent() | MarketResolved() | TickSizeChange():
                return event.token_ids
            case _:
                return ()

    def snapshot(self, token_id: str) -> str:
        """A book for a new listener, who needs to hear of the next best price that differs from it."""
        view = self._world.book(token_id)
        self._best[token_id] = (
            view.bids[-1][0] if view.bids else None,
            view.asks[-1][0] if view.asks else None,
        )
        return self.book(token_id)

    def book(self, token_id: str) -> str:
        """The whole book."""
        return self._books.text(token_id)[:-1] + ',"event_type":"book"}'

    def plain(self, event: WorldEvent) -> Texts:
        """What everybody hears: (token, text); an empty token is for every listener of the market."""
        match event:
            case PriceChange():
                yield "", self._price_change(event)
            case BookEvent():
                for token in event.token_ids:
                    yield token, self.book(token)
            case LastTrade():
                yield event.token_id, _text(_last_trade(event))
            case TickSizeChange():
                for token in event.token_ids:
                    yield token, _text(_tick_change(event, token))
            case _:
                return

    def custom(self, event: WorldEvent) -> Texts:
        """What only those hear who enabled the custom features."""
        match event:
            case PriceChange():
                yield from self._best_changes(event)
            case MarketResolved():
                yield "", _text(self._resolved(event))
            case _:
                return

    def _price_change(self, event: PriceChange) -> str:
        hashes = {change.token_id: "" for change in event.changes}
        for token in hashes:
            hashes[token] = self._books.hash(token)
        changes = ",".join(_level(change, hashes[change.token_id]) for change in event.changes)
        return (
            f'{{"market":"{event.condition_id}","price_changes":[{changes}],'
            f'"timestamp":"{event.at_ms}","event_type":"price_change"}}'
        )

    def _best_changes(self, event: PriceChange) -> Texts:
        for change in event.changes:
            best = (change.best_bid_e6, change.best_ask_e6)
            if self._best.get(change.token_id) == best:
                continue
            self._best[change.token_id] = best
            yield change.token_id, _best_bid_ask(event, change)

    def opened(self, event: NewMarket) -> str:
        """A new market, of which every listener with the custom features hears, whatever it listens to."""
        spec = self._world.market(event.condition_id).spec
        return _text(
            _about(spec) | _terms(spec) | {"timestamp": str(event.at_ms), "event_type": "new_market"}
        )

    def _resolved(self, event: MarketResolved) -> dict[str, object]:
        spec = self._world.market(event.condition_id).spec
        return _about(spec) | {
            "winning_asset_id": event.winning_token_id or None,
            "winning_outcome": event.winning_outcome or None,
            "timestamp": str(event.at_ms),
            "event_type": "market_resolved",
        }


def _about(spec: MarketSpec) -> dict[str, object]:
    return {
        "id": spec.gamma_id,
        "market": spec.condition_id,
        "assets_ids": list(spec.token_ids),
        "event_message": {
            "id": spec.event_id,
            "ticker": spec.event_slug,
            "slug": spec.event_slug,
            "title": spec.event_title,
            "description": spec.description,
        },
        "tags": list(spec.tags),
    }


def _terms(spec: MarketSpec) -> dict[str, object]:
    start = spec.game_start_ms
    return {
        "question": spec.question,
        "slug": spec.slug,
        "description": spec.description,
        "outcomes": list(spec.outcomes),
        "condition_id": spec.condition_id,
        "active": True,
        "clob_token_ids": list(spec.token_ids),
        "sports_market_type": "",
        "line": "",
        "game_start_time": "" if start is None else iso_ms(start),
        "order_price_min_tick_size": e6_text(spec.tick_e6),
        "group_item_title": spec.group_item_title,
        "taker_base_fee": "1000",
        "fees_enabled": spec.fees_enabled,
        "fee_schedule": fee_schedule(spec),
    }


def _text(body: dict[str, object]) -> str:
    return msgspec.json.encode(body).decode()


def _level(change: LevelChange, book_hash: str) -> str:
    bid = e6_text(change.best_bid_e6 or 0)
    ask = e6_text(_MILLION if change.best_ask_e6 is None else change.best_ask_e6)
    return (
        f'{{"asset_id":"{change.token_id}","price":"{e6_text(change.price_e6)}",'
        f'"size":"{e6_text(change.size_e6)}","side":"{change.side.value}","hash":"{book_hash}",'
        f'"best_bid":"{bid}","best_ask":"{ask}"}}'
    )


def _best_bid_ask(event: PriceChange, change: LevelChange) -> str:
    bid = change.best_bid_e6 or 0
    ask = _MILLION if change.best_ask_e6 is None else change.best_ask_e6
    return (
        f'{{"market":"{event.condition_id}","asset_id":"{change.token_id}",'
        f'"best_bid":"{e6_text(bid)}","best_ask":"{e6_text(ask)}","spread":"{e6_text(ask - bid)}",'
        f'"timestamp":"{event.at_ms}","event_type":"best_bid_ask"}}'
    )


def _last_trade(event: LastTrade) -> dict[str, object]:
    return {
        "market": event.condition_id,
        "asset_id": event.token_id,
        "price": e6_text(event.price_e6),
        "size": e6_text(event.size_e6),
        "side": str(event.side),
        "fee_rate_bps": "0",
        "transaction_hash": event.transaction_hash,
        "timestamp": str(event.at_ms),
        "event_type": "last_trade_price",
    }


def _tick_change(event: TickSizeChange, token: str) -> dict[str, object]:
    return {
        "market": event.condition_id,
        "asset_id": token,
        "old_tick_size": e6_text(event.old_tick_e6),
        "new_tick_size": e6_text(event.new_tick_e6),
        "timestamp": str(event.at_ms),
        "event_type": "tick_size_change",
    }
