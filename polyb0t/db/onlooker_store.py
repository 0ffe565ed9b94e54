"""The OnlookerStore in SQL. No gate, no journal: nobody decides by these rows, so nobody waits for them."""

import json
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from polyb0t.core.canonical import canonical_text
from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import Price, Shares, parse_decimal
from polyb0t.data.order_book import Level
from polyb0t.db.journal import head_of
from polyb0t.db.tables import engine_lease, onlookers, shown_books
from polyb0t.db.unit import Units, monotonic_now
from polyb0t.execution.onlookers import LOOKING_SECONDS, Glance, Onlooker, ShownBook

_KEPT = timedelta(minutes=10)  # a screen that was killed leaves its mark behind
_OF = onlookers.c.scope == bindparam("of_scope")
_PRESENT = select(onlookers).where(_OF, onlookers.c.seen_at >= bindparam("since")).order_by(onlookers.c.actor)
_MARK = update(onlookers).where(_OF, onlookers.c.viewer == bindparam("of_viewer"))
_BEAT = select(engine_lease.c.token, engine_lease.c.beat_at).where(
    engine_lease.c.scope == bindparam("of_scope"), engine_lease.c.role == "engine"
)
_BOOKS = select(shown_books).where(shown_books.c.scope == bindparam("of_scope"))


class SqlOnlookerStore:
    """Marks and shown books of one scope."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._scope = str(units.scope)

    def glance(self) -> Glance:
        return self._units.read(self._glance)

    def look(self, viewer: str, *, actor: str, looking_at: IntentId | None) -> None:
        def marked(connection: Connection) -> None:
            now = self._units.database.now(connection)
            new = {"actor": actor, "looking_at": looking_at, "seen_at": now}
            which = {"of_scope": self._scope, "of_viewer": viewer}
            if connection.execute(_MARK.values(**new), which).rowcount == 0:
                connection.execute(insert(onlookers).values(scope=self._scope, viewer=viewer, **new))
                connection.execute(
                    delete(onlookers).where(_gone(self._scope), onlookers.c.seen_at < now - _KEPT)
                )

        self._units.database.write(marked)

    def leave(self, viewer: str) -> None:
        gone = delete(onlookers).where(_gone(self._scope), onlookers.c.viewer == viewer)
        self._units.database.write(lambda connection: connection.execute(gone).rowcount)

    def onlookers(self) -> tuple[Onlooker, ...]:
        return self._units.read(self._present)

    def show(self, books: Sequence[ShownBook], *, keep: Collection[AssetId]) -> None:
        """Written whole: there are as many as proposals wait, a handful."""
        here = shown_books.c.scope == self._scope
        names = [book.asset_id for book in books]

        def shown(connection: Connection) -> None:
            old = delete(shown_books).where(here)
            connection.execute(
                old.where(shown_books.c.asset_id.in_(names) | shown_books.c.asset_id.not_in(keep))
            )
            for book in books:
                content = canonical_text({"bids": book.bids, "asks": book.asks})
                row = {"scope": self._scope, "asset_id": book.asset_id, "content": content}
                connection.execute(insert(shown_books).values(**row, observed_at=book.observed_at))

        self._units.database.write(shown)

    def _glance(self, connection: Connection) -> Glance:
        head = head_of(connection, self._units.scope)
        beat = connection.execute(_BEAT, {"of_scope": self._scope}).one_or_none()
        books = connection.execute(_BOOKS, {"of_scope": self._scope}).all()
        return Glance(
            now=monotonic_now(connection, self._units.database, head),
            sequence=0 if head is None else head.sequence,
            beat=None if beat is None else (beat.token, beat.beat_at),
            onlookers=self._present(connection),
            books={
                row.asset_id: ShownBook(row.asset_id, *_sides(row.content), row.observed_at) for row in books
            },
        )

    def _present(self, connection: Connection) -> tuple[Onlooker, ...]:
        since = self._units.database.now(connection) - timedelta(seconds=LOOKING_SECONDS)
        rows = connection.execute(_PRESENT, {"of_scope": self._scope, "since": since})
        return tuple(Onlooker(row.viewer, row.actor, row.looking_at, row.seen_at) for row in rows)


def _gone(scope: str) -> ColumnElement[bool]:
    return onlookers.c.scope == scope


def _sides(content: str) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    stored = json.loads(content)
    bids, asks = (
        tuple(
            Level(Price(parse_decimal(price)), Shares(parse_decimal(shares)))
            for price, shares in stored[side]
        )
        for side in ("bids", "asks")
    )
    return bids, asks
