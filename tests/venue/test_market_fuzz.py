"""Whatever arrives, a reader gives a value or a named refusal, and nothing else.

Two kinds of input: arbitrary bytes and JSON, and recorded answers with a few places changed.
"""

import copy
import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyb0t.core.units import ZERO
from polyb0t.venue.account_parsing import parse_order, parse_positions_v2
from polyb0t.venue.answers import parse_post_order
from polyb0t.venue.book_parsing import parse_book, parse_books
from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import parse_frame
from polyb0t.venue.gamma import parse_markets
from polyb0t.venue.parsing import Refused, decode_json
from polyb0t.venue.terms import parse_terms
from polyb0t.venue.trade_parsing import parse_trades, parse_user_frame
from tests.support.clock import FakeClock
from tests.support.shared import shared_path
from tests.venue.recorded import NOW, frame_texts, rows_of

SOURCES = {
    "xi": "gamma/2026-08-16_market_xi-out_open_include_tag_chloepike.json",
    "keyset": "gamma/2026-10-02_markets-keyset_esports_uma-proposed_1of3_farrellm.json",
    "event": "gamma/2026-03-11_event_negrisk_dem-nominee-2028_nautilus.json",
    "search": "gamma/2026-03_public-search_nautilus.json",
    "legacy": "gamma/legacy2020_market_closed_zero_zero_nautilus.json",
    "book": "clob_rest/2026-08-03_book_empty_ask_nautilus.json",
    "books": "clob_rest/2024-10-13_book_thin_nautilus.json",
    "terms": "clob_rest/2026-08-16_clob-markets_cid_xi_chloepike.json",
    "user_trade": "ws_user/2024-09-09_user_trade1_nautilus.json",
    "user_order": "ws_user/2024-09-09_order_placement_nautilus.json",
    "post_order": "clob_auth/2026-05-08_post-order_matched_market_buy_FOK_sigtype3_trebuchet.json",
    "trades": "ws_user/2024-09-11_trades_nautilus.json",
    "burst": "ws_market/2026-09-29_book_then_15_price_change_burst_TRUNCATED_nautilus.json",
}
FEW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -1, 0, 1, 2**63, 2**256]),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "NaN",
            "Infinity",
            "-0",
            "1e999999999",
            "1e-999999999",
            "0.5_0",
            "٣",
            "\ud800",
            "\x1b[2J",
            "0x",
            "v2",
            "v3",
            "2026-13-45T99:99:99Z",
            "2026-01-01T00:00:00",
            "[]",
            '["a"]',
            "[1,2]",
            "[[[[",
            "1 2",
            "9" * 5_000,
            "null",
            "0001-01-01T00:00:00+14:00",
        ]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from([float("nan"), float("inf"), 0.1]),
)
arbitrary_json = st.recursive(
    hostile,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@cache
def recorded(name: str) -> Any:
    raw = json.loads(shared_path(f"recorded/{SOURCES[name]}").read_text(encoding="utf-8"))
    for row in rows_of(raw):
        row.setdefault("version", "v1")
    return raw


def places(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a decoded document."""
    found: list[tuple[Any, Any]] = []
    stack = [raw]
    while stack:
        item = stack.pop()
        keys = list(item) if isinstance(item, dict) else list(range(len(item)))
        for key in keys:
            found.append((item, key))
            if isinstance(item[key], (dict, list)):
                stack.append(item[key])
    return found


def mutated(name: str, seed: int, values: list[Any]) -> Any:
    """The recording with as many places replaced, removed or doubled as there are values."""
    document, chance = copy.deepcopy(recorded(name)), random.Random(seed)
    for value in values:
        spots = places(document)
        if not spots:
            break
        container, key = chance.choice(spots)
        match chance.randrange(4):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _:
                container[key] = value
    return document


def take_markets(raw: Any) -> None:
    for market in parse_markets(raw, NOW).markets:
        assert market.version in ("v1", "v2")
        assert len({outcome.asset_id for outcome in market.outcomes}) == 2
        assert market.tick is None or 0 < market.tick < 1
        assert market.question.isprintable()


def take_book(raw: Any) -> None:
    sound(parse_book(json.dumps(raw).encode("utf-8", "surrogatepass"), NOW))


def take_books(raw: Any) -> None:
    for book in parse_books(json.dumps([raw, raw]).encode("utf-8", "surrogatepass"), NOW).books:
        sound(book)


def take_terms(raw: Any) -> None:
    terms = parse_terms(raw, NOW)
    assert 0 < terms.tick < 1
    assert terms.min_shares >= 0


def take_frames(raw: Any) -> None:
    books = BookCache(FakeClock())
    frame = parse_frame(json.dumps(raw), NOW)
    for event in frame.events:
        books.apply(event)
    for asset in [change["asset_id"] for change in find_changes(raw)]:
        if isinstance(asset, str) and (book := books.get(asset)) is not None:  # type: ignore[arg-type]
            sound(book)


def find_changes(raw: Any) -> list[Any]:
    return (
        [container for container, key in places(raw) if key == "asset_id"]
        if isinstance(raw, (dict, list))
        else []
    )


def sound(book: Any) -> None:
    assert list(book.bids) == sorted(book.bids, reverse=True)
    assert list(book.asks) == sorted(book.asks)
    assert all(0 < level.price < 1 and level.shares > ZERO for level in (*book.bids, *book.asks))
    assert book.spread is None or book.spread > 0


READERS: dict[str, Callable[[Any], object]] = {
    "xi": take_markets,
    "keyset": take_markets,
    "event": take_markets,
    "search": take_markets,
    "legacy": take_markets,
    "book": take_book,
    "books": take_books,
    "terms": take_terms,
    "burst": take_frames,
    "user_trade": parse_user_frame,
    "user_order": parse_user_frame,
    "post_order": lambda raw: parse_post_order(json.dumps(raw)),
    "trades": lambda raw: parse_trades([raw]),
    "positions": parse_positions_v2,
    "order": parse_order,
}


def value_or_refusal(read: Callable[[Any], object], raw: Any) -> None:
    try:
        read(raw)
    except Refused as refused:
        if not (refused.code and refused.what):
            pytest.fail("a refusal without a name")


@pytest.mark.parametrize("name", sorted(SOURCES))
@FEW
@given(seed=st.integers(0, 2**32), values=st.lists(hostile, min_size=1, max_size=4))
def test_a_changed_recording_gives_a_value_or_a_named_refusal(
    name: str, seed: int, values: list[Any]
) -> None:
    value_or_refusal(READERS[name], mutated(name, seed, values))


@FEW
@given(raw=arbitrary_json)
def test_any_json_gives_a_value_or_a_named_refusal(raw: Any) -> None:
    for read in set(READERS.values()):
        value_or_refusal(read, raw)


@FEW
@given(body=st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_named_refusal(body: bytes) -> None:
    value_or_refusal(decode_json, body)
    value_or_refusal(lambda text: parse_book(text, NOW), body)
    value_or_refusal(lambda text: parse_books(text, NOW), body)
    parse_frame(body, NOW)


@pytest.mark.parametrize("name", sorted(SOURCES))
@FEW
@given(cut=st.floats(0, 1), flip=st.integers(0, 2**32))
def test_damaged_bytes_of_a_recording_give_a_value_or_a_named_refusal(
    name: str, cut: float, flip: int
) -> None:
    body = bytearray(shared_path(f"recorded/{SOURCES[name]}").read_bytes())
    body = body[: int(len(body) * cut)]
    if body:
        body[flip % len(body)] ^= 1 + flip % 255
    whole = bytes(body)
    value_or_refusal(lambda data: parse_markets(decode_json(data), NOW), whole)
    value_or_refusal(lambda data: parse_books(data, NOW), whole)
    parse_frame(whole, NOW)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000],
    ids=["lists", "objects", "closed"],
)
def test_nesting_without_end_is_a_refusal(body: bytes) -> None:
    with pytest.raises(Refused, match=r"nested too deeply|not JSON"):
        decode_json(body)
    assert parse_frame(body, NOW).refused
    with pytest.raises(Refused):
        parse_book(body, NOW)
    with pytest.raises(Refused):
        parse_books(body, NOW)


def test_recorded_frames_survive_any_order() -> None:
    path = shared_path("recorded/" + SOURCES["burst"])
    events = [event for text in frame_texts(path) for event in parse_frame(text, NOW).events]
    for seed in range(20):
        books = BookCache(FakeClock())
        for event in random.Random(seed).sample(events, len(events)):
            books.apply(event)
