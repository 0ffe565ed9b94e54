"""What the engine publishes of itself, and the day's result across a restart."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.units import Pusd
from polyb0t.data.windows import Window, WindowKind
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.runtime.facts import read_facts
from tests.support.builders import a_scope
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def stores(tmp_path: Path, clock):
    return sqlite_stores(tmp_path, clock, scope=a_scope())


@pytest.fixture
def lease(stores):
    lease = stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    return lease


class TestPublishedFacts:
    def test_they_come_back_as_they_were_published(self, stores, lease, clock):
        facts = {
            "cash_pusd": Pusd(Decimal("9903.2")),
            "equity_pusd": Pusd(Decimal("9998.19")),
            "day": "2026-11-22",
            "day_result_pusd": Pusd(Decimal("-1.81")),
            "marks": {"71321": Decimal("0.82")},
            "marked_at": clock.now(),
            "problem": "",
        }

        stores.engine.beat(lease, cycle=3, facts=facts)

        read = read_facts(stores.engine.lease_info("engine"))
        assert (read.cash_pusd, read.equity_pusd) == (Decimal("9903.2"), Decimal("9998.19"))
        assert read.day_result_pusd == Decimal("-1.81")
        assert read.marks == {"71321": Decimal("0.82")}
        assert read.marked_at == clock.now()

    def test_a_beat_without_facts_keeps_the_last_ones(self, stores, lease):
        stores.engine.beat(lease, cycle=1, facts={"problem": "no books"})
        stores.engine.beat(lease, cycle=2)
        assert read_facts(stores.engine.lease_info("engine")).problem == "no books"

    def test_a_window_of_the_exchange_is_known_to_whoever_shows_it(self, stores, lease, clock):
        restarting = Window(WindowKind.RESTARTING, clock.now(), clock.now() + timedelta(seconds=90))
        stores.engine.beat(lease, cycle=1, facts={"window": restarting.as_dict()})
        assert read_facts(stores.engine.lease_info("engine")).window == restarting
        stores.engine.beat(lease, cycle=2, facts={"problem": ""})
        assert read_facts(stores.engine.lease_info("engine")).window.takes_orders

    def test_a_row_that_nobody_wrote_says_nothing(self, stores, lease):
        assert read_facts(stores.engine.lease_info("engine")).equity_pusd is None
        assert read_facts(None).equity_pusd is None
