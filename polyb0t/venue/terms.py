"""What the exchange itself says about trading a market."""

from datetime import datetime
from typing import Final

from polyb0t.core.ids import ConditionId
from polyb0t.data.markets import TradingTerms
from polyb0t.venue.gamma_fields import fee_schedule
from polyb0t.venue.parsing import (
    Refused,
    TermsRefused,
    as_object,
    asset_id,
    condition_id,
    flag,
    share_count,
    tick_size,
    whole,
)

_LONGEST_DELAY_SECONDS: Final = 3_600


def parse_terms(raw: object, now: datetime, expected: ConditionId | None = None) -> TradingTerms:
    """Terms from `/clob-markets/{condition}`.

    `mts` is the tick, `mos` the minimum, `fd` the fees, `sd` the delay, `nr` neg-risk. `nr` is left
    out when false, `fd` when the exchange gives no schedule. The legacy `mbf` and `tbf` are ignored:
    they are caps of an older fee system.

    Raises:
        TermsRefused: malformed, or the terms of another market than `expected`.
    """
    try:
        return _terms(raw, now, expected)
    except TermsRefused:
        raise
    except Refused as refused:
        raise TermsRefused(refused.code, refused.what) from refused


def _terms(raw: object, now: datetime, expected: ConditionId | None) -> TradingTerms:
    row = as_object(raw, "the answer")
    condition = condition_id(row.get("c"), "c")
    if expected is not None and condition != expected:
        raise TermsRefused("other_market", f"asked for {expected}, got {condition}")
    tokens = row.get("t")
    if not isinstance(tokens, list) or len(tokens) != 2:
        raise TermsRefused("not_two_outcomes", "the terms do not name two outcomes")
    for token in tokens:
        asset_id(as_object(token, "t").get("t"), "t")
    schedule = row.get("fd")
    return TradingTerms(
        condition_id=condition,
        tick=tick_size(row.get("mts"), "mts"),
        min_shares=share_count(row.get("mos"), "mos"),
        fee=None
        if schedule is None
        else fee_schedule(as_object(schedule, "fd"), rate="r", exponent="e", taker="to"),
        # `itode` holds takers back a fraction of a second; one whole second is the cautious reading.
        taker_delay_seconds=max(
            whole(row, "sd", largest=_LONGEST_DELAY_SECONDS), 1 if flag(row, "itode") else 0
        ),
        neg_risk=flag(row, "nr") is True,
        observed_at=now,
    )
