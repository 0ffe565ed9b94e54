"""Where models and their histories lie, and collecting a history from the venue that a person means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.execution.scope import SANDBOX, Scope
from polyb0t.runtime.current import meant, read_current
from polyb0t.runtime.places import data_dir, models_folder, scope_dir
from polyb0t.runtime.surroundings import ask_sandbox
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.past_markets import PolymarketPast, line_of

HISTORY: Final = "history.jsonl.gz"
# Nobody waits for one of these answers, and old pages take the exchange long.
_PATIENT: Final = ReadLimits(chunk_seconds=60, total_seconds=120, budget_seconds=300, attempts=5)


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A venue's models. What was learnt on one venue is never used on another."""

    venue: str
    sandbox_url: str
    folder: Path

    @property
    def history(self) -> Path:
        return self.folder / HISTORY


def record_folder(settings: Settings) -> Path | None:
    """Where the run that is meant records; None where nothing has run."""
    run = meant(read_current(data_dir(settings)), **settings.named("venue", "mode"))
    return None if run is None else scope_dir(settings, Scope.parse(run.scope)) / "record"


def recorded_folders(settings: Settings, venue: str) -> list[Path]:
    """Where engines on this venue have recorded what they saw."""
    return sorted(data_dir(settings).glob(f"{venue}-*/record"))


def model_place(settings: Settings) -> ModelPlace:
    """The venue that is named, else that of the last run, as every other command has it."""
    run = meant(read_current(data_dir(settings)), **settings.named("venue", "mode"))
    venue = run.venue if run is not None else settings.venue
    url = run.sandbox_url if run is not None and run.sandbox_url else settings.sandbox_url
    return ModelPlace(venue, url, models_folder(settings, venue))


def past_lines(
    place: ModelPlace, clock: Clock, *, since: datetime, most: int, told: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    """Markets that ended after `since`, the latest first, as lines of a history; `told` counts them.

    Raises:
        VenueUnreachableError: no usable answer; lines that were given so far are whole.
    """
    where = ask_sandbox(place.sandbox_url) if place.venue == SANDBOX else POLYMARKET
    with HttpReader(clock, limits=_PATIENT, sandbox=where.is_sandbox, throttle=Throttle(clock)) as reader:
        past = PolymarketPast(where.gamma_url, where.data_url, reader, clock)
        for count, row in enumerate(past.closed(since, most), 1):
            first: AssetId = row.market.outcomes[0].asset_id
            yield line_of(row, past.prices(first) if row.pays is not None else [])
            told(count)
