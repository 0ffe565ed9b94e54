"""Numbers as people read them."""

import pytest

from polyb0t.models.wording import cents, money, percent, seconds, sentence, signed_cents
from tests.support.decisions import d


@pytest.mark.parametrize(
    ("price", "text"),
    [("0.61", "61¢"), ("0.405", "40.5¢"), ("0.0025", "0.25¢"), ("0.60", "60¢"), ("0", "0¢")],
)
def test_prices_are_cents_with_the_decimals_they_have(price: str, text: str) -> None:
    assert cents(d(price)) == text


@pytest.mark.parametrize(
    ("edge", "text"),
    [("0.029", "+2.9¢"), ("0.0285", "+2.9¢"), ("-0.009", "-0.9¢"), ("0", "+0.0¢"), ("-0.0001", "+0.0¢")],
)
def test_edges_have_a_sign_and_one_decimal(edge: str, text: str) -> None:
    assert signed_cents(d(edge)) == text


@pytest.mark.parametrize(("q", "text"), [("0.66", "66%"), ("0.665", "67%"), ("0.6249", "62%")])
def test_beliefs_are_per_cent(q: str, text: str) -> None:
    assert percent(d(q)) == text


def test_money_has_two_decimals_and_thousands() -> None:
    assert money(d("1095.165")) == "1,095.17"
    assert money(d("-0.001")) == "0.00"


def test_short_ages_have_a_decimal() -> None:
    assert (seconds(d("0.81")), seconds(d("74.4")), seconds(d(10))) == ("0.8 s", "74 s", "10 s")


def test_a_sentence_begins_large() -> None:
    assert sentence("politics") == "Politics"
