"""Numbers as people read them."""

import pytest

from polyb0t.models.wording import (
    at_most,
    average,
    cents,
    count,
    left,
    limit,
    money,
    outcome,
    percent,
    seconds,
    sentence,
    shares,
    signed_cents,
    span,
)
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
    assert money(None) == "-"


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0.00"), ("0.0046", "0.0046"), ("0.00003", "<0.0001"), ("-0.001", "-0.0010")]
)
def test_a_crumb_of_money_is_not_shown_as_nothing_and_nothing_is_nothing(amount: str, text: str) -> None:
    assert money(d(amount)) == text


def test_a_gain_has_its_sign_and_nothing_has_two_decimals() -> None:
    assert money(d("1.586"), sign=True) == "+1.59"
    assert money(d("-0.00001"), sign=True) == "+0.00"


def test_a_ceiling_is_never_shown_smaller_and_a_limit_never_larger() -> None:
    assert at_most(d("95.1601")) == "95.17"
    assert limit(d("99.9702930250")) == "99.97"
    assert limit(d("95.169")) == "95.16"


@pytest.mark.parametrize(
    ("number", "text"), [("127.027775", "127.02"), ("0.004", "<0.01"), ("0", "0.00"), ("1095.5", "1,095.50")]
)
def test_shares_are_never_more_than_there_are(number: str, text: str) -> None:
    assert shares(d(number)) == text


def test_a_number_of_shares_inside_a_sentence_has_no_zeros_at_its_end() -> None:
    assert (count(d("150.00")), count(d("152.509")), count(d("0.001"))) == ("150", "152.5", "<0.01")


def test_a_mean_of_prices_shows_that_it_is_between_two() -> None:
    assert average(d("0.60"), d("0.01")) == "60¢"
    assert average(d("0.604917"), d("0.01")) == "60.49¢"


def test_outcomes_are_large_and_names_stand_in_quotes() -> None:
    assert (outcome("Yes"), outcome("NO"), outcome("Alva\x1b Berg")) == ("YES", "NO", '"Alva Berg"')


@pytest.mark.parametrize(
    ("time", "text"), [(38.9, "38 s"), (180, "180 s"), (250, "4 min 10 s"), (79_200, "22 h"), (-1, "0 s")]
)
def test_time_that_has_passed_counts_whole_seconds(time: float, text: str) -> None:
    assert span(time) == text


@pytest.mark.parametrize(
    ("time", "text"), [(179.6, "180 s"), (9.5, "10 s"), (0.2, "1 s !"), (250, "4 min 10 s")]
)
def test_time_that_is_left_counts_the_begun_second(time: float, text: str) -> None:
    assert left(time) == text


def test_short_ages_have_a_decimal() -> None:
    assert (seconds(d("0.81")), seconds(d("74.4")), seconds(d(10))) == ("0.8 s", "74 s", "10 s")


def test_a_sentence_begins_large() -> None:
    assert sentence("politics") == "Politics"
