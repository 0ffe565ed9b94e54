"""Which problems an answer may be: every code with its status, for the description and its readers.

`ANYWHERE` is the door's and the machine's word and may be the answer of any route, `OF_BODIES` that of every
route that takes one, `OF_ROUTE` what a route adds. The tests hold every problem that they meet against them.
"""

from collections.abc import Mapping
from typing import Final

Codes = Mapping[int, tuple[str, ...]]

ANYWHERE: Final[Codes] = {
    401: ("token_required", "token_refused", "token_expired"),
    403: (
        *("role_too_low", "foreign_address", "address_not_allowed", "not_through_proxy", "not_https"),
        *("foreign_host", "foreign_origin", "foreign_site"),
    ),
    429: ("too_many_requests",),
    500: ("internal", "configuration"),
    503: (
        *("database", "database_unreachable", "database_unopenable", "database_locked", "database_missing"),
        *("database_read_only", "database_full", "database_damaged", "intent_damaged"),
        *("schema_older", "schema_newer", "schema_missing"),
    ),
}
OF_BODIES: Final[Codes] = {
    403: ("not_json",),
    411: ("length_required",),
    413: ("body_too_large",),
    422: ("invalid_request",),
}
OPEN_PATHS: Final = frozenset({"/health", "/ready"})  # answered without a token
CONTROL: Final = "CONTROL"  # stands for the name of any control, which is its code

_INTENT: Final[Codes] = {404: ("intent_not_found",), 409: ("ambiguous_id",)}
_POSITION: Final[Codes] = {404: ("position_not_found",), 409: ("ambiguous_id",)}
_ORDER: Final[Codes] = {404: ("order_not_found",), 409: ("ambiguous_id",)}
_ASKED: Final[Codes] = {422: ("invalid_request",)}
_PERSON: Final[Codes] = {
    403: (
        *("tokens_required", "token_needed", "token_refused", "token_expired", "person_required"),
        *("code_needed", "code_not_set_up", "code_wrong", "code_used", "code_locked"),
    ),
}
_DECIDED: Final[Codes] = {
    409: ("already_decided", "expired", "halted", "digest_mismatch", "foreign_scope", "illegal_transition"),
}
_PROPOSED: Final[Codes] = {
    404: ("market_not_found", "no_engine"),
    409: ("duplicate", "cooling_down", "halted", "muted", "foreign_scope", CONTROL),
    422: ("no_such_outcome", "usage", "bad_price"),
    502: ("venue_unreachable",),
}
_SWITCH: Final[Codes] = {404: ("switch_not_found",)}
_STANDING: Final[Codes] = {
    409: ("standing_expired", "standing_empty", "not_an_opening", "digest_mismatch", "foreign_scope"),
    422: ("no_such_trigger", "bad_price", "bad_time"),
}


def _all(*several: Codes) -> Codes:
    found: dict[int, tuple[str, ...]] = {}
    for each in several:
        for status, codes in each.items():
            found[status] = (
                *found.get(status, ()),
                *(code for code in codes if code not in found.get(status, ())),
            )
    return dict(sorted(found.items()))


OF_ROUTE: Final[Mapping[str, Codes]] = {
    "GET /intents": _all(_ASKED, {404: ("intent_not_found",)}),
    "GET /intents/{intent_id}": _INTENT,
    "POST /intents": _all(_PERSON, _PROPOSED),
    "POST /intents/{intent_id}/approve": _all(
        _INTENT,
        _PERSON,
        _DECIDED,
        {
            409: ("already_approved_by_you", "approvals_missing", "not_smaller", "duplicate", CONTROL),
            422: ("digest_required", "not_smaller", "usage"),
        },
        {409: _STANDING[409]},
    ),
    "POST /intents/{intent_id}/reject": _all(_INTENT, _PERSON, _DECIDED),
    "GET /orders": _all(_ASKED, {404: ("order_not_found",)}),
    "GET /orders/{order_id}": _ORDER,
    "GET /fills": _all(_ASKED, _ORDER, {404: ("fill_not_found",)}),
    "POST /positions/{position_id}/close": _all(_PERSON, _POSITION, _PROPOSED),
    "POST /positions/{position_id}/protect": _all(_PERSON, _POSITION, _STANDING),
    "POST /positions/{position_id}/unprotect": _all(_POSITION, {409: ("not_protected",)}),
    "DELETE /mutes/{condition_id}": {404: ("not_muted",)},
    "GET /claims/{claim_id}": {404: ("claim_not_found", "intent_not_found"), 409: ("ambiguous_id",)},
    "GET /report": {422: ("bad_date", "invalid_request")},
    "GET /report/decisions": {422: ("bad_date", "invalid_request")},
    "GET /risk": {404: ("no_limits",)},
    "POST /kill-switches/{name}/trip": _all(_PERSON, _SWITCH, {422: ("reason_missing",)}),
    "POST /kill-switches/{name}/clear": _all(
        _PERSON,
        _SWITCH,
        {409: ("cause_holds", "equity_unknown", "conflict"), 422: ("reason_missing", "usage")},
    ),
    "POST /kill-switches/{name}/override": _all(
        _PERSON,
        _SWITCH,
        {
            409: ("not_tripped", "not_overridable", "conflict"),
            422: ("reason_missing", "usage", "not_overridable"),
        },
    ),
    "GET /events": {409: ("journal_behind",), 422: ("invalid_request",), 503: ("too_many_streams",)},
    "GET /ready": {503: ("not_ready",)},
    "GET /watch": _ASKED,
    "GET /watch/exits/{intent_id}": _all(_INTENT, _STANDING, _ASKED),
}


def problems_of(method: str, path: str) -> Codes:
    """Every problem that this route may answer, by status."""
    body = OF_BODIES if method in ("POST", "PUT", "PATCH", "DELETE") else {}
    return _all(ANYWHERE, body, OF_ROUTE.get(f"{method} {path}", {}))


def table() -> list[str]:
    """The rows of docs/api.md that say which problems each route adds."""
    rows = []
    for route, codes in OF_ROUTE.items():
        told = "; ".join(f"{status} {_written(names)}" for status, names in codes.items())
        rows.append(f"| `{route}` | {told} |")
    return rows


def _written(codes: tuple[str, ...]) -> str:
    control = "the name of a [control](operations.md#controls)"
    return ", ".join(control if code == CONTROL else f"`{code}`" for code in codes)
