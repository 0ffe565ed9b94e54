"""Routes of the watch screen: everything that it shows in one answer, and the exits that it offers."""

from typing import Annotated

from fastapi import APIRouter, Query

from polyb0t.api.deciders import actor
from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer
from polyb0t.core.ids import ALPHABET, INTENT_ID_LENGTH, IntentId
from polyb0t.runtime import watch_wire
from polyb0t.runtime.approving import exits_for
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View
from polyb0t.runtime.watch_look import Marks, Watcher

_ID = rf"^[{ALPHABET}]{{{INTENT_ID_LENGTH}}}$"


class WatchAnswer(Answer):
    """For `polyb0t intents watch --url`. `look` is null where nothing changed since `mark`; its form belongs
    to `version` and is no promise: other programs read `/intents`, `/status` and `/events`."""

    version: str
    me: str
    look: str | None
    brief: str


class WatchExits(Answer):
    """The exits that an approval with exits would approve, for the same screen."""

    version: str
    exits: str


def watch_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(prefix="/watch", tags=["watch"])
    watcher, marks = Watcher(opened), Marks(opened.stores)

    @router.get("", response_model=WatchAnswer, responses=responses(422, 503))
    def watch(
        mark: Annotated[str, Query(max_length=100, description="Of the look that is known already.")] = "",
        viewer: Annotated[
            str, Query(pattern=r"^([0-9a-f]{16})?$", description="This screen's own random name.")
        ] = "",
        looking_at: Annotated[
            str | None, Query(pattern=_ID, description="The whole id of the trade that is selected there.")
        ] = None,
    ) -> View:
        """Everything that a watch screen shows. A `viewer` counts as somebody who is watching."""
        look = watcher.look()
        if viewer:
            marks.leave_one(viewer, actor(), None if looking_at is None else IntentId(looking_at), look)
        changed = look.mark != mark
        return {
            "version": watch_wire.VERSION,
            "me": actor(),
            "look": watch_wire.written(look) if changed else None,
            "brief": watch_wire.brief(look),
        }

    @router.get("/exits/{intent_id}", response_model=WatchExits, responses=responses(404, 409, 422, 503))
    def exits(intent_id: str) -> View:
        """What its exits would be, by the settings of this API."""
        record = opened.stores.intents.find(intent_id)
        made = exits_for(opened, record.intent)
        return {"version": watch_wire.VERSION, "exits": watch_wire.content(made)}

    return router
