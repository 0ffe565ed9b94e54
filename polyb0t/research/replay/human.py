"""Who decides in a replay: how long a person takes, and how often he says yes.

Deterministic by a hash of seed, asset and the instant of the proposal, so that no decision depends on what
comes after it, nor on how many others there were.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, log
from statistics import NormalDist, median
from typing import Final, NamedTuple

MEDIAN_SECONDS: Final = 20.0  # until approvals of one's own are measured
SD_LOG: Final = 0.7
FEWEST: Final = 5  # decisions that a measurement needs
_WIDTH: Final = 2**64


class Word(NamedTuple):
    """A person's decision, so many seconds after he was asked."""

    after_seconds: float
    approves: bool


@dataclass(frozen=True, slots=True)
class HumanModel:
    """Of all proposals a fraction `approves` is approved, `rejects` rejected; the rest waits until it ends.

    The time to decide is lognormal around `median_seconds`, or drawn from the measured `delays` (sorted),
    and in both cases cut off at the deadline.
    """

    name: str
    approves: float
    rejects: float
    median_seconds: float = MEDIAN_SECONDS
    sd_log: float = SD_LOG
    delays: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (0 <= self.approves <= 1 and 0 <= self.rejects <= 1 and self.approves + self.rejects <= 1):
            raise ValueError(f"{self.approves} and {self.rejects} are no parts of one whole")
        if self.median_seconds <= 0 or self.sd_log <= 0:
            raise ValueError("a time to decide is longer than nothing")

    def word(self, seed: int, asset: str, asked_us: int, decide_seconds: float) -> Word | None:
        """What he says to this proposal; None: he lets it end."""
        verdict = _chance(seed, asset, asked_us, "verdict")
        if verdict >= self.approves + self.rejects:
            return None
        after = self._after(_chance(seed, asset, asked_us, "delay"), decide_seconds)
        return None if after is None else Word(after, verdict < self.approves)

    @property
    def sentence(self) -> str:
        """As an assumption of a result."""
        if not self.approves and not self.rejects:
            return "Nobody decides: every proposal ends unanswered."
        took = (
            f"as long as {len(self.delays)} measured decisions took (median {median(self.delays):.0f} s)"
            if self.delays
            else f"lognormal around {self.median_seconds:g} s"
        )
        share = f"{self.approves:.0%} of the proposals are approved and {self.rejects:.0%} rejected"
        return f"A person is simulated: {share}, after a time that is {took}, cut off at the deadline."

    def _after(self, chance: float, decide_seconds: float) -> float | None:
        if self.delays:
            within = bisect_right(self.delays, decide_seconds)
            return self.delays[int(chance * within)] if within else None
        normal = NormalDist(log(self.median_seconds), self.sd_log)
        inside = chance * normal.cdf(log(decide_seconds))
        return min(decide_seconds, exp(normal.inv_cdf(inside))) if inside > 0 else None


APPROVES_ALL: Final = HumanModel("approves", 1.0, 0.0)
AT_ONCE: Final = HumanModel("at-once", 1.0, 0.0, median_seconds=0.001)  # as a paper run decides by itself
NOBODY: Final = HumanModel("nobody", 0.0, 0.0)


def measured(asked: int, approved: Sequence[float], rejected: Sequence[float]) -> HumanModel:
    """The person that a journal shows: of `asked` proposals these were decided, after so many seconds each.

    Raises:
        ValueError: too few decisions to speak of.
    """
    delays = sorted((*approved, *rejected))
    if len(delays) < FEWEST:
        raise ValueError(f"{len(delays)} decisions of people; a measurement needs {FEWEST}")
    whole = max(asked, len(delays))
    return HumanModel("journal", len(approved) / whole, len(rejected) / whole, delays=tuple(delays))


def _chance(seed: int, asset: str, asked_us: int, what: str) -> float:
    """Inside (0, 1), the same for the same words."""
    digest = sha256(f"{seed}|{asset}|{asked_us}|{what}".encode()).digest()
    return (int.from_bytes(digest[:8]) + 0.5) / _WIDTH
