"""The route of the limits: what each allows and how much of it is used."""

from fastapi import APIRouter

from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer, DecimalText, Instant
from polyb0t.runtime.limits_view import known_risk, risk_view
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View


class Limit(Answer):
    """One limit. `name` is the control that enforces it; `used` is null for a limit on each order."""

    name: str
    label: str
    unit: str
    used: DecimalText | None
    limit: DecimalText
    left: DecimalText
    fraction: DecimalText | None


class SmallOrderPhase(Answer):
    """The first orders with real money: each at most `most` until `needed` settled as predicted."""

    active: bool
    agreed: int
    needed: int
    most: DecimalText


class AccountTooSmall(Answer):
    """No order fits between the limits and the exchange's minimum: what is wrong, and what to do."""

    what: str
    do: str


class Risk(Answer):
    """The limits as the engine measured them `at` that moment. Money in pUSD."""

    at: Instant
    bankroll: DecimalText | None
    limits: list[Limit]
    small_orders: SmallOrderPhase | None
    too_small: AccountTooSmall | None


def risk_routes(opened: OpenedStore) -> APIRouter:
    """The route over one store."""
    router = APIRouter(tags=["state"])

    @router.get("/risk", response_model=Risk, responses=responses(404, 503))
    def risk() -> View:
        """Every limit with its present use."""
        return risk_view(known_risk(opened))

    return router
