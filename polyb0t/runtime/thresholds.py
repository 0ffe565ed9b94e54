"""Above which worth a trade needs two people or a code: the engine's own, published for those who propose.

A shell that proposes a person's own trade takes the stricter of its settings and the engine's, so that the
trade is not refused later; what counts in the end is the engine's claim, which asks by its own settings.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import PolybotError
from polyb0t.core.units import Pusd, parse_decimal, plain
from polyb0t.execution.access import NO_THRESHOLDS, Thresholds
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import LeaseInfo
from polyb0t.runtime.opened import OpenedStore

FACT: Final = "thresholds"


def thresholds_of(settings: Settings, regime: Regime) -> Thresholds:
    """Those of this process. Simulated money asks nobody twice."""
    if regime is Regime.PAPER:
        return NO_THRESHOLDS
    return Thresholds(
        two_above=_pusd(settings.dual_approval_pusd),
        code_above=_pusd(settings.totp_pusd),
        more_time=timedelta(seconds=settings.large_trade_seconds),
    )


def thresholds_fact(settings: Settings) -> Mapping[str, object]:
    """As the engine publishes them in its row."""
    two, code = settings.dual_approval_pusd, settings.totp_pusd
    return {
        "two_above": None if two is None else plain(two),
        "code_above": None if code is None else plain(code),
        "more_time": settings.large_trade_seconds,
    }


def thresholds_here(opened: OpenedStore) -> Thresholds:
    """The stricter of this process's and the engine's."""
    own = thresholds_of(opened.settings, opened.regime())
    if opened.regime() is Regime.PAPER:
        return own
    return stricter(own, read_thresholds(opened.engine()))


def read_thresholds(info: LeaseInfo | None) -> Thresholds:
    """What the engine's row says; nothing where no engine ever ran or it said nothing."""
    try:
        told = json.loads(info.facts).get(FACT) if info is not None else None
        if not told:
            return NO_THRESHOLDS
        two, code = told["two_above"], told["code_above"]
        return Thresholds(
            two_above=None if two is None else Pusd(parse_decimal(two)),
            code_above=None if code is None else Pusd(parse_decimal(code)),
            more_time=timedelta(seconds=int(told["more_time"])),
        )
    except (ValueError, AttributeError, TypeError, KeyError, PolybotError):
        return NO_THRESHOLDS


def stricter(one: Thresholds, other: Thresholds) -> Thresholds:
    """The lower of each, and the longer time."""
    return Thresholds(
        two_above=_lower(one.two_above, other.two_above),
        code_above=_lower(one.code_above, other.code_above),
        more_time=max(one.more_time, other.more_time),
    )


def _lower(one: Pusd | None, other: Pusd | None) -> Pusd | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)


def _pusd(value: Decimal | None) -> Pusd | None:
    return None if value is None else Pusd(value)
