"""Reading what the exchange sends: bytes to JSON, JSON to exact values, or a refusal with a name.

Every reader returns a value or raises `Refused`; no other exception leaves this layer, whatever the
bytes are. JSON numbers become `Decimal` from their own digits, so nothing passes through a float.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from polyb0t.core.clock import from_iso, from_microseconds
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ONE, Price, Shares

_TYPE_NAMES: Final = {dict: "an object", list: "a list", str: "a text", bool: "a yes or no", int: "a number"}
_EARLIEST_MS: Final = 1_262_304_000_000  # 2010: before any market
_LATEST_MS: Final = 16_725_225_600_000  # 2500: after any market
_V2_RESERVED_BITS: Final = ((1 << 64) - 1) << 40
_HEX: Final = frozenset("0123456789abcdef")

Wire = Mapping[str, object]


class Refused(PolybotError):
    """A piece of wire that is not used, with a code and a sentence saying why."""

    code = "malformed"

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what, code=code)

    @property
    def reason(self) -> str:
        return self.what


class MarketRefused(Refused):
    """A catalogue row that is not a market that can be traded here."""


class TermsRefused(Refused):
    """An answer of `/clob-markets` that does not give a market's terms."""


class BookRefused(Refused):
    """An order book that is not one."""


class FrameRefused(Refused):
    """A socket frame that says nothing usable."""


def _exact(digits: str) -> Decimal:
    amount = Decimal(digits)
    if not -40 <= amount.adjusted() <= 40:
        # An exponent of millions is a few bytes on the wire and gigabytes when written out.
        raise ValueError("a number outside 1e-40 to 1e40")
    return amount


_DECODER: Final = msgspec.json.Decoder(float_hook=_exact)


def decode_json(body: bytes | str) -> object:
    """The JSON in `body`, with fractions as exact decimals.

    Raises:
        Refused: empty, HTML, not JSON, nested too deeply, or not UTF-8.
    """
    head = body[:200].lstrip()
    if not head and not body.strip():
        raise Refused("empty", "the answer is empty")
    if head[:1] in (b"<", "<"):
        raise Refused("html", "the answer is a web page, not data")
    try:
        return _DECODER.decode(body)
    except RecursionError as error:
        raise Refused("not_json", "the answer is nested too deeply") from error
    except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
        raise Refused("not_json", f"the answer is not JSON: {error!s:.120}") from error


def as_object(raw: object, name: str) -> Wire:
    """`raw` as a JSON object.

    Raises:
        Refused: it is something else.
    """
    if not isinstance(raw, dict):
        raise Refused("malformed", f"{name} is {describe(raw)}, not an object")
    return raw


def describe(raw: object) -> str:
    """What a wire value is, in words short enough for a log."""
    if raw is None:
        return "missing"
    return _TYPE_NAMES.get(type(raw), "a number" if isinstance(raw, Decimal) else type(raw).__name__)


def text(raw: Wire, key: str, *, longest: int = 2_000) -> str:
    """The text under `key`; "" when it is absent or null.

    Raises:
        Refused: not a text, too long, or not valid Unicode.
    """
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused("malformed", f"{key} is {describe(value)}, not a text")
    if len(value) > longest:
        raise Refused("malformed", f"{key} has {len(value)} characters, more than {longest}")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise Refused("malformed", f"{key} is not valid Unicode")
    return value


def line(raw: Wire, key: str, *, longest: int = 2_000) -> str:
    """A text for one line of a screen: what could move a cursor or turn the writing round is a space."""
    value = text(raw, key, longest=longest)
    if value.isprintable():
        return value.strip()
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())


def flag(raw: Wire, key: str) -> bool | None:
    """The boolean under `key`; None when it is absent or null.

    Raises:
        Refused: anything else; "false" in quotes is not false.
    """
    value = raw.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise Refused("malformed", f"{key} is {describe(value)}, not true or false")


