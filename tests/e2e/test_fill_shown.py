"""What was just bought has a value at once, not after the next cycle."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def test_the_bid_of_a_fill_is_shown_before_the_next_cycle(home: Household) -> None:
    home.start_sandbox()
    home.start_engine(practice=True, POLYBOT_LOOP_INTERVAL_SECONDS="120")
    proposal = home.waiting()
    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")

    def held() -> Any:
        rows = home.json("positions")
        return next((row for row in rows if row["asset_id"] == proposal["asset_id"]), None)

    eventually(held, what="the position")
    eventually(lambda: (held() or {}).get("bid"), within=10, what="its bid")
