"""Where a held market stands: written down once a change, and said where its holding is shown."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.cli.positions_read import positions_screen
from polyb0t.cli.terminal import PLAIN
from polyb0t.core.units import Price, Shares
from polyb0t.data.resolution import ResolutionState
from polyb0t.models.portfolio import Position
from polyb0t.runtime.holdings import Holding, Holdings, read_holdings
from polyb0t.runtime.resolution_notes import CHANGED, WORDS, state_of
from tests.cli.scenes import scene, tram
from tests.support.builders import ASSET
from tests.support.claim_room import ClaimRoom
from tests.support.settling_room import CONDITION, R, SettlingRoom


@pytest.fixture
def room(tmp_path: Path) -> SettlingRoom:
    return SettlingRoom(ClaimRoom(tmp_path))


def notes(room: SettlingRoom) -> list[tuple[str, str]]:
    entries = [each for each in room.claims.world.engine.journal(limit=500) if each.kind == CHANGED]
    return [(json.loads(each.payload)["from"], json.loads(each.payload)["to"]) for each in entries]


def test_each_change_is_written_down_once(room: SettlingRoom) -> None:
    for state in (R.OPEN, R.PROPOSED, R.PROPOSED, R.DISPUTED, R.RESOLVED):
        room.ends(state)
        room.cycle(31)
    assert notes(room) == [("open", "proposed"), ("proposed", "disputed"), ("disputed", "resolved")]
    assert state_of(room.claims.world.engine, CONDITION) is R.RESOLVED


@pytest.mark.parametrize(("state", "frozen"), [(R.PROPOSED, False), (R.DISPUTED, True), (R.UNKNOWN, True)])
def test_a_dispute_freezes_its_event_and_a_proposal_does_not(
    room: SettlingRoom, state: ResolutionState, frozen: bool
) -> None:
    room.ends(state)
    room.cycle(31)
    assert room.settling.frozen == ({"42"} if frozen else frozenset())


def test_positions_know_it(room: SettlingRoom) -> None:
    room.ends(R.DISPUTED)
    room.cycle()
    (holding,) = read_holdings(room.claims.world.stores).ours
    assert (holding.resolution, holding.view()["resolution"]) == (R.DISPUTED, "disputed")


@pytest.mark.parametrize("columns", [100, 80, 60])
@pytest.mark.parametrize("state", list(WORDS))
def test_the_screen_says_it_in_words(columns: int, state: ResolutionState) -> None:
    shown = screen(replace(held("0.62"), resolution=state), columns)
    assert WORDS[state] in " ".join(" ".join(shown).split())
    assert all(len(line) <= columns for line in shown)


@pytest.mark.parametrize(("pays", "word"), [("1", "won"), ("0", "lost"), ("0.5", "50¢")])
def test_what_the_exchange_calls_redeemable_may_be_lost_or_half(pays: str, word: str) -> None:
    told = " ".join(screen(replace(held(pays), redeemable=True), 100))
    assert f" {word} " in told
    assert all(other == word or f" {other} " not in told for other in ("won", "lost"))


def held(bid: str) -> Holding:
    position = Position(ASSET, tram().condition_id, confirmed=Shares(Decimal(20)))
    return Holding(position, tram(), Price(Decimal(bid)), redeemable=False)


def screen(holding: Holding, columns: int) -> list[str]:
    return positions_screen(Holdings((holding,), (), None), scene(), PLAIN, columns)
