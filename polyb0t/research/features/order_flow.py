"""What the book and the trades of the last minutes lean to. The first outcome's side is positive."""

from typing import Final

from polyb0t.research.features.point_in_time import Book, PointInTime

MINUTE_US: Final = 60_000_000
LEVELS: Final = 5
BOOK_US: Final = 15 * MINUTE_US  # an older book is nobody's view of now


def imbalance_best(view: PointInTime) -> float | None:
    """(bid - ask) / (bid + ask) in shares at the best prices: 1 is all bids."""
    return _imbalance(view.book, 1)


def imbalance_5(view: PointInTime) -> float | None:
    """The same over the five best levels of each side."""
    return _imbalance(view.book, LEVELS)


def microprice_less_mid(view: PointInTime) -> float | None:
    """The best prices, each weighed with the shares of the other side, less their middle; pUSD a share."""
    book = view.book
    if book is None or not book.bids or not book.asks:
        return None
    (bid, bid_shares), (ask, ask_shares) = book.bids[0], book.asks[0]
    both = bid_shares + ask_shares
    return (bid * ask_shares + ask * bid_shares) / both - (bid + ask) / 2 if both > 0 else None


def spread(view: PointInTime) -> float | None:
    """Best ask less best bid; pUSD a share."""
    book = view.book
    return book.asks[0][0] - book.bids[0][0] if book and book.bids and book.asks else None


def depth_5(view: PointInTime) -> float | None:
    """Shares on the five best levels of both sides."""
    book = view.book
    return None if book is None else _shares(book.bids, LEVELS) + _shares(book.asks, LEVELS)


def signed_volume_10m(view: PointInTime) -> float | None:
    """Shares that takers bought less those that they sold in ten minutes, where every side was told."""
    return _signed(view, 10 * MINUTE_US)


def signed_volume_1h(view: PointInTime) -> float | None:
    """The same in an hour."""
    return _signed(view, 60 * MINUTE_US)


def _imbalance(book: Book | None, levels: int) -> float | None:
    if book is None:
        return None
    bids, asks = _shares(book.bids, levels), _shares(book.asks, levels)
    return (bids - asks) / (bids + asks) if bids + asks > 0 else None


def _shares(side: object, levels: int) -> float:
    assert isinstance(side, list | tuple)
    return float(sum(shares for _, shares in side[:levels]))


def _signed(view: PointInTime, span_us: int) -> float | None:
    if view.trades is None:
        return None
    recent = [each for each in view.trades if each.at_us > view.at_us - span_us]
    return sum((each.shares for each in recent), 0.0) if all(each.known for each in recent) else None
