"""Rows to the values that the program uses. An intent is hashed again whenever it is read."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import RowMapping, Select, select

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import DatabaseError
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.db.codec import decode
from polyb0t.db.tables import fills, orders, trade_intents
from polyb0t.execution.intents import (
    CANONICAL_VERSION,
    IntentRecord,
    IntentStatus,
    OrderType,
    TradeIntent,
)
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime

INTENT_QUERY: Select[Any] = select(trade_intents, orders.c.id.label("order_id")).outerjoin(
    orders, orders.c.intent_id == trade_intents.c.id
)
# What a record is made of and no more: a list need not translate columns that its text has already.
_SHOWN: Final = (
    *("canonical", "digest", "status", "decided_at", "decided_by", "execute_by", "result", "result_detail"),
    *("seen_at", "updated_at"),
)
RECORD_QUERY: Final[Select[Any]] = select(
    *(trade_intents.c[name] for name in _SHOWN), orders.c.id.label("order_id")
).outerjoin(orders, orders.c.intent_id == trade_intents.c.id)


def intent_columns(intent: TradeIntent) -> dict[str, object]:
    """The content columns of `intent`."""
    canonical = intent.canonical
    return {
        "id": intent.id,
        "scope": intent.scope,
        "regime": intent.regime,
        "intent_type": intent.intent_type,
        "target": intent.target,
        "digest": sha256_hex(canonical),
        "canonical": canonical,
        "condition_id": intent.condition_id,
        "asset_id": intent.asset_id,
        "side": intent.side,
        "order_type": intent.order_type,
        "worst_price": intent.worst_price,
        "amount": intent.amount,
        "shares": intent.shares,
        "max_cost": intent.max_cost,
        "approvals_required": intent.approvals_required,
        "created_at": intent.created_at,
        "deadline": intent.deadline,
        "parent_id": intent.parent_id,
        "target_order_id": intent.target_order_id,
    }


PARSED_KEPT: Final = 512  # what is live and was just decided; a text and a digest have one meaning for ever


@lru_cache(maxsize=PARSED_KEPT)
def parse_intent(canonical: str, digest: str) -> TradeIntent:
    """The intent that was approved, from its stored text.

    Raises:
        DatabaseError: the text does not have this digest, or is of another version.
    """
    if sha256_hex(canonical) != digest:
        raise _damaged("Its text does not have the digest that was approved.")
    content = json.loads(canonical)
    if content.get("version") != CANONICAL_VERSION:
        raise _damaged(f"It was written by another version ({content.get('version')}).")
    try:
        return decode(TradeIntent, content["intent"])
    except (ValueError, KeyError) as error:
        raise _damaged(f"It cannot be read: {error}.") from error


def intent_record(row: RowMapping) -> IntentRecord:
    return IntentRecord(
        intent=parse_intent(row["canonical"], row["digest"]),
        digest=row["digest"],
        status=IntentStatus(row["status"]),
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        execute_by=row["execute_by"],
        result=row["result"],
        result_detail=row["result_detail"],
        seen_at=row["seen_at"],
        order_id=row["order_id"],
        updated_at=row["updated_at"],
    )


def order_record(row: Mapping[Any, Any]) -> OrderRecord:
    values = dict(row)
    return OrderRecord(
        **{
            **values,
            "regime": Regime(values["regime"]),
            "status": OrderStatus(values["status"]),
            "side": Side(values["side"]),
            "order_type": OrderType(values["order_type"]),
        }
    )


def fill_of(row: Mapping[Any, Any]) -> Fill:
    return Fill(
        trade_id=row["trade_id"],
        bucket_index=row["bucket_index"],
        order_id=row["order_id"],
        condition_id=row["condition_id"],
        asset_id=row["asset_id"],
        side=Side(row["side"]),
        role=Role(row["role"]),
        price=row["price"],
        shares=row["shares"],
        fee=row["fee"],
        status=FillStatus(row["status"]),
        matched_at=row["matched_at"],
        transaction_hash=row["transaction_hash"],
    )


def fill_columns(fill: Fill) -> dict[str, object]:
    return {column.name: getattr(fill, column.name) for column in fills.c if hasattr(fill, column.name)}


def _damaged(why: str) -> DatabaseError:
    return DatabaseError(
        "A stored intent was not used.", why=why, do="Do not trade on this database.", code="intent_damaged"
    )
