"""What a question's wording says about the order of markets, and where it says nothing that is sure."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from polyb0t.core.ids import ConditionId, EventId
from polyb0t.data.declared_links import parse_links
from polyb0t.models.questions import deadline_of, threshold_of
from polyb0t.models.relations import RelationKind, declared_among, relations_among
from tests.support.decisions import a_market, d

JUNE, DECEMBER = datetime(2027, 6, 30, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)


class TestDates:
    @pytest.mark.parametrize(
        ("question", "date"),
        [
            ("Ceasefire by June 30?", (None, 6, 30)),
            ("Ceasefire by June 30, 2027?", (2027, 6, 30)),
            ("Will the tram open by end of July?", (None, 7, 31)),
            ("Will the tram open by Sept. 1st?", (None, 9, 1)),
            ("Recession before 2027?", (2027, 1, 1)),
            ("Recession by the end of 2027?", (2027, 12, 31)),
        ],
    )
    def test_a_date_to_be_met_is_read(self, question: str, date: tuple[int | None, int, int]) -> None:
        found = deadline_of(question)
        assert found is not None
        assert (found.year, found.month, found.day) == date

    @pytest.mark.parametrize(
        "question",
        [
            "Recession in 2026?",  # another period, no later date of the same
            "Will Anna remain mayor by June?",
            "Will it not rain by June 5?",
            "Will the council still sit by June 5?",
            "Will it happen between March 1 and by June 5?",
            "Will the mayor announce by June 5 a vote by July 1?",
            "Will Anna be the first to file by June 5?",
            "Nothing happens until June 5?",
        ],
    )
    def test_whatever_has_a_second_reading_is_left_alone(self, question: str) -> None:
        assert deadline_of(question) is None

    def test_only_the_date_is_taken_out_of_the_question(self) -> None:
        june, december = deadline_of("Ceasefire by June 30?"), deadline_of("Ceasefire  by December 31, 2027?")
        assert june is not None
        assert december is not None
        assert june.stem == december.stem == "ceasefire by #"


class TestLines:
    @pytest.mark.parametrize(
        ("question", "above", "line"),
        [
            ("Will Bitcoin be above $100,000 on December 31?", True, "100000"),
            ("Will Bitcoin be above $90k on December 31?", True, "90000"),
            ("Will the budget exceed 1.5 billion?", True, "1500000000"),
            ("Will turnout be at least 60% in Tavia?", True, "60"),
            ("Will turnout be 60% or more?", True, "60"),
            ("Will it be 80°F or higher on June 5?", True, "80"),
            ("Will unemployment be below 4.5%?", False, "4.5"),
            ("Will fewer than 12 ministers resign?", False, "12"),
        ],
    )
    def test_a_line_is_read_with_its_unit(self, question: str, above: bool, line: str) -> None:
        found = threshold_of(question)
        assert found is not None
        assert (found.above, found.line) == (above, d(line))

    @pytest.mark.parametrize(
        "question",
        [
            "Will Bitcoin reach $150,000?",  # from which side?
            "Will it be between 90k and above 100k?",
            "Will the margin be 5-10% or more?",
            "Will it not be above 5?",
            "Will it be below -5 degrees?",
            "Will it be -5°C or lower?",
            "Will more than 5 ministers and at least 3 mayors resign?",
            "Will it stay above 5?",
            "Will Team 5 win?",
        ],
    )
    def test_whatever_has_a_second_reading_is_left_alone(self, question: str) -> None:
        assert threshold_of(question) is None

    def test_a_unit_of_something_else_is_no_scale(self) -> None:
        found = threshold_of("Will more than 5 mayors resign?")
        assert found is not None
        assert (found.line, found.stem) == (Decimal(5), "will more than # mayors resign")


def named(name: str, question: str, **changes: object):
    event = {"event_id": EventId("one"), "end_date": DECEMBER}
    return a_market(name, question=question, **{**event, **changes})


class TestRelations:
    def test_by_june_is_at_most_as_likely_as_by_december(self) -> None:
        later = named("later", "Ceasefire by December 31?", event_id=EventId("another"))
        sooner = named("sooner", "Ceasefire by June 30?", end_date=JUNE)
        (relation,) = relations_among([later, sooner])
        assert (relation.kind, relation.markets) == (RelationKind.ORDERED, ("0xsooner", "0xlater"))

    def test_words_and_ends_that_disagree_say_nothing(self) -> None:
        sooner = named("sooner", "Ceasefire by June 30?", end_date=DECEMBER)
        later = named("later", "Ceasefire by December 31, 2027?", end_date=JUNE)
        assert relations_among([sooner, later]) == []

    def test_the_same_date_twice_or_no_end_says_nothing(self) -> None:
        one, other = (named(name, "Ceasefire by June 30?", end_date=JUNE) for name in ("a", "b"))
        assert relations_among([one, other]) == []
        endless = named("c", "Ceasefire by December 31?", end_date=None)
        assert relations_among([one, endless]) == []

    @pytest.mark.parametrize(("word", "order"), [("above", "0xhigh 0xlow"), ("below", "0xlow 0xhigh")])
    def test_the_farther_line_is_at_most_as_likely(self, word: str, order: str) -> None:
        low, high = named("low", f"Will gold be {word} $90k?"), named("high", f"Will gold be {word} $0.1m?")
        (relation,) = relations_among([low, high])
        assert " ".join(relation.markets) == order

    def test_lines_of_other_events_or_days_are_not_compared(self) -> None:
        low = named("low", "Will gold be above 90?")
        assert relations_among([low, named("h", "Will gold be above 99?", event_id=EventId("two"))]) == []
        assert relations_among([low, named("h", "Will gold be above 99?", end_date=JUNE)]) == []

    def test_one_of_a_neg_risk_event_pays_at_most_whatever_the_words_say(self) -> None:
        markets = [named(name, f"Above {n}?", neg_risk=True) for n, name in enumerate("abc")]
        (relation,) = relations_among(markets)
        assert relation.kind is RelationKind.AT_MOST_ONE
        assert len(relation.markets) == 3

    def test_markets_of_two_sides_are_in_none(self) -> None:
        from polyb0t.core.ids import AssetId
        from polyb0t.data.markets import Outcome

        sides = (Outcome("Reds", AssetId("r")), Outcome("Blues", AssetId("b")))
        markets = [named(name, f"Goals over {n}?", outcomes=sides) for n, name in enumerate("abc")]
        assert relations_among(markets) == []

    def test_it_is_the_same_whatever_order_they_come_in(self) -> None:
        markets = [named(name, f"Above {n}?", neg_risk=True) for n, name in enumerate("abc")]
        assert relations_among(markets) == relations_among(markets[::-1])


LINKS = """
[[link]]
name = "a-b"
relation = "implies"
members = ["slug:a", "slug:b"]
reason = "Who wins the final has reached it."

[[link]]
name = "whole"
relation = "exhaustive"
members = ["slug:b", "slug:c", "condition:0xother"]
reason = "One of them wins."
"""


class TestDeclared:
    def test_what_is_declared_becomes_relations(self) -> None:
        markets = [named(name, f"Will {name} win?") for name in ("a", "b", "c", "other")]
        found = declared_among(parse_links(LINKS), markets)
        assert [(each.kind, each.markets) for each in found] == [
            (RelationKind.ORDERED, ("0xa", "0xb")),
            (RelationKind.AT_MOST_ONE, ("0xb", "0xc", "0xother")),
            (RelationKind.AT_LEAST_ONE, ("0xb", "0xc", "0xother")),
        ]
        assert all(each.declared for each in found)

    def test_a_set_of_which_one_is_not_watched_is_not_whole(self) -> None:
        markets = [named(name, f"Will {name} win?") for name in ("a", "b", "c")]
        found = declared_among(parse_links(LINKS), markets)
        assert RelationKind.AT_LEAST_ONE not in {each.kind for each in found}
        assert ConditionId("0xother") not in found[1].markets
