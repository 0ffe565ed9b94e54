"""Every table. Rows of intents, orders and the journal are guarded by triggers as well (`triggers.py`).

Every row carries its scope. Money, shares and prices are whole millionths; instants are microseconds.
A change here needs a migration; a test compares the two.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from polyb0t.data.fills import FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.db.types import E6, UtcDateTime
from polyb0t.execution.access import Role as TokenRole
from polyb0t.execution.intents import LIVE_STATUSES, IntentStatus, IntentType, OrderType
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.sends import SendStatus
from polyb0t.models.kill_switches import KillSwitchType

LIVE_INDEX: Final = "uq_trade_intents_live"
metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _listed(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in sorted(values))})"


def _one_of(column: str, enum: type[StrEnum], *, nullable: bool = False) -> CheckConstraint:
    rule = _listed(column, enum)
    return CheckConstraint(f"{column} IS NULL OR {rule}" if nullable else rule, name=f"{column}_known")


# A person, or in paper the engine itself: nothing else may stand behind an approved row.
_APPROVERS: Final = (
    "substr(decided_by, 1, 5) = 'user:' OR substr(decided_by, 1, 6) = 'token:' "
    "OR substr(decided_by, 1, 9) = 'standing:' "
    "OR (decided_by = 'engine:paper' AND regime = 'paper')"
)

gates: Final = Table(
    "gates",
    metadata,
    Column("scope", String(200), primary_key=True),  # '' until first use
    Column("database_id", String(32), nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # raised by every trip
    Column("engine_token", BigInteger, nullable=False),  # only grows
    Column("claims_token", BigInteger, nullable=False),
    CheckConstraint("epoch >= 0 AND engine_token >= 0 AND claims_token >= 0", name="never_negative"),
)

trade_intents: Final = Table(
    "trade_intents",
    metadata,
    # Content: fixed by triggers. `canonical` is the whole of it; the columns beside it are for queries
    # and constraints and are written from it.
    Column("id", String(40), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("intent_type", String(20), nullable=False),
    Column("target", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("canonical", Text, nullable=False),
    Column("condition_id", String(80), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("side", String(4)),
    Column("order_type", String(3)),
    Column("worst_price", E6),
    Column("amount", E6),
    Column("shares", E6),
    Column("max_cost", E6),
    Column("approvals_required", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("parent_id", String(40)),
    Column("target_order_id", String(80)),
    # State: moves by compare-and-set.
    Column("status", String(10), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(200)),
    Column("approved_epoch", BigInteger),
    Column("execute_by", UtcDateTime),
    Column("claim_token", BigInteger),  # the lease that claimed it
    Column("result", String(60)),
    Column("result_detail", Text, nullable=False, server_default=""),
    Column("seen_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    _one_of("regime", Regime),
    _one_of("intent_type", IntentType),
    _one_of("status", IntentStatus),
    _one_of("side", Side, nullable=True),
    _one_of("order_type", OrderType, nullable=True),
    CheckConstraint("worst_price > 0 AND worst_price < 1000000", name="price_inside_unit"),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("shares > 0", name="shares_positive"),
    CheckConstraint("max_cost >= 0", name="max_cost_not_negative"),
    CheckConstraint("approvals_required >= 1", name="approval_required"),
    CheckConstraint(
        "intent_type NOT IN ('OPEN_POSITION', 'CLOSE_POSITION') OR (side IS NOT NULL"
        " AND order_type IS NOT NULL AND worst_price IS NOT NULL AND max_cost IS NOT NULL"
        " AND (amount IS NULL) <> (shares IS NULL))",
        name="trade_complete",
    ),
    CheckConstraint("decided_by <> 'engine:paper' OR regime = 'paper'", name="engine_decides_paper_only"),
    CheckConstraint(
        "status NOT IN ('APPROVED', 'EXECUTING', 'EXECUTED') OR (decided_by IS NOT NULL"
        " AND decided_at IS NOT NULL AND execute_by IS NOT NULL AND approved_epoch IS NOT NULL"
        f" AND ({_APPROVERS}))",
        name="approved_by_somebody",
    ),
    Index("ix_trade_intents_newest", "scope", "created_at", "id"),
    Index("ix_trade_intents_status", "scope", "status"),
    Index("ix_trade_intents_cooling", "scope", "regime", "intent_type", "target", "updated_at"),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("intent_id", String(40), nullable=False),
    Column("scope", String(200), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("condition_id", String(80), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("side", String(4), nullable=False),
    Column("order_type", String(3), nullable=False),
    Column("price", E6, nullable=False),
    Column("shares", E6, nullable=False),
    Column("amount", E6),
    Column("l2_timestamp", BigInteger, nullable=False),
    Column("credential_id", String(100), nullable=False),
    Column("copies", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # State.
    Column("signed_order", Text),  # a bearer instrument: erased once the order's end is proven
    Column("status", String(10), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("filled_shares", E6, nullable=False, server_default="0"),
    Column("filled_notional", E6, nullable=False, server_default="0"),
    Column("fees", E6, nullable=False, server_default="0"),
    Column("provisional_shares", E6, nullable=False, server_default="0"),
    Column("venue_status", String(60), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("lookups", Integer, nullable=False, server_default="0"),
    Column("looked_up_at", UtcDateTime),
    # One order per intent, ever: the last line of defence behind the permit's own check.
    UniqueConstraint("intent_id"),
    CheckConstraint("copies = 1", name="one_copy"),
    CheckConstraint("regime <> 'dry_run'", name="none_in_dry_run"),
    CheckConstraint("price > 0 AND price < 1000000", name="price_inside_unit"),
    CheckConstraint("shares > 0", name="shares_positive"),
    CheckConstraint("filled_shares >= 0 AND filled_notional >= 0", name="fills_not_negative"),
    CheckConstraint("provisional_shares BETWEEN 0 AND filled_shares", name="provisional_is_part"),
    _one_of("regime", Regime),
    _one_of("side", Side),
    _one_of("order_type", OrderType),
    _one_of("status", OrderStatus),
    Index("ix_orders_status", "scope", "status"),
    Index("ix_orders_newest", "scope", "created_at", "id"),
)

fills: Final = Table(
    "fills",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("trade_id", String(80), primary_key=True),
    Column("bucket_index", Integer, primary_key=True, autoincrement=False),
    Column("order_id", String(80), primary_key=True),
    Column("regime", String(10), nullable=False),
    Column("condition_id", String(80), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("side", String(4), nullable=False),
    Column("role", String(5), nullable=False),
    Column("price", E6, nullable=False),
    Column("shares", E6, nullable=False),
    Column("fee", E6, nullable=False),
    Column("status", String(10), nullable=False),
    Column("matched_at", UtcDateTime, nullable=False),
    Column("transaction_hash", String(80), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("price > 0 AND price < 1000000", name="price_inside_unit"),
    CheckConstraint("shares > 0", name="shares_positive"),
    _one_of("side", Side),
    _one_of("role", Role),
    _one_of("status", FillStatus),
    Index("ix_fills_order", "order_id"),
)

reservations: Final = Table(
    "reservations",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("pusd", E6, nullable=False),  # what a BUY may still cost
    Column("shares", E6, nullable=False),  # what a SELL may still take
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("pusd >= 0 AND shares >= 0", name="not_negative"),
    Index("ix_reservations_asset", "scope", "asset_id"),
)

kill_switches: Final = Table(
    "kill_switches",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("name", String(20), primary_key=True),
    Column("tripped", Boolean, nullable=False),
    Column("changed_at", UtcDateTime),
    Column("changed_by", String(200), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("measured", String(200)),
    Column("threshold", String(200)),
    Column("override_until", UtcDateTime),  # a person lets trading go on until then
    Column("override_by", String(200), nullable=False, server_default=""),
    Column("override_reason", Text, nullable=False, server_default=""),
    _one_of("name", KillSwitchType),
)

kill_switch_events: Final = Table(
    "kill_switch_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # of its journal entry
    Column("scope", String(200), nullable=False),
    Column("name", String(20), nullable=False),
    Column("tripped", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("measured", String(200)),
    Column("threshold", String(200)),
    Column("epoch", BigInteger, nullable=False),
    Column("until", UtcDateTime),  # of an override
    Column("known", Text, nullable=False, server_default="{}"),  # JSON: what was measured then
    _one_of("name", KillSwitchType),
)

account_states: Final = Table(
    "account_states",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("content", Text, nullable=False),  # canonical JSON
    Index("ix_account_states_newest", "scope", "id"),
)

wallet_movements: Final = Table(
    "wallet_movements",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("key", String(64), primary_key=True),  # of its content: the index gives rows no id
    Column("kind", String(40), nullable=False),  # the exchange's word, also one that we do not know
    Column("at", UtcDateTime, nullable=False),
    Column("transaction_hash", String(80), nullable=False),
    Column("pusd", E6, nullable=False),
    Column("shares", E6, nullable=False),
    Column("condition_id", String(80)),
    Column("asset_id", String(100)),
    Column("outcome_label", Text, nullable=False),
    Column("side", String(4), nullable=False),
    Column("copy", Integer, nullable=False),
    Column("taken", Text, nullable=False),  # canonical JSON: shares of ours that went with it
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint("pusd >= 0 AND shares >= 0", name="not_negative"),
)

equity_marks: Final = Table(
    "equity_marks",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("regime", String(10), primary_key=True),
    Column("opening_pusd", E6, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("flows_pusd", E6),  # the rest is null until the equity was first marked
    Column("peak_pusd", E6),
    Column("day", String(10)),
    Column("day_start_pusd", E6),
    Column("day_base_pusd", E6),
    Column("day_flows_pusd", E6),
    Column("updated_at", UtcDateTime, nullable=False),
    _one_of("regime", Regime),
)

standing_approvals: Final = Table(
    "standing_approvals",
    metadata,
    # Content: fixed by triggers; `canonical` is the whole of it.
    Column("id", String(40), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("opening_id", String(40), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("canonical", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("approved_by", String(200), nullable=False),
    Column("approved_at", UtcDateTime, nullable=False),
    # State: in force until revoked; the version moves with it.
    Column("version", Integer, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", String(200)),
    Column("revoke_reason", Text, nullable=False, server_default=""),
    _one_of("regime", Regime),
    CheckConstraint(
        "substr(approved_by, 1, 5) = 'user:' OR substr(approved_by, 1, 6) = 'token:'",
        name="approved_by_a_person",
    ),
    Index("ix_standing_approvals_opening", "scope", "opening_id"),
)

standing_uses: Final = Table(
    "standing_uses",
    metadata,
    Column("intent_id", String(40), primary_key=True),  # the sale that was approved under it
    Column("scope", String(200), nullable=False),
    Column("standing_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),  # of the standing approval at that moment
    Column("shares", E6, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("shares > 0", name="shares_positive"),
)

mutes: Final = Table(
    "mutes",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("condition_id", String(80), primary_key=True),
    Column("question", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

exit_records: Final = Table(
    "exit_records",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("condition_id", String(80), nullable=False),
    Column("asset_id", String(100), nullable=False),
    Column("triggers", Text, nullable=False),  # comma-separated; empty for a sale by hand
    Column("shares", E6, nullable=False),
    Column("proceeds", E6, nullable=False),  # after the fee
    Column("recorded_at", UtcDateTime, nullable=False),
    # What holding to the end brought, once that is known.
    Column("resolved_at", UtcDateTime),
    Column("payout", E6),  # pUSD per share
    _one_of("regime", Regime),
    CheckConstraint("shares > 0", name="shares_positive"),
    CheckConstraint("payout BETWEEN 0 AND 1000000", name="payout_inside_unit"),
    Index("ix_exit_records_open", "scope", "resolved_at"),
)

proposal_prices: Final = Table(  # what is paid for what was proposed: a report's yardstick, no decision
    "proposal_prices",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("asset_id", String(100), primary_key=True),
    Column("bid", E6),
    Column("bid_at", UtcDateTime),
    Column("payout", E6),  # pUSD per share
    Column("resolved_at", UtcDateTime),
    CheckConstraint("bid > 0 AND bid < 1000000", name="bid_inside_unit"),
    CheckConstraint("payout BETWEEN 0 AND 1000000", name="payout_inside_unit"),
)

claim_sends: Final = Table(
    "claim_sends",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("wallet", String(80), nullable=False),
    Column("route", String(12), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("deadline", BigInteger),  # unix seconds of the chain; a relayer's batch only
    Column("expected", E6, nullable=False),
    Column("balance_before", E6, nullable=False),
    Column("from_block", BigInteger, nullable=False),
    Column("max_fee_wei", BigInteger, nullable=False),
    Column("priority_fee_wei", BigInteger, nullable=False),
    Column("replaces", String(40)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("raw", Text),  # exactly what is sent; erased at a proven end
    Column("status", String(12), nullable=False),
    Column("tx_hash", String(80), nullable=False),  # a relayer's batch has none until it is told one
    Column("transaction_id", String(80), nullable=False, server_default=""),
    Column("paid", E6),
    Column("gas_cost_wei", BigInteger, nullable=False, server_default="0"),
    Column("code", String(60), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
    _one_of("status", SendStatus),
    CheckConstraint("route IN ('relayer', 'transaction')", name="route_known"),
    CheckConstraint("expected > 0", name="expects_something"),
    Index("ix_claim_sends_open", "scope", "status"),
)

claim_members: Final = Table(
    "claim_members",
    metadata,
    Column("send_id", String(40), primary_key=True),
    Column("intent_id", String(40), primary_key=True),
    Column("place", Integer, nullable=False),
    Index("ix_claim_members_intent", "intent_id"),
)

chain_payouts: Final = Table(
    "chain_payouts",
    metadata,
    Column("key", String(100), primary_key=True),  # tx_hash:log_index
    Column("scope", String(200), nullable=False),
    Column("tx_hash", String(80), nullable=False),
    Column("log_index", Integer, nullable=False),
    Column("condition_id", String(80), nullable=False),
    Column("wallet", String(80), nullable=False),
    Column("pusd", E6, nullable=False),
    # A reorganisation can move the same payment into another block, or take it away.
    Column("block_hash", String(80), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("send_id", String(40), nullable=False, server_default=""),  # empty: somebody else's transaction
    Column("taken", Text, nullable=False),  # canonical JSON: shares of ours that went for it
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    CheckConstraint("pusd >= 0", name="not_negative"),
    UniqueConstraint("scope", "tx_hash", "log_index"),
)

onlookers: Final = Table(  # who has a screen open on what: a hint, outside the journal
    "onlookers",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("viewer", String(40), primary_key=True),
    Column("actor", String(200), nullable=False),
    Column("looking_at", String(40)),
    Column("seen_at", UtcDateTime, nullable=False),
)

shown_books: Final = Table(  # what the engine shows beside proposals while somebody looks
    "shown_books",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("asset_id", String(100), primary_key=True),
    Column("content", Text, nullable=False),  # canonical JSON: the best levels of both sides
    Column("observed_at", UtcDateTime, nullable=False),
)

engine_lease: Final = Table(
    "engine_lease",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("role", String(10), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", String(200), nullable=False),
    Column("boot_id", String(100), nullable=False),
    Column("process_started", String(100), nullable=False),
    Column("regime", String(10), nullable=False),
    Column("cycle", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("facts", Text, nullable=False),  # JSON: what the engine knows now, replaced at each beat
    CheckConstraint(_listed("role", ("engine", "claims")), name="role_known"),
    _one_of("regime", Regime),
)

journal: Final = Table(
    "journal",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # gap-free
    Column("scope", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_journal_subject", "scope", "subject", "sequence"),
)

journal_head: Final = Table(
    "journal_head",
    metadata,
    Column("scope", String(200), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("at", UtcDateTime),
)

access_tokens: Final = Table(
    "access_tokens",
    metadata,
    # Content: fixed by triggers. The token itself is nowhere.
    Column("digest", String(64), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("name", String(40), nullable=False),
    Column("role", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # State.
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", String(200)),
    Column("revoke_reason", Text, nullable=False, server_default=""),
    Column("used_at", UtcDateTime),
    # Its one-time codes: the last step that was used up, and tries since the last right one.
    Column("code_step", BigInteger),  # null: none was set up
    Column("code_tries", Integer, nullable=False, server_default="0"),
    Column("code_rests_until", UtcDateTime),
    _one_of("role", TokenRole),
    Index("ix_access_tokens_name", "scope", "name"),
)

approvals: Final = Table(
    "approvals",
    metadata,
    # One person's word for a trade, or for exits in advance, that needs more than one word. Never changed.
    Column("key", String(240), primary_key=True),  # subject and actor: nobody counts twice
    Column("scope", String(200), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("digest", String(64), nullable=False),  # of what was seen
    Column("actor", String(200), nullable=False),
    Column("token", String(64), nullable=False),  # whose revocation takes the word back
    Column("code_step", BigInteger),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("substr(actor, 1, 6) = 'token:'", name="by_a_token"),
    Index("ix_approvals_subject", "scope", "subject"),
)


def complete_metadata() -> MetaData:
    """With the partial index as well. It names the dialects, and that loads them: only migrations pay."""
    if not any(index.name == LIVE_INDEX for index in trade_intents.indexes):
        # The database, not the caller, refuses a second live intent of a kind on a target.
        live = text(_listed("status", LIVE_STATUSES))
        columns = (trade_intents.c[name] for name in ("scope", "regime", "intent_type", "target"))
        Index(LIVE_INDEX, *columns, unique=True, sqlite_where=live, postgresql_where=live)
    return metadata
