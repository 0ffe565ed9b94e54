"""What settings turn into: which wallet, which limits, and what is not allowed on the real venue yet."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.data.deny_list import DenyList
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import Lease
from polyb0t.runtime.account import Account
from polyb0t.runtime.choices import probability_model, regime_of, risk_limits, universe_rules
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.wiring import Engine, build_engine
from polyb0t.venue.environment import POLYMARKET
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("POLYBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def engine_on_the_real_venue(folder: Path) -> Engine:
    clock = FakeClock()
    around = Surroundings(POLYMARKET, Wallet(WALLET), 3)
    stores = sqlite_stores(folder / "db", clock, scope=around.scope)
    lease = stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.DRY_RUN
    )
    assert isinstance(lease, Lease)
    settings = load_settings(data_dir=folder)
    return build_engine(settings, around, stores, lease, account=Account(), clock=clock)


def test_on_the_real_venue_the_identity_rule_is_not_proven_yet(tmp_path):
    engine = engine_on_the_real_venue(tmp_path)
    assert engine.desk.desk().identity_proven is False
    engine.close()


def test_nothing_is_sent_unless_it_is_said_in_so_many_words():
    assert regime_of(load_settings()) is Regime.DRY_RUN
    assert regime_of(load_settings(dry_run=False)) is Regime.LIVE
    assert regime_of(load_settings(mode="paper", dry_run=False)) is Regime.PAPER


def test_limits_and_universe_follow_the_settings():
    settings = load_settings(
        max_order_fraction="0.02", min_edge="0.02", deny="Ferry, tram-line", categories="Politics"
    )
    assert risk_limits(settings).order_fraction == Decimal("0.02")
    assert risk_limits(settings).edge_min == Decimal("0.02")
    rules = universe_rules(settings)
    assert rules.categories == {"politics"}
    assert rules.deny == DenyList(("ferry", "tram-line"))


def test_the_real_venue_needs_a_wallet_to_look_at():
    with pytest.raises(ConfigurationError, match="POLYBOT_WALLET_ADDRESS") as refused:
        look_around(load_settings())
    assert refused.value.code == "no_wallet"


def test_the_scope_of_the_real_venue_names_the_wallet():
    around = look_around(load_settings(wallet_address=WALLET.lower()))
    assert around.scope == Scope("polymarket", 137, WALLET)


class TestAModelFileOfOnesOwn:
    @staticmethod
    def content(**changes: object) -> str:
        cell = {"intercept": "0", "slope": "1.2", "sd_intercept": "0.01", "sd_slope": "0.01"}
        cells = dict.fromkeys(("1-7d", "7-30d", "30-90d", "90d+"), cell)
        whole = {
            "format": "polyb0t-market-calibration-1",
            "version": "mine",
            "validated": True,
            "status": "mine",
            "source": "my own reckoning",
            "categories": {"politics": {"aliases": [], "cells": cells}},
        }
        return json.dumps({**whole, **changes})

    def test_what_it_says_of_itself_does_not_validate_it(self, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(self.content())
        model = probability_model(load_settings(model_file=file))
        assert (model.version, model.validated) == ("mine", False)

    @pytest.mark.parametrize("changes", [{"format": "another"}, {"source": ""}, {"categories": {"p": {}}}])
    def test_one_that_is_not_as_it_should_be_is_refused(self, tmp_path, changes):
        file = tmp_path / "mine.json"
        file.write_text(self.content(**changes))
        with pytest.raises(ConfigurationError, match="POLYBOT_MODEL_FILE"):
            probability_model(load_settings(model_file=file))

    def test_one_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(ConfigurationError, match="POLYBOT_MODEL_FILE") as refused:
            probability_model(load_settings(model_file=tmp_path / "nothing.json"))
        assert refused.value.code == "model_file"
