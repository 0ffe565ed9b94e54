"""Why a market is left out, as the end of a sentence that begins with how many are."""

from typing import Final

_LEFT_OUT: Final = {  # of one, of several
    "ends_too_soon": ("ends too soon", "end too soon"),
    "ends_too_late": ("ends too late", "end too late"),
    "spread": ("has too wide a spread", "have too wide a spread"),
    "no_spread": ("has a one-sided book", "have a one-sided book"),
    "liquidity": ("has too little liquidity", "have too little liquidity"),
    "liquidity_unknown": ("has a liquidity that is not known", "have a liquidity that is not known"),
    "end_unknown": ("has no scheduled end", "have no scheduled end"),
    "ended": ("is past its end", "are past their end"),
    "terms_unknown": ("has no known tick or smallest order", "have no known tick or smallest order"),
    "fee_unknown": ("has no known fees", "have no known fees"),
    "not_open": ("is not open", "are not open"),
    "being_resolved": ("is being resolved", "are being resolved"),
    "denied": ("is denied", "are denied"),
    "short_crypto": ("is a short crypto market", "are short crypto markets"),
    "in_play": ("is in play", "are in play"),
    "placeholder": ("stands for an outcome without a name", "stand for outcomes without a name"),
    "category": ("is of another category", "are of another category"),
}


def left_out(code: str, count: object = None) -> str:
    """`end too soon`, of one `ends too soon`; a code without words of its own as it is."""
    one, several = _LEFT_OUT.get(code, (code.replace("_", " "),) * 2)
    return one if count == 1 else several
