"""Every feature that is computed: does its value at an instant depend on anything that came later?"""

from datetime import timedelta
from typing import Final

from evidence.findings import Finding
from polyb0t.research.features.feature import Feature, key
from polyb0t.research.features.look_ahead import LookAheadError, check_feature
from polyb0t.research.features.point_in_time import Record
from polyb0t.research.features.registry import FEATURES, WINDOW_US
from polyb0t.research.features.series import HOUR_US
from tests.support.cheats import Cheat
from tests.support.records import samples


def _less_mean(record: Record, at_us: int) -> float:
    return (record.prices.last(at_us, WINDOW_US) or 0) - sum(record.prices.values) / len(record.prices)


# The check has to find these, or it proves nothing.
CHEATS: Final = (
    Cheat("the winner", lambda record, _: record.outcome),
    Cheat("the last price", lambda record, _: record.prices.values[-1]),
    Cheat("hours to the end as it came", lambda record, at: ((record.resolved_us or 0) - at) / HOUR_US),
    Cheat("the price less the mean of all prices", _less_mean),
    Cheat("the end as it was moved to later", lambda record, _: float(record.schedule[-1].ends_us or 0)),
)


def look_ahead_test(features: tuple[Feature, ...] = FEATURES) -> Finding:
    """Every feature, at every instant of the samples; and some that cheat."""
    rows: list[tuple[str, ...]] = [("feature", "looks back", "instants", "finding")]
    for feature in features:
        count, finding = _checked(feature)
        back = str(timedelta(microseconds=feature.window_us))
        rows.append((key(feature), back, str(count), finding or "the same in all"))
    clean = sum(row[-1] == "the same in all" for row in rows)
    refused = [cheat.name for cheat in CHEATS if _checked(cheat)[1]]
    return Finding(
        "Look-ahead test",
        "Each feature is computed again from a record that stops at the instant, from one whose later part "
        "is false, and from one that begins where its window does. Is the value the same to the byte?",
        f"{clean} of {len(features)} features are the same in all of them. Of {len(CHEATS)} that know what "
        f"nobody knew (such as {CHEATS[0].name}) {len(refused)} are refused.",
        clean == len(features) and len(refused) == len(CHEATS),
        tuple(rows),
    )


def _checked(feature: Feature) -> tuple[int, str]:
    """At how many instants it was looked at, and what is wrong with it."""
    try:
        return check_feature(feature, samples()), ""
    except LookAheadError as refused:
        return 0, refused.why
