"""A kept model of trees in a replay: the model of the engine, which knows what was shown and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import from_microseconds, iso, microseconds
from polyb0t.core.errors import ConflictError
from polyb0t.research.cards.active import set_active
from polyb0t.research.challengers.inputs import PRICE, Inputs, feature_named, record_of
from polyb0t.research.challengers.kept import read_kept
from polyb0t.research.evaluation.observations import DAY_US, logit
from polyb0t.research.history.past_markets import PastMarket
from polyb0t.runtime.places import models_folder
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import ENGINES, speaker
from tests.support.replaying_trees import replayed
from tests.support.trees import START_US, trees_text, walks

SINCE = from_microseconds(START_US + 20 * DAY_US)
UNTIL = SINCE + timedelta(days=10)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def on_the_shelf(folder: Path, *, until: datetime = SINCE) -> Path:
    """Trees of the real venue that learnt until then; the folder of models."""
    place = models_folder(replay_settings({"data_dir": folder}, {}), "polymarket")
    (place / "bt-0123456789").mkdir(parents=True)
    text = trees_text(venue="polymarket", data_until=until.isoformat())
    (place / "bt-0123456789" / "trees.json").write_text(text, "utf-8")
    (place / "bt-0123456789" / "card.json").write_text("{}", "utf-8")
    return place


def chosen() -> list[PastMarket]:
    """Open before the replay begins and long after it."""
    return [
        each
        for each in walks()
        if each.category == "politics"
        and each.opens_us < START_US + 20 * DAY_US
        and each.resolved_us > microseconds(UNTIL)
    ][:6]


def replay(folder: Path, markets: Sequence[PastMarket]) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    on_the_shelf(folder)
    return replayed(folder, markets, since=SINCE, until=UNTIL, model="bt-01")


def asked_at_the_fit(past: PastMarket, at: datetime) -> float:
    """What the kept trees say of the market's record of the fit, at that instant."""
    trees, at_us = read_kept(trees_text()).trees, microseconds(at)
    price = float(past.price[past.at_us.searchsorted(at_us, side="right") - 1])
    plain = {PRICE: float(logit(np.array([price]))[0]), "named_sides": float(past.named_sides)}
    plain |= {name: float(name == "category=politics") for name in trees.names if name.startswith("category")}
    values = [
        plain[name] if (feature := feature_named(name)) is None else feature.value(record_of(past), at_us)
        for name in trees.names
    ]
    return float(trees.predict(Inputs(trees.names, np.array([values], np.float64)))[0][0])


def test_it_is_silent_until_it_has_seen_enough_and_then_says_what_the_fit_would_have_said(tmp_path):
    told, cycles = replay(tmp_path, chosen())
    assert told["model"]["words"] == "boosted trees bt-0123456789"
    early = [each for each in cycles if each["at"] < iso(SINCE + timedelta(days=7, hours=17))]
    assert {code for each in early for code in each["passed"]} >= {"past_unknown"}
    assert not any(each["proposals"] or each["missed"] or each["nearest"] for each in early)
    by_id = {"0x" + sha256_hex(f"market {each.market}"): each for each in chosen()}
    said = 0
    for cycle in cycles:
        for proposal in cycle["proposals"]:
            q = asked_at_the_fit(by_id[proposal["market"]], datetime.fromisoformat(cycle["at"]))
            assert min(abs(float(proposal["q"]) - each) for each in (q, 1 - q)) < 1e-6
            said += 1
    assert said > 0


def test_what_comes_later_changes_nothing_that_was_decided_before(tmp_path):
    noon = SINCE + timedelta(days=9)
    later = [np.array(each.at_us) > microseconds(noon) for each in chosen()]
    poisoned = [
        replace(each, price=np.where(late, 1 - each.price, each.price))
        for each, late in zip(chosen(), later, strict=True)
    ]
    told = []
    for name, markets in (("true", chosen()), ("false", poisoned)):
        (tmp_path / name).mkdir()
        told.append(replay(tmp_path / name, markets)[1])
    before = [[each for each in cycles if each["at"] <= iso(noon)] for cycles in told]
    assert before[0] == before[1]
    assert any(each["proposals"] for each in before[0])
    assert told[0] != told[1]


@pytest.mark.parametrize("until", [SINCE + timedelta(seconds=1), SINCE + timedelta(days=300)])
@pytest.mark.parametrize("name", ["bt-01", ENGINES])
def test_trees_that_have_seen_what_is_replayed_are_refused(tmp_path, name, until):
    set_active(on_the_shelf(tmp_path, until=until), "bt-0123456789")
    with pytest.raises(ConflictError, match="bt-0123456789 was fitted on what was known until") as refused:
        speaker(replay_settings({"data_dir": tmp_path}, {}), name, SINCE)
    assert refused.value.code == "data_overlap"


@pytest.mark.parametrize("name", ["bt-01", ENGINES])
def test_those_that_ended_learning_before_speak_also_as_the_engines_own(tmp_path, name):
    set_active(on_the_shelf(tmp_path), "bt-0123456789")
    spoken = speaker(replay_settings({"data_dir": tmp_path}, {}), name, SINCE)
    assert (spoken.words(), spoken.said) == ("boosted trees bt-0123456789", ())


def test_of_the_calibration_nothing_has_changed(tmp_path):
    set_active(on_the_shelf(tmp_path), "bt-0123456789")
    spoken = speaker(replay_settings({"data_dir": tmp_path}, {}), "published", SINCE)
    assert spoken.model.name == "market calibration"
