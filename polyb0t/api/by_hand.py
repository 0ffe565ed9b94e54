"""Routes of what a person does unasked: own ideas, sales, exits approved in advance, muted markets."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Body

from polyb0t.api.deciders import actor, may_decide_on
from polyb0t.api.intents import intent_answer
from polyb0t.api.problems import responses
from polyb0t.api.schemas import Close, Intent, Muted, OwnIdea, Protection, Standing
from polyb0t.api.security_gate import asking
from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Denied
from polyb0t.runtime.approving import exits_for, protect_as
from polyb0t.runtime.by_hand import HandDesk, Idea
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.standing_terms import Terms, given_for, held_position, openings_of
from polyb0t.runtime.views import View, mute_view, standing_view

NO_CLOSE = Close()
NO_PROTECTION = Protection()
REFUSALS = responses(403, 404, 409, 422, 503)


def by_hand_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store. A proposal waits for its approval: over HTTP its content has to be seen
    first, and the digest of what was seen can then be approved."""
    router = APIRouter(tags=["by hand"])
    stores = opened.stores

    @router.post("/intents", response_model=Intent, responses=REFUSALS, status_code=201)
    def propose(body: OwnIdea) -> View:
        """Propose a purchase of your own, through the same checks; approve it with its id and digest."""
        may_decide_on(opened.scope, opened.regime(), "intents propose")
        idea = Idea(
            body.market,
            body.outcome,
            Price(Decimal(body.worst_price)),
            None if body.amount is None else Pusd(Decimal(body.amount)),
            None if body.shares is None else Shares(Decimal(body.shares)),
        )
        with HandDesk(opened) as desk:
            return _stored(opened, desk.buy(idea), replaces=False)

    @router.post("/positions/{position_id}/close", response_model=Intent, responses=REFUSALS, status_code=201)
    def close(position_id: str, body: Annotated[Close, Body()] = NO_CLOSE) -> View:
        """Propose to sell a position at a floor; approve it with its id and digest."""
        may_decide_on(opened.scope, opened.regime(), "positions close")
        shares = None if body.shares is None else Shares(Decimal(body.shares))
        position = held_position(stores, position_id)
        with HandDesk(opened) as desk:
            return _stored(opened, desk.close(position, shares, _price(body.worst_price)), replaces=True)

    @router.post("/positions/{position_id}/protect", response_model=list[Standing], responses=REFUSALS)
    def protect(position_id: str, body: Annotated[Protection, Body()] = NO_PROTECTION) -> list[View]:
        """Approve a position's exits in advance, for each purchase behind it."""
        may_decide_on(opened.scope, opened.regime(), "positions protect")
        named = None if body.triggers is None else tuple(body.triggers)
        terms = Terms(named, _price(body.worst_price), body.hours)
        openings = openings_of(stores, held_position(stores, position_id).asset_id)
        given = [exits_for(opened, opening, terms) for opening in openings]
        made = protect_as(opened, asking(), given, body.code)
        return [standing_view(each) for each in made]

    @router.post("/positions/{position_id}/unprotect", response_model=list[Standing], responses=REFUSALS)
    def unprotect(position_id: str) -> list[View]:
        """Take that approval back, at once. It makes nothing possible, so it needs no token."""
        found = given_for(stores, held_position(stores, position_id).asset_id)
        if not found:
            raise ConflictError(
                "Nothing was taken back: no exit of this position is approved in advance.",
                why="Its exits wait for you.",
                do=f"To approve them: polyb0t positions protect {position_id:.20}",
                code="not_protected",
            )
        gone = [stores.standing.revoke(each.id, actor=actor(), reason="") for each in found]
        return [standing_view(each) for each in gone]

    @router.get("/mutes", response_model=list[Muted], responses=responses(503))
    def mutes() -> list[View]:
        """The markets that nobody is asked about."""
        return [mute_view(mute) for mute in stores.by_hand.mutes()]

    @router.delete("/mutes/{condition_id}", response_model=list[Muted], responses=REFUSALS)
    def unmute(condition_id: str) -> list[View]:
        """Be asked about it again; what stays muted."""
        if not stores.by_hand.unmute(ConditionId(condition_id), actor=actor()):
            raise NotFoundError(
                "Nothing changed: this market is not muted.",
                do="See which are: polyb0t intents mutes",
                code="not_muted",
            )
        return [mute_view(mute) for mute in stores.by_hand.mutes()]

    return router


def _stored(opened: OpenedStore, intent: TradeIntent, *, replaces: bool) -> View:
    answer = opened.stores.by_hand.propose(intent, actor=actor(), replaces_waiting=replaces)
    if isinstance(answer, Denied):
        raise ConflictError("Not proposed. Nothing was sent.", why=answer.detail, code=answer.code)
    return intent_answer(opened, answer)


def _price(text: str | None) -> Price | None:
    return None if text is None else Price(Decimal(text))
