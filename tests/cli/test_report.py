"""`polyb0t report`: a period at a glance, as data, and as values that a spreadsheet takes for text."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.cli import words
from polyb0t.cli.report_read import as_values, report_screen
from polyb0t.cli.scene import Scene
from polyb0t.cli.terminal import Paint
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.scope import PAPER_WALLET, Regime
from polyb0t.models.kill_switches import Stance
from polyb0t.research.reports import Decisions, Report, report
from tests.cli.conftest import Place
from tests.support.builders import ASSET, NOW, a_scope
from tests.test_reports import bought, facts, sold


def a_day() -> Report:
    """20 shares bought at 48¢, 5 of them sold at 60¢, and 15 held at a bid of 50¢."""
    sale = sold(2, "0.60", at=NOW + timedelta(minutes=1), shares=Shares(Decimal(5)))
    made = report(
        facts(fills=[bought(), sale], bids={ASSET: Price(Decimal("0.50"))}, peak_pusd=Pusd(Decimal(1003)))
    )
    row = replace(
        made.markets[0], question="Will the ferry to Lindholm run on time in December?", outcome_label="Yes"
    )
    decided = Decisions(11, 4, 0, 2, 5, 3, 0, 0, 0, 21.0, 44.0)
    return replace(made, markets=(row,), decisions=decided)


def a_scene(**changes: object) -> Scene:
    given = Scene(
        scope=a_scope(venue="polymarket", wallet=PAPER_WALLET, world=""),
        regime=Regime.PAPER,
        stance=Stance.ACTIVE,
        engine=None,
        alive=False,
        now=NOW,
        decides_itself=True,
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def test_a_day_on_a_screen() -> None:
    assert report_screen(a_day(), a_scene(), Paint(), 112) == [
        "PAPER, simulated money   decides by itself",
        "trading allowed   no engine   Sunday 22 November, 00:00 to 13:00 UTC",
        "Equity     1,000.71 pUSD   +0.71 (+0.07%)   peak 1,003.00   moved in or out 0.00",
        "           cash 993.21 + positions at bid 7.50",
        "Result     settled +0.48   open +0.23   fees in it 0.19, as predicted",
        "Decisions  11 proposed: 4 approved, 2 rejected, 5 expired (3 unseen). Median 21 s, 9 in 10 in 44 s.",
        "Agreement  0 orders unknown, 0.00 pUSD unexplained",
        "",
        "MARKET                               OUTCOME  BOUGHT  SOLD, PAID  FEES  SETTLED   OPEN",
        "Will the ferry to Lindholm run on..  YES        9.60        3.00  0.19    +0.48  +0.23",
    ]


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_no_line_runs_over_the_screen(columns: int) -> None:
    lines = report_screen(a_day(), a_scene(), Paint(), columns)

    assert all(words.width(line) <= columns for line in lines), lines


def test_a_question_that_a_spreadsheet_would_run_is_told_as_text() -> None:
    made = a_day()
    evil = replace(made.markets[0], question='=HYPERLINK("http://evil")', settled_pusd=Pusd(Decimal("-0.5")))

    (row,) = csv.DictReader(io.StringIO(as_values(replace(made, markets=(evil,)))))

    assert row["question"] == '\'=HYPERLINK("http://evil")'
    assert row["settled_pusd"] == "-0.5"


def test_a_day_without_anything_says_so(place: Place) -> None:
    answer = place.type("report")

    assert answer.code == 0
    assert answer.out.startswith("SANDBOX, dry run")
    assert "Nothing was proposed." in answer.out
    assert "Nothing was traded in this time and nothing is held." in answer.out


def test_what_waits_and_what_nobody_saw_is_counted(place: Place) -> None:
    place.propose()

    found = place.type("report", "--json").json

    assert (found["regime"], found["decisions"]["proposed"], found["decisions"]["waiting"]) == (
        "dry_run",
        1,
        1,
    )


def test_the_values_have_a_heading_also_when_there_are_none(place: Place) -> None:
    answer = place.type("report", "--csv")

    assert answer.out.splitlines()[0].startswith("condition_id,asset_id,question,outcome_label,bought_pusd")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--since", "soon"),
        ("--since", "2999-01-01"),
        ("--today", "--since", "2026-11-22"),
        ("--json", "--csv"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Place, arguments: tuple[str, ...]) -> None:
    answer = place.type("report", *arguments)

    assert answer.code == 2
    said = json.loads(answer.err)["title"] if "--json" in arguments else answer.err
    assert "No report was made" in said
