"""`polyb0t risk`, and what other screens say of limits: from the database and the engine's row alone."""

from typing import Any

import pytest

from polyb0t.cli.risk_read import marks_lines
from polyb0t.core.clock import SystemClock
from polyb0t.core.units import Pusd
from polyb0t.runtime.marks_view import Marks
from tests.cli.conftest import Place
from tests.support.decisions import d


def facts(**changes: Any) -> dict[str, Any]:
    """As an engine publishes them."""
    uses = [
        ["order_too_large", "", None, d(100), "pUSD"],
        ["exposure_total", "", d("194.97"), d(5_000), "pUSD"],
        ["budget", "", d("450.5"), d(500), "pUSD"],
        ["open_orders", "", d(2), d(20), "orders"],
        ["orders_hour", "", d(6), d(6), "orders"],
        ["exposure_market", "Will Harbor City approve the tram line?", d("95.16"), d(200), "pUSD"],
        ["exposure_category", "politics", d("180.17"), d(2_000), "pUSD"],
    ]
    content = {
        "at": SystemClock().now(),
        "bankroll_pusd": d(10_000),
        "uses": uses,
        "small_orders": [0, 0, d(0)],
        "too_small": "",
        "remedy": "",
    }
    return {**content, **changes}


TOO_SMALL = {
    "uses": [],
    "bankroll_pusd": d(60),
    "too_small": "This account is too small for any order: 60.00 pUSD allow orders of at most 0.60.",
    "remedy": "Do: POLYBOT_MAX_ORDER_FRACTION=0.053, or 100 pUSD or more in the account.",
}


def publish(place: Place, **changes: Any) -> None:
    place.runs()
    place.stores.engine.beat(place.lease, cycle=2, facts={"risk": facts(**changes)})


def test_each_limit_is_drawn_with_used_limit_left_and_a_bar(place: Place) -> None:
    publish(place)
    lines = place.type("risk").out.splitlines()
    assert any(line.startswith("Bankroll 10,000.00 pUSD, measured") for line in lines)
    drawn = {line[:32].strip(): line[32:].split() for line in lines}
    assert drawn["One order"] == ["-", "100.00", "100.00"]
    assert drawn["At risk in all"] == ["194.97", "5,000.00", "4,805.03", "[#-------------------]"]
    assert drawn["Budget in use"] == ["450.50", "500.00", "49.50", "[##################--]"]
    assert drawn["Orders under way"] == ["2", "20", "18", "[##------------------]"]
    assert drawn["Orders in the last hour"] == ["6", "6", "0", "[####################]"]
    (market,) = [name for name in drawn if name.startswith("Will Harbor City")]
    assert drawn[market] == ["95.16", "200.00", "104.84", "[#########-----------]"]
    assert "Markets with most at risk, at most 200.00 pUSD each" in lines
    assert "Categories, at most 2,000.00 pUSD each" in lines


