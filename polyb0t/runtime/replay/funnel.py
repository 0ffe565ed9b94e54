"""What became of every market that was looked at in a replay: why it proposed no more than it did."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.units import plain
from polyb0t.data.universe import Universe
from polyb0t.models.chances import NearMiss
from polyb0t.models.opening import Openings
from polyb0t.models.proposal import NEAREST_MISSES

_MOST_WORDINGS: Final = 200  # of one reason: sentences that hold figures are many


@dataclass
class Funnel:
    """Counts over all cycles: a market that is judged in ten cycles is ten decisions.

    `worth` were worth proposing, `missed` promised too little, and every other decision ended by a reason.
    """

    worth: int = 0
    missed: int = 0
    _passed: dict[str, Counter[str]] = field(default_factory=dict)  # by code, how often each sentence
    _misses: dict[str, NearMiss] = field(default_factory=dict)  # by question, the nearest
    _left_out: Counter[str] = field(default_factory=Counter)

    def decided(self, openings: Openings) -> None:
        """What one cycle made of the markets that it judged."""
        self.worth += len(openings.proposals)
        self.missed += openings.missed
        for each in openings.passed:
            wordings = self._passed.setdefault(each.code, Counter())
            known = each.reason in wordings or len(wordings) < _MOST_WORDINGS
            wordings[each.reason if known else next(iter(wordings))] += 1
        for miss in openings.near_misses:
            before = self._misses.get(miss.question)
            if before is None or _short(miss) < _short(before):
                self._misses[miss.question] = miss

    def looked(self, universe: Universe | None) -> None:
        """The markets of one cycle that were left out before anything was decided of them."""
        if universe is not None:
            self._left_out.update(universe.counts())

    def as_dict(self) -> dict[str, Any]:
        """For `run.json`: the most frequent first, of each reason its most frequent sentence."""
        passed = [
            {
                "code": code,
                "sentence": wordings.most_common(1)[0][0],
                "count": wordings.total(),
                "wordings": len(wordings),
            }
            for code, wordings in self._passed.items()
        ]
        nearest = sorted(self._misses.values(), key=lambda miss: (_short(miss), miss.question))
        return {
            "worth_proposing": self.worth,
            "too_little_edge": self.missed,
            "passed": sorted(passed, key=lambda each: (-each["count"], each["code"])),
            "left_out": [
                {"code": code, "count": count}
                for code, count in sorted(self._left_out.items(), key=lambda each: (-each[1], each[0]))
            ],
            "misses": [
                {
                    "question": miss.question,
                    "outcome": miss.outcome_label,
                    "edge": plain(miss.edge),
                    "needed": plain(miss.needed),
                }
                for miss in nearest[:NEAREST_MISSES]
            ],
        }


def _short(miss: NearMiss) -> Decimal:
    """pUSD a share that were missing."""
    return miss.needed - miss.edge
