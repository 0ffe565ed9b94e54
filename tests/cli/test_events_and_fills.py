"""`polyb0t events` and `polyb0t fills list`: the journal and the trades, on screen and as data."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.cli.events_read import event_lines
from polyb0t.cli.fills_read import fills_screen
from polyb0t.core.ids import ConditionId, TradeId
from polyb0t.core.units import Shares
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import JournalEntry
from polyb0t.runtime.fills_view import FILL_COLUMNS, named_fills, page_of
from polyb0t.runtime.journal_tail import Wanted, newest_entries
from tests.cli.conftest import Place
from tests.support.builders import a_fill, an_order_for, wide_limits

ROOT = Path(__file__).resolve().parents[2]


def traded(place: Place, count: int = 1, **content: Any) -> str:
    """An order with so many fills of one share, as an engine with practice money leaves it."""
    place.stores.engine.release(place.lease)
    lease = place.stores.engine.acquire(
        "engine", holder="elsewhere:1", boot_id="b", process_started="1.0", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    place.lease = lease
    number = len(place.stores.intents.list())
    record = place.propose(regime=Regime.LIVE, condition_id=ConditionId(f"0x{number}"), **content)
    place.stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=60)
    place.stores.intents.claim(record.id, lease, Regime.LIVE, wide_limits())
    order = an_order_for(record.intent)
    place.stores.intents.permit(order, lease, post_budget_seconds=10)
    for bucket in range(count):
        fill = a_fill(
            order.id,
            trade_id=TradeId(f"trade-{number}"),
            bucket_index=bucket,
            asset_id=record.intent.asset_id,
            condition_id=record.intent.condition_id,
            shares=Shares(Decimal(1)),
        )
        place.stores.orders.record_fills(order.id, [fill], lease)
    return order.id


class TestFills:
    def test_nothing_yet_says_so(self, place: Place) -> None:
        assert "Nothing was traded yet" in place.type("fills", "list").out
        assert place.type("fills", "list", "--json").json == []
        assert place.type("fills", "list", "--csv").out == ",".join(FILL_COLUMNS) + "\n"

    def test_the_values_for_a_spreadsheet_are_those_of_the_data(self, place: Place) -> None:
        traded(place, 3)
        rows = list(csv.DictReader(io.StringIO(place.type("fills", "list", "--csv").out)))
        data = place.type("fills", "list", "--json").json
        assert len(rows) == 3
        assert rows == [{name: str(row[name]) for name in FILL_COLUMNS} for row in data]
        assert (rows[0]["price"], rows[0]["shares"], rows[0]["notional"]) == ("0.48", "1", "0.48")

    def test_a_question_that_looks_like_a_formula_is_text(self, place: Place) -> None:
        traded(place, question="=HYPERLINK(1)")
        assert "'=HYPERLINK(1)" in place.type("fills", "list", "--csv").out

    def test_of_one_order_and_so_many(self, place: Place) -> None:
        first, second = traded(place, 2), traded(place, 1)
        assert {row["order_id"] for row in place.type("fills", "list", "--json").json} == {first, second}
        one = place.type("fills", "list", "--order", second[:12], "--json").json
        assert [row["order_id"] for row in one] == [second]
        assert len(place.type("fills", "list", "--limit", "1", "--json").json) == 1
        assert "--limit 2" in place.type("fills", "list", "--limit", "1").out
        assert place.type("fills", "list", "--order", "0xdead", "--json").code == 3

    def test_the_two_forms_exclude_each_other(self, place: Place) -> None:
        assert place.type("fills", "list", "--csv", "--json").code == 2

    @pytest.mark.parametrize("columns", [60, 80, 100])
    def test_every_line_fits(self, place: Place, columns: int) -> None:
        traded(place, 2)
        fills = named_fills(place.stores, page_of(place.stores).fills)
        lines = fills_screen(fills, columns)
        assert max(len(line) for line in lines) <= columns
        assert any("BUY" in line and "YES" in line.upper() for line in lines)
        assert any("MATCHED, provisional" in line for line in lines)


class TestEvents:
    def test_the_newest_are_shown_oldest_first(self, place: Place) -> None:
        made = [place.propose() for _ in range(3)]
        told = place.type("events", "--kind", "intent", "--limit", "2", "--json").json
        assert [row["subject"] for row in told] == [made[1].id, made[2].id]
        shown = place.type("events", "--kind", "intent.proposed").out
        assert [shown.index(each.id) for each in made] == sorted(shown.index(each.id) for each in made)

    def test_from_a_number_on_and_about_one(self, place: Place) -> None:
        one, other = place.propose(), place.propose()
        everything = place.type("events", "--after", "0", "--json").json
        assert [row["sequence"] for row in everything] == list(range(1, len(everything) + 1))
        last = everything[-1]["sequence"]
        assert [row["subject"] for row in place.type("events", "--after", str(last - 1), "--json").json] == [
            other.id
        ]
        assert {row["subject"] for row in place.type("events", "--subject", one.id, "--json").json} == {
            one.id
        }

    def test_nothing_such_says_so(self, place: Place) -> None:
        assert "Nothing such was journalled." in place.type("events", "--kind", "made.up").out
        assert place.type("events", "--kind", "made.up", "--json").json == []

    def test_the_newest_are_found_behind_many_others(self, place: Place) -> None:
        record = place.propose()
        for number in range(30):
            place.stores.engine.note(
                None, kind="engine.noted", subject=str(number), payload={}, actor="engine"
            )
        found = newest_entries(place.stores.engine, Wanted(frozenset({"intent"})), 5)
        assert [entry.subject for entry in found] == [record.id]

    def test_who_follows_hears_what_comes_and_ctrl_c_ends_it(self, place: Place, tmp_path: Path) -> None:
        first = place.propose()
        process = subprocess.Popen(
            [sys.executable, "-m", "polyb0t", "events", "--follow", "--json", "--kind", "intent"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["subject"] == first.id
            second = place.propose()
            assert json.loads(process.stdout.readline())["subject"] == second.id
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert process.stdout is not None
            process.stdout.close()

    def test_foreign_text_is_one_line_that_fits(self) -> None:
        entry = JournalEntry(
            813,
            datetime(2026, 11, 22, 12, 41, tzinfo=UTC),
            "user:anna",
            "intent.rejected",
            "k7m2000000000000",
            json.dumps({"code": "rejected", "detail": "odd\n\x1b[31m" + "word " * 60}),
            "",
            "",
        )
        lines = list(event_lines(entry, 80))
        assert lines[0].startswith("2026-11-22 12:41:00  813  intent.rejected  k7m2000000000000  by anna")
        assert all(len(line) <= 80 for line in lines)
        assert "\x1b" not in "".join(lines)
