"""`polyb0t backtest report|list|compare`: what a replay is worth, and whether two of them differ at all."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from tests.support.history_files import parquet

COLUMNS = {
    "timestamp": "TIMESTAMPTZ",
    "market_slug": "VARCHAR",
    "question": "VARCHAR",
    "price": "DOUBLE",
    "outcome": "DOUBLE",
    "category": "VARCHAR",
}
START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three markets of politics at 82 cents for two days; two come true. Replayed once, and once more with
    half of the bankroll."""
    folder = tmp_path_factory.mktemp("replays")
    rows: list[tuple[object, ...]] = []
    for name, came in (("ferry", 1.0), ("tram", 1.0), ("train", 0.0)):
        asked = f"Will the {name} run by March 20, 2026?"
        rows += [(START + timedelta(hours=hour), name, asked, 0.82, None, "politics") for hour in range(48)]
        rows.append((START + timedelta(hours=48), name, asked, 0.5, came, "politics"))
    prices = str(parquet(folder / "prices.parquet", COLUMNS, rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYBOT_DATA_DIR", str(folder / "data"))
        patch.chdir(folder)
        given = ("backtest", "run", prices, "--every", "14400", "--model", "published")
        assert run([*given, "--set", "MIN_EDGE=0.001"]) == 0
        assert run([*given, "--set", "MIN_EDGE=0.001", "--bankroll", "500"]) == 0
    return folder


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(place / "data"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def ids(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """By bankroll."""
    assert run(["backtest", "list", "--json"]) == 0
    return {each["settings"]["bankroll_pusd"]: each["id"] for each in json.loads(capsys.readouterr().out)}


def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["backtest", *arguments]) == 0
    return capsys.readouterr().out


def test_the_net_result_of_the_report_is_the_replays_own_to_the_last_digit(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(typed(capsys, "report", ids["1000"], "--json"))

    net = found["attribution"]["net_pusd"]
    assert net == found["run"]["money"]["result_pusd"] != "0"
    assert sum(map(Decimal, found["attribution"]["parts"].values())) == Decimal(net)
    assert found["curve"]["points"][-1][1] == found["run"]["money"]["equity_pusd"]


def test_the_grade_and_what_was_assumed_stand_before_every_figure(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = typed(capsys, "report", ids["1000"]).splitlines()

    assert lines[0].startswith("Fidelity   D: prices alone, spread and depth are assumed")
    result = next(n for n, line in enumerate(lines) if line.startswith("Result"))
    assert lines.index("Why no more was proposed:") < lines.index("Assumed:")
    assert lines.index("Assumed:") < lines.index("Not known at its time:") < result
    assert lines[result].startswith("Result     Spread and depth were assumed. -")
    assert max(map(len, lines)) <= 100


def test_the_simulated_person_is_judged_as_a_person(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Person     approved 100.0% of what was decided; median " in typed(capsys, "report", ids["1000"])


def test_the_page_says_first_what_it_is_worth(
    ids: dict[str, str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(capsys, "report", ids["500"], "--html", "page.html", "--csv", "rows.csv")

    page = (place / "page.html").read_text(encoding="utf-8")
    assert (
        page.index("<dt>Fidelity</dt><dd>D: prices alone")
        < page.index("<h2>Assumed</h2>")
        < page.index("<dt>Result</dt>")
    )
    assert "default-src 'none'" in page and "<svg" in page and "://" not in page
    with (place / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert {row["fate"] for row in csv.DictReader(file)} == {"filled"}


def test_the_list_marks_results_whose_books_were_assumed(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    heading, *rows = typed(capsys, "list").splitlines()

    assert heading.split()[:2] == ["RUN", "GRADE"]
    assert [row.split()[:2] for row in rows] == [[each, "D"] for each in sorted(ids.values())]
    assert all("  assumed  " in row for row in rows)


def test_two_replays_differ_in_the_setting_that_was_changed_and_a_few_events_are_no_difference(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = ids["500"], ids["1000"]

    found = json.loads(typed(capsys, "compare", first, second, "--json"))

    assert found["differences"] == [{"name": "bankroll_pusd", "first": "500", "second": "1000"}]
    assert found["verdict"].startswith("Spread and depth were assumed. ")
    assert found["verdict"].endswith("over 3 events: too few to call it a difference.")
    shown = typed(capsys, "compare", first, second)
    assert "net result, pUSD" in shown and found["verdict"] in " ".join(shown.split())


def test_a_replay_is_the_same_as_itself(ids: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(typed(capsys, "compare", ids["500"], ids["500"], "--json"))

    assert (found["differences"], found["verdict"]) == (
        [],
        "Spread and depth were assumed. In every event both made the same.",
    )


def test_a_replay_whose_history_is_gone_still_has_its_result_and_says_what_is_missing(
    ids: dict[str, str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = (place / "prices.parquet").rename(place / "elsewhere.parquet")
    try:
        shown = typed(capsys, "report", ids["1000"])
    finally:
        away.rename(place / "prices.parquet")

    assert "- Markouts are not known: the history cannot be read again." in shown
    assert "-10.53 pUSD net" in shown


def test_a_history_that_is_another_one_by_now_judges_nothing(
    ids: dict[str, str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = (place / "prices.parquet").rename(place / "kept.parquet")
    row = (START, "ferry", "Will the ferry run by March 20, 2026?", 0.3, None, "politics")
    parquet(place / "prices.parquet", COLUMNS, [row, (START + timedelta(hours=1), *row[1:])])
    try:
        found = json.loads(typed(capsys, "report", ids["1000"], "--json"))
    finally:
        kept.rename(place / "prices.parquet")

    assert found["doubts"] == [
        "Markouts are not known: the history is not the one that was replayed any more."
    ]
    assert all(each["net"] is None for each in found["markouts"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "zz"), "No backtest begins with 'zz'."),
        (("compare", "zz", "yy"), "No backtest begins with"),
        (("compare", "zz", "live"), "Name it first: polyb0t backtest compare live zz"),
        (("report", "zz", "--by", "moon"), "No report was made"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", *arguments]) in (1, 2, 3, 4)
    assert said in capsys.readouterr().err


def test_a_damaged_curve_is_told(
    ids: dict[str, str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "data" / "backtests" / ids["500"] / "equity.csv"
    kept = path.read_text(encoding="utf-8")
    try:
        path.write_text("at,equity_pusd\nyesterday,1\n", encoding="utf-8")
        assert run(["backtest", "report", ids["500"]]) != 0
    finally:
        path.write_text(kept, encoding="utf-8")

    assert "The replay cannot be read: equity.csv is damaged." in capsys.readouterr().err


# -- lived and replayed --------------------------------------------------------------------------


@pytest.fixture
def lived(ids: dict[str, str], place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A paper account that lived the time of the replay: with the bankroll of 500, the same database."""
    book = place / "data" / "backtests" / ids["500"] / "book.db"
    monkeypatch.setenv("POLYBOT_DATABASE_URL", f"sqlite:///{book}")
    return ids["500"]


def test_a_time_that_was_lived_as_it_is_replayed_is_the_same_line_by_line(
    lived: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = json.loads(typed(capsys, "compare", "paper", lived, "--json"))

    assert len(rows) == 3
    assert {(row["why"], row["gap"]) for row in rows} == {("the same", "0.00")}
    assert all(row["lived"] == row["replayed"] != "-" for row in rows)


def test_another_replay_of_it_differs_by_size_and_by_trades_that_only_it_made(
    lived: str, ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = json.loads(typed(capsys, "compare", "paper", ids["1000"], "--json"))
    lines = typed(capsys, "compare", "paper", ids["1000"]).splitlines()

    assert {row["why"].partition(";")[0] for row in rows} == {"other size", "only replayed"}
    assert lines[0].startswith("Spread and depth were assumed. Fidelity D:")
    totals = lines[-1].split()
    assert totals[:4] == ["Total", "-2.97", "-10.53", "-7.56"]
    assert max(map(len, lines)) <= 100


def test_an_account_that_was_never_there_is_told(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "compare", "live", ids["500"]]) != 0
    assert "no engine has run" in capsys.readouterr().err


def test_the_parts_that_a_comparison_shows_sum_to_its_net_result(
    ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = typed(capsys, "compare", ids["500"], ids["1000"]).splitlines()
    net = next(line.split()[-1] for line in shown if line.startswith("net result"))
    parts = [line.split()[-1] for line in shown if line.startswith("of it ")]

    assert len(parts) == 8
    assert abs(sum(map(Decimal, parts)) - Decimal(net)) < Decimal("0.08")  # each rounded to a cent


def test_who_writes_files_reads_what_the_result_is_worth(
    ids: dict[str, str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = typed(capsys, "report", ids["1000"], "--html", str(place / "verdict.html"))

    words = " ".join(shown.split())
    assert words.startswith("Fidelity D: prices alone")
    assert "nothing can be said yet" in words and "pUSD net = model edge" in words
    assert "Spread and depth were assumed." in words and "Written: " in words
