"""Money and instants survive a database to the last digit; what would be rounded is refused."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Dialect, MetaData, Table, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from polyb0t.core.clock import from_microseconds
from polyb0t.data.account_state import AccountState
from polyb0t.db.codec import decode
from polyb0t.db.engine import open_database
from polyb0t.db.types import E6, UtcDateTime
from polyb0t.execution.intents import TradeIntent
from tests.support.builders import an_intent

DIALECT: Dialect = sqlite.dialect()


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_millionth_comes_back(millionths: int) -> None:
    amount = Decimal(millionths).scaleb(-6)
    stored = E6().process_bind_param(amount, DIALECT)
    assert stored == millionths
    assert E6().process_result_value(stored, DIALECT) == amount


@given(st.integers(0, 7_000_000_000_000_000).map(from_microseconds))
def test_every_microsecond_comes_back(instant: datetime) -> None:
    stored = UtcDateTime().process_bind_param(instant, DIALECT)
    assert UtcDateTime().process_result_value(stored, DIALECT) == instant


def test_ten_times_a_tenth_is_one_in_the_database(tmp_path: Path) -> None:
    table = Table("t", MetaData(), Column("amount", E6), Column("at", UtcDateTime))
    database = open_database(f"sqlite:///{tmp_path}/t.db", create=True)
    at = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)

    def work(connection: Connection) -> list[tuple[Decimal, datetime]]:
        table.create(connection)
        for _ in range(10):
            connection.execute(insert(table).values(amount=Decimal("0.1"), at=at))
        return [(row.amount, row.at) for row in connection.execute(select(table))]

    rows = database.write(work)
    database.close()
    assert sum(row[0] for row in rows) == Decimal(1)
    assert {row[1] for row in rows} == {at}
    assert rows[0][1].utcoffset() == timedelta(0)


@pytest.mark.parametrize("amount", [Decimal("0.0000001"), Decimal("NaN"), Decimal("Infinity")])
def test_a_seventh_decimal_is_refused_and_not_rounded(amount: Decimal) -> None:
    with pytest.raises(ValueError):
        E6().process_bind_param(amount, DIALECT)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        UtcDateTime().process_bind_param(datetime.fromisoformat("2026-01-01"), DIALECT)


def test_the_refusal_reaches_the_caller(tmp_path: Path) -> None:
    table = Table("t", MetaData(), Column("amount", E6))
    database = open_database(f"sqlite:///{tmp_path}/t.db", create=True)
    database.write(table.create)
    with pytest.raises(StatementError):
        database.write(lambda connection: connection.execute(insert(table).values(amount=Decimal("1e-7"))))
    database.close()


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"wallet": "0x", "observed_at": 1, "positions": None, "cash_pusd": 1.5},
        {
            "wallet": 7,
            "observed_at": 1,
            "positions": None,
            "cash_pusd": None,
            "allowances_pusd": None,
            "open_orders": None,
            "missing": {},
        },
    ],
)
def test_what_nobody_wrote_is_not_read(content: object) -> None:
    with pytest.raises(ValueError):
        decode(AccountState, content)


def test_a_float_is_not_read_as_money() -> None:
    content = json.loads(an_intent().canonical)["intent"]
    content["amount"] = 10.0
    with pytest.raises(ValueError):
        decode(TradeIntent, content)
