"""The deny list: one entry, many ways to name what is never traded."""

import pytest

from polyb0t.data.deny_list import NOTHING_DENIED, DenyList
from tests.support.decisions import a_market

MARKET = a_market(
    "tram",
    slug="will-the-tram-open",
    question="Will the Tram open in Harbor City?",
    tags=("Politics", "harbor-city"),
)


@pytest.mark.parametrize(
    "entry",
    [
        "0xtram",
        "condition:0xtram",
        "event-tram",
        "event:event-tram",
        "politics",
        "category:politics",
        "harbor-city",
        "tag:harbor-city",
        "will-the-tram-open",
        "tram",
        "word:harbor city",
        "will-*-open",
        "word:t?am",
    ],
)
def test_an_entry_denies_by_id_event_category_tag_slug_or_word(entry: str) -> None:
    assert DenyList((entry,)).why(MARKET) != ""


@pytest.mark.parametrize(
    "entry",
    ["0xother", "event:tram", "category:harbor-city", "tag:tram", "word:ferry", "", "tag:", "condition:"],
)
def test_an_entry_that_fits_nothing_denies_nothing(entry: str) -> None:
    assert DenyList((entry,)).why(MARKET) == ""


def test_the_sentence_names_the_entry() -> None:
    assert (
        DenyList(("ferry", "category:politics")).why(MARKET) == "Its category politics is on the deny list."
    )
    assert DenyList(("harbor city",)).why(MARKET) == "It fits harbor city, which is on the deny list."


def test_an_empty_list_denies_nothing() -> None:
    assert NOTHING_DENIED.why(MARKET) == ""


def test_a_colon_in_a_question_is_no_kind() -> None:
    market = a_market(question="Mission: Mars by 2030?")
    assert DenyList(("mission: mars",)).why(market) != ""
