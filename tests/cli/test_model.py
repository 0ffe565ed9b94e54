"""`polyb0t model`: from a venue's past to a model that may speak, or honestly to none."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyb0t.cli import model_read
from polyb0t.cli.main import run
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.research.cards.active import set_active
from polyb0t.research.history.past_markets import write_history
from polyb0t.runtime.choices import probability_model
from polyb0t.runtime.modelling import model_place
from polyb0t.runtime.places import data_dir
from polyb0t.sandbox.world import World
from tests.support.history_files import at, parquet
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.shared import shared_path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    world = World(seed=7, markets=3, start_ms=milliseconds(SystemClock().now()), archive=1_200)
    with running_sandbox(world=world) as running:
        yield running


@pytest.fixture(autouse=True)
def _on_the_sandbox(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> None:
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", sandbox.url)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    def ask(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(("model", *arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


def test_collect_fit_and_read_the_card(said) -> None:
    code, out, _ = said("collect", "--most", "150")
    assert (code, "150 markets that are over" in out) == (0, True)
    code, out, _ = said("fit")
    assert code == 0
    assert "It speaks nowhere" in out  # 150 markets prove nothing
    model = json.loads(said("list", "--json")[1])[0]
    assert (model["live"], model["active"]) == ([], False)
    code, out, _ = said("card", model["id"][:7])
    assert code == 0
    assert f"market calibration {model['id']}, for the venue sandbox" in out
    page = Path(out.rsplit("Its page: ", 1)[1].strip())
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_a_model_that_has_won_nowhere_is_not_activated(said) -> None:
    said("collect", "--most", "40")
    said("fit")
    model = json.loads(said("list", "--json")[1])[0]["id"]
    code, _, err = said("activate", model)
    assert code != 0
    assert f"{model} was not activated." in err
    assert "None is active." in said("list")[1]
    assert probability_model(load_settings()).version == "1"  # the published coefficients


def test_a_fit_that_speaks_nowhere_says_what_goes_on_speaking(said) -> None:
    said("collect", "--most", "40")
    assert "the published coefficients stay" in said("fit")[1]
    model = json.loads(said("list", "--json")[1])[0]["id"]
    set_active(model_place(load_settings()).folder, model)
    said("collect", "--most", "41")
    assert f"It speaks nowhere: {model} stays active." in " ".join(said("fit")[1].split())


def test_every_different_fit_is_a_trial_and_the_same_one_none(said) -> None:
    told = []
    for most in ("40", "41"):
        said("collect", "--most", most)
        told += [json.loads(said(command, "--json")[1])["trials"] for command in ("fit", "evaluate", "fit")]
    assert told == [1, 1, 1, 2, 2, 2]
    assert len(json.loads(said("list", "--json")[1])) == 2
    assert "Fitted already today on this history, and unchanged." in said("fit")[1]


def test_a_history_of_another_name_is_no_new_start(said, tmp_path: Path) -> None:
    monday = 1_772_409_600_000_000
    line = {
        "market": "0xaa", "event": "17", "category": "politics", "question": "Will it?", "named_sides": False,
        "opens_us": monday, "ends_us": monday + 28 * 86_400_000_000, "resolved_us": monday + 86_400_000_000,
        "pays_e6": 1_000_000, "points": [[monday, 600_000]],
    }  # fmt: skip
    for number, source in enumerate(("sandbox since 2024-01-01", "sandbox since 2024-01-02"), 1):
        path = tmp_path / f"{number}.jsonl.gz"
        write_history(path, [line], source=source)
        assert json.loads(said("evaluate", str(path), "--json")[1])["trials"] == number


def test_what_was_collected_on_another_venue_is_judged_and_never_fitted(said, tmp_path: Path) -> None:
    monday = 1_772_409_600_000_000
    line = {
        "market": "0xaa", "event": "17", "category": "politics", "question": "Will it?", "named_sides": False,
        "opens_us": monday, "ends_us": monday + 86_400_000_000 * 9, "resolved_us": monday + 86_400_000_000,
        "pays_e6": 1_000_000, "points": [[monday, 600_000]],
    }  # fmt: skip
    path = tmp_path / "history.jsonl.gz"
    write_history(path, [line], source="polymarket since 2024-01-01")
    code, _, err = said("fit", str(path))
    assert code != 0
    assert "Nothing was fitted: this history was collected on polymarket." in err
    assert "What was learnt there is never used on sandbox." in err
    assert json.loads(said("list", "--json")[1]) == []
    assert said("evaluate", str(path))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fit",), "Nothing was fitted: there is no history."),
        (("fit", "nowhere.gz"), "Nothing was fitted: no nowhere.gz."),
        (("fit", "nowhere.parquet"), "Nothing was fitted: no nowhere.parquet."),
        (("fit", "."), "It is a folder, and a history is a file."),
        (("card", "mc-1"), "No model begins with 'mc-1'."),
        (("activate", "mc-1"), "No model begins with 'mc-1'."),
        (("collect", "--since", "yesterday"), "Nothing was collected: 'yesterday' is no day."),
    ],
)
def test_a_mistake_is_said_in_words(said, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = said(*arguments)
    assert code != 0
    assert words in err
    assert "Traceback" not in out + err


def test_an_empty_list_says_how_to_fill_it(said) -> None:
    code, out, _ = said("list")
    assert (code, "polyb0t model collect" in out) == (0, True)


def test_deactivating_nothing_is_no_error(said) -> None:
    assert "No model was active." in said("deactivate")[1]


def test_an_exchange_that_is_away_leaves_the_history_as_it_was(said, monkeypatch: pytest.MonkeyPatch) -> None:
    said("collect", "--most", "40")
    before = (data_dir(load_settings()) / "models" / "sandbox" / "history.jsonl.gz").read_bytes()
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", "http://127.0.0.1:9")
    assert said("collect")[0] != 0
    assert (data_dir(load_settings()) / "models" / "sandbox" / "history.jsonl.gz").read_bytes() == before


def test_real_history_of_one_month_is_honestly_no_edge(said) -> None:
    path = shared_path("data/mixed_192_resolved_markets.parquet")
    code, out, _ = said("evaluate", str(path))
    assert code == 0
    assert "May speak in   no category" in out
    assert "192 markets without a scheduled end; their last price stands in for it" in out
    assert "Nothing could be judged: no row had an earlier month to learn from." in out


SERIES = {
    "timestamp": "TIMESTAMPTZ", "market_slug": "VARCHAR", "question": "VARCHAR",
    "price": "DOUBLE", "outcome": "DOUBLE", "category": "VARCHAR",
}  # fmt: skip


@pytest.mark.parametrize("command", [("evaluate",), ("fit",), ("evaluate", "--kind", "boosted")])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (0.3, "It has no market that can be used. 2 markets that pay other than 0, a half or 1; left out"),
        (None, "It has no market that can be used. 2 markets whose end is not known; left out"),
        (1.0, "None of its 2 markets had a usable price on a Monday before its end."),
    ],
)
def test_a_history_without_anything_to_learn_from_is_refused_with_what_is_wrong(
    said, tmp_path: Path, command: tuple[str, ...], as_json: tuple[str, ...], outcome: float | None, why: str
) -> None:
    rows = [(at(hours), slug, "Will it?", 0.6, outcome, "politics") for slug in "ab" for hours in (1, 2)]
    path = parquet(tmp_path / "prices.parquet", SERIES, rows)
    code, out, err = said(*command, str(path), *as_json)
    assert code != 0
    assert why in " ".join((out + err).split())
    assert "Traceback" not in out + err
    assert json.loads(said("list", "--json")[1]) == []


def test_what_is_no_history_of_polyb0t_says_what_it_is(said, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain.jsonl.gz", tmp_path / "other.jsonl.gz"
    plain.write_text("PAR1")
    write_history(other, [], source="x")
    other.write_bytes(gzip.compress(b'{"format": "polyb0t-market-history-9"}'))
    assert "it is not gzipped lines of JSON" in said("fit", str(plain))[2]
    err = " ".join(said("fit", str(other))[2].split())
    assert "its format is 'polyb0t-market-history-9', and this version knows polyb0t-market-history-1" in err


def test_collecting_without_a_connection_says_how_to_practise(said, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> Iterator[object]:
        raise VenueUnreachableError(
            "The exchange did not answer.", do="polyb0t run", code="venue_unreachable"
        )

    monkeypatch.setenv("POLYBOT_VENUE", "polymarket")
    monkeypatch.setattr(model_read, "past_lines", away)
    code, _, err = said("collect")
    assert code != 0
    assert "Nothing was collected: The exchange did not answer." in err
    assert "POLYBOT_VENUE=sandbox polyb0t model collect" in " ".join(err.split())


class TestFeatures:
    def test_every_feature_is_listed_with_its_weight(self, said) -> None:
        told = json.loads(said("features", "--json")[1])
        assert {"spread", "logit_change_7d", "event_comovement"} <= {each["feature"] for each in told}
        assert all((each["weight"], each["licensed"]) == (0, False) for each in told)
        code, out, _ = said("features")
        assert code == 0
        assert out.count("0, not licensed") == len(told)
        assert ("10 min" in out, "15 min" in out, "2 h" in out) == (True, True, True)

    def test_a_market_of_which_nothing_was_recorded_is_not_made_up(self, said) -> None:
        code, _, err = said("features", "0xfeed")
        assert code == 3
        assert "No features are known of a market that begins with '0xfeed'" in err


def test_trees_are_judged_on_the_same_source_and_counted_with_the_rest(said) -> None:
    said("collect", "--most", "60")
    trials = [
        json.loads(said(*command, "--json")[1])["trials"]
        for command in (("fit",), ("evaluate", "--kind", "boosted"), ("fit", "--kind", "boosted"))
    ]
    assert trials == [1, 2, 2]
    kept = [each["id"] for each in json.loads(said("list", "--json")[1])]
    assert sorted(each[:3] for each in kept) == ["bt-", "mc-"]
    code, out, _ = said("card", next(each for each in kept if each.startswith("bt-")))
    assert (code, "boosted trees bt-" in out) == (0, True)
    code, _, err = said("activate", "bt-")
    assert code == 4
    assert "It has beaten the price in no category" in err


def test_what_is_wrong_with_a_history_is_told_by_count_and_example(said, tmp_path: Path) -> None:
    monday = 1_772_409_600_000_000
    good = {
        "market": "0xaa", "event": "17", "category": "politics", "question": "Will it?", "named_sides": False,
        "opens_us": monday, "ends_us": monday + 28 * 86_400_000_000, "resolved_us": monday + 86_400_000_000,
        "pays_e6": 1_000_000, "points": [[monday, 600_000]],
    }  # fmt: skip
    wrong: list[dict[str, object]] = [
        {"market": "0xbb", "pays_e6": None},
        {"market": "0xcc", "pays_e6": 700_000},
        {"market": "0xdd", "points": [[monday, 1_000_000], [monday + 1, 600_000]]},
        {"market": "0xee", "points": [[monday + 1, 600_000], [monday, 500_000], [monday, 400_000]]},
        {"market": "0xff", "points": [[monday // 1_000, 600_000], [monday, 600_000]]},
        {"market": "0xaa"},
    ]
    path = tmp_path / "bad.jsonl.gz"
    write_history(path, [good, *({**good, **each} for each in wrong)], source="a test")
    code, out, _ = said("evaluate", str(path))
    assert code == 0
    told = " ".join(out.split("What was wrong with the data:")[1].split())
    for sentence in (
        "1 markets whose end is not known; left out (for example 0xbb).",
        "1 markets that pay other than 0, a half or 1; left out (for example 0xcc pays 700000 millionths).",
        "1 markets that are there twice; the first counts (for example 0xaa).",
        "1 prices that are not inside 0 and 1; left out (for example 0xdd).",
        "1 prices at an instant that has one already; the first counts (for example 0xee).",
        "1 markets whose prices were not in the order of time; put in order (for example 0xee).",
        "1 prices whose instant is missing or before the year 2000; left out (for example 0xff).",
    ):
        assert sentence in told


def test_the_list_says_what_speaks_now_and_with_which_weight(
    said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = tmp_path / "views.jsonl"
    views.write_text('{"market": "tram", "outcome": "Yes", "probability": "1.5"}\n{')
    monkeypatch.setenv("POLYBOT_INDEPENDENT_FILE", str(views))
    code, out, _ = said("list")
    assert code == 0
    assert "market calibration 1" in out
    assert "UNVALIDATED" in out
    assert [
        line.split()[1] for line in out.splitlines() if line.startswith(("coherence", "independent"))
    ] == [
        "0",
        "0",
    ]
    assert "2 lines that could not be read" in out


def test_the_list_says_where_no_engine_would_start(
    said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_MODEL_FILE", str(tmp_path / "nothing.json"))
    out = said("list")[1]
    assert "No engine would start with these settings" in out
    assert next(line for line in out.splitlines() if line.startswith("nothing")).split()[2:6] == [
        "NO", "ENGINE", "WOULD", "START"
    ]  # fmt: skip


def test_views_of_a_file_are_judged_and_earn_nothing(said, tmp_path: Path) -> None:
    said("collect", "--most", "40")
    code, _, err = said("weigh")
    assert code != 0
    assert "there are no views from outside" in err
    views = tmp_path / "views.jsonl"
    views.write_text(
        '{"market": "0x1", "outcome": "Yes", "probability": "0.5", "source": "x",'
        ' "observed_at": "2026-01-05T00:00:00Z"}'
    )
    code, out, _ = said("weigh", str(views))
    assert code == 0
    assert "It was judged only" in out
    assert json.loads(said("list", "--json")[1]) == []
