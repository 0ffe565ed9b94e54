"""What commands and API give out: plain values under names that are a promise.

Decimals are plain strings, instants ISO 8601 in UTC, what is not known is None and never 0. The
names are the same in `--json` and over HTTP.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

from polyb0t.core.clock import iso
from polyb0t.core.errors import NotFoundError, PolybotError
from polyb0t.core.ids import OrderId
from polyb0t.core.units import E6, plain
from polyb0t.data.account_state import AccountOrder, AccountPosition
from polyb0t.data.fills import Fill
from polyb0t.execution.access import Approval, required_of
from polyb0t.execution.by_hand import Mute
from polyb0t.execution.intents import IntentRecord, TradeIntent
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.outcome import outcome_of
from polyb0t.execution.standing import StandingRecord
from polyb0t.execution.store import EngineStore, JournalEntry, Stores
from polyb0t.models.kill_switches import SwitchState

View = dict[str, object]
_PASSWORD: Final = re.compile(r"(://[^:/@]*):[^@/]*@")
_PASSWORD_PARAMETER: Final = re.compile(r"([?&]password=)[^&]*", re.IGNORECASE)

_CONTENT = (
    *("intent_type", "scope", "regime", "question", "condition_id", "event_id", "category"),
    *("protocol_version", "neg_risk", "end_date", "page_url", "resolution_source", "rules_hash"),
    *("rules_text", "outcome_label", "asset_id", "side", "order_type", "post_only", "life_seconds"),
    *("worst_price", "amount", "shares", "least_shares", "tick", "fee_rate", "fee_exponent"),
    *("estimated_cost", "max_cost", "estimated_shares", "estimated_fee", "reference_price"),
    *("book_hash", "book_age_seconds", "best_bid", "best_ask", "model_name", "model_version"),
    *("model_validated", "model_probability", "model_low", "model_high", "edge_now", "reason"),
    *("approvals_required", "code_required", "created_at", "deadline", "parent_id", "target_order_id"),
)
_STANDING = (
    *("decided_at", "decided_by", "execute_by", "result", "result_detail", "seen_at", "order_id"),
    "updated_at",
)
_ORDER = (
    *("id", "intent_id", "status", "scope", "regime", "condition_id", "asset_id", "side", "order_type"),
    *("price", "shares", "amount", "filled_shares", "provisional_shares", "filled_notional"),
    *("average_price", "fees", "venue_status", "detail", "lookups", "looked_up_at", "created_at"),
    "updated_at",
)
_FILL = (
    *("trade_id", "bucket_index", "order_id", "condition_id", "asset_id", "side", "role", "price"),
    *("shares", "fee", "status", "matched_at", "transaction_hash"),
)


def without_password(url: str) -> str:
    """A database URL that may be shown."""
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def value_view(value: object) -> object:
    """One value as JSON has it."""
    match value:
        case Enum():
            return value.value
        case Decimal():
            return plain(value)
        case datetime():
            return iso(value)
        case Mapping():
            return {str(key): value_view(item) for key, item in value.items()}
        case tuple() | list():
            return [value_view(item) for item in value]
        case _:
            return value


def to_millionth(quotient: Decimal | None) -> Decimal | None:
    """An average as data: six decimals, since a quotient has no end of its own."""
    return None if quotient is None else quotient.quantize(E6)


def intent_view(
    record: IntentRecord, order: OrderRecord | None, short_id: str, approvals: Sequence[Approval] = ()
) -> View:
    """An intent with how it stands. `edge` is at the worst price, in pUSD per share; `approvals` are the
    words of those who approved what needs more than one, see `approvals_of`."""
    return {
        "id": record.id,
        "short_id": short_id,
        "digest": record.digest,
        "status": record.status.value,
        "outcome": outcome_of(record, order) or None,
        **_CONTENTS.of(record),
        **{name: value_view(getattr(record, name)) for name in _STANDING},
        "approvals": [
            {"actor": each.actor, "at": iso(each.at), "with_code": each.with_code} for each in approvals
        ],
    }


def approvals_of(stores: Stores, record: IntentRecord) -> Sequence[Approval]:
    """Who has approved what needs more than one word; nobody for anything else."""
    return stores.access.approvals(record.id) if required_of(record.intent).more_than_one_word else ()


class _Contents:
    """What never changes of an intent, as data, by its digest: a list that is asked for again and again
    need not spell it out again. Nobody may alter what it gives out."""

    _MOST: Final = 1_024

    def __init__(self) -> None:
        self._known: dict[str, View] = {}

    def of(self, record: IntentRecord) -> View:
        found = self._known.get(record.digest)
        if found is None:
            if len(self._known) >= self._MOST:
                self._known = {}
            found = self._known[record.digest] = _content(record.intent)
        return found


_CONTENTS: Final = _Contents()


def _content(intent: TradeIntent) -> View:
    view: View = {
        "edge": value_view(intent.edge_worst),
        "controls": [control.as_dict() for control in intent.controls],
        "claim": value_view(intent.claim),
        "taken_back": None if intent.taken_back is None else value_view(intent.taken_back._asdict()),
    }
    return view | {name: value_view(getattr(intent, name)) for name in _CONTENT}


def order_view(order: OrderRecord) -> View:
    """An order as far as it is known. `price` is the worst that it may fill at."""
    view = {name: value_view(getattr(order, name)) for name in _ORDER}
    return {**view, "average_price": value_view(to_millionth(order.average_price))}


def foreign_order_view(order: AccountOrder) -> View:
    """An open order that polyb0t did not place, under the names of ours; what it lacks is None."""
    told: View = {
        "id": order.order_id,
        "condition_id": order.condition_id,
        "asset_id": order.asset_id,
        "side": order.side.value,
        "price": value_view(order.price),
        "shares": value_view(order.original_shares),
        "filled_shares": value_view(order.matched_shares),
        "venue_status": order.status,
    }
    return {**dict.fromkeys(_ORDER), **told}


def foreign_position_view(position: AccountPosition) -> View:
    """What the wallet holds from elsewhere. `average_cost` and `bid` are the exchange's own figures."""
    names = ("asset_id", "condition_id", "question", "outcome_label", "shares", "redeemable")
    told = {name: value_view(getattr(position, name)) for name in names}
    figures = {"average_cost": position.average_price, "bid": position.current_price}
    return {**told, **{name: value_view(to_millionth(value)) for name, value in figures.items()}}


