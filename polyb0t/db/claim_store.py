"""The ClaimStore in SQL: a send, its members and what the chain paid move together."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from polyb0t.core.canonical import canonical_text
from polyb0t.core.errors import ConflictError, DatabaseError, NotFoundError, PolybotError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, Wallet
from polyb0t.core.units import Pusd, Shares, parse_decimal
from polyb0t.data.cash_flows import Taken
from polyb0t.db.claim_permission import require_claims, why_not
from polyb0t.db.moves import load, move
from polyb0t.db.tables import chain_payouts, claim_members, claim_sends
from polyb0t.db.unit import Unit, Units, changed
from polyb0t.execution.intents import Denied, IntentRecord, IntentStatus, IntentType
from polyb0t.execution.scope import Lease
from polyb0t.execution.settlement.ports import ClaimRoute, Payout
from polyb0t.execution.settlement.sends import (
    ENDED_SEND,
    OPEN_SEND,
    SEND_TRANSITIONS,
    NewSend,
    SendRecord,
    SendStatus,
)
from polyb0t.execution.settlement.store import BookedPayout, SendNews

CLAIMS: Final = "claims"  # the actor of what the claims process does
SEND_PREPARED: Final = "claim.prepared"
SEND_SETTLED: Final = "claim.settled"
SEND_FINAL: Final = "claim.final"
PAYOUT_BOOKED: Final = "payout.booked"
PAYOUT_TAKEN_BACK: Final = "payout.taken_back"
SEND_CONTENT: Final = (
    *("id", "wallet", "route", "nonce", "deadline", "expected", "balance_before", "from_block"),
    *("max_fee_wei", "priority_fee_wei", "replaces"),
)
Ends = Collection[tuple[IntentId, str, str]]


class SqlClaimStore:
    """Sends and payments of one scope."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def prepare(self, send: NewSend, lease: Lease, *, budget_seconds: float) -> SendRecord | Denied:
        def prepared(unit: Unit) -> SendRecord | Denied:
            return why_not(unit, send, lease, budget_seconds) or _insert(unit, send)

        return self._units.write(prepared)

    def settle(
        self,
        send_id: str,
        lease: Lease,
        news: SendNews,
        *,
        booked: Sequence[BookedPayout] = (),
        ends: Ends = (),
    ) -> SendRecord:
        def settled(unit: Unit) -> SendRecord | PolybotError:
            require_claims(unit, lease)
            return _settle(unit, send_id, news, booked, ends)

        return self._units.decide(settled)

    def finish(self, send_id: str, lease: Lease) -> None:
        def finished(unit: Unit) -> None:
            require_claims(unit, lease)
            send = _load(unit, send_id)
            if send.status is SendStatus.CONFIRMED and send.raw is not None:
                erased = update(claim_sends).where(claim_sends.c.id == send_id).values(raw=None)
                unit.connection.execute(erased)
                unit.note(SEND_FINAL, send_id, {"tx_hash": send.tx_hash}, actor=CLAIMS)

        self._units.write(finished)

    def end(
        self,
        intent_id: IntentId,
        lease: Lease,
        *,
        code: str,
        detail: str,
        booked: Sequence[BookedPayout] = (),
    ) -> IntentRecord:
        def ended(unit: Unit) -> IntentRecord | PolybotError:
            require_claims(unit, lease)
            record = load(unit, intent_id)
            if not _is_open_claim(record) or any(send.is_open for send in _sends_of(unit, intent_id)):
                return _not_open(record)
            _book(unit, booked)
            return move(unit, record, IntentStatus.FAILED, actor=CLAIMS, code=code, detail=detail)

        return self._units.decide(ended)

    def book(self, booked: Sequence[BookedPayout], lease: Lease) -> tuple[BookedPayout, ...]:
        def written(unit: Unit) -> tuple[BookedPayout, ...]:
            require_claims(unit, lease)
            return _book(unit, booked)

        return self._units.write(written) if booked else ()

    def take_back(self, tx_hash: str, lease: Lease, *, detail: str) -> int:
        def taken_back(unit: Unit) -> int:
            require_claims(unit, lease)
            table = chain_payouts.c
            here = (
                table.scope == str(unit.scope),
                table.tx_hash == tx_hash.lower(),
                table.removed_at.is_(None),
            )
            rows = unit.connection.execute(select(chain_payouts).where(*here)).mappings().all()
            for row in rows:
                gone = update(chain_payouts).where(table.key == row["key"]).values(removed_at=unit.now)
                unit.connection.execute(gone)
                told = {"tx_hash": tx_hash, "pusd": row["pusd"], "detail": detail}
                unit.note(PAYOUT_TAKEN_BACK, row["key"], told, actor=CLAIMS)
            return len(rows)

        return self._units.write(taken_back)

    def sends(self, *, open_only: bool = False, intent_id: IntentId | None = None) -> tuple[SendRecord, ...]:
        return self._units.read(
            lambda connection: _read_sends(connection, str(self._units.scope), open_only, intent_id)
        )

    def payouts(
        self, condition_ids: Collection[ConditionId] = (), *, with_removed: bool = False
    ) -> tuple[BookedPayout, ...]:
        return self._units.read(
            lambda connection: read_payouts(
                connection, str(self._units.scope), condition_ids, with_removed=with_removed
            )
        )


