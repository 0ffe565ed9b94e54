"""Rows of the Data API: positions, activity, trades, resolutions, tokens. Numbers are JSON numbers."""

from typing import Final

from polyb0t.sandbox.gamma_json import iso_ms, number
from polyb0t.sandbox.identifiers import short
from polyb0t.sandbox.types import (
    MILLION,
    ActivityRow,
    ActivityType,
    MarketSpec,
    MarketView,
    PositionView,
    TradeView,
)

NO_OUTCOME: Final = 999  # the venue's word for none
Row = dict[str, object]


def position(one: PositionView, spec: MarketSpec, *, both: bool) -> Row:
    """What a wallet holds of one outcome; `both`: it holds the other one too."""
    other = 1 - one.outcome_index
    worth = one.shares_e6 * one.price_e6 // MILLION
    gain = worth - one.cost_e6
    return _about(spec) | {
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
        "status": status(one),
        "redeemable": status(one) == "REDEEMABLE",
        "mergeable": both and not one.resolved,
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


def status(one: PositionView) -> str:
    """A lost holding is redeemable too, for nothing; one that was paid or sold is closed."""
    if not one.shares_e6:
        return "CLOSED"
    return "REDEEMABLE" if one.resolved else "OPEN"


def has_status(one: PositionView, asked: str | None, *, both: bool) -> bool:
    """Whether a holding is among those asked for; `both`: the wallet holds the other outcome too."""
    match asked:
        case None:
            return True
        case "REDEEMABLE_LOST":
            return status(one) == "REDEEMABLE" and one.price_e6 == 0
        case "MERGEABLE":
            return both and not one.resolved
        case _:
            return status(one) == asked


def activity(row: ActivityRow, spec: MarketSpec | None) -> Row:
    """A settled movement; only trades and redemptions name an outcome, and only trades a token."""
    trade = row.kind is ActivityType.TRADE
    outcome = spec.token_ids.index(row.token_id) if spec and row.token_id else NO_OUTCOME
    named = trade or row.kind is ActivityType.REDEEM  # of the others it does not say which
    return _about(spec) | {
        "proxy_wallet": row.wallet,
        "type": str(row.kind),
        "timestamp": row.at_ms // 1000,
        "condition_id": row.condition_id,
        "token_id": row.token_id if trade else "",
        "side": row.side,
        "outcome": spec.outcomes[outcome] if spec and named and outcome != NO_OUTCOME else "",
        "outcome_index": outcome if named else NO_OUTCOME,
        "size": number(row.shares_e6),
        "usdc_size": number(row.pusd_e6),
        "price": number(row.price_e6),
        "transaction_hash": row.transaction_hash,
        "is_combo": False,
    }


def own_trade(row: ActivityRow, spec: MarketSpec) -> Row:
    """A wallet's own part in a trade."""
    return _trade_terms(spec, row.token_id) | {
        "proxy_wallet": row.wallet,
        "side": row.side,
        "size": number(row.shares_e6),
        "price": number(row.price_e6),
        "timestamp": row.at_ms // 1000,
        "transaction_hash": row.transaction_hash,
    }


def market_trade(trade: TradeView, spec: MarketSpec) -> Row:
    """A trade on a market's tape, as its taker's."""
    return _trade_terms(spec, trade.token_id) | {
        "proxy_wallet": trade.maker,
        "side": str(trade.side),
        "size": number(trade.size_e6),
        "price": number(trade.price_e6),
        "timestamp": trade.match_ms // 1000,
        "transaction_hash": trade.transaction_hash,
    }


def _trade_terms(spec: MarketSpec, token_id: str) -> Row:
    outcome = spec.token_ids.index(token_id)
    return _about(spec) | {
        "token_id": token_id,
        "condition_id": spec.condition_id,
        "outcome": spec.outcomes[outcome],
        "outcome_index": outcome,
        "name": "",
        "pseudonym": "",
    }


def resolution(view: MarketView, until_ms: int) -> Row:
    """What the oracle said, as far as the index has read it."""
    spec = view.spec
    known = view.payouts_e6 is not None and view.closed_ms is not None and view.closed_ms <= until_ms
    pays = view.payouts_e6 if known else None
    return {
        "question_id": spec.question_id or None,
        "condition_id": spec.condition_id,
        "status": "resolved" if known else "initialized" if view.closed else view.oracle_status,
        "market_type": None if spec.neg_risk else "BINARY",
        "extended_review": False,
        "was_disputed": view.disputes > 0,
        "new_version_q": False,
        "last_update_timestamp": view.updated_ms // 1000,
        "payouts": None if pays is None else list(pays),
        "resolution_source": "reported" if known else None,
        "reporter": "UMA_OO" if known else None,
        "resolved_at": view.closed_ms // 1000 if known and view.closed_ms is not None else None,
    }


def token(view: MarketView, outcome: int, until_ms: int) -> Row:
    """What one outcome's id stands for."""
    spec = view.spec
    known = view.payouts_e6 is not None and view.closed_ms is not None and view.closed_ms <= until_ms
    v2 = spec.version == "v2"
    return {
        "token_id": spec.token_ids[outcome],
        "condition_id": spec.condition_id,
        "structural_condition_id": short(spec.condition_id) if v2 else spec.condition_id,
        "module": ("neg_risk" if spec.neg_risk else "binary") if v2 else "v1_ctf",
        "outcome_index": outcome,
        "clob_index": outcome,
        "outcome": spec.outcomes[outcome],
        "opposite_token_id": spec.token_ids[1 - outcome],
        "resolved": known,
        "final_price": number(view.payouts_e6[outcome]) if known and view.payouts_e6 else None,
        "title": spec.question,
        "market_slug": spec.slug,
        "closed": view.closed,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": spec.neg_risk_market_id or None,
        "question_index": None,
        "event_id": spec.event_id,
        "event_slug": spec.event_slug,
    }


def _about(spec: MarketSpec | None) -> Row:
    """Which market a row speaks of; none for a deposit."""
    if spec is None:
        return {"title": "", "slug": "", "icon": "", "event_slug": ""}
    return {"title": spec.question, "slug": spec.slug, "icon": "", "event_slug": spec.event_slug}


def _ratio(part_e6: int, whole_e6: int) -> int:
    return part_e6 * MILLION // whole_e6 if whole_e6 else 0
