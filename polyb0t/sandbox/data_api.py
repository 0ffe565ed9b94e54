"""Data API v2: what anybody may know about a wallet. Numbers are JSON numbers.

The venue lags by minutes here; the sandbox does not, so nothing may rely on either.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from polyb0t.core.units import parse_decimal
from polyb0t.sandbox import history
from polyb0t.sandbox.contracts import APPROVALS, CHAIN_ID, CONTRACTS
from polyb0t.sandbox.gamma_json import iso_ms, number
from polyb0t.sandbox.identifiers import SHORT, long
from polyb0t.sandbox.signatures import checksum, is_address
from polyb0t.sandbox.types import MILLION, ActivityRow, MarketView, PositionView, TradeView
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply
from polyb0t.sandbox.world import World

DUST_E6: Final = 100_000  # holdings under a tenth of a share are hidden unless asked for
MOST: Final = 1000
_PRACTICALLY_ALL: Final = 1 << 128  # an allowance that no account can use up
_PRICE_SCALE: Final = 10**6


def add_routes(router: Router, world: World) -> None:
    """The routes under `/data`."""
    data = DataApi(world)
    router.add("GET", "/data/v2/positions", data.positions)
    router.add("GET", "/data/v2/value", data.value)
    router.add("GET", "/data/v2/activity", data.activity)
    router.add("GET", "/data/v2/trades", data.trades)
    router.add("GET", "/data/v2/resolutions", data.resolutions)
    router.add("GET", "/data/v2/approvals", data.approvals)
    router.add("GET", "/data/v2/prices-history", data.price_history)


class DataApi:
    """Public reads by wallet or market."""

    def __init__(self, world: World) -> None:
        self._world = world

    def positions(self, request: Request) -> Reply:
        """`GET /v2/positions?user=`."""
        wallet = _wallet(request)
        status = request.param("status")
        least = _least(request)
        conditions = _conditions(request)
        rows = [
            self._position(position)
            for position in self._world.positions(wallet)
            if position.shares_e6 >= least and (not conditions or position.condition_id in conditions)
        ]
        return _page(request, [row for row in rows if status in (None, row["status"])])

    def value(self, request: Request) -> Reply:
        """`GET /v2/value?user=`: what the holdings are worth now, without cash."""
        wallet = _wallet(request)
        worth = sum(
            position.shares_e6 * position.price_e6 // MILLION for position in self._world.positions(wallet)
        )
        return json_reply({"data": {"proxy_wallet": wallet, "value": number(worth)}})

    def activity(self, request: Request) -> Reply:
        """`GET /v2/activity?user=`: settled movements, newest first."""
        wallet = _wallet(request)
        kinds = {kind for text in request.params().get("type", []) for kind in text.split(",")}
        conditions = _conditions(request)
        rows = [
            self._activity(row)
            for row in self._world.activity(wallet)
            if (not kinds or row.kind in kinds) and (not conditions or row.condition_id in conditions)
        ]
        return _page(request, rows)

    def trades(self, request: Request) -> Reply:
        """`GET /v2/trades` of a wallet, or of one market's tape."""
        conditions = _conditions(request)
        if request.param("user"):
            found = self._world.trades(maker=_wallet(request))
        elif conditions:
            found = [trade for one in conditions if self._known(one) for trade in self._world.tape(one)]
        else:
            raise WireError(400, "user or condition is required", {"code": "bad_request"})
        kept = [trade for trade in found if not conditions or trade.condition_id in conditions]
        return _page(request, [self._trade(trade) for trade in kept])

    def resolutions(self, request: Request) -> Reply:
        """`GET /v2/resolutions?condition=`."""
        if any(len(one) == SHORT for one in (request.param("condition") or "").split(",")):
            raise WireError(400, "invalid condition", {"code": "bad_request", "parameter": "condition"})
        found = [self._world.market(one) for one in _conditions(request) if self._known(one)]
        return json_reply({"data": [_resolution(view) for view in found]})

    def price_history(self, request: Request) -> Reply:
        """`GET /v2/prices-history?token_id=`: exact samples, hence a resolution of 0."""
        token = request.param("token_id") or ""
        if self._world.condition_of(token) is None:
            raise WireError(400, "token_id is not known", {"code": "bad_request", "parameter": "token_id"})
        as_of = request.param("as_of")
        seen = history.points(self._world, request, token, "start", "as_of" if as_of else "end")
        rows = [{"timestamp": at_s, "price": number(price), "resolution_seconds": 0} for at_s, price in seen]
        return _page(request, rows[-1:] if as_of else rows)

    def approvals(self, request: Request) -> Reply:
        """`GET /v2/approvals?user=`."""
        wallet = _wallet(request)
        rows = [
            _approval(
                standard, CONTRACTS[token], CONTRACTS[spender], self._allowed(wallet, standard, spender)
            )
            for standard, token, spenders in APPROVALS
            for spender in spenders
        ]
        return json_reply({"data": {"address": wallet, "chain_id": CHAIN_ID, "contracts": rows}})

    def _allowed(self, wallet: str, standard: str, spender: str) -> int:
        """For shares one approval covers every token, so any text stands for them all."""
        token = None if standard == "ERC20" else "any"
        return self._world.allowance(wallet, CONTRACTS[spender], token)

    def _known(self, condition: str) -> bool:
        try:
            self._world.market(condition)
        except KeyError:
            return False
        return True

    def _about(self, condition_id: str) -> dict[str, object]:
        if not condition_id:
            return {"title": "", "slug": "", "icon": "", "event_slug": ""}
        spec = self._world.market(condition_id).spec
        return {"title": spec.question, "slug": spec.slug, "icon": "", "event_slug": spec.event_slug}

    def _position(self, one: PositionView) -> dict[str, object]:
        view = self._world.market(one.condition_id)
        spec, other = view.spec, 1 - one.outcome_index
        worth = one.shares_e6 * one.price_e6 // MILLION
        gain = worth - one.cost_e6
        return self._about(one.condition_id) | {
            "proxy_wallet": one.wallet,
            "token_id": one.token_id,
            "condition_id": one.condition_id,
            "current_size": number(one.shares_e6),
            "avg_price": number(_ratio(one.cost_e6, one.shares_e6)),
            "entry_cost_usdc": number(one.cost_e6),
            "entry_fees_usdc": number(one.fees_e6),
            "total_cost_usdc": number(one.cost_e6 + one.fees_e6),
            "current_price": number(one.price_e6),
            "current_value": number(worth),
            "total_size": number(one.bought_e6),
            "realized_pnl": number(one.realized_e6),
            "unrealized_pnl": number(gain),
            "total_pnl": number(one.realized_e6 + gain),
            "percent_pnl": number(100 * _ratio(gain, one.cost_e6)),
            "percent_realized_pnl": number(100 * _ratio(one.realized_e6, one.cost_e6)),
            "status": "REDEEMABLE" if one.resolved else ("OPEN" if one.shares_e6 else "CLOSED"),
            "redeemable": one.resolved,
            "mergeable": False,
            "negative_risk": spec.neg_risk,
            "archived": False,
            "verified": False,
            "outcome": spec.outcomes[one.outcome_index],
            "outcome_index": one.outcome_index,
            "opposite_outcome": spec.outcomes[other],
            "opposite_token_id": spec.token_ids[other],
            "event_id": spec.event_id,
            "end_date": iso_ms(spec.end_ms)[:10],
            "first_entry_at": one.first_ms // 1000,
            "last_event_at": one.last_ms // 1000,
        }

    def _activity(self, row: ActivityRow) -> dict[str, object]:
        return self._about(row.condition_id) | {
            "proxy_wallet": row.wallet,
            "type": str(row.kind),
            "timestamp": row.at_ms // 1000,
            "condition_id": row.condition_id,
            "token_id": row.token_id,
            "side": row.side,
            "outcome": row.outcome,
            "outcome_index": self._index(row.condition_id, row.token_id),
            "size": number(row.shares_e6),
            "usdc_size": number(row.pusd_e6),
            "price": number(row.price_e6),
            "transaction_hash": row.transaction_hash,
            "is_combo": False,
        }

    def _trade(self, trade: TradeView) -> dict[str, object]:
        return self._about(trade.condition_id) | {
            "proxy_wallet": trade.maker,
            "token_id": trade.token_id,
            "condition_id": trade.condition_id,
            "side": str(trade.side),
            "size": number(trade.size_e6),
            "price": number(trade.price_e6),
            "timestamp": trade.match_ms // 1000,
            "transaction_hash": trade.transaction_hash,
            "outcome": trade.outcome,
            "outcome_index": self._index(trade.condition_id, trade.token_id),
            "name": "",
            "pseudonym": "",
        }

    def _index(self, condition_id: str, token_id: str) -> int:
        """The venue's 999 means that there is no outcome."""
        if not condition_id or not token_id:
            return 999
        return self._world.market(condition_id).spec.token_ids.index(token_id)


