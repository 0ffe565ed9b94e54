"""What a person reads of it: honest where there is too little, and the same on a screen, a page, in a file."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.cli import words
from polyb0t.cli.decisions_read import screen
from polyb0t.cli.terminal import Paint
from polyb0t.data.order_book import Side
from polyb0t.research.analytics.analysis import Analysis, analyse
from polyb0t.research.analytics.files import as_csv, as_html
from polyb0t.research.analytics.sides import By
from polyb0t.research.analytics.tables import sheet
from polyb0t.research.analytics.words import AS_IF_HELD, sentences
from tests.research.analytics.ideas import closing, expired, fill, idea, pays, records, rejected
from tests.research.analytics.worlds import an_analysis
from tests.support.decisions import NOW


@pytest.fixture(scope="module")
def month() -> Analysis:
    return an_analysis()


def test_without_a_proposal_there_is_nothing_to_judge() -> None:
    assert screen(analyse(records()), Paint(), 100) == [
        "Proposals  Nothing was proposed and decided in this time, so there is nothing to judge."
    ]


def test_a_few_proposals_say_nothing_and_the_screen_says_that() -> None:
    """Twelve intents of three events: no edge, no skill, no interval; only counts and what the money did."""
    ideas = [rejected(f"r{n:02}", event=f"e{n % 3}") for n in range(11)]
    history = records(
        idea("a", event="e0"),
        *ideas,
        fills=[fill()],
        pays=pays(a="1", **{f"r{n:02}": "0" for n in range(11)}),
    )

    lines = screen(analyse(history), Paint(), 100)

    assert lines[1] == (
        "Certainty  12 intents of 3 events: nothing can be said yet. From 10 events on there are intervals."
    )
    assert lines[2] == ("Result     +50.00 pUSD net = model edge +51.00, spread -1.00, wait 0.00, fees 0.00")
    assert not any(line.startswith(("Edge", "Hits", "Forecast", "Curve")) for line in lines)
    assert any(
        re.match(r"rejected +11 +3 +\+10.0¢ +-50.0¢ \(too few\) +-550.00 +- +100", line) for line in lines
    )


def test_everything_stands_on_one_screen_of_100_by_30(month: Analysis) -> None:
    lines = screen(month, Paint(), 100)

    assert all(words.width(line) <= 100 for line in lines)
    assert len(lines) + 2 <= 31  # with the line of the place, and the prompt under it


@pytest.mark.parametrize("by", [*By, None])
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_line_runs_over_the_screen(month: Analysis, columns: int, by: By | None) -> None:
    assert all(words.width(line) <= columns for line in screen(month, Paint(), columns, by))


def test_a_hit_rate_is_never_told_without_the_rate_that_breaks_even(month: Analysis) -> None:
    (hits,) = [text for name, text in sentences(month) if name == "Hits"]

    assert re.fullmatch(
        r"\d+ of \d+ ended bets, [\d.]+%; break-even needs [\d.]+%: [+-][\d.]+% \([+-].+\); profit factor [\d.]+",
        hits,
    )


def test_a_sharpe_ratio_is_never_told_without_its_days_and_its_chance(month: Analysis) -> None:
    (ratio,) = [text for _, text in sentences(month) if "Sharpe" in text]

    assert "of 29 days at the bid; chance of more than 0:" in ratio


def test_how_many_bets_it_takes_stands_beside_the_result(month: Analysis) -> None:
    (certainty,) = [text for name, text in sentences(month) if name == "Certainty"]

    assert re.fullmatch(
        r"120 intents of 60 events; intervals 95 %, by event. To see such an edge: about \d+ bets.", certainty
    )


def test_every_proposal_is_a_line_of_the_file_the_ones_that_expired_as_well(month: Analysis) -> None:
    found = list(csv.DictReader(io.StringIO(as_csv(month, By.INTENT))))

    assert len(found) == 120
    assert {row["fate"] for row in found} == {"filled", "refused", "rejected", "expired"}
    assert all(row["counterfactual_pusd"] and row["net_1h"] for row in found)


@pytest.mark.parametrize("by", list(By))
def test_a_file_without_a_row_has_its_heading(by: By) -> None:
    heading, *rows = as_csv(analyse(records()), by).splitlines()

    assert "," in heading
    assert len(rows) == (5 if by is By.HORIZON else 0)


def test_the_page_has_its_charts_and_fetches_nothing(month: Analysis) -> None:
    page = as_html(month, "polyb0t, decisions: PAPER <b>")

    assert "default-src 'none'" in page
    assert "<script" not in page and "://" not in page and "&lt;b&gt;" in page
    named = re.findall(r'<svg [^>]*aria-label="([^"]+)"', page)
    assert named == [
        "Equity",
        "Drawdown",
        "Realised edge by expected edge",
        "Realised less expected",
        "Reliability of the model and of the price",
        "Markouts",
    ]
    assert "nan" not in page


def test_the_page_of_a_few_proposals_draws_nothing_that_is_not_there() -> None:
    page = as_html(analyse(records(expired("a"))), "polyb0t")

    assert "<svg" not in page
    assert "nothing can be said yet" in page


def test_the_table_by_fate_has_the_closes_and_sums_to_the_net_result() -> None:
    at = NOW + timedelta(hours=2)
    made = analyse(
        records(
            idea("a"),
            closing("a", order="s", at=at),
            fills=[fill(), fill(order="s", side=Side.SELL, at_price="0.30", at=at)],
            pays=pays(a="1"),
        )
    )

    found = sheet(made, By.FATE)

    column = [heading.name for heading in found.headings].index("MADE")
    assert [row[0] for row in found.rows] == ["filled", "closes"]
    assert found.total is not None
    assert sum(Decimal(row[column]) for row in found.rows) == Decimal(found.total[column])
    assert Decimal(found.total[column]) == made.attribution.net_pusd


def test_hits_say_that_what_was_sold_counts_as_if_it_had_been_kept(month: Analysis) -> None:
    sold = replace(month, closings=3)

    assert AS_IF_HELD in dict(sentences(sold))["Hits"]
    assert AS_IF_HELD not in dict(sentences(replace(month, closings=0)))["Hits"]


@pytest.mark.parametrize(
    ("skill", "warned"), [(0.0461, True), (0.0201, True), (0.0199, False), (-0.3, False)]
)
def test_a_skill_that_is_too_good_to_be_true_says_so(month: Analysis, skill: float, warned: bool) -> None:
    gain = month.forecast.gain
    assert gain is not None
    price = 0.2
    better = replace(gain, model_brier=price * (1 - skill), price_brier=price)

    told = dict(sentences(replace(month, forecast=replace(month.forecast, gain=better))))["Forecast"]

    assert ("a leak from the future or luck" in told) is warned
