"""A market's trading parameters as the CLOB spells them: the short keys and the long form."""

import msgspec

from polyb0t.sandbox.gamma_json import iso_ms, number
from polyb0t.sandbox.types import MILLION, YES, MarketView


def clob_market_json(view: MarketView) -> dict[str, object]:
    """Trading parameters; an imported market keeps the keys of its recording."""
    spec = view.spec
    body: dict[str, object] = dict(spec.raw_clob) if spec.raw_clob is not None else {}
    body |= {
        "c": spec.condition_id,
        "t": [{"t": token, "o": name} for token, name in zip(spec.token_ids, spec.outcomes, strict=True)],
        "mos": number(spec.min_size_e6),
        "mts": number(view.tick_e6),
        "mbf": body.get("mbf", 1000),
        "tbf": body.get("tbf", 1000),
        "ao": view.accepting,
        "sd": spec.seconds_delay,
        "v": spec.version,
    }
    if spec.hold_ms:
        body["itode"] = True
    if spec.neg_risk:
        body["nr"] = True
    if spec.fees_enabled:
        body["fd"] = {
            "r": msgspec.Raw(spec.fee_rate.encode()),
            "e": spec.fee_exponent,
            "to": spec.taker_only,
        }
    return body


def full_market_json(view: MarketView) -> dict[str, object]:
    """The long form of a market."""
    spec = view.spec
    payouts = view.payouts_e6
    return {
        "condition_id": spec.condition_id,
        "question_id": spec.question_id,
        "question": spec.question,
        "description": spec.description,
        "market_slug": spec.slug,
        "enable_order_book": True,
        "active": True,
        "closed": view.closed,
        "archived": False,
        "accepting_orders": view.accepting,
        "minimum_order_size": number(spec.min_size_e6),
        "minimum_tick_size": number(view.tick_e6),
        "end_date_iso": iso_ms(spec.end_ms),
        "game_start_time": None if spec.game_start_ms is None else iso_ms(spec.game_start_ms),
        "seconds_delay": spec.seconds_delay,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": spec.neg_risk_market_id,
        "tokens": [
            {
                "token_id": token,
                "outcome": name,
                "price": number(view.last_price_e6 or MILLION // 2) if index == YES else number(_other(view)),
                "winner": payouts is not None and payouts[index] == MILLION,
            }
            for index, (token, name) in enumerate(zip(spec.token_ids, spec.outcomes, strict=True))
        ],
        "tags": list(spec.tags),
    }


def _other(view: MarketView) -> int:
    return MILLION - (view.last_price_e6 or MILLION // 2)