def fill_view(fill: Fill) -> View:
    """One fill; provisional until its status is CONFIRMED."""
    return {name: value_view(getattr(fill, name)) for name in _FILL}


def switch_view(state: SwitchState) -> View:
    """One kill switch. `override` is there while it is tripped and a person lets trading go on."""
    names = ("type", "tripped", "holds", "at", "by", "reason", "value", "limit")
    override = state.override if state.overridden else None
    view: View = {name: value_view(getattr(state, name)) for name in names}
    view["override"] = None
    if override is not None:
        words = {"by": override.by, "reason": override.reason}
        view["override"] = {"until": iso(override.until), **words}
    return view


def standing_view(record: StandingRecord) -> View:
    """A standing approval: its content, and what it still covers."""
    content = (
        *("id", "scope", "regime", "opening_id", "condition_id", "asset_id", "question", "outcome_label"),
        *("triggers", "worst_price", "most_shares", "until", "approvals_required", "code_required"),
        "created_at",
    )
    state = ("digest", "version", "approved_by", "approved_at", "revoked_by", "revoked_at", "revoke_reason")
    view = {name: value_view(getattr(record.standing, name)) for name in content}
    view |= {name: value_view(getattr(record, name)) for name in state}
    return {**view, "bought": value_view(record.bought), "left": value_view(record.left)}


def mute_view(mute: Mute) -> View:
    """A market that nobody is asked about."""
    names = ("condition_id", "question", "until", "actor", "reason", "created_at")
    return {name: value_view(getattr(mute, name)) for name in names}


def entry_view(entry: JournalEntry) -> View:
    """An entry of the journal; its `previous_hash` is the `hash` of the one before it."""
    return {
        "sequence": entry.sequence,
        "at": iso(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "subject": entry.subject,
        "payload": json.loads(entry.payload),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def problem_view(error: PolybotError) -> View:
    """A refusal as problem details (RFC 9457), with the same code on every surface."""
    return {
        "type": f"urn:polyb0t:problem:{error.code}",
        "title": error.what,
        "status": error.http_status,
        "code": error.code,
        "detail": " ".join(part for part in (error.why, error.do) if part),
    }


def order_of(stores: Stores, order_id: OrderId | None) -> OrderRecord | None:
    """The stored order, or None where an intent has none."""
    if order_id is None:
        return None
    try:
        return stores.orders.order(order_id)
    except NotFoundError:  # a cancel names an order that may be nobody's row
        return None


def intent_views(stores: Stores, records: Sequence[IntentRecord]) -> list[View]:
    """A list of intents with their orders and the shortest prefixes of their ids."""
    if not records:
        return []
    short = stores.intents.shortest_prefixes([record.id for record in records])
    named = {record.order_id for record in records if record.order_id is not None}
    orders = stores.orders.named(named) if named else {}
    return [
        intent_view(
            record,
            orders.get(record.order_id) if record.order_id else None,
            short[record.id],
            approvals_of(stores, record),
        )
        for record in records
    ]


def latest_universe(engine: EngineStore) -> Mapping[str, object] | None:
    """What the engine last wrote down about the markets it watches; None before the first look."""
    found = engine.latest_entry("universe")
    if found is None:
        return None
    payload = json.loads(found.payload)
    return {**payload, "at": iso(found.at)} if isinstance(payload, dict) else None
