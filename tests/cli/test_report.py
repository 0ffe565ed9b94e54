"""`polyb0t report`: a period at a glance, as data, and as values that a spreadsheet takes for text."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.cli import words
from polyb0t.cli.report_read import report_screen
from polyb0t.cli.scene import Scene
from polyb0t.cli.terminal import Paint
from polyb0t.core.clock import SystemClock
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.scope import PAPER_WALLET, Regime
from polyb0t.models.kill_switches import Stance
from polyb0t.research.decisions import Decider, Decisions
from polyb0t.research.groups import By
from polyb0t.research.model_so_far import ModelSoFar
from polyb0t.research.report_files import as_csv, as_html
from polyb0t.research.reports import Report, report
from polyb0t.research.slippage import Slippage
from polyb0t.research.what_if import Fate, IfTaken
from tests.cli.conftest import Place
from tests.support.builders import ASSET, NOW, a_scope
from tests.test_reports import bought, facts, sold

IF_ALL = (
    "If all had been taken    approved +2.38   rejected -1.10   expired +3.80 (1 without a price)"
    "   at the bid now"
)


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
    return replace(
        made,
        markets=(row,),
        decisions=decided,
        slippage=Slippage(2, Pusd(Decimal("2.2")), Pusd(Decimal("-0.1"))),
        if_taken=(
            IfTaken(Fate.APPROVED, 4, 4, Pusd(Decimal("2.38"))),
            IfTaken(Fate.REJECTED, 2, 2, Pusd(Decimal("-1.1"))),
            IfTaken(Fate.EXPIRED, 5, 4, Pusd(Decimal("3.8"))),
        ),
        models=(ModelSoFar("market calibration 3", 3, 1, Pusd(Decimal("9.8")), Pusd(Decimal("2.38"))),),
    )


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
        "Slippage   2.20 pUSD better than your worst prices, 0.10 worse than the book when proposed; none past them.",
        "Decisions  11 proposed: 4 approved, 2 rejected, 5 expired (3 unseen). Median 21 s, 9 in 10 in 44 s.",
        IF_ALL,
        "Model      expected +9.80, so far +2.38 on 3 trades, 1 settled: too few to judge (about 1,000).",
        "Agreement  0 orders unknown, 0.00 pUSD unexplained",
        "By market, category, model, day: --by market     Files: --csv, --json, --html",
    ]


def test_who_decided_is_told_where_several_did_and_who_ran_out_of_time_is_advised() -> None:
    made = a_day()
    people = (Decider("user:anna", 3, 1, 18.0), Decider("token:bob", 1, 1, 40.0))
    decided = replace(made.decisions, deciders=people, advised_seconds=120)

    lines = report_screen(replace(made, decisions=decided), a_scene(), Paint(), 112)

    assert (
        "           anna 3 approved, 1 rejected, median 18 s; bob 1 approved, 1 rejected, median 40 s"
        in lines
    )
    assert any("POLYBOT_INTENT_EXPIRY_SECONDS=120 gives you more" in line for line in lines)


def test_its_table_of_markets() -> None:
    assert report_screen(a_day(), a_scene(), Paint(), 112, By.MARKET)[-2:] == [
        "MARKET                               OUTCOME  BOUGHT  SOLD, PAID  FEES  SETTLED   OPEN",
        "Will the ferry to Lindholm run on..  YES        9.60        3.00  0.19    +0.48  +0.23",
    ]


@pytest.mark.parametrize("by", [*By, None])
@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_no_line_runs_over_the_screen(columns: int, by: By | None) -> None:
    lines = report_screen(a_day(), a_scene(), Paint(), columns, by)

    assert all(words.width(line) <= columns for line in lines), lines


def test_a_question_that_a_spreadsheet_would_run_is_told_as_text() -> None:
    made = a_day()
    evil = replace(made.markets[0], question='=HYPERLINK("http://evil")', settled_pusd=Pusd(Decimal("-0.5")))

    (row,) = csv.DictReader(io.StringIO(as_csv(replace(made, markets=(evil,)), By.MARKET)))

    assert row["question"] == '\'=HYPERLINK("http://evil")'
    assert row["settled_pusd"] == "-0.5"


def test_a_question_that_a_browser_would_run_is_told_as_text() -> None:
    made = a_day()
    evil = replace(made.markets[0], question="<script>alert(1)</script>")

    page = as_html(replace(made, markets=(evil,)), 'polyb0t: "PAPER" <b>')

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert "://" not in page  # it asks nobody for anything


def test_the_page_says_what_the_screen_says() -> None:
    page = as_html(a_day(), "polyb0t: PAPER, simulated money")

    assert "<dt>If all had been taken</dt><dd>approved +2.38 rejected -1.10" in page
    assert '<td class="gain">+0.48</td>' in page
    assert all(f"<h2>By {by.value}</h2>" in page for by in By)


def test_a_file_is_written_whole_or_not_at_all(place: Place) -> None:
    place.propose()
    written = place.folder / "report.html"

    answer = place.type("report", "--html", "--out", str(written))

    assert (answer.code, answer.out) == (0, f"Written: {written}\n")
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")
    refused = place.type("report", "--csv", "--out", "/dev/null/there/report.csv")
    assert refused.code == 2
    assert "No report was written" in refused.err


@pytest.mark.parametrize(
    ("by", "named"),
    [
        (By.MARKET, []),
        (By.CATEGORY, ["politics"]),
        (By.MODEL, ["market calibration v3"]),
        (By.DAY, [f"{SystemClock().now():%Y-%m-%d}"]),
    ],
)
def test_each_side_of_it_as_a_table_and_as_values(place: Place, by: By, named: list[str]) -> None:
    place.propose()

    assert place.type("report", "--by", by.value).code == 0
    values = csv.reader(io.StringIO(place.type("report", "--csv", "--by", by.value).out))
    assert [row[0] for row in list(values)[1:]] == named


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
        ("--csv", "--html"),
        ("--by", "moon"),
        ("--until", "soon"),
        ("--out", "report.txt"),
        ("--since", "2026-11-20", "--until", "2026-11-19"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Place, arguments: tuple[str, ...]) -> None:
    answer = place.type("report", *arguments)

    assert answer.code == 2
    said = json.loads(answer.err)["title"] if "--json" in arguments else answer.err
    assert "No report was made" in said
