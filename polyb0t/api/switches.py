"""Routes of the kill switches: how each stands, trip, clear, override."""

from fastapi import APIRouter

from polyb0t.api.deciders import actor, may_decide_on, require
from polyb0t.api.problems import responses
from polyb0t.api.schemas import SwitchClearing, SwitchNow, SwitchOverriding, SwitchReason
from polyb0t.execution.access import Role
from polyb0t.models.durations import parse_duration
from polyb0t.runtime import switching
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View


def switch_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(prefix="/kill-switches", tags=["kill switches"])

    @router.get("", response_model=list[SwitchNow], responses=responses(503))
    def switches() -> list[View]:
        """All seven: whether each is tripped, why, what is measured now and where it trips."""
        return [line.view() for line in switching.switch_lines(opened)]

    @router.post("/{name}/trip", response_model=SwitchNow, responses=responses(404, 422))
    def trip(name: str, body: SwitchReason) -> View:
        """Trip one by hand. MANUAL is the halt."""
        switch = switching.switch_named(name)
        switching.trip(opened, switch, actor=actor(), reason=body.reason)
        return _view(opened, switch.value)

    @router.post("/{name}/clear", response_model=SwitchNow, responses=responses(403, 404, 409, 422))
    def clear(name: str, body: SwitchClearing) -> View:
        """Lift one once its cause is gone; refused with `cause_holds` before. MANUAL is the resume."""
        switch = switching.switch_named(name)
        _may_lift(opened)
        switching.clear(opened, switch, actor=actor(), reason=body.reason, accept_loss=body.accept_loss)
        return _view(opened, switch.value)

    @router.post("/{name}/override", response_model=SwitchNow, responses=responses(403, 404, 409, 422))
    def override(name: str, body: SwitchOverriding) -> View:
        """Let trading go on for a while although the cause holds. Never RECONCILIATION or MANUAL."""
        switch = switching.switch_named(name)
        _may_lift(opened)
        lasting = parse_duration(body.lasting)
        switching.override(opened, switch, actor=actor(), reason=body.reason, lasting=lasting)
        return _view(opened, switch.value)

    return router


def _view(opened: OpenedStore, name: str) -> View:
    return next(line.view() for line in switching.switch_lines(opened) if line.type.value == name)


def _may_lift(opened: OpenedStore) -> None:
    """An approver stops; letting trading go on takes an admin, and with real money a token."""
    require(Role.ADMIN, "Nothing changed.")
    may_decide_on(opened.scope, opened.regime(), "kill-switches list", undone="Nothing changed")
