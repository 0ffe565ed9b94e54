"""`polyb0t report --decisions`: how every proposal did, over a real database and what was recorded beside it."""

import csv
import io

import pytest

from polyb0t.core.units import Price
from polyb0t.execution.intents import IntentRecord
from tests.cli.conftest import Place


def rejected(place: Place, **intent: object) -> IntentRecord:
    record = place.propose(**intent)  # type: ignore[arg-type]
    return place.stores.intents.reject(record.id, actor="user:anna", reason="no")


def test_what_was_rejected_and_what_expired_is_judged_as_well(place: Place) -> None:
    no = rejected(place)
    gone = place.propose()
    place.stores.intents.expire(gone.id, actor="user:anna")
    bid = {no.intent.asset_id: Price(no.intent.best_ask or no.intent.worst_price or Price(0))}  # type: ignore[arg-type]
    place.stores.prices.note(bid, {}, place.lease)

    found = place.type("report", "--decisions", "--json").json

    assert {each["name"]: each["proposals"] for each in found["fates"]} == {"rejected": 1, "expired": 1}
    assert (found["all"]["proposals"], found["all"]["events"], found["all"]["priced"]) == (2, 1, 1)
    assert found["enough"] is False
    assert [each["fate"] for each in found["intents"]] == ["rejected", "expired"]


def test_on_a_screen_with_too_little_it_says_so(place: Place) -> None:
    rejected(place)

    answer = place.type("report", "--decisions")

    assert answer.code == 0
    assert "1 intent of 1 event: nothing can be said yet." in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100


def test_without_a_recording_every_horizon_says_that_nothing_was_recorded(place: Place) -> None:
    rejected(place)

    (minute, *_) = place.type("report", "--decisions", "--json").json["markouts"]

    assert minute["net"] is None
    assert minute["missing"] == {"still ahead": 1}
    assert "still ahead" in place.type("report", "--decisions", "--by", "horizon").out


def test_each_side_as_values(place: Place) -> None:
    record = rejected(place)

    (row,) = csv.DictReader(io.StringIO(place.type("report", "--decisions", "--csv").out))
    assert (row["id"], row["fate"], row["decided_by"]) == (record.id, "rejected", "user:anna")
    assert place.type("report", "--decisions", "--csv", "--by", "fate").out.startswith("name,proposals,")


def test_as_a_page_in_a_file(place: Place) -> None:
    rejected(place)
    written = place.folder / "decisions.html"

    assert place.type("report", "--decisions", "--html", "--out", str(written)).code == 0
    assert "polyb0t, decisions: SANDBOX, dry run" in written.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [("--by", "market"), ("--by", "moon"), ("--since", "soon"), ("--today", "--until", "2026-11-22")],
)
def test_what_cannot_be_meant_is_refused(place: Place, arguments: tuple[str, ...]) -> None:
    answer = place.type("report", "--decisions", *arguments)

    assert answer.code == 2
    assert "No report was made" in answer.err
