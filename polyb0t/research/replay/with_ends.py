"""A recording, which does not tell how its markets ended, with the ends that the collected past tells."""

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.research.history.past_markets import read_history
from polyb0t.research.replay.assumptions import MILLION, Payment
from polyb0t.research.replay.events import Event, MarketTold, Resolved, place
from polyb0t.research.replay.recorder_tape import RecorderTape
from polyb0t.research.replay.tape import About, PastBooks


@dataclass(frozen=True)
class EndedTape:
    """Nothing but the results is taken from the past that was collected, each at its instant."""

    about: About
    _tape: RecorderTape = field(repr=False)
    _ends: Mapping[str, Resolved] = field(repr=False)

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        """A market that the recording has not told yet does not end either."""
        told: set[str] = set()
        since_us, until_us = microseconds(since), microseconds(until)
        ends = sorted((end for end in self._ends.values() if since_us <= end.at_us < until_us), key=place)
        gone = {end.condition for end in self._ends.values() if end.at_us < since_us}
        for event in heapq.merge(self._tape.events(since, until), ends, key=place):
            if isinstance(event, MarketTold):
                if event.market.condition_id in gone:
                    continue
                told.add(event.market.condition_id)
            if not isinstance(event, Resolved) or event.condition in told:
                yield event

    def past_books(self) -> PastBooks:
        return self._tape.past_books()


def with_ends(tape: RecorderTape, path: Path, payment: Payment) -> EndedTape:
    """`path` is a file that `polyb0t model collect` wrote.

    Raises:
        ConfigurationError: it cannot be read, or is of another format.
    """
    history = read_history(path)
    ends: dict[str, Resolved] = {}
    for past in history.markets:
        if past.market in tape.conditions:
            yes = round(past.outcome * MILLION)
            paid_us = payment.paid_us(past.market, past.resolved_us)
            ends[past.market] = Resolved(past.resolved_us, past.market, (yes, MILLION - yes), paid_us)
    last_us = max((end.at_us for end in ends.values()), default=0)
    told = tape.about
    told.problems.note("not_resolved", "markets of the recording", len(tape.conditions) - len(ends))
    about = replace(
        told,
        ends=max(told.ends, from_microseconds(last_us + 1)),
        data_hash=hashlib.sha256(f"{told.data_hash}:{history.data_hash}".encode()).hexdigest(),
        assumed=(*told.assumed, f"How markets ended is read from {path.name}.", payment.sentence),
    )
    return EndedTape(about, tape, ends)
