"""What a resolved outcome pays is read strictly: a proposal is no result, and nonsense is no money."""

from decimal import Decimal
from typing import Any

import pytest

from polyb0t.venue.parsing import Refused
from polyb0t.venue.resolutions import parse_resolved

ASSET = "71321045679252212594626385532706912750332728571942532289631379312455583992563"


def a_row(**changes: Any) -> dict[str, Any]:
    """One outcome that won, with the fields that matter."""
    return {"token_id": ASSET, "resolved": True, "final_price": 1, **changes}


@pytest.mark.parametrize("pays", ["1", "0", "0.5", "0.333333"])
def test_a_resolved_outcome_pays_its_final_price(pays: str) -> None:
    assert parse_resolved({"data": [a_row(final_price=Decimal(pays))]}) == {ASSET: Decimal(pays)}


@pytest.mark.parametrize("resolved", [False, None])
def test_only_what_is_said_to_be_resolved_is(resolved: object) -> None:
    assert parse_resolved({"data": [a_row(resolved=resolved)]}) == {}


def test_an_outcome_without_a_result_needs_no_price() -> None:
    assert parse_resolved({"data": [a_row(resolved=False, final_price=None)]}) == {}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [a_row(final_price=None)]},
        {"data": [a_row(final_price=Decimal("1.01"))]},
        {"data": [a_row(final_price=Decimal("-0.01"))]},
        {"data": [a_row(final_price="NaN")]},
        {"data": [a_row(token_id="x")]},
        {"data": [a_row(resolved="true")]},
        {"data": [a_row(resolved=1)]},
        {"data": [a_row(), a_row(final_price=0)]},
        {"data": {}},
        {"error": "no"},
        [],
    ],
)
def test_anything_else_is_refused_whole(answer: object) -> None:
    with pytest.raises(Refused):
        parse_resolved(answer)
