"""What an answer to an order proves. A timeout is not a refusal, and neither is an unknown text.

Accepted, no fill and refused need proof; everything else is unknown, and
an answer that names an order other than ours stops all sends. Texts are those that the exchange
documents as examples (vendor, 2026), compared from their beginning.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from polyb0t.core.ids import OrderId
from polyb0t.core.units import Pusd
from polyb0t.execution.gateway import Accepted, AcceptedStatus, NoFill, Refused, SendOutcome, Unknown
from polyb0t.venue import parsing
from polyb0t.venue.parsing import Wire, as_object, decimal, decode_json, text

_LONGEST_TEXT: Final = 500
_ORDER_ID: Final = re.compile(r"0x[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_PREFIX: Final = r"^(?:order 0x[0-9a-f]{64} (?:is invalid\.?[ :]*)?)?"
_REFUSING_STATUSES: Final = frozenset({400, 401, 403, 404})

# Seen once means accepted once: these say nothing about what became of the order.
_SAYS_NOTHING: Final = re.compile(r"duplicated|already exists|context canceled|delayed", re.IGNORECASE)

_NO_FILL: Final = re.compile(
    r"^(?:order couldn't be fully filled\. FOK orders are fully filled or killed"
    r"|no orders found to match with FAK order\.)",
    re.IGNORECASE,
)

_REFUSALS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (code, re.compile(_PREFIX + pattern, re.IGNORECASE))
    for code, pattern in (
        ("not_enough_balance", r"not enough balance / allowance: the balance is not enough"),
        ("not_enough_allowance", r"not enough balance / allowance: the allowance is not enough"),
        ("not_enough_balance", r"not enough balance / allowance"),
        ("off_tick", r"price \([^)]*\) breaks minimum tick size rule"),
        ("below_minimum", r"size \([^)]*\) lower than the minimum"),
        ("below_minimum", r"invalid amount for a marketable buy order"),
        ("bad_amounts", r"invalid amounts, "),
        ("would_cross", r"crosses the book"),
        ("would_cross", r"invalid post-only order: order crosses book"),
        ("bad_order", r"invalid post-only order: only GTC and GTD order types are allowed"),
        ("bad_order", r"invalid order payload"),
        ("bad_order", r"invalid expiration"),
        ("bad_signature", r"invalid signature$"),
        ("bad_signature", r"order_version_mismatch$"),
        ("bad_signature", r"invalid order version"),
        ("wrong_wallet", r"the order owner has to be the owner of the API KEY"),
        ("wrong_wallet", r"the order signer address has to be the address of the API KEY"),
        ("wrong_wallet", r"maker address not allowed, please use the deposit wallet flow"),
        ("account_restricted", r"'?0x[0-9a-f]{40}'? address (?:banned|in closed only mode)"),
        ("market_not_open", r"the market is not yet ready to process new orders"),
        ("geoblocked", r"trading restricted in your region"),
        ("unauthorised", r"unauthorized/invalid api key"),
    )
)


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """A 200 to an order as the exchange wrote it. Amounts are what matched at once; None when not told."""

    success: bool
    error: str
    order_id: str
    status: str
    making: Pusd | None
    taking: Pusd | None
    trade_ids: tuple[str, ...]
    transaction_hashes: tuple[str, ...]


def parse_post_order(body: bytes | str) -> PostAnswer:
    """The body of a 200.

    Raises:
        parsing.Refused: it is not one.
    """
    raw = as_object(decode_json(body), "the answer")
    success = parsing.flag(raw, "success")
    if success is None:
        raise parsing.Refused("malformed", "success is missing")
    making, taking = decimal(raw, "makingAmount"), decimal(raw, "takingAmount")
    return PostAnswer(
        success=success,
        error=text(raw, "errorMsg"),
        order_id=text(raw, "orderID"),
        status=text(raw, "status").lower(),
        making=None if making is None else Pusd(making),
        taking=None if taking is None else Pusd(taking),
        trade_ids=tuple(parsing.texts(raw, "tradeIDs", most=10_000) or ()),
        transaction_hashes=tuple(parsing.texts(raw, "transactionsHashes", most=10_000) or ()),
    )


def classify(status: int, headers: Mapping[str, str], body: bytes, ours: OrderId) -> SendOutcome:
    """What this answer proves about our order. `headers` have lower-case names. Never raises."""
    foreign = _foreign_id(body, ours)
    if foreign:
        return Unknown(f"HTTP {status} names another order: {foreign}", foreign_id=True)
    if status == 200:
        return _of_success(body, ours)
    if status == 429:
        return _of_rate_limit(headers, body)
    if status not in _REFUSING_STATUSES:
        return Unknown(f"HTTP {status}: {_short(body)}")
    return _of_error(status, body)


def _of_success(body: bytes, ours: OrderId) -> SendOutcome:
    try:
        answer = parse_post_order(body)
    except parsing.Refused as refused:
        return Unknown(f"HTTP 200 that can not be read: {refused.what}")
    if not answer.success or answer.error:
        return Unknown(f"HTTP 200 with an error text: {_clean(answer.error) or 'no success'}")
    if answer.order_id.lower() != ours:
        return Unknown("HTTP 200 that names no order")
    try:
        return Accepted(AcceptedStatus(answer.status), answer.trade_ids)
    except ValueError:
        return Unknown(f"HTTP 200 with the status {_clean(answer.status)!r}")


def _of_rate_limit(headers: Mapping[str, str], body: bytes) -> SendOutcome:
    """The exchange's own limiter refuses before matching; anything in front of it proves nothing."""
    if any(name.startswith("poly-ratelimit-") for name in headers):
        return Refused("rate_limited", _short(body))
    return Unknown(f"HTTP 429 without the exchange's own headers: {_short(body)}")