def read_payouts(
    connection: Connection, scope: str, condition_ids: Collection[ConditionId] = (), *, with_removed: bool
) -> tuple[BookedPayout, ...]:
    """What the chain paid, oldest first."""
    table = chain_payouts.c
    query = select(chain_payouts).where(table.scope == scope)
    if condition_ids:
        query = query.where(table.condition_id.in_(tuple(condition_ids)))
    if not with_removed:
        query = query.where(table.removed_at.is_(None))
    query = query.order_by(table.block_number, table.log_index, table.key)
    return tuple(map(_payout, connection.execute(query).mappings()))


def _insert(unit: Unit, send: NewSend) -> SendRecord:
    content = {name: getattr(send, name) for name in SEND_CONTENT}
    unit.connection.execute(
        insert(claim_sends).values(
            **content,
            scope=str(unit.scope),
            raw=send.raw,
            tx_hash=send.tx_hash.lower(),
            status=SendStatus.PREPARED,
            created_at=unit.now,
            updated_at=unit.now,
        )
    )
    for place, member in enumerate(send.members):
        row = {"send_id": send.id, "intent_id": member, "place": place}
        unit.connection.execute(insert(claim_members).values(**row))
    entry = {**content, "members": list(send.members), "from": None, "to": SendStatus.PREPARED}
    unit.note(SEND_PREPARED, send.id, {**entry, "tx_hash": send.tx_hash}, actor=CLAIMS)
    return _load(unit, send.id)


def _settle(
    unit: Unit, send_id: str, news: SendNews, booked: Sequence[BookedPayout], ends: Ends
) -> SendRecord | PolybotError:
    send = _load(unit, send_id)
    if news.status is not send.status and news.status not in SEND_TRANSITIONS[send.status]:
        return _illegal(send, news.status)
    _move(unit, send, news)
    _book(unit, booked)
    _end_members(unit, send, news, {member: (code, detail) for member, code, detail in ends})
    if news.status in ENDED_SEND and news.status is not SendStatus.DROPPED:
        _drop_others(unit, send)
    return _load(unit, send_id)


def _move(unit: Unit, send: SendRecord, news: SendNews) -> None:
    told: dict[str, Any] = {
        name: getattr(news, name)
        for name in ("tx_hash", "transaction_id", "paid", "gas_cost_wei")
        if getattr(news, name) is not None
    }
    if "tx_hash" in told:
        told["tx_hash"] = told["tx_hash"].lower()
    if news.status in ENDED_SEND - {SendStatus.CONFIRMED}:
        told["raw"] = None
    values = {"status": news.status, "code": news.code, "detail": news.detail, "updated_at": unit.now, **told}
    table = claim_sends.c
    statement = update(claim_sends).where(table.id == send.id, table.status == send.status).values(**values)
    if not changed(unit.connection, statement):
        raise DatabaseError(
            f"Claim {send.id} was not moved.",
            why=f"It is no longer {send.status}.",
            do="This is a fault in polyb0t; report it with the log.",
            code="illegal_transition",
        )
    told.pop("raw", None)
    entry = {"from": send.status, "to": news.status, "code": news.code, "detail": news.detail, **told}
    unit.note(SEND_SETTLED, send.id, entry, actor=CLAIMS)


def _end_members(
    unit: Unit, send: SendRecord, news: SendNews, ends: Mapping[IntentId, tuple[str, str]]
) -> None:
    paid = news.status is SendStatus.CONFIRMED
    for member in sorted(send.members):
        record = load(unit, member)
        if member in ends:
            code, detail = ends[member]
            status = IntentStatus.FAILED
        elif paid:
            code, detail, status = news.code, news.detail, IntentStatus.EXECUTED
        elif news.status in (SendStatus.REVERTED, SendStatus.ALREADY_PAID):
            code, detail, status = news.code, news.detail, IntentStatus.FAILED
        else:
            continue
        late_proof = record.status is IntentStatus.FAILED and status is IntentStatus.EXECUTED
        if record.status is IntentStatus.EXECUTING or late_proof:
            move(unit, record, status, actor=CLAIMS, code=code, detail=detail)


def _drop_others(unit: Unit, send: SendRecord) -> None:
    """A nonce is used once: what else was signed for it can never be mined."""
    for other in _read_sends(unit.connection, str(unit.scope), True, None):
        same = (other.wallet, other.route, other.nonce) == (send.wallet, send.route, send.nonce)
        if same and other.id != send.id:
            detail = f"Its nonce {send.nonce} went to {send.id}."
            _move(unit, other, SendNews(SendStatus.DROPPED, "replaced", detail))


