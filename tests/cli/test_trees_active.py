"""`polyb0t model activate bt-…`: trees that have beaten the price speak from the engine's next start."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease, Stores
from polyb0t.research.cards.active import BOOSTED, active_id
from polyb0t.research.cards.card import LIFE, Card, make_card
from polyb0t.research.cards.shelf import Shelf
from polyb0t.research.evaluation.gate import Standing
from polyb0t.research.history.past_markets import History
from polyb0t.research.history.problems import Problems
from polyb0t.runtime.account import Account
from polyb0t.runtime.choices import limit_settings, probability_model, regime_of, remembering
from polyb0t.runtime.places import models_folder
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.wiring import Engine, build_engine
from polyb0t.sandbox.world import World
from polyb0t.venue.environment import POLYMARKET
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.sandbox import running_sandbox
from tests.support.trees import trees_text, walks

MODEL = "bt-0123456789"
Said = Callable[..., tuple[int, str, str]]


@cache
def a_card() -> Card:
    """Of the right form; where it is live is what a test says."""
    history = History(walks()[:40], "walks", "ab" * 32, Problems())
    return make_card(history, venue="sandbox", now=SystemClock().now(), trials=1)


def on_the_shelf(
    *,
    live: bool = True,
    fitted_at: datetime | None = None,
    venue: str = "sandbox",
    text: str | None = None,
    live_in: Sequence[str] = ("politics",),
) -> Path:
    """Trees with their card; the venue's folder."""
    fitted_at = fitted_at or SystemClock().now()
    standing = Standing(live=live, rows=900, t=4.0, recent_t=2.0, needed=2.5)
    card = replace(a_card(), id=MODEL, kind=BOOSTED, fitted_at=fitted_at, standings=(("politics", standing),))
    about = {"venue": venue, "expires_at": (fitted_at + LIFE).isoformat(), "live": list(live_in)}
    folder = models_folder(load_settings(), "sandbox")
    content = {**json.loads(trees_text()), **about}
    Shelf(folder).put(card, text or json.dumps(content))
    return folder


