"""Data API v2: what anybody may know about a wallet or a market, some time after the chain did.

The venue is one to three minutes behind; here `World.data_lag_ms` says how far, so nothing may rely on
being told at once. Only what is on the chain is here: a trade that is matched and not mined is not.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from polyb0t.core.units import parse_decimal
from polyb0t.sandbox import data_rows as rows
from polyb0t.sandbox import history
from polyb0t.sandbox.contracts import APPROVALS, CHAIN_ID, CONTRACTS
from polyb0t.sandbox.gamma_json import number
from polyb0t.sandbox.identifiers import SHORT, long
from polyb0t.sandbox.portfolio import PART
from polyb0t.sandbox.signatures import checksum, is_address
from polyb0t.sandbox.types import MILLION, ActivityType, MarketSpec, PositionView, TradeStatus
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply
from polyb0t.sandbox.world import World

DUST_E6: Final = 100_000  # holdings under a tenth of a share are hidden unless asked for
MOST: Final = 1000
MOST_CONDITIONS: Final = 20
MOST_TOKENS: Final = 50
_PRACTICALLY_ALL: Final = 1 << 128  # an allowance that no account can use up
_EVER_S: Final = 99_999_999_999
_MINED: Final = (TradeStatus.MINED, TradeStatus.CONFIRMED)


def add_routes(router: Router, world: World) -> None:
    """The routes under `/data`."""
    data = DataApi(world)
    router.add("GET", "/data/v2/positions", data.positions)
    router.add("GET", "/data/v2/value", data.value)
    router.add("GET", "/data/v2/activity", data.activity)
    router.add("GET", "/data/v2/trades", data.trades)
    router.add("GET", "/data/v2/resolutions", data.resolutions)
    router.add("GET", "/data/v2/tokens", data.tokens)
    router.add("GET", "/data/v2/approvals", data.approvals)
    router.add("GET", "/data/v2/prices-history", data.price_history)


class DataApi:
    """Public reads by wallet or market."""

    def __init__(self, world: World) -> None:
        self._world = world

    def positions(self, request: Request) -> Reply:
        """`GET /v2/positions`: of a wallet, or of everybody in exactly one market."""
        conditions, asked = _conditions(request), request.param("status")
        if request.param("user"):
            wallets = [_wallet(request)]
        elif len(conditions) == 1:
            wallets = list(self._world.portfolio.holdings)
        else:
            raise WireError(400, "user or condition is required", {"code": "bad_request"})
        least = 0 if asked == "CLOSED" else _least(request)
        event = request.param("event_id")
        found = []
        for one in (held for wallet in wallets for held in self._held(wallet)):
            spec, both = self._spec(one.condition_id), self._holds_both(one)
            wanted = (not conditions or one.condition_id in conditions) and event in (None, spec.event_id)
            if wanted and one.shares_e6 >= least and rows.has_status(one, asked, both=both):
                found.append(rows.position(one, spec, both=both))
        return _page(request, found)

    def value(self, request: Request) -> Reply:
        """`GET /v2/value?user=`: what the holdings are worth now, without cash."""
        wallet = _wallet(request)
        worth = sum(one.shares_e6 * one.price_e6 // MILLION for one in self._held(wallet))
        return json_reply({"data": {"proxy_wallet": wallet, "value": number(worth)}})

    def activity(self, request: Request) -> Reply:
        """`GET /v2/activity?user=`: settled movements, newest first; `start` and `end` in seconds."""
        kinds = {kind for text in request.params().get("type", []) for kind in text.split(",")}
        conditions = _conditions(request)
        start_ms, end_ms = _seconds(request, "start", 0), _seconds(request, "end", _EVER_S)
        if request.param("exclude_deposits_withdrawals") != "false":  # the venue's default
            kinds = (kinds or set(ActivityType)) - {ActivityType.DEPOSIT, ActivityType.WITHDRAWAL}
        return _page(
            request,
            [
                rows.activity(row, self._spec(row.condition_id) if row.condition_id else None)
                for row in self._world.activity(_wallet(request), self._world.indexed_ms)
                if (not kinds or row.kind in kinds)
                and (not conditions or row.condition_id in conditions)
                and start_ms <= row.at_ms <= end_ms
                and row.side != PART
            ],
        )

    def trades(self, request: Request) -> Reply:
        """`GET /v2/trades`: a wallet's own parts, or the tapes of markets; both widths of a V2 condition."""
        conditions, until_ms = _conditions(request), self._world.indexed_ms
        if request.param("user"):
            own = self._world.activity(_wallet(request), until_ms)
            found = [
                rows.own_trade(row, self._spec(row.condition_id))
                for row in own
                if row.kind is ActivityType.TRADE and (not conditions or row.condition_id in conditions)
            ]
        elif conditions:
            found = [
                rows.market_trade(trade, self._spec(one))
                for one in sorted(filter(self._known, conditions))
                for trade in self._world.tape(one)
                if trade.status in _MINED and trade.match_ms <= until_ms
            ]
        else:
            raise WireError(400, "user or condition is required", {"code": "bad_request"})
        return _page(request, found)

    def resolutions(self, request: Request) -> Reply:
        """`GET /v2/resolutions?condition=` or `event_id=`; the short form of a V2 condition is refused."""
        if any(len(one) == SHORT for one in (request.param("condition") or "").split(",")):
            raise WireError(400, "invalid condition", {"code": "bad_request", "parameter": "condition"})
        conditions, event = _conditions(request), request.param("event_id")
        if len(conditions) > MOST_CONDITIONS:
            raise WireError(400, "too many conditions", {"code": "bad_request", "parameter": "condition"})
        found = [self._world.market(one) for one in conditions if self._known(one)]
        if event is not None:
            found += [view for view in self._world.markets() if view.spec.event_id == event]
        return json_reply({"data": [rows.resolution(view, self._world.indexed_ms) for view in found]})

    def tokens(self, request: Request) -> Reply:
        """`GET /v2/tokens` by `token_id` or `condition`: what ids stand for; unknown ones are missing."""
        asked = [one for text in request.params().get("token_id", []) for one in text.split(",")]
        for condition in sorted(filter(self._known, _conditions(request))):
            asked += self._spec(condition).token_ids
        if not 0 < len(asked) <= MOST_TOKENS:
            raise WireError(
                400,
                f"1 to {MOST_TOKENS} of token_id are required",
                {"code": "bad_request", "parameter": "token_id"},
            )
        found = []
        for token in asked:
            market = self._world.condition_of(token)
            if market is not None:
                view = self._world.market(market)
                found.append(rows.token(view, view.spec.token_ids.index(token), self._world.indexed_ms))
        return json_reply({"data": found})

    def price_history(self, request: Request) -> Reply:
        """`GET /v2/prices-history?token_id=` with one of `interval`, `start` and `as_of`."""
        token = request.param("token_id") or ""
        if self._world.condition_of(token) is None:
            raise WireError(400, "token_id is not known", {"code": "bad_request", "parameter": "token_id"})
        window = history.data_window(request, self._world.now_ms // 1000)
        found = [
            {"timestamp": at_s, "price": number(price), "resolution_seconds": window.bucket_s}
            for at_s, price in history.points(self._world, token, window)
        ]
        return _page(request, found[-1:] if request.param("as_of") else found, most=history.MOST_POINTS)

    def approvals(self, request: Request) -> Reply:
        """`GET /v2/approvals?user=`."""
        wallet = _wallet(request)
        found = [
            _approval(
                standard, CONTRACTS[token], CONTRACTS[spender], self._allowed(wallet, standard, spender)
            )
            for standard, token, spenders in APPROVALS
            for spender in spenders
        ]
        return json_reply({"data": {"address": wallet, "chain_id": CHAIN_ID, "contracts": found}})

    def _held(self, wallet: str) -> list[PositionView]:
        return self._world.positions(wallet, self._world.indexed_ms)

    def _holds_both(self, one: PositionView) -> bool:
        """Whether the wallet has shares of the other outcome as well."""
        other = self._spec(one.condition_id).token_ids[1 - one.outcome_index]
        held = self._world.portfolio.holdings_at(one.wallet, self._world.indexed_ms).get(other)
        return one.shares_e6 > 0 and held is not None and held.shares > 0

    def _allowed(self, wallet: str, standard: str, spender: str) -> int:
        """For shares one approval covers every token, so any text stands for them all."""
        token = None if standard == "ERC20" else "any"
        return self._world.allowance(wallet, CONTRACTS[spender], token)

    def _spec(self, condition: str) -> MarketSpec:
        return self._world.market(condition).spec

    def _known(self, condition: str) -> bool:
        try:
            self._world.market(condition)
        except KeyError:
            return False
        return True


def _wallet(request: Request) -> str:
    text = request.param("user") or ""
    if not is_address(text):
        raise WireError(400, "user must be an address", {"code": "bad_request", "parameter": "user"})
    return checksum(text)


def _least(request: Request) -> int:
    text = request.param("filter_amount")
    if text is None:
        return DUST_E6
    try:
        return max(0, int(parse_decimal(text).scaleb(6)))
    except ValueError as error:
        raise WireError(400, "filter_amount must be a number", {"code": "bad_request"}) from error


def _seconds(request: Request, name: str, default: int) -> int:
    """An instant in milliseconds; the whole of its second counts."""
    text = request.param(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise WireError(400, f"{name} must be unix seconds", {"code": "bad_request", "parameter": name})
    return int(text) * 1000 + (999 if name == "end" else 0)


def _conditions(request: Request) -> set[str]:
    """The conditions asked for, in 32 bytes; V2's short form is understood."""
    query = request.params()
    given = (query.get(name, []) for name in ("condition", "condition_id", "conditionId"))
    return {long(one) for texts in given for text in texts for one in text.split(",") if one}


def _page(request: Request, found: Sequence[Mapping[str, object]], most: int = MOST) -> Reply:
    """One page; the cursor is the base64 of a place in the list."""
    if request.param("offset") is not None:
        raise WireError(400, "offset is not supported, use cursor", {"code": "bad_request"})
    size = _size(request, most)
    start = _place(request.param("cursor"))
    more = start + size < len(found)
    cursor = base64.urlsafe_b64encode(str(start + size).encode()).decode() if more else None
    page: Iterable[Mapping[str, object]] = found[start : start + size]
    pagination = {"limit": size, "offset": start, "has_more": more, "next_cursor": cursor}
    return json_reply({"data": list(page), "pagination": pagination})


def _size(request: Request, most: int) -> int:
    text = request.param("limit") or "100"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WireError(400, "limit must be a whole number", {"code": "bad_request", "parameter": "limit"})
    return max(1, min(int(text), most))


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor).decode()))
    except (binascii.Error, ValueError) as error:
        raise WireError(400, "invalid cursor", {"code": "bad_request", "parameter": "cursor"}) from error


def _approval(standard: str, token: str, spender: str, allowed: int) -> dict[str, object]:
    amount = "max" if standard == "ERC1155" or allowed >= _PRACTICALLY_ALL else str(allowed)
    return {
        "token": token,
        "spender": spender,
        "standard": standard,
        "approved": allowed > 0,
        "amount": amount,
    }