@pytest.mark.parametrize("columns", ["60", "80", "100"])
def test_no_line_is_wider_than_the_screen(
    place: Place, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    publish(place, **TOO_SMALL)
    assert max(len(line) for line in place.type("risk").out.splitlines()) <= int(columns)
    publish(place)
    assert max(len(line) for line in place.type("risk").out.splitlines()) <= int(columns)


def test_as_data_it_is_exact(place: Place) -> None:
    publish(place, small_orders=[3, 20, Pusd(d(5))])
    answer = place.type("risk", "--json").json
    budget = next(row for row in answer["limits"] if row["name"] == "budget")
    assert budget == {
        "name": "budget",
        "label": "",
        "unit": "pUSD",
        "used": "450.5",
        "limit": "500",
        "left": "49.5",
        "fraction": "0.901",
    }
    assert answer["limits"][0]["used"] is None
    assert answer["small_orders"] == {"active": True, "agreed": 3, "needed": 20, "most": "5"}
    assert answer["too_small"] is None


def test_it_is_shown_while_no_engine_runs_with_its_age(place: Place) -> None:
    publish(place)
    place.stores.engine.release(place.lease)
    answer = place.type("risk")
    assert answer.code == 0
    assert "no engine" in answer.out
    assert "measured" in answer.out


def test_before_the_first_cycle_it_says_so(place: Place) -> None:
    answer = place.type("risk", "--json")
    assert answer.code == 3
    assert answer.problem["code"] == "no_limits"


def test_a_balance_that_is_not_known_is_no_balance_of_nothing(place: Place) -> None:
    publish(place, bankroll_pusd=None, uses=[])
    said = place.type("risk").out
    assert "Bankroll - pUSD" in said
    assert "the balance could not be read" in said


class TestAnAccountThatIsTooSmall:
    @pytest.mark.parametrize("command", [("risk",), ("status",), ("intents", "list")])
    def test_every_screen_where_nothing_comes_says_why_and_what_to_do(
        self, place: Place, command: tuple[str, ...]
    ) -> None:
        publish(place, **TOO_SMALL)
        said = " ".join(place.type(*command).out.split())
        assert "This account is too small for any order" in said
        assert "POLYBOT_MAX_ORDER_FRACTION=0.053" in said

    def test_so_does_the_funnel(self, place: Place) -> None:
        publish(place, **TOO_SMALL)
        place.stores.engine.note(
            place.lease,
            kind="universe.observed",
            subject="universe",
            payload={"watched": 3, "tradable": 1, "proposed": 0},
            actor="engine",
        )
        said = " ".join(place.type("universe", "--why").out.split())
        assert "POLYBOT_MAX_ORDER_FRACTION=0.053" in said

    def test_an_account_that_is_not_hears_nothing(self, place: Place) -> None:
        publish(place)
        for command in (("risk",), ("status",), ("intents", "list")):
            assert "too small" not in place.type(*command).out


def test_status_counts_the_first_small_orders(place: Place) -> None:
    publish(place, small_orders=[3, 20, Pusd(d(5))])
    said = " ".join(place.type("status").out.split())
    assert "3 of 20 settled orders agree; at most 5 pUSD an order" in said
    publish(place)
    assert "settled orders agree" not in place.type("status").out


def test_facts_that_cannot_be_read_are_not_known(place: Place) -> None:
    place.runs()
    place.stores.engine.beat(place.lease, cycle=2, facts={"risk": {"at": 1, "uses": [["a"]]}})
    assert place.type("risk").code == 3


class TestMarks:
    def test_with_nothing_held_it_says_so(self, place: Place) -> None:
        result = place.type("risk", "--marks")
        assert result.code != 0
        assert "what one day may take by prices is not known" in result.err
        assert "Nothing is held" in result.err

    def test_in_words(self) -> None:
        marks = Marks(
            Pusd(d("8.22")), 61, 0.4, (("Will it rain? Yes", "Will it pour? Yes", 0.83),), ("Snow?",)
        )
        lines = "\n".join(marks_lines(marks))
        assert "more than 8.22 pUSD" in lines
        assert "  +0.83  Will it rain? Yes / Will it pour? Yes" in lines
        assert "too little was seen: Snow?." in lines


def test_what_found_no_place_and_links_to_nothing_are_named(place: Place) -> None:
    place.runs()
    payload = {
        "watched": 3,
        "tradable": 3,
        "proposed": 1,
        "no_slot": [
            {"question": "Will it rain?", "place": "Number 2 of 2: growth 0.00100 x chance of fill 87%."}
        ],
        "links_unknown": ["slug:airship (strike)"],
        "links_unknown_count": 1,
    }
    place.stores.engine.note(
        place.lease, kind="universe.observed", subject="universe", payload=payload, actor="engine"
    )
    out = place.type("universe", "--why").out
    assert "Good enough, but without a place on the list:" in out
    assert "  Will it rain?: Number 2 of 2: growth 0.00100 x chance of fill 87%." in out
    assert "Declared links that name what the catalogue does not list: 1" in out
    assert "  slug:airship (strike)" in out