def _ratio(part_e6: int, whole_e6: int) -> int:
    return part_e6 * _PRICE_SCALE // whole_e6 if whole_e6 else 0


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


def _conditions(request: Request) -> set[str]:
    """The conditions asked for, in 32 bytes; V2's short form is understood."""
    query = request.params()
    given = (query.get(name, []) for name in ("condition", "condition_id", "conditionId"))
    return {long(one) for texts in given for text in texts for one in text.split(",") if one}


def _page(request: Request, rows: Sequence[Mapping[str, object]]) -> Reply:
    """One page; the cursor is the base64 of a place in the list."""
    if request.param("offset") is not None:
        raise WireError(400, "offset is not supported, use cursor", {"code": "bad_request"})
    size = _size(request)
    start = _place(request.param("cursor"))
    more = start + size < len(rows)
    cursor = base64.urlsafe_b64encode(str(start + size).encode()).decode() if more else None
    page: Iterable[Mapping[str, object]] = rows[start : start + size]
    pagination = {"limit": size, "offset": start, "has_more": more, "next_cursor": cursor}
    return json_reply({"data": list(page), "pagination": pagination})


def _size(request: Request) -> int:
    text = request.param("limit") or "100"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WireError(400, "limit must be a whole number", {"code": "bad_request", "parameter": "limit"})
    return max(1, min(int(text), MOST))


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor).decode()))
    except (binascii.Error, ValueError) as error:
        raise WireError(400, "invalid cursor", {"code": "bad_request", "parameter": "cursor"}) from error


def _resolution(view: MarketView) -> dict[str, object]:
    spec = view.spec
    return {
        "question_id": spec.question_id or None,
        "condition_id": spec.condition_id,
        "status": "resolved" if view.payouts_e6 is not None else "initialized",
        "extended_review": False,
        "was_disputed": False,
        "new_version_q": False,
        "last_update_timestamp": view.updated_ms // 1000,
        "payouts": None if view.payouts_e6 is None else list(view.payouts_e6),
        "resolution_source": "reported" if view.payouts_e6 is not None else None,
        "reporter": "UMA_OO" if view.payouts_e6 is not None else None,
        "resolved_at": None if view.closed_ms is None else view.closed_ms // 1000,
    }


def _approval(standard: str, token: str, spender: str, allowed: int) -> dict[str, object]:
    amount = "max" if standard == "ERC1155" or allowed >= _PRACTICALLY_ALL else str(allowed)
    return {
        "token": token,
        "spender": spender,
        "standard": standard,
        "approved": allowed > 0,
        "amount": amount,
    }
