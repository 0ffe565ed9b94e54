"""What a dry run says the book would have done is what the exchange's rules give."""

from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Level
from polyb0t.execution.dry_run import rehearse, sentence
from polyb0t.execution.intents import OrderType
from polyb0t.models.limits import ControlResult
from tests.support.builders import a_close, an_intent
from tests.support.trading import a_book


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Price(Decimal(price)), Shares(Decimal(shares))) for price, shares in rows)


DEEP = a_book(
    bids=levels(("0.47", "10"), ("0.46", "100")),
    asks=levels(("0.48", "10"), ("0.50", "4"), ("0.51", "1000")),
)


def test_a_purchase_spends_its_money_from_the_best_offer_up_to_the_worst_price() -> None:
    done = rehearse(an_intent(), DEEP)

    assert done.shares == Decimal(14)
    assert done.average == Decimal("6.80") / 14
    # each price pays its own: 2% x (10 x 0.48 x 0.52 + 4 x 0.50 x 0.50), on top of what was spent
    assert done.fee == Decimal("0.06992")
    assert done.total == Decimal("6.80") + done.fee
    assert done.rests == 0


def test_a_sale_is_bounded_by_shares_and_pays_the_fee_out_of_the_proceeds() -> None:
    done = rehearse(a_close(), DEEP)

    assert done.shares == Decimal(20)
    assert done.total == Decimal("9.30") - done.fee


def test_all_or_nothing_is_nothing_when_the_book_is_short() -> None:
    assert rehearse(an_intent(order_type=OrderType.FOK), DEEP).shares == 0
    assert rehearse(an_intent(order_type=OrderType.FOK, amount=Pusd(Decimal("6.80"))), DEEP).shares == 14


@pytest.mark.parametrize(
    ("changes", "taken", "rests"),
    [
        ({}, "14", "6"),
        ({"post_only": True, "worst_price": Price(Decimal("0.47"))}, "0", "20"),
        ({"post_only": True}, "0", "0"),  # it would have traded at once, which post-only forbids
    ],
)
def test_what_is_not_taken_rests(changes: dict[str, Any], taken: str, rests: str) -> None:
    resting = an_intent(order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(20)), **changes)

    done = rehearse(resting, DEEP)

    assert (done.shares, done.rests) == (Decimal(taken), Decimal(rests))


def test_the_sentence_says_that_nothing_was_sent_and_what_would_have_come_of_it() -> None:
    intent = an_intent()

    assert sentence(intent, rehearse(intent, a_book()), ()) == (
        "Nothing was signed or sent. The book would have filled 20.83 YES at 48¢ for 10.10 pUSD."
    )


def test_what_the_exchange_would_have_refused_says_why() -> None:
    intent = an_intent(order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(20)), post_only=True)

    assert sentence(intent, rehearse(intent, DEEP), ()) == (
        "Nothing was signed or sent. The exchange would have refused it."
        " It would have traded at once, and post-only was asked for."
    )


def test_a_book_that_moved_away_would_have_filled_nothing_and_the_control_says_why() -> None:
    intent = an_intent()
    broken = ControlResult("price_worse", False, "52¢", "50¢", "The best offer is 52¢.")

    assert sentence(intent, rehearse(intent, a_book("0.51", "0.52")), (broken,)) == (
        "Nothing was signed or sent. The book would have filled nothing at once."
        " With money it would have been refused (price_worse): The best offer is 52¢."
    )
