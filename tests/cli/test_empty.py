"""An empty list says why it is empty, and every line that it suggests works."""

import re

import pytest

from polyb0t.cli.main import run
from polyb0t.execution.scope import Lease, Regime
from tests.cli.conftest import Place

COMMANDS = (
    ("intents", "list"),
    ("intents", "list", "--all"),
    ("intents", "list", "--status", "FAILED"),
    ("intents", "mutes"),
    ("orders", "list"),
    ("orders", "list", "--open"),
    ("fills", "list"),
    ("positions",),
    ("claims", "list"),
    ("auth", "token", "list"),
)
_SUGGESTED = re.compile(r"(?:: |in )polyb0t ((?:[a-z-]+ ?)+(?:--[a-z-]+)?)")


@pytest.mark.parametrize("regime", [Regime.DRY_RUN, Regime.LIVE])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_explains_itself(place: Place, command: tuple[str, ...], regime: Regime) -> None:
    place.stores.engine.release(place.lease)
    lease = place.stores.engine.acquire(
        "engine", holder="h:1", boot_id="b", process_started="1", regime=regime
    )
    assert isinstance(lease, Lease)
    answer = place.type(*command)
    assert answer.code == 0
    words = " ".join(answer.out.split())
    assert len(words.split()) > 8, f"only: {words}"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_it_suggests_is_a_command(place: Place, command: tuple[str, ...]) -> None:
    answer = place.type(*command)
    for line in _SUGGESTED.findall(answer.out):
        group = [word for word in line.split() if not word.startswith("-")]
        place.capsys.readouterr()
        assert run([*group[:2], "--help"]) == 0 or run([group[0], "--help"]) == 0, line
