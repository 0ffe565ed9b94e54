"""Books as the venue spells them, each encoded once and kept until it changes."""

import hashlib

from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import BookView
from polyb0t.sandbox.world import World


class Books:
    """Encoded books by token. `World.book` returns the same object until the book changes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, tuple[BookView, str, str]] = {}

    def text(self, token_id: str) -> str:
        """The book as compact JSON.

        Raises:
            KeyError: no such token.
        """
        return self._current(token_id)[1]

    def hash(self, token_id: str) -> str:
        """The hash inside that JSON."""
        return self._current(token_id)[2]

    def _current(self, token_id: str) -> tuple[BookView, str, str]:
        view = self._world.book(token_id)
        kept = self._kept.get(token_id)
        if kept is not None and kept[0] is view:
            return kept
        kept = (view, *encode_book(view))
        self._kept[token_id] = kept
        return kept


def encode_book(view: BookView) -> tuple[str, str]:
    """The book as compact JSON and its hash: SHA-1 over the same JSON with an empty hash.

    The venue changed its recipe several times, so nobody may depend on more than equality.
    """
    last = "" if view.last_price_e6 is None else e6_text(view.last_price_e6)
    version = ',"version":"v2"' if view.version == "v2" else ""
    head = (
        f'{{"market":"{view.condition_id}","asset_id":"{view.token_id}",'
        f'"timestamp":"{view.timestamp_ms}","hash":"'
    )
    tail = (
        f'","bids":[{levels_text(view.bids)}],"asks":[{levels_text(view.asks)}],'
        f'"min_order_size":"{e6_text(view.min_size_e6)}","tick_size":"{e6_text(view.tick_e6)}",'
        f'"neg_risk":{"true" if view.neg_risk else "false"},"last_trade_price":"{last}"{version}}}'
    )
    digest = hashlib.sha1((head + tail).encode(), usedforsecurity=False).hexdigest()
    return head + digest + tail, digest


def levels_text(levels: tuple[tuple[int, int], ...]) -> str:
    """Levels as JSON objects with commas between them."""
    return ",".join(f'{{"price":"{e6_text(price)}","size":"{e6_text(size)}"}}' for price, size in levels)
