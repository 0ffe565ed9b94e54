"""Replays of collected walks of prices with trees."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from polyb0t.research.history.past_markets import PastMarket, write_history
from polyb0t.runtime.replay.backtests import Backtests
from polyb0t.runtime.replay.request import Request
from tests.support.trees import points_of


def replayed(
    folder: Path,
    markets: Sequence[PastMarket],
    *,
    since: datetime,
    until: datetime,
    model: str,
    walk_forward: Sequence[PastMarket] | None = None,
) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """`run.json`, and what each cycle decided."""
    history, learnt = folder / "history.jsonl.gz", folder / "learnt.jsonl.gz"
    write_history(history, map(_line, markets), source="walks")
    if walk_forward is not None:
        write_history(learnt, map(_line, walk_forward), source="walks")
    request = Request(
        tapes=(str(history),),
        model=model,
        walk_forward=None if walk_forward is None else str(learnt),
        since=since,
        until=until,
    )
    done = Backtests({"data_dir": folder}).run(request)
    lines = (done.folder / "decisions.jsonl").read_text("utf-8").splitlines()
    return done.told, [each for text in lines if (each := json.loads(text))["kind"] == "cycle"]


def _line(past: PastMarket) -> dict[str, Any]:
    return {
        "market": past.market, "event": past.event, "category": past.category, "question": past.question,
        "named_sides": past.named_sides, "opens_us": past.opens_us, "ends_us": past.ends_us,
        "resolved_us": past.resolved_us, "pays_e6": round(past.outcome * 1_000_000),
        "points": [list(point) for point in points_of(past)],
    }  # fmt: skip
