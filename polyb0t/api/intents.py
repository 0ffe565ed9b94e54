"""Routes of proposed trades: list, one, approve, reject."""

import getpass
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from polyb0t.api.problems import responses
from polyb0t.api.schemas import Approval, Intent, Rejection
from polyb0t.core.errors import NotAuthorisedError, UsageError
from polyb0t.core.ids import ALPHABET, INTENT_ID_LENGTH, IntentId
from polyb0t.execution.intents import IntentManager, IntentRecord, IntentStatus, ProposingRules
from polyb0t.execution.scope import Regime, Scope
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, intent_view, intent_views, order_of

PAGE = 50
NEXT = "X-Next-Cursor"


def intent_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(prefix="/intents", tags=["intents"])
    rules = ProposingRules(
        edge_min=opened.settings.min_edge, grace_seconds=opened.settings.execution_grace_seconds
    )
    manager = IntentManager(opened.stores.intents, rules)

    @router.get("", response_model=list[Intent], responses=responses(404, 422))
    def intents(
        response: Response,
        status: Annotated[IntentStatus | None, Query(description="Only these.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
        cursor: Annotated[str | None, Query(description=f"The value of {NEXT} of the page before.")] = None,
    ) -> list[View]:
        """Newest first. When there are more, the header `X-Next-Cursor` continues the list."""
        before = None if cursor is None else _cursor(opened, cursor)
        statuses = () if status is None else (status,)
        records = opened.stores.intents.list(statuses=statuses, limit=limit + 1, before=before)
        page = records[:limit]
        if len(records) > limit:
            response.headers[NEXT] = page[-1].id
        return intent_views(opened.stores, page)

    @router.get("/{intent_id}", response_model=Intent, responses=responses(404, 409))
    def intent(intent_id: str) -> View:
        """One trade; a unique beginning of its id is enough."""
        return _view(opened, opened.stores.intents.find(intent_id))

    @router.post("/{intent_id}/approve", response_model=Intent, responses=responses(403, 404, 409, 422))
    def approve(intent_id: str, body: Annotated[Approval | None, Body()] = None) -> View:
        """Approve exactly the content that the id names, or that the digest names if one is given."""
        record = opened.stores.intents.find(intent_id)
        _may_decide(record)
        digest = body.digest if body and body.digest else record.digest
        return _view(opened, manager.approve(record.id, digest=digest, actor=actor()))

    @router.post("/{intent_id}/reject", response_model=Intent, responses=responses(403, 404, 409, 422))
    def reject(intent_id: str, body: Annotated[Rejection | None, Body()] = None) -> View:
        """Reject a trade that waits, or that is approved and not yet sent."""
        record = opened.stores.intents.find(intent_id)
        _may_decide(record)
        reason = body.reason if body else ""
        return _view(opened, manager.reject(record.id, actor=actor(), reason=reason))

    return router


def actor() -> str:
    """Whoever runs this API: it answers this computer only and has no tokens yet."""
    return f"user:{getpass.getuser()}@http"


def _view(opened: OpenedStore, record: IntentRecord) -> View:
    short = opened.stores.intents.shortest_prefixes([record.id])[record.id]
    return intent_view(record, order_of(opened.stores, record.order_id), short)


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


def _may_decide(record: IntentRecord) -> None:
    """With real money a decision over HTTP needs a token, and there are none yet."""
    intent = record.intent
    if intent.regime is Regime.LIVE and not Scope.parse(intent.scope).is_sandbox:
        raise NotAuthorisedError(
            "Not decided: decisions about real money over HTTP need tokens. Nothing was sent.",
            why="They come with a later release.",
            do=f"Decide in a terminal: polyb0t intents show {record.id[:6]}",
            code="tokens_required",
        )
