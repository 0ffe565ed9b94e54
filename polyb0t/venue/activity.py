"""What moved the wallet, by the public index: `/v2/activity`, minutes late and complete.

Anybody can read it by address. It is the exchange's own account of cash that no order explains:
deposits, withdrawals, splits, merges, redemptions, conversions, rewards, rebates. Deposits and
withdrawals are left out unless asked for (the vendor's client says so in so many words).
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from polyb0t.core.clock import microseconds
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import E6, Pusd, Shares
from polyb0t.data.cash_flows import Movement, MovementKind, numbered
from polyb0t.venue.account_parsing import seconds_or_milliseconds
from polyb0t.venue.environment import VenueEnvironment
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import (
    Refused,
    Wire,
    as_object,
    asset_id,
    condition_id,
    describe,
    flag,
    line,
    share_count,
    text,
)

_PAGE: Final = 500
_MOST_PAGES: Final = 100
_MOST_ROWS: Final = 10_000
_SIDES: Final = ("", "BUY", "SELL", "IN", "OUT")
# Rows of these kinds name a market; of the others, money of the account alone.
_OF_MARKETS: Final = frozenset(
    {
        MovementKind.TRADE,
        MovementKind.SPLIT,
        MovementKind.MERGE,
        MovementKind.REDEEM,
        MovementKind.CONVERSION,
    }
)


class PolymarketActivity:
    """`data.cash_flows.MovementSource` of one wallet."""

    def __init__(self, environment: VenueEnvironment, wallet: Wallet, reader: HttpReader) -> None:
        self._url = f"{environment.data_url}/v2/activity"
        self._wallet = wallet
        self._reader = reader

    def movements(self, since: datetime) -> tuple[Movement, ...]:
        params = {
            "user": self._wallet,
            "start": str(microseconds(since) // 1_000_000),
            "limit": str(_PAGE),
            "exclude_deposits_withdrawals": "false",
        }
        found: list[Movement] = []
        cursor, seen = "", set[str]()
        while True:
            answer = self._reader.get(self._url, {**params, **({"cursor": cursor} if cursor else {})})
            try:
                page, cursor = parse_activity(self._reader.parsed(answer), self._wallet)
                if cursor in seen or len(seen) >= _MOST_PAGES:
                    raise Refused("malformed", "the listing does not end")
            except Refused as refused:
                raise self._reader.unusable(answer.host, refused) from refused
            found.extend(page)
            if not cursor:
                return numbered(row for row in found if row.at >= since.replace(microsecond=0))
            seen.add(cursor)


def parse_activity(raw: object, wallet: Wallet) -> tuple[tuple[Movement, ...], str]:
    """A page of `/v2/activity` and the cursor of the next, "" at the end.

    Raises:
        Refused: another shape, or one row that cannot be read; a row of a kind that is not known is a
            row all the same, since money may have moved by it.
    """
    answer = as_object(raw, "the page")
    rows = answer.get("data")
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise Refused("malformed", f"data is {describe(rows)}, not a list of movements")
    pages = as_object(answer.get("pagination"), "pagination")
    more, cursor = flag(pages, "has_more"), text(pages, "next_cursor")
    if more is None or more != bool(cursor):
        raise Refused("malformed", "has_more and next_cursor do not agree")
    return tuple(_movement(as_object(row, "a movement"), wallet) for row in rows), cursor


def _movement(row: Wire, wallet: Wallet) -> Movement:
    whose = text(row, "proxy_wallet")
    if whose.lower() != wallet.lower():
        raise Refused("malformed", f"a movement is of another wallet: {whose!r:.60}")
    kind = line(row, "type", longest=40)
    if not kind:
        raise Refused("malformed", "type is missing")
    side = text(row, "side", longest=10)
    if side not in _SIDES:
        raise Refused("malformed", f"side is not known: {side!r:.20}")
    known = kind in MovementKind.__members__
    return Movement(
        kind=kind,
        at=seconds_or_milliseconds(row.get("timestamp"), "timestamp"),
        transaction_hash=text(row, "transaction_hash", longest=80).lower(),
        pusd=Pusd(_amount(row, "usdc_size", needed=known)),
        shares=Shares(_amount(row, "size", needed=kind == MovementKind.TRADE)),
        condition_id=_condition(row, needed=kind in _OF_MARKETS),
        asset_id=_asset(row, needed=kind == MovementKind.TRADE),
        outcome_label=line(row, "outcome", longest=300),
        side=_side(kind, side),
    )


def _amount(row: Wire, name: str, *, needed: bool) -> Decimal:
    """To the millionth, which is what moves on chain; the rest is how the index stores numbers."""
    value = row.get(name)
    if value is None and not needed:
        return Decimal(0)
    return share_count(value, name).quantize(E6, ROUND_HALF_EVEN)


def _side(kind: str, side: str) -> str:
    """Only a trade without a side says nothing about where the money went."""
    if kind == MovementKind.TRADE and side not in ("BUY", "SELL"):
        raise Refused("malformed", "a trade has neither bought nor sold")
    return side if kind in (MovementKind.TRADE, MovementKind.TIP) else ""


def _condition(row: Wire, *, needed: bool) -> ConditionId | None:
    value = row.get("condition_id")
    if value in (None, "") and not needed:
        return None
    if isinstance(value, str) and flag(row, "is_combo"):
        return ConditionId(value.lower())  # a basket's id has another length
    return condition_id(value, "condition_id")


def _asset(row: Wire, *, needed: bool) -> AssetId | None:
    value = row.get("token_id")
    return None if value in (None, "") and not needed else asset_id(value, "token_id")
