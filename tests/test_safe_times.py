"""The waits that the promises rest on: shorter only where there is no money, and always long enough for each other."""

from pathlib import Path

import pytest

from polyb0t.config.settings import SAFE_SECONDS, load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied
from polyb0t.runtime.lease import stand_by
from tests.support.builders import an_order_for
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores

QUICK = {"lease_seconds": 6, "post_budget_seconds": 2, "proof_delay_seconds": 12, "proof_apart_seconds": 2}


def refusal(**given: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**given)
    return refused.value


@pytest.mark.parametrize("name", SAFE_SECONDS)
def test_the_real_venue_refuses_a_shorter_one_by_name(name: str) -> None:
    error = refusal(venue="polymarket", **{name: SAFE_SECONDS[name] * 0.99})

    assert f"POLYBOT_{name.upper()}" in error.what
    assert "on the sandbox only" in error.why


@pytest.mark.parametrize("name", SAFE_SECONDS)
def test_it_is_refused_in_the_environment_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by commands that name no venue: the real one is the default."""
    monkeypatch.setenv(f"POLYBOT_{name.upper()}", str(SAFE_SECONDS[name] / 2))

    assert f"POLYBOT_{name.upper()}" in refusal().what


def test_the_sandbox_takes_shorter_ones() -> None:
    settings = load_settings(venue="sandbox", **QUICK)

    assert {name: getattr(settings, name) for name in QUICK} == QUICK


def test_the_defaults_are_the_safe_ones() -> None:
    settings = load_settings(venue="polymarket")

    assert {name: getattr(settings, name) for name in SAFE_SECONDS} == SAFE_SECONDS


def test_a_send_may_not_outlast_half_a_lease() -> None:
    """A standby would take over while the order of the one before it is still on its way."""
    error = refusal(venue="sandbox", lease_seconds=6, post_budget_seconds=3.1)

    assert "half of POLYBOT_LEASE_SECONDS" in error.why


def test_absence_is_not_proven_while_a_send_may_still_arrive() -> None:
    error = refusal(venue="sandbox", post_budget_seconds=2, lease_seconds=6, proof_delay_seconds=3.9)

    assert "twice POLYBOT_POST_BUDGET_SECONDS" in error.why


def test_a_standby_waits_for_the_lease_that_was_set(tmp_path: Path) -> None:
    clock = FakeClock()
    stores = sqlite_stores(tmp_path, clock)
    stores.engine.acquire(
        "engine", holder="elsewhere:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    begun = clock.boot_seconds()

    stand_by(stores.engine, Regime.LIVE, clock, lease_seconds=6)

    assert 6 <= clock.boot_seconds() - begun <= 6.5


@pytest.mark.parametrize(("beaten", "permitted"), [(2.9, True), (3.1, False)])
def test_a_permit_has_to_fit_into_what_is_left_of_the_lease(
    tmp_path: Path, beaten: float, permitted: bool
) -> None:
    """Two seconds to send and a sixth of the lease as margin: three of six."""
    sqlite_stores(tmp_path, clock := FakeClock()).close()
    world = World(f"sqlite:///{tmp_path}/polyb0t.db", clock)
    quick = world.open(lease_seconds=6)
    record = world.claimed()
    world.advance(beaten)

    answer = quick.intents.permit(an_order_for(record.intent), world.lease, post_budget_seconds=2)

    assert isinstance(answer, Denied) is not permitted
    if not permitted:
        assert isinstance(answer, Denied)
        assert answer.code == "lease_short"
    quick.close()
    world.close()
