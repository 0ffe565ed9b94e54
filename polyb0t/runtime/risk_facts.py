"""How much of each limit is used, and whether the account is too small, as other processes read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.units import Pusd, parse_decimal
from polyb0t.models.usage import LimitUse, SmallOrders

RISK: Final = "risk"


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """As the engine saw it at `at`. `too_small` and `remedy` are sentences, empty where orders fit."""

    at: datetime
    bankroll_pusd: Pusd | None
    uses: tuple[LimitUse, ...]
    small_orders: SmallOrders | None
    too_small: str = ""
    remedy: str = ""


def read_risk(stored: object) -> RiskFacts | None:
    """What an engine published; None where it did not.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it was written by something else.
    """
    if not isinstance(stored, Mapping):
        return None
    bankroll = _decimal(stored.get("bankroll_pusd"))
    return RiskFacts(
        at=from_microseconds(stored["at"]),
        bankroll_pusd=None if bankroll is None else Pusd(bankroll),
        uses=tuple(
            LimitUse(str(name), str(label), _decimal(used), parse_decimal(limit), str(unit))
            for name, label, used, limit, unit in stored.get("uses", ())
        ),
        small_orders=_phase(stored.get("small_orders")),
        too_small=str(stored.get("too_small", "")),
        remedy=str(stored.get("remedy", "")),
    )


def _phase(stored: object) -> SmallOrders | None:
    if not isinstance(stored, list):
        return None
    agreed, needed, most = stored
    return SmallOrders(int(agreed), int(needed), Pusd(parse_decimal(most)))


def _decimal(text: object) -> Decimal | None:
    return None if text is None else parse_decimal(text)
