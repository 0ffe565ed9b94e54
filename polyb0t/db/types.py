"""Column types that are exact and the same on both databases."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, TypeDecorator

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.units import from_e6, to_e6


class E6(TypeDecorator[Decimal]):
    """Money, shares and prices as whole millionths. SQLite would keep a NUMERIC as a float.

    A seventh decimal raises ValueError on the way in: nothing is rounded here.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_e6(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else from_e6(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970 in UTC: exact, sortable and never naive."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_microseconds(value)
