"""Two replays beside each other, and a time that was lived beside its replay."""

from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.units import Price
from polyb0t.data.order_book import Side
from polyb0t.research.analytics.analysis import Analysis, analyse
from polyb0t.research.analytics.comparing import differences, paired, verdict
from polyb0t.research.analytics.line_by_line import Line, Reason, line_by_line, lines_sheet
from polyb0t.research.analytics.records import Records
from polyb0t.research.analytics.runs import Run, run_sentences
from tests.research.analytics.ideas import (
    HOUR,
    closing,
    expired,
    fill,
    idea,
    money,
    pays,
    records,
    refused,
    rejected,
)
from tests.support.builders import NOW


def a_run(**changes: Any) -> Run:
    told: dict[str, Any] = {
        "id": "r1",
        "fidelity": "A",
        "since": "2026-11-22T00:00:00Z",
        "until": "2026-11-23T00:00:00Z",
        "human": "approves",
        "every_seconds": 5.0,
        "model": {"name": "market calibration", "version": "1"},
        "request": {"seed": 1, "walk_forward": None},
        "data": {"hash": "abc", "name": "recorded", "markets": 3},
        "code": {"commit": "c0ffee", "hash": "0123", "version": "0.1.0"},
        "settings": {"min_edge": "0.015", "max_spread": "0.04"},
        "assumed": [],
        "looks_ahead": [],
        "problems": [],
    }
    return Run.of({**told, **changes})


def bets(*, at: str, lose: int = 0, n: int = 20) -> Analysis:
    """Twenty bets of an event each; `lose` of them do, and each is filled at `at`."""
    names = [f"b{number:02}" for number in range(n)]
    ends = {name: "0" if number < lose else "1" for number, name in enumerate(names)}
    return analyse(
        records(*(idea(name) for name in names), fills=[fill(name, at) for name in names], pays=pays(**ends))
    )


def test_everything_that_differs_is_named() -> None:
    other = a_run(
        settings={"min_edge": "0.02", "max_spread": "0.04", "new": True},
        request={"seed": 2, "walk_forward": None},
        data={"hash": "abd", "name": "recorded", "markets": 3},
    )

    assert [(each.name, each.first, each.second) for each in differences(a_run(), other)] == [
        ("seed", "1", "2"),
        ("history", "abc", "abd"),
        ("min_edge", "0.015", "0.02"),
        ("new", "-", "True"),
    ]
    assert differences(a_run(), a_run()) == ()


def test_the_luck_of_an_event_goes_out_of_the_difference() -> None:
    """Half of them lose 50 and half win 50, in both; the second paid a cent less each time: 1 pUSD, surely."""
    first, second = bets(at="0.50", lose=10), bets(at="0.49", lose=10)

    found = paired(first, second)

    assert found.gap is not None and found.gap.differs
    assert found.gap.mean == pytest.approx(1.0)
    assert found.gap.error == pytest.approx(0.0, abs=1e-9)
    assert verdict(a_run(), a_run(), found).startswith(
        "The second made more, beyond what luck explains: +1.00"
    )


def test_a_difference_within_noise_is_refused_that_name() -> None:
    """Three of twenty events went the other way: 300 pUSD more, and luck would do as much."""
    found = paired(bets(at="0.50", lose=11), bets(at="0.50", lose=8))

    assert found.total == pytest.approx(300.0)
    assert verdict(a_run(), a_run(), found).startswith("No difference that luck would not make: +15.00 (")


def test_few_events_are_no_difference_however_large_it_looks() -> None:
    found = paired(bets(at="0.50", lose=5, n=5), bets(at="0.50", n=5))

    assert verdict(a_run(), a_run(), found) == "+500.00 pUSD over 5 events: too few to call it a difference."


def test_an_event_that_only_one_traded_in_counts_and_one_without_a_price_is_left_out() -> None:
    first = analyse(records(idea("a"), idea("b"), fills=[fill("a"), fill("b")], pays=pays(a="1")))
    second = analyse(records(idea("c"), fills=[fill("c")], pays=pays(c="1")))

    found = paired(first, second)

    assert (found.total, found.unpriced) == (0.0, 1)


