"""The route of events: the journal as server-sent events, whose ids are the journal's own numbers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from polyb0t.api.feed import JournalFeed, Told
from polyb0t.api.problems import responses
from polyb0t.api.security_gate import asking
from polyb0t.core.clock import awake_seconds
from polyb0t.core.errors import ConflictError, DatabaseError, NotAuthorisedError, PolybotError, UsageError
from polyb0t.runtime.journal_tail import Wanted
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import Identity, identify, needs_tokens

MEDIA_TYPE: Final = "text/event-stream"
MOST_STREAMS: Final = 500  # of one process; each holds a connection
KEEP_ALIVE_SECONDS: Final = 15.0  # under the half minute after which proxies drop a silent connection
ADMITTED_SECONDS: Final = 10.0  # how long a token that was taken back may still be told something
RETRY_MILLISECONDS: Final = 1_000
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE: Final = (
    '{"sequence":812,"at":"2026-11-22T12:41:15.204113Z","actor":"user:anna","kind":"intent.approved",'
    '"subject":"k7m2v0q9t4xa8b3d","payload":{"digest":"9f3a.."},"previous_hash":"1b0e..","hash":"77c4.."}'
)
_TEXT: Final = {"type": "string"}
_EVENT: Final = {
    "type": "object",
    "description": "One event. Its id is the journal's number, its data one journal entry as JSON.",
    "properties": {
        "id": {**_TEXT, "pattern": r"^\d+$"},
        "event": _TEXT,
        "data": {**_TEXT, "contentMediaType": "application/json"},
    },
    "required": ["id"],
}
_CONTENT: Final = {"schema": _EVENT, "example": {"id": "812", "data": _EXAMPLE}}


class TooManyStreamsError(PolybotError):
    """This process serves as many listeners as it may."""

    code = "too_many_streams"
    http_status = 503

    def __init__(self) -> None:
        super().__init__(
            f"Not answered: {MOST_STREAMS} programs listen here already.",
            do="Ask with follow=false, or serve another API process beside this one: polyb0t api --port 8001",
        )


class EventStream(StreamingResponse):
    """So that the description names what is answered."""

    media_type = MEDIA_TYPE


def event_routes(opened: OpenedStore, feed: JournalFeed) -> APIRouter:
    """The route over one feed."""
    router = APIRouter(tags=["events"])
    described = {"description": "One event for each journal entry.", "content": {MEDIA_TYPE: _CONTENT}}

    @router.get("/events", response_class=EventStream, responses={200: described, **responses(409, 422, 503)})
    async def events(
        after: Annotated[
            int | None,
            Query(ge=0, le=2**62, description="Begin behind this journal number; 0 is everything."),
        ] = None,
        kind: Annotated[
            list[str] | None,
            Query(description="Only such entries: `intent.approved`, or `intent` for all of that kind."),
        ] = None,
        subject: Annotated[str | None, Query(description="Only entries about this id.")] = None,
        follow: Annotated[
            bool, Query(description="Stay and wait for more; without, the answer ends.")
        ] = True,
        last_event_id: Annotated[
            str | None,
            Header(description="The last id that was seen; goes before `after`. Browsers send it."),
        ] = None,
    ) -> EventStream:
        """The journal, entry by entry, as it is written. Without `after` or `Last-Event-ID` it begins now."""
        if feed.listeners >= MOST_STREAMS:
            raise TooManyStreamsError
        newest = await run_in_threadpool(feed.newest)
        begin = _begin(after, last_event_id, newest)
        wanted = Wanted(frozenset(kind or ()), subject)
        admitted = partial(still_admitted, opened, asking())
        told = _following(feed, begin, wanted, admitted) if follow else _until(feed, begin, newest, wanted)
        return EventStream(told, headers=_HEADERS)

    return router


async def _following(
    feed: JournalFeed, after: int, wanted: Wanted, admitted: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Everything behind `after`, for as long as both sides are there and the listener may listen. The first
    block only sets the number, so that who is cut off before the first event loses none either."""
    yield f"retry: {RETRY_MILLISECONDS}\nid: {after}\n\n".encode()
    asked = awake_seconds()
    with feed.listening() as bell:
        while not feed.closed:
            if awake_seconds() - asked >= ADMITTED_SECONDS:
                if not await run_in_threadpool(admitted):
                    return
                asked = awake_seconds()
            bell.clear()  # before the look: what is written after it rings
            more = await _more(feed, after)
            if more:
                after = more[-1].sequence
                wire = b"".join(each.wire for each in more if wanted.has(each.kind, each.subject))
                if wire:
                    yield wire
            elif not await _rung(bell):
                yield b": nothing new\n\n"


def still_admitted(opened: OpenedStore, listener: Identity) -> bool:
    """Whether who began to listen would be let in now. While the database does not answer nothing is told
    that could be kept from anybody."""
    try:
        if listener.token is None:
            return not needs_tokens(opened)
        identify(opened, listener.token, opened.stores.intents.now())
    except NotAuthorisedError:
        return False
    except DatabaseError:
        return True
    return True


async def _until(feed: JournalFeed, after: int, last: int, wanted: Wanted) -> AsyncIterator[bytes]:
    """Everything behind `after` up to `last`."""
    yield f"id: {after}\n\n".encode()
    while after < last:
        more = [each for each in await run_in_threadpool(feed.read, after) if each.sequence <= last]
        if not more:
            return
        after = more[-1].sequence
        yield b"".join(each.wire for each in more if wanted.has(each.kind, each.subject))


async def _more(feed: JournalFeed, after: int) -> Sequence[Told]:
    kept = feed.kept(after)
    if kept is not None:
        return kept
    try:
        return await run_in_threadpool(feed.read, after)
    except DatabaseError:  # the thread says so in the log; a listener waits, and its number stays
        return ()


async def _rung(bell: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(min(KEEP_ALIVE_SECONDS, ADMITTED_SECONDS)):
            await bell.wait()
    except TimeoutError:
        return False
    return True


def _begin(after: int | None, last_event_id: str | None, newest: int) -> int:
    """The number behind which to begin.

    Raises:
        UsageError: the header is no number of the journal. ConflictError: `journal_behind`.
    """
    if last_event_id:
        if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
            raise UsageError(
                "Not answered: Last-Event-ID is not possible.",
                why="It is no id of an event of ours.",
                code="invalid_request",
            )
        after = int(last_event_id)
    if after is None:
        return newest
    if after > newest:
        raise ConflictError(
            f"Not answered: the journal ends at {newest}, and events behind {after} were asked for.",
            why="A copy of the database was restored, or this is another one.",
            do="Read what you have seen anew, then begin without an id.",
            code="journal_behind",
        )
    return after
