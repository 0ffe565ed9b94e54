"""`doctor`'s look at the sources of probabilities from outside."""

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.data.outside_views import parse_views
from polyb0t.runtime.outside_source import most_age, places_of
from polyb0t.venue.preflight import Check, CheckState

NAME = "independent"


def check_outside(settings: Settings, clock: Clock) -> tuple[Check, ...]:
    """One check for each file and page that is named: what can be read there now."""
    found = []
    for place in places_of(settings, clock):
        try:
            read = parse_views(place.text(), clock.now())
        except PolybotError as error:
            why = " ".join(filter(None, (error.what, error.why)))
            found.append(Check(NAME, CheckState.FAILED, why, error.do))
            continue
        now, age = clock.now(), most_age(settings)
        old = sum(now - line.observed_at > age for line in read.lines)
        said = f"{len(read.lines) - old:,} probabilities from {place.name} may be used"
        wrong = [*([f"{old:,} are too old."] if old else []), *read.unused.sentences()]
        state = CheckState.WARNING if wrong else CheckState.OK
        do = "Correct them at their source; docs/models.md says what a line has to be." if wrong else ""
        found.append(Check(NAME, state, f"{said}. {' '.join(wrong)}".strip(), do))
    return tuple(found)