def decimal(raw: Wire, key: str) -> Decimal | None:
    """The exact number under `key`, written as a JSON number or as a text; None when absent or "".

    Raises:
        Refused: not a number, not finite, or of absurd size.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    return exact_decimal(value, key)


def exact_decimal(value: object, name: str) -> Decimal:
    """`value` as an exact finite decimal between 1e-40 and 1e40 in size.

    Raises:
        Refused: it is not one; a float is refused because its digits are already lost.
    """
    try:
        match value:
            case bool() | float():
                raise ValueError
            case str() if len(value) <= 60 and value.isascii() and "_" not in value:
                amount = _exact(value)
            case Decimal():
                amount = _exact(str(value)) if value.is_finite() else value
            case int() if value.bit_length() <= 140:
                amount = Decimal(value)
            case _:
                raise ValueError
    except (ValueError, ArithmeticError) as error:
        raise Refused("malformed", f"{name} is not a number: {value!r:.40}") from error
    if not amount.is_finite() or amount.adjusted() > 40:
        raise Refused("malformed", f"{name} is not a finite number: {value!r:.40}")
    return amount


def whole(raw: Wire, key: str, *, largest: int) -> int:
    """The count under `key`, 0 when absent.

    Raises:
        Refused: not a whole number from 0 to `largest`.
    """
    amount = decimal(raw, key)
    if amount is None:
        return 0
    if amount != amount.to_integral_value() or not 0 <= amount <= largest:
        raise Refused("malformed", f"{key} is {amount:f}, not a whole number from 0 to {largest}")
    return int(amount)


def instant(raw: Wire, key: str) -> datetime | None:
    """The instant of an ISO text with a zone (`...Z`, or `2026-11-03 12:00:00+00`); None when absent.

    Raises:
        Refused: not an instant, or one without a zone: a guess would move a deadline by hours.
    """
    value = text(raw, key, longest=40)
    if not value:
        return None
    try:
        return from_iso(value)
    except (ValueError, OverflowError) as error:
        raise Refused("malformed", f"{key} is not an instant with a time zone: {value!r:.40}") from error


def millisecond_instant(value: object, name: str) -> datetime | None:
    """The instant of milliseconds since 1970 in a text or number; None when absent or "".

    Raises:
        Refused: not a whole number of milliseconds between the years 2010 and 2500.
    """
    if value is None or value == "":
        return None
    amount = exact_decimal(value, name)
    if amount != amount.to_integral_value() or not _EARLIEST_MS <= amount <= _LATEST_MS:
        raise Refused("malformed", f"{name} is not a time in milliseconds: {value!r:.40}")
    return from_microseconds(int(amount) * 1_000)


def texts(raw: Wire, key: str, *, most: int) -> list[str] | None:
    """A list of texts, sent as a JSON array or as a text that contains one; None when absent or "".

    Raises:
        Refused: anything else, or more than `most` entries.
    """
    value = raw.get(key)
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = decode_json(value)
        except Refused as refused:
            raise Refused("malformed", f"{key} is a text that is no list: {refused.what}") from refused
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused("malformed", f"{key} is not a list of texts")
    if len(value) > most:
        raise Refused("malformed", f"{key} has {len(value)} entries, more than {most}")
    return value


def condition_id(value: object, name: str) -> ConditionId:
    """A condition id as 0x and 64 lower-case hex digits.

    The newer protocol's 62 digits are padded on the right: `/clob-markets` answers 404 to the short
    form (recorded by third parties, October 2026).

    Raises:
        Refused: it is not one.
    """
    if not isinstance(value, str):
        raise Refused("malformed", f"{name} is {describe(value)}, not a condition id")
    digits = value.lower().removeprefix("0x")
    if not value[:2] == "0x" or len(digits) not in (62, 64) or not _HEX.issuperset(digits):
        raise Refused("malformed", f"{name} is not a condition id: {value!r:.80}")
    return ConditionId("0x" + digits.ljust(64, "0"))


def asset_id(value: object, name: str) -> AssetId:
    """An outcome's id: an opaque decimal text that fits 256 bits.

    Raises:
        Refused: it is not one; a JSON number is refused because its digits may have been rounded.
    """
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= 78
        or not (value.isascii() and value.isdigit())
        or value[0] == "0"
        or (len(value) == 78 and int(value) >= 1 << 256)
    ):
        raise Refused("malformed", f"{name} is not an asset id: {value!r:.90}")
    return AssetId(value)


def is_position_id(asset: AssetId) -> bool:
    """Whether an id has the newer protocol's bit layout, by which the vendor's SDK chooses the exchange."""
    return int(asset) & _V2_RESERVED_BITS == 0


def tick_size(value: object, name: str) -> Price:
    """A price grid: it divides 1 evenly and is at most 0.1.

    Raises:
        Refused: it is not one.
    """
    tick = exact_decimal(value, name)
    if not 0 < tick <= Decimal("0.1") or tick.adjusted() < -6 or ONE % tick != 0:
        raise Refused("malformed", f"{name} is not a tick: {tick:f}")
    return Price(tick)


def share_count(value: object, name: str) -> Shares:
    """A number of shares that is not negative.

    Raises:
        Refused: it is not one.
    """
    amount = exact_decimal(value, name)
    if amount < 0:
        raise Refused("malformed", f"{name} is negative: {amount:f}")
    return Shares(amount)