def _of_error(status: int, body: bytes) -> SendOutcome:
    words = _error_text(body)
    if words is None:
        return Unknown(f"HTTP {status} that is not the exchange's JSON: {_short(body)}")
    if _SAYS_NOTHING.search(words):
        return Unknown(f"HTTP {status}: {words}")
    if status == 400 and _NO_FILL.search(words):
        return NoFill(words)
    for code, pattern in _REFUSALS:
        if pattern.search(words):
            return Refused(code, words)
    return Unknown(f"HTTP {status} with a text that is not known: {words}")


def _error_text(body: bytes) -> str | None:
    """The one error text of a JSON object; None where there is none."""
    try:
        raw: Wire = as_object(decode_json(body), "the answer")
        words = text(raw, "error", longest=10_000) or text(raw, "errorMsg", longest=10_000)
    except parsing.Refused:
        return None
    return _clean(words) or None


def _foreign_id(body: bytes, ours: OrderId) -> str:
    """An order id in the answer that is not ours: under its own name, or quoted in an error text."""
    try:
        raw = as_object(decode_json(body), "the answer")
    except parsing.Refused:
        return ""
    named = raw.get("orderID") or raw.get("orderId") or raw.get("order_id")
    if isinstance(named, str) and named.lower() != ours:
        return _clean(named)
    words = raw.get("error") or raw.get("errorMsg")
    quoted = _ORDER_ID.findall(words) if isinstance(words, str) else []
    return next((one for one in quoted if one.lower() != ours), "")


def _short(body: bytes) -> str:
    """The answer's own words, or what kind of thing it is; never a page."""
    words = _error_text(body)
    if words is not None:
        return words
    kind = "a web page" if body[:200].lstrip()[:1] == b"<" else f"{len(body)} bytes"
    return kind if body else "an empty answer"


def _clean(words: str) -> str:
    """One printable line."""
    flat = "".join(char if char.isprintable() else " " for char in words)
    return " ".join(flat.split())[:_LONGEST_TEXT]
