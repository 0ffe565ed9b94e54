"""What is wrong with a history is counted and named, never silently used; a row knows nothing of its future."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from polyb0t.core.clock import microseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.research.evaluation.observations import DAY_US
from polyb0t.research.history.grid import observations
from polyb0t.research.history.past_markets import FORMAT, History, read_history, write_history
from polyb0t.research.history.price_series import read_price_series

MONDAY = microseconds(datetime(2026, 3, 2, tzinfo=UTC))


def a_line(**changes: Any) -> dict[str, Any]:
    """A market of four weeks from a Monday on, 60 cents all the time, won."""
    line = {
        "market": "0xaa",
        "event": "17",
        "category": "Politics",
        "question": "Will it?",
        "named_sides": False,
        "opens_us": MONDAY,
        "ends_us": MONDAY + 28 * DAY_US,
        "resolved_us": MONDAY + 29 * DAY_US,
        "pays_e6": 1_000_000,
        "points": [[MONDAY + day * DAY_US, 600_000] for day in range(28)],
    }
    return {**line, **changes}


def kept(folder: Path, *lines: dict[str, Any]) -> History:
    path = folder / "history.jsonl.gz"
    write_history(path, lines, source="a test")
    return read_history(path)


class TestTheGrid:
    def test_a_market_has_a_row_every_monday_until_a_day_before_its_scheduled_end(self, tmp_path: Path):
        rows = observations(kept(tmp_path, a_line()).markets)
        assert [(at - MONDAY) // DAY_US for at in rows.at_us] == [0, 7, 14, 21]
        assert (rows.categories, set(rows.price), set(rows.outcome)) == (("politics",), {0.6}, {1.0})

    def test_the_price_is_the_last_one_known_and_none_from_later(self, tmp_path: Path):
        points = [[MONDAY + 7 * DAY_US - 1, 300_000], [MONDAY + 7 * DAY_US + 1, 900_000]]
        rows = observations(kept(tmp_path, a_line(points=points)).markets)
        assert list(zip((rows.at_us - MONDAY) // DAY_US, rows.price, strict=True)) == [(7, 0.3)]

    def test_a_price_of_more_than_a_day_ago_is_not_that_mondays(self, tmp_path: Path):
        points = [[MONDAY - 1 * DAY_US, 500_000], [MONDAY + 5 * DAY_US, 600_000]]
        rows = observations(kept(tmp_path, a_line(points=points)).markets)
        assert list((rows.at_us - MONDAY) // DAY_US) == [0]

    @pytest.mark.parametrize("price", [29_000, 971_000])
    def test_prices_that_no_model_speaks_of_make_no_row(self, tmp_path: Path, price: int):
        points = [[MONDAY, price], [MONDAY + 7 * DAY_US, 30_000]]
        rows = observations(kept(tmp_path, a_line(points=points)).markets)
        assert list((rows.at_us - MONDAY) // DAY_US) == [7]

    def test_a_market_that_ended_early_has_no_row_after_that(self, tmp_path: Path):
        rows = observations(kept(tmp_path, a_line(resolved_us=MONDAY + 10 * DAY_US)).markets)
        assert list((rows.at_us - MONDAY) // DAY_US) == [0, 7]

    def test_the_horizon_is_what_was_scheduled_not_what_came(self, tmp_path: Path):
        early = a_line(ends_us=MONDAY + 200 * DAY_US, resolved_us=MONDAY + 10 * DAY_US)
        assert list(observations(kept(tmp_path, early).markets).horizon) == [3, 3]


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "kind", "left"),
        [
            ({"pays_e6": None}, "no_outcome", 0),
            ({"resolved_us": None}, "no_outcome", 0),
            ({"pays_e6": 300_000}, "impossible_payout", 0),
            ({"pays_e6": -1}, "impossible_payout", 0),
            ({"pays_e6": False}, "impossible_payout", 0),
            ({"pays_e6": "1"}, "impossible_payout", 0),
            ({"pays_e6": [1_000_000, 0]}, "impossible_payout", 0),
            ({"pays_e6": 500_000}, "void", 1),
            ({"points": [[MONDAY // 1_000_000, 500_000]]}, "impossible_time", 0),  # seconds
            ({"points": [[None, 500_000], [MONDAY, 500_000]]}, "impossible_time", 1),
            ({"points": [[10**30, 500_000], [MONDAY, 500_000]]}, "impossible_time", 1),
            ({"points": [[MONDAY, None], [MONDAY + 1, 500_000]]}, "price_outside", 1),
            ({"resolved_us": "2026-03-31"}, "unreadable_market", 0),
            ({"points": [[MONDAY, 500_000, 1]]}, "unreadable_market", 0),
            ({"question": 3, "ends_us": "March"}, "unreadable_market", 0),
            ({"points": []}, "no_prices", 0),
            ({"points": [[MONDAY, 0], [MONDAY, 1_000_000]]}, "price_outside", 0),
            ({"points": [[MONDAY, -5], [MONDAY + 1, 500_000]]}, "price_outside", 1),
            ({"points": [[MONDAY + DAY_US, 500_000], [MONDAY, 500_000]]}, "out_of_order", 1),
            ({"points": [[MONDAY, 500_000], [MONDAY, 700_000]]}, "duplicate_point", 1),
            ({"points": [[MONDAY, 500_000], [MONDAY + 9 * DAY_US, 500_000]]}, "gap", 1),
            ({"points": [[MONDAY, 500_000], [MONDAY + 40 * DAY_US, 500_000]]}, "after_the_end", 1),
            ({"ends_us": None}, "end_not_told", 1),
            ({"points": "prices"}, "unreadable_market", 0),
            ({"opens_us": "soon"}, "unreadable_market", 0),
        ],
    )
    def test_it_is_counted_with_an_example(
        self, tmp_path: Path, changes: dict[str, Any], kind: str, left: int
    ):
        history = kept(tmp_path, a_line(**changes))
        assert history.problems.counts[kind] >= 1
        assert history.problems.examples[kind].startswith("0xaa")
        assert len(history.markets) == left
        assert any("0xaa" in sentence for sentence in history.problems.sentences())

    def test_the_first_of_two_prices_of_an_instant_counts(self, tmp_path: Path):
        points = [[MONDAY, 500_000], [MONDAY, 700_000]]
        assert list(kept(tmp_path, a_line(points=points)).markets[0].price) == [0.5]

    def test_markets_of_no_event_are_events_of_their_own(self, tmp_path: Path):
        history = kept(tmp_path, *(a_line(market=name, event=None, category=None) for name in ("0xa", "0xb")))
        assert [(each.event, each.category) for each in history.markets] == [
            ("0xa", "uncategorised"),
            ("0xb", "uncategorised"),
        ]

    def test_a_market_that_is_there_twice_counts_once(self, tmp_path: Path):
        history = kept(tmp_path, a_line(), a_line(pays_e6=0))
        assert [each.outcome for each in history.markets] == [1.0]
        assert history.problems.counts["twice"] == 1

    def test_a_line_that_is_no_market_is_counted(self, tmp_path: Path):
        path = tmp_path / "history.jsonl.gz"
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(json.dumps({"format": FORMAT, "source": "x"}) + "\n{half a li\n[]\n")
        problems = read_history(path).problems
        assert (problems.counts["unreadable_line"], problems.examples["unreadable_line"]) == (2, "line 2")

    @pytest.mark.parametrize(
        "content",
        [b"no gzip", gzip.compress(b"{}\n"), gzip.compress(b'{"format": "x"}\n')],
        ids=["no gzip", "no format", "another format"],  # a packed file has its second in it
    )
    def test_another_file_is_refused_with_what_to_do(self, tmp_path: Path, content: bytes):
        path = tmp_path / "other.gz"
        path.write_bytes(content)
        with pytest.raises(ConfigurationError) as refused:
            read_history(path)
        assert refused.value.code == "history_file"
        assert "polyb0t model collect" in str(refused.value.do)

    def test_a_collecting_that_broke_off_leaves_the_old_file(self, tmp_path: Path):
        kept(tmp_path, a_line())

        def broken() -> Any:
            yield a_line(market="0xbb")
            raise OSError

        with pytest.raises(OSError):
            write_history(tmp_path / "history.jsonl.gz", broken(), source="a test")
        assert [each.market for each in read_history(tmp_path / "history.jsonl.gz").markets] == ["0xaa"]
        assert [path.name for path in tmp_path.iterdir()] == ["history.jsonl.gz"]


class TestPriceSeries:
    def _file(self, folder: Path, rows: str, zone: str = "TIMESTAMPTZ") -> Path:
        path = folder / "series.parquet"
        with duckdb.connect() as database:
            database.execute("SET TimeZone = 'UTC'")
            database.execute(
                f"COPY (SELECT CAST(t AS {zone}) AS timestamp, s AS market_slug, s AS question, p AS price, "
                f"o AS outcome, 'general' AS category FROM (VALUES {rows}) AS v(t, s, p, o)) TO '{path}'"
            )
        return path

    def test_the_outcome_stands_on_the_last_row(self, tmp_path: Path):
        path = self._file(
            tmp_path,
            "('2026-01-05 00:00:00+00', 'a', 0.4, NULL), ('2026-01-20 00:00:00+00', 'a', 0.9, 1.0),"
            "('2026-01-05 00:00:00+00', 'b', 0.4, NULL)",
        )
        history = read_price_series(path)
        assert [(each.market, each.outcome) for each in history.markets] == [("a", 1.0)]
        assert history.problems.counts["no_outcome"] == 1
        assert history.problems.counts["end_not_told"] == 1
        rows = observations(history.markets)
        assert [(int(at), price) for at, price in zip(rows.at_us, rows.price, strict=True)] == [
            (microseconds(datetime(2026, 1, 5, tzinfo=UTC)), 0.4)
        ]

    def test_missing_instants_and_prices_are_counted(self, tmp_path: Path):
        path = self._file(
            tmp_path,
            "('2026-01-05 00:00:00+00', 'a', 0.4, NULL), (NULL, 'a', 0.5, NULL),"
            "('2026-01-06 00:00:00+00', 'a', NULL, NULL), ('2026-01-20 00:00:00+00', 'a', 0.9, 0.5),"
            "(NULL, 'b', 0.4, 1.0), ('2026-01-20 00:00:00+00', 'c', 0.9, 0.7)",
        )
        history = read_price_series(path)
        assert [(each.market, list(each.price)) for each in history.markets] == [("a", [0.4, 0.9])]
        assert dict(history.problems.counts) == {
            "impossible_time": 2, "price_outside": 1, "void": 1, "gap": 1, "end_not_told": 1,
            "impossible_payout": 1,
        }  # fmt: skip

    def test_rows_without_a_market_and_markets_with_two_results_are_left_out(self, tmp_path: Path):
        path = self._file(
            tmp_path,
            "('2026-01-05 00:00:00+00', NULL, 0.4, NULL), ('2026-01-06 00:00:00+00', NULL, 0.9, 1.0),"
            "('2026-01-05 00:00:00+00', '', 0.4, 1.0), ('2026-01-05 00:00:00+00', 'a', 0.4, 1.0),"
            "('2026-01-05 00:00:00+00', 'b', 0.4, 0.0), ('2026-01-06 00:00:00+00', 'b', 0.9, 1.0)",
        )
        history = read_price_series(path)
        assert [each.market for each in history.markets] == ["a"]
        assert dict(history.problems.counts) == {"no_market": 3, "two_results": 1, "end_not_told": 1}
        assert history.problems.examples["two_results"] == "b: 0 and 1"

    def test_other_zones_are_the_same_instants(self, tmp_path: Path):
        path = self._file(tmp_path, "('2026-01-05 02:00:00+02', 'a', 0.4, 1.0)")
        assert list(read_price_series(path).markets[0].at_us) == [
            microseconds(datetime(2026, 1, 5, tzinfo=UTC))
        ]

    def test_times_without_a_zone_are_refused(self, tmp_path: Path):
        path = self._file(tmp_path, "('2026-01-05 00:00:00', 'a', 0.4, 1.0)", "TIMESTAMP")
        with pytest.raises(ConfigurationError, match="time zone"):
            read_price_series(path)

    def test_a_file_of_another_kind_is_refused(self, tmp_path: Path):
        path = tmp_path / "x.parquet"
        path.write_bytes(b"nothing of the kind")
        with pytest.raises(ConfigurationError) as refused:
            read_price_series(path)
        assert refused.value.code == "history_file"
