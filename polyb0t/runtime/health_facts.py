"""The account's health as the engine publishes it, and as another process reads it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd, parse_decimal
from polyb0t.models.equity import AccountHealth

_MONEY: Final = (
    *("equity_pusd", "peak_pusd", "day_start_pusd", "day_base_pusd", "day_flows_pusd", "unexplained_pusd"),
)


def health_fact(health: AccountHealth) -> dict[str, object]:
    """As plain values; ages are whole seconds."""
    return {
        **{name: getattr(health, name) for name in _MONEY},
        "day": health.day,
        "marked_at": health.marked_at,
        "stale_seconds": {
            asset: None if age is None else int(age) for asset, age in health.stale_seconds.items()
        },
    }


def read_health(stored: Mapping[str, object] | None) -> AccountHealth | None:
    """What `health_fact` wrote; None where nothing is known.

    Raises:
        ValueError, TypeError, KeyError: it cannot be read.
    """
    if not stored:
        return None
    money = {name: _money(stored[name]) for name in _MONEY}
    stale = stored["stale_seconds"]
    if not isinstance(stale, Mapping):
        raise TypeError("stale_seconds is no mapping")
    return AccountHealth(
        marked_at=_instant(stored["marked_at"]),
        equity_pusd=money["equity_pusd"],
        peak_pusd=money["peak_pusd"],
        day=str(stored["day"]),
        day_start_pusd=money["day_start_pusd"],
        day_base_pusd=money["day_base_pusd"],
        day_flows_pusd=money["day_flows_pusd"] or Pusd(Decimal(0)),
        unexplained_pusd=money["unexplained_pusd"] or Pusd(Decimal(0)),
        stale_seconds={AssetId(asset): None if age is None else float(age) for asset, age in stale.items()},
    )


def _money(value: object) -> Pusd | None:
    return None if value is None else Pusd(parse_decimal(value))


def _instant(value: object) -> datetime:
    if not isinstance(value, int):
        raise TypeError(f"{value!r:.40} is no instant")
    return from_microseconds(value)
