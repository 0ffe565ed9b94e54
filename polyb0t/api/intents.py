"""Routes of proposed trades: list, one, approve, reject."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Response
from pydantic import AwareDatetime

from polyb0t.api.answers import IntentPages
from polyb0t.api.deciders import actor, may_decide_on, require_digest
from polyb0t.api.pages import NEXT, PAGE, Cursor, Limit
from polyb0t.api.problems import responses
from polyb0t.api.schemas import Approval, Intent, Rejection, ShownForm
from polyb0t.api.security_gate import asking
from polyb0t.api.turns import turns
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import ALPHABET, INTENT_ID_LENGTH, IntentId
from polyb0t.core.units import Price, Shares
from polyb0t.execution.intents import IntentManager, IntentRecord, IntentStatus, IntentType, ProposingRules
from polyb0t.execution.scope import Scope
from polyb0t.execution.smaller import smaller_form
from polyb0t.runtime.approving import approver_as, exits_for, most_required
from polyb0t.runtime.as_shown import Named, exits_as_shown, smaller_as_shown
from polyb0t.runtime.deciding import Shape, approve_as_shown
from polyb0t.runtime.deciding import reject as rejected
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, approvals_of, intent_view, order_of


def intent_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(prefix="/intents", tags=["intents"])
    rules = ProposingRules(
        edge_min=opened.settings.min_edge, grace_seconds=opened.settings.execution_grace_seconds
    )
    manager = IntentManager(opened.stores.intents, rules)
    pages = IntentPages(opened.stores)

    @router.get("", response_model=list[Intent], responses=responses(404, 422))
    def intents(
        status: Annotated[list[IntentStatus] | None, Query(description="Only these.")] = None,
        type: Annotated[list[IntentType] | None, Query(description="Only these.")] = None,  # noqa: A002
        changed_since: Annotated[
            AwareDatetime | None, Query(description="Only what was proposed or has moved after that instant.")
        ] = None,
        limit: Limit = PAGE,
        cursor: Cursor = None,
    ) -> Response:
        """Newest first. When there are more, the header `X-Next-Cursor` continues the list."""
        records = opened.stores.intents.list(
            statuses=tuple(status or ()),
            types=tuple(type or ()),
            limit=limit + 1,
            before=None if cursor is None else _cursor(opened, cursor),
            changed_since=changed_since,
        )
        page = records[:limit]
        more = {NEXT: page[-1].id} if len(records) > limit else None
        return pages.page(page, more)

    @router.get("/{intent_id}", response_model=Intent, responses=responses(404, 409))
    def intent(intent_id: str) -> View:
        """One trade; a unique beginning of its id is enough."""
        return intent_answer(opened, opened.stores.intents.find(intent_id))

    turn = Depends(turns())

    @router.post(
        "/{intent_id}/approve",
        response_model=Intent,
        responses=responses(403, 404, 409, 422, 503),
        dependencies=[turn],
    )
    def approve(intent_id: str, body: Annotated[Approval | None, Body()] = None) -> View:
        """Approve exactly the content that the id names, or that the digest names if one is given; or
        less of it, or its exits as well."""
        record = opened.stores.intents.find(intent_id)
        _may_decide(record)
        asked = body or Approval()
        require_digest(Scope.parse(record.intent.scope), record.intent.regime, asked.digest, record.id)
        shape = _shape(opened, record, asked)
        needed = most_required([record.intent, *([shape.exits] if shape.exits else [])])
        approver = approver_as(opened, asking(), needed, asked.code)
        approved = approve_as_shown(
            opened.stores,
            manager,
            record,
            digest=asked.digest or record.digest,
            actor=approver.actor,
            shape=shape,
            code=approver.code,
        )
        return intent_answer(opened, approved)

    @router.post(
        "/{intent_id}/reject",
        response_model=Intent,
        responses=responses(403, 404, 409, 422, 503),
        dependencies=[turn],
    )
    def reject(intent_id: str, body: Annotated[Rejection | None, Body()] = None) -> View:
        """Reject a trade that waits, or that is approved and not yet sent."""
        record = opened.stores.intents.find(intent_id)
        _may_decide(record)
        asked = body or Rejection()
        hours = asked.mute_hours
        until = None if hours is None else opened.stores.intents.now() + timedelta(hours=hours)
        gone = rejected(
            opened.stores, manager, record.id, actor=actor(), reason=asked.reason, muted_until=until
        )
        return intent_answer(opened, gone)

    return router


def intent_answer(opened: OpenedStore, record: IntentRecord) -> View:
    """An intent as every route answers it."""
    short = opened.stores.intents.shortest_prefixes([record.id])[record.id]
    given = approvals_of(opened.stores, record)
    return intent_view(record, order_of(opened.stores, record.order_id), short, given)


def _cursor(opened: OpenedStore, cursor: str) -> IntentId:
    """The intent after which a page begins.

    Raises:
        UsageError: it is no cursor of ours. NotFoundError: its intent is gone.
    """
    if len(cursor) != INTENT_ID_LENGTH or not set(cursor) <= set(ALPHABET):
        raise UsageError(
            "Not answered: cursor is not possible.",
            why=f"It is no value of {NEXT}.",
            code="invalid_request",
        )
    return opened.stores.intents.get(IntentId(cursor)).id


def _shape(opened: OpenedStore, record: IntentRecord, body: Approval) -> Shape:
    """What of it is approved; what is no longer pending is refused by the decision itself."""
    if record.status is not IntentStatus.PENDING or not (body.shares or body.worst_price or body.with_exits):
        return Shape()
    now, shown, smaller = opened.stores.intents.now(), record.intent, None
    if body.shown_smaller is not None and body.shares and not body.worst_price:
        wanted = Shares(Decimal(body.shares))
        return Shape(smaller_as_shown(record.intent, wanted, named(body.shown_smaller), now))
    if body.shown_exits is not None and body.with_exits and not body.shares and not body.worst_price:
        return Shape(exits=exits_as_shown(opened, shown, named(body.shown_exits), now))
    if body.shares or body.worst_price:
        shares = Shares(Decimal(body.shares)) if body.shares else None
        worst = Price(Decimal(body.worst_price)) if body.worst_price else None
        shown = smaller = smaller_form(record.intent, shares=shares, worst_price=worst, now=now)
    exits = exits_for(opened, shown) if body.with_exits else None
    return Shape(smaller, exits)


def named(form: ShownForm) -> Named:
    return Named(IntentId(form.id), form.created_at, form.digest)


def _may_decide(record: IntentRecord) -> None:
    may_decide_on(Scope.parse(record.intent.scope), record.intent.regime, f"intents show {record.id[:6]}")
