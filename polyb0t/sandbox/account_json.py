"""Orders and trades as their owner reads them, over REST and on the user socket."""

from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import MakerFill, OrderStatus, OrderView, TradeView


def order_json(order: OrderView) -> dict[str, object]:
    """One order; sizes are shares."""
    return {
        "id": order.order_id,
        "status": str(order.status),
        "owner": order.owner,
        "maker_address": order.maker,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": str(order.side),
        "original_size": e6_text(order.size_e6),
        "size_matched": e6_text(order.matched_e6),
        "price": e6_text(order.price_e6),
        "outcome": order.outcome,
        "expiration": str(order.expiration_s),
        "order_type": str(order.order_type),
        "associate_trades": list(order.trade_ids),
        "created_at": order.created_ms // 1000,
    }


def order_event_json(kind: str, order: OrderView, at_ms: int) -> dict[str, object]:
    """`kind` is PLACEMENT, UPDATE or CANCELLATION."""
    return order_json(order) | {
        "event_type": "order",
        "type": kind,
        "order_owner": order.owner,
        "created_at": str(order.created_ms // 1000),
        "timestamp": str(at_ms),
        "status": "LIVE" if kind == "PLACEMENT" else str(order.status or OrderStatus.LIVE),
    }


def trade_json(trade: TradeView, reader: str) -> dict[str, object]:
    """One trade as the API key `reader` sees it; REST prefixes the status."""
    return _trade(trade, reader) | {
        "status": f"TRADE_STATUS_{trade.status}",
        "owner": trade.owner,
    }


def trade_event_json(trade: TradeView, reader: str, at_ms: int) -> dict[str, object]:
    """One trade on the user socket of `reader`."""
    return _trade(trade, reader) | {
        "event_type": "trade",
        "type": "TRADE",
        "status": str(trade.status),
        "owner": reader,
        "trade_owner": trade.owner,
        "timestamp": str(at_ms),
    }


def _trade(trade: TradeView, reader: str) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "taker_order_id": trade.taker_order_id,
        "market": trade.condition_id,
        "asset_id": trade.token_id,
        "side": str(trade.side),
        "size": e6_text(trade.size_e6),
        "fee_rate_bps": "0",
        "price": e6_text(trade.price_e6),
        "match_time": str(trade.match_ms // 1000),
        "match_time_nano": str(trade.match_ms * 1_000_000),
        "last_update": str(trade.update_ms // 1000),
        "outcome": trade.outcome,
        "bucket_index": trade.bucket_index,
        "maker_address": trade.maker,
        "transaction_hash": trade.transaction_hash,
        "trader_side": "TAKER" if reader == trade.owner else "MAKER",
        "maker_orders": [_fill(fill) for fill in trade.maker_orders],
    }


def _fill(fill: MakerFill) -> dict[str, object]:
    return {
        "order_id": fill.order_id,
        "owner": fill.owner,
        "maker_address": fill.maker,
        "matched_amount": e6_text(fill.matched_e6),
        "price": e6_text(fill.price_e6),
        "fee_rate_bps": "0",
        "asset_id": fill.token_id,
        "outcome": fill.outcome,
        "side": str(fill.side),
    }