def _book(unit: Unit, booked: Sequence[BookedPayout]) -> tuple[BookedPayout, ...]:
    """Insert what is new, bring back what was taken back; seeing one twice changes nothing."""
    new = []
    for entry in booked:
        payout, key = entry.payout, payout_key(entry.payout)
        row = unit.connection.execute(select(chain_payouts).where(chain_payouts.c.key == key)).mappings()
        known = row.one_or_none()
        place = {"block_hash": payout.block_hash, "block_number": payout.block_number, "at": payout.at}
        live = {**place, "send_id": entry.send_id, "taken": _taken_text(entry.taken), "removed_at": None}
        if known is None:
            unit.connection.execute(insert(chain_payouts).values(**_payout_content(unit, entry), **live))
        elif known["removed_at"] is not None:
            unit.connection.execute(update(chain_payouts).where(chain_payouts.c.key == key).values(**live))
        else:
            continue
        told = {"condition_id": payout.condition_id, "pusd": payout.pusd, "send": entry.send_id}
        taken = {one.asset_id: one.shares for one in entry.taken}
        unit.note(PAYOUT_BOOKED, key, {**told, "tx_hash": payout.tx_hash, "taken": taken}, actor=CLAIMS)
        new.append(entry)
    return tuple(new)


def payout_key(payout: Payout) -> str:
    """What makes two sightings the same payment."""
    return f"{payout.tx_hash.lower()}:{payout.log_index}"


def _payout_content(unit: Unit, entry: BookedPayout) -> dict[str, object]:
    payout = entry.payout
    return {
        "key": payout_key(payout),
        "scope": str(unit.scope),
        "tx_hash": payout.tx_hash.lower(),
        "log_index": payout.log_index,
        "condition_id": payout.condition_id,
        "wallet": payout.wallet,
        "pusd": payout.pusd,
        "recorded_at": unit.now,
    }


def _payout(row: RowMapping) -> BookedPayout:
    payout = Payout(
        row["tx_hash"],
        row["log_index"],
        row["block_hash"],
        row["block_number"],
        ConditionId(row["condition_id"]),
        Wallet(row["wallet"]),
        row["pusd"],
        row["at"],
    )
    taken = tuple(
        Taken(
            AssetId(one["asset_id"]), Shares(parse_decimal(one["shares"])), Pusd(parse_decimal(one["pusd"]))
        )
        for one in json.loads(row["taken"])
    )
    return BookedPayout(payout, row["send_id"], taken, row["recorded_at"], row["removed_at"])


def _taken_text(taken: Sequence[Taken]) -> str:
    return canonical_text(
        [{"asset_id": one.asset_id, "shares": one.shares, "pusd": one.pusd} for one in taken]
    )


def _load(unit: Unit, send_id: str) -> SendRecord:
    query = select(claim_sends).where(claim_sends.c.id == send_id, claim_sends.c.scope == str(unit.scope))
    row = unit.connection.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no claim transaction {send_id:.60}.", code="claim_not_found")
    return _record(row, _members(unit.connection, send_id))


def _sends_of(unit: Unit, intent_id: IntentId) -> tuple[SendRecord, ...]:
    return _read_sends(unit.connection, str(unit.scope), False, intent_id)


def _read_sends(
    connection: Connection, scope: str, open_only: bool, intent_id: IntentId | None
) -> tuple[SendRecord, ...]:
    table = claim_sends.c
    query = select(claim_sends).where(table.scope == scope)
    if open_only:
        query = query.where(table.status.in_(OPEN_SEND))
    if intent_id is not None:
        of_it = select(claim_members.c.send_id).where(claim_members.c.intent_id == intent_id)
        query = query.where(table.id.in_(of_it))
    rows = connection.execute(query.order_by(table.created_at, table.id)).mappings().all()
    return tuple(_record(row, _members(connection, row["id"])) for row in rows)


def _members(connection: Connection, send_id: str) -> tuple[IntentId, ...]:
    table = claim_members.c
    query = select(table.intent_id).where(table.send_id == send_id).order_by(table.place)
    return tuple(IntentId(each) for each in connection.scalars(query))


def _record(row: RowMapping, members: tuple[IntentId, ...]) -> SendRecord:
    values = {name: row[name] for name in row if name not in ("scope", "status", "route", "wallet")}
    return SendRecord(
        **values,
        wallet=Wallet(row["wallet"]),
        members=members,
        status=SendStatus(row["status"]),
        route=ClaimRoute(row["route"]),
    )


def _is_open_claim(record: IntentRecord) -> bool:
    return (
        record.status is IntentStatus.EXECUTING and record.intent.intent_type is IntentType.CLAIM_SETTLEMENT
    )


def _not_open(record: IntentRecord) -> ConflictError:
    return ConflictError(
        f"Claim {record.id} was not ended.",
        why=f"It is {record.status}, or a transaction of it could still pay.",
        do="What was sent is followed to its end.",
        code="not_open",
    )


def _illegal(send: SendRecord, status: SendStatus) -> ConflictError:
    return ConflictError(
        f"Claim transaction {send.id} was not moved.",
        why=f"It cannot go from {send.status} to {status}.",
        do="This is a fault in polyb0t; report it with the log.",
        code="illegal_move",
    )