@pytest.fixture(autouse=True)
def _on_the_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def ask(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(("model", *arguments))
        told = capsys.readouterr()
        return code, told.out, " ".join(told.err.split())

    return ask


class TestActivating:
    def test_they_speak_from_the_next_start_under_their_own_name(self, said: Said):
        on_the_shelf()
        code, out, _ = said("activate", "bt-01")
        assert code == 0
        assert f"{MODEL} is active. It speaks in: politics, until " in out
        settings = load_settings()
        model = probability_model(settings)
        assert (model.name, model.version, model.validated) == ("boosted trees", MODEL, True)
        assert remembering(model) is not None
        assert limit_settings(settings, regime_of(settings)).active_model == f"boosted trees {MODEL}"
        listed = said("list")[1]
        assert f"boosted trees {MODEL}  speaks  has beaten the price on own data" in listed
        assert f"*  {MODEL}" in listed

    def test_coefficients_of_another_version_are_refused_and_nothing_is_activated(self, said: Said):
        folder = models_folder(load_settings(), "sandbox")
        standing = Standing(live=True, rows=900, t=4.0, recent_t=2.0, needed=2.5)
        card = replace(a_card(), standings=(("politics", standing),))
        Shelf(folder).put(card)
        path = folder / card.id / "coefficients.json"
        path.write_text(path.read_text("utf-8").replace("calibration-2", "calibration-9"), encoding="utf-8")
        code, _, err = said("activate", card.id)
        assert code != 0
        assert f"{card.id} was not activated: its coefficients cannot be used." in err
        assert "its format is 'polyb0t-market-calibration-9', and this version knows" in err
        assert active_id(folder) is None

    def test_without_the_library_it_is_said_what_to_install(
        self, said: Said, monkeypatch: pytest.MonkeyPatch
    ):
        folder = on_the_shelf()
        said("activate", "bt-01")
        monkeypatch.setitem(sys.modules, "xgboost", None)
        said("deactivate")
        code, _, err = said("activate", "bt-01")
        assert code != 0
        assert "pip install 'polyb0t[boosted]'" in err
        assert active_id(folder) is None

    def test_an_engine_whose_library_is_gone_does_not_start_and_says_so(
        self, said: Said, monkeypatch: pytest.MonkeyPatch
    ):
        on_the_shelf()
        said("activate", "bt-01")
        monkeypatch.setitem(sys.modules, "xgboost", None)
        with pytest.raises(ConfigurationError) as refused:
            probability_model(load_settings())
        assert refused.value.code == "no_boosted"
        assert "NO ENGINE WOULD START" in said("list")[1]

    def test_where_the_gate_is_closed_or_the_card_has_expired_nothing_is_activated(self, said: Said):
        folder = on_the_shelf(live=False)
        assert "It has beaten the price in no category" in said("activate", "bt-01")[2]
        (folder / MODEL / "card.json").unlink()
        on_the_shelf(fitted_at=SystemClock().now() - timedelta(days=46))
        assert "Its card expired on" in said("activate", "bt-01")[2]
        assert active_id(folder) is None

    @pytest.mark.parametrize(
        ("venue", "text", "why"),
        [
            ("polymarket", None, "It was fitted on polymarket, not on sandbox."),
            ("sandbox", '{"format": "polyb0t-boosted-trees-1"}', "and this version knows polyb0t-boosted"),
            ("sandbox", "{", "The file is not as expected"),
        ],
    )
    def test_trees_of_another_venue_or_form_are_refused_and_the_active_model_stays(
        self, said: Said, venue: str, text: str | None, why: str
    ):
        folder = on_the_shelf(venue=venue, text=text)
        code, out, err = said("activate", "bt-01")
        assert code != 0
        assert why in err
        assert "Traceback" not in out + err
        assert active_id(folder) is None

    def test_those_that_were_changed_after_their_activation_do_not_speak(self, said: Said):
        folder = on_the_shelf()
        said("activate", "bt-01")
        path = folder / MODEL / "trees.json"
        path.write_text(path.read_text("utf-8").replace('"politics"', '"sports"', 1), "utf-8")
        with pytest.raises(ConfigurationError, match="not those that were activated") as refused:
            probability_model(load_settings())
        assert refused.value.code == "model_file"

    def test_a_file_of_ones_own_comes_before_them_and_deactivating_ends_them(
        self, said: Said, tmp_path: Path
    ):
        on_the_shelf()
        said("activate", "bt-01")
        assert probability_model(load_settings(model="identity")).name == "identity"
        own = tmp_path / "own.json"
        own.write_text("{}")
        with pytest.raises(ConfigurationError, match="POLYBOT_MODEL_FILE"):
            probability_model(load_settings(model_file=str(own)))
        assert f"{MODEL} is no longer active." in said("deactivate")[1]
        assert probability_model(load_settings()).name == "market calibration"


REAL = Surroundings(POLYMARKET, Wallet("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"), 3)


def an_engine(folder: Path, around: Surroundings = REAL) -> tuple[Engine, Stores]:
    clock = FakeClock()
    stores = sqlite_stores(folder / "db", clock, scope=around.scope)
    lease = stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.DRY_RUN
    )
    assert isinstance(lease, Lease)
    return build_engine(load_settings(), around, stores, lease, account=Account(), clock=clock), stores


def test_an_engine_reads_the_past_of_prices_for_them_and_for_nobody_else(said: Said, tmp_path: Path):
    on_the_shelf()
    engine, _ = an_engine(tmp_path / "without")
    assert engine.histories is None
    engine.close()
    said("activate", "bt-01")
    engine, _ = an_engine(tmp_path / "with")
    assert engine.histories is not None
    assert engine.histories.look() == 0  # nothing is watched yet, so nobody is asked
    engine.close()


def test_an_engine_shows_them_every_cycle_and_tells_them_what_was_before(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world = World(seed=7, markets=8, start_ms=milliseconds(FakeClock().now()), archive=0)
    with running_sandbox(world=world) as sandbox:
        monkeypatch.setenv("POLYBOT_SANDBOX_URL", sandbox.url)
        on_the_shelf(live_in=sorted({each.spec.category.lower() for each in world.markets()}))
        said("activate", "bt-01")
        engine, stores = an_engine(tmp_path, look_around(load_settings()))
        engine.cycle.run()
        before = why_nothing(stores)
        assert before["past_unknown"] > 2
        assert engine.histories is not None
        assert engine.histories.look() == before["past_unknown"] + before.get("price_extreme", 0)
        engine.cycle.run()
        assert "past_unknown" not in why_nothing(stores)
        proposed = stores.intents.list(limit=10)
        assert {(each.intent.model_name, each.intent.model_version) for each in proposed} == {
            ("boosted trees", MODEL)
        }
        engine.close()


def why_nothing(stores: Stores) -> dict[str, int]:
    """Why the last cycle proposed nothing, as `universe --why` shows it."""
    found = stores.engine.latest_entry("universe")
    assert found is not None
    return {each["code"]: each["count"] for each in json.loads(found.payload)["passed"]}
