"""Why a market is left out, as the end of a sentence that begins with how many are."""

from typing import Final

_LEFT_OUT: Final = {
    "ends_too_soon": "end too soon",
    "ends_too_late": "end too late",
    "spread": "have too wide a spread",
    "no_spread": "have a one-sided book",
    "liquidity": "have too little liquidity",
    "liquidity_unknown": "have a liquidity that is not known",
    "end_unknown": "have no scheduled end",
    "ended": "are past their end",
    "terms_unknown": "have no known tick or smallest order",
    "fee_unknown": "have no known fees",
    "not_open": "are not open",
    "being_resolved": "are being resolved",
    "denied": "are denied",
    "short_crypto": "are short crypto markets",
    "in_play": "are in play",
    "placeholder": "stand for an outcome without a name",
    "category": "are of another category",
}


def left_out(code: str) -> str:
    """`end too soon`; a code without words of its own as it is."""
    return _LEFT_OUT.get(code, code.replace("_", " "))