def test_assumed_books_and_other_histories_are_said_before_the_verdict() -> None:
    graded = a_run(fidelity="D", data={"hash": "other", "name": "prices", "markets": 3})

    said = verdict(a_run(), graded, paired(bets(at="0.50"), bets(at="0.50")))

    assert said == (
        "Spread and depth were assumed. The histories are not the same, so more than the settings differs. "
        "In every event both made the same."
    )


@pytest.mark.parametrize(("fidelity", "said"), [("A", False), ("B", False), ("C", True), ("D", True)])
def test_no_money_of_assumed_books_without_saying_so(fidelity: str, said: bool) -> None:
    told = dict(run_sentences(a_run(fidelity=fidelity), bets(at="0.50", lose=10)))

    assert told["Result"].startswith("Spread and depth were assumed. ") is said
    assert told["Cost"].startswith("Spread and depth were assumed. ") is said
    assert not told["Hits"].startswith("Spread")


# -- lived and replayed --------------------------------------------------------------------------


def lines(lived: Records, replayed: Records) -> tuple[Line, ...]:
    return line_by_line((lived, analyse(lived)), (replayed, analyse(replayed)))


ENDS = pays(a="1", b="0", c="1", d="1")


def test_each_trade_has_the_reason_why_it_is_not_the_same() -> None:
    lived = records(
        idea("a"),
        idea("b", at=NOW + HOUR),
        expired("c", at=NOW + 2 * HOUR),
        idea("d", at=NOW + 3 * HOUR),
        fills=[fill("a", fee="1"), fill("b", "0.51", "50"), fill("d")],
        pays=ENDS,
    )
    replayed = records(
        idea("a"),
        idea("b", at=NOW + HOUR),
        idea("c", at=NOW + 2 * HOUR),
        refused("d", "spread", at=NOW + 3 * HOUR),
        fills=[fill("a", fee="2"), fill("b", "0.50", "100"), fill("c", at=NOW + 2 * HOUR)],
        pays=ENDS,
    )

    found = {
        line.lived.scored.intent.asset_id if line.lived else "c": line for line in lines(lived, replayed)
    }

    assert {name: line.reasons for name, line in found.items()} == {
        "a": (Reason.FEE,),
        "b": (Reason.PRICE, Reason.SIZE),
        "c": (Reason.ONLY_REPLAYED,),
        "d": (Reason.ONLY_LIVED,),
    }
    assert (found["c"].why, found["d"].why) == ("there expired", "there refused (spread)")
    assert [found[name].gap_pusd for name in "abcd"] == [-1, Decimal("-24.5"), 50, -50]


def test_the_gaps_add_up_to_the_difference_of_the_two_results() -> None:
    lived = records(idea("a"), idea("b"), fills=[fill("a", fee="1"), fill("b")], pays=ENDS)
    sale = closing("a", order="s", at=NOW + HOUR)
    sold = fill("a", "0.70", order="s", side=Side.SELL, at=NOW + HOUR)
    replayed = records(idea("a"), sale, idea("c"), fills=[fill("a"), sold, fill("c")], pays=ENDS)

    found = lines(lived, replayed)

    gaps = sum(money(line.gap_pusd) for line in found)
    assert gaps == analyse(replayed).attribution.net_pusd - analyse(lived).attribution.net_pusd
    assert lines_sheet(found).total == ("Total", "", "", "", "-1.00", "+70.00", "+71.00", "", "")


def test_the_second_purchase_here_belongs_to_the_second_there() -> None:
    again = idea("a", id="2" * 16, at=NOW + HOUR, order="again")
    both = [fill("a"), fill("a", "0.60", order="again", at=NOW + HOUR)]

    first, second = lines(
        records(idea("a"), again, fills=both, pays=ENDS), records(idea("a"), again, fills=both, pays=ENDS)
    )

    assert (first.reasons, second.reasons) == ((Reason.SAME,), (Reason.SAME,))
    assert second.lived is not None and second.lived.price == Price(Decimal("0.60"))


def test_what_was_never_proposed_there_is_told() -> None:
    (line,) = lines(records(), records(idea("a"), fills=[fill("a")], pays=ENDS))

    assert (line.reasons, line.why) == ((Reason.ONLY_REPLAYED,), "never proposed there")


def test_a_trade_without_a_price_has_no_gap_and_the_sum_is_not_made_up() -> None:
    found = lines(records(), records(idea("z"), rejected("z"), fills=[fill("z")]))

    assert found[0].gap_pusd is None
    assert lines_sheet(found).total is None
