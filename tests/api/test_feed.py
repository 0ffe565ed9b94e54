"""The journal's feed: what it keeps in memory is the journal, without a gap at either end."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from polyb0t.api.feed import JournalFeed, Told
from polyb0t.core.clock import SystemClock
from polyb0t.db.stores import SqlStores
from tests.support.databases import sqlite_stores


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    opened = sqlite_stores(tmp_path, SystemClock())
    yield opened
    opened.close()


def write(stores: SqlStores, count: int) -> None:
    for number in range(count):
        stores.engine.note(None, kind="engine.noted", subject=str(number), payload={}, actor="engine")


def numbers(told: Sequence[Told] | None) -> list[int] | None:
    return None if told is None else [each.sequence for each in told]


async def until(bell: asyncio.Event, reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await bell.wait()
            bell.clear()


def test_what_is_kept_is_the_journal_and_what_is_further_back_is_not_guessed(stores: SqlStores) -> None:
    async def listens() -> None:
        feed = JournalFeed(stores.engine, poll_seconds=0.01, kept=3)
        first = feed.newest()
        assert numbers(feed.kept(first - 1)) == [], "nobody listens, so nothing is known"
        with feed.listening() as bell:
            await until(bell, lambda: feed.kept(first - 1) is None)
            assert numbers(feed.kept(first)) == []
            assert feed.kept(first - 1) is None
            write(stores, 2)
            await until(bell, lambda: numbers(feed.kept(first)) == [first + 1, first + 2])
            assert numbers(feed.kept(first + 1)) == [first + 2]
            assert numbers(feed.kept(first + 2)) == []
            write(stores, 3)
            await until(bell, lambda: feed.kept(first + 1) is None)
            await until(bell, lambda: numbers(feed.kept(first + 2)) == [first + 3, first + 4, first + 5])
            assert feed.kept(first) is None
            assert numbers(feed.kept(first + 9)) == [], "a reader of the database may be ahead"
        feed.close()

    asyncio.run(listens())


def test_who_comes_after_a_pause_is_not_told_from_an_old_memory(stores: SqlStores) -> None:
    async def listens() -> None:
        feed = JournalFeed(stores.engine, poll_seconds=0.01)
        first = feed.newest()
        with feed.listening() as bell:
            await until(bell, lambda: feed.kept(first - 1) is None)
        async with asyncio.timeout(20):
            while feed.kept(first - 1) is None:  # noqa: ASYNC110
                await asyncio.sleep(0)  # nobody rings for who does not listen
        write(stores, 2)
        with feed.listening() as bell:
            await until(bell, lambda: feed.kept(first) is None)
            assert numbers(feed.kept(first + 2)) == []
            assert numbers(feed.read(first)) == [first + 1, first + 2]
        feed.close()

    asyncio.run(listens())
