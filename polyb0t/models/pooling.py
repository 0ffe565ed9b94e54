"""Several models about one market: one speaks, the others move it as far as they have earned.

    logit(q) = L + parts of the base + sum of w_k x (z_k - L)        L = logit(market price)

z_k is the log-odds of component k. A weight w_k is fitted on resolved markets and gated by category, as a
model is; until then it is zero, and the component is heard, shown and counts for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ONE, ZERO
from polyb0t.data.declared_links import NO_LINKS, DeclaredLinks, Relation
from polyb0t.models.calibration import (
    LEAST_TIME,
    Z90,
    Anchor,
    anchor_of,
    rounded_logit,
)
from polyb0t.models.exhaustive_sets import renormalise
from polyb0t.models.logit import PRECISION, expit, logit, rounded
from polyb0t.models.model_files import DataWindow
from polyb0t.models.signals import (
    OTHERS,
    Abstain,
    Answer,
    MarketState,
    ProbabilityModel,
    ProbEstimate,
    Voice,
    missing_input,
)
from polyb0t.models.wording import percent, sentence

# A base that abstains for these says no more than that the price is right, which a component may doubt.
# Every other reason (a wide spread, an end that is near, an expired model) silences the components as well.
SAYS_THE_PRICE: Final = frozenset({"price_is_right", "no_figure"})


@dataclass(frozen=True, slots=True)
class Weight:
    """How much of a component's difference from the price counts, and how sure that is."""

    value: Decimal
    sd: Decimal


NOTHING: Final = Weight(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the components have earned on one venue, by component and category, until they expire."""

    version: str = ""
    expires_at: datetime | None = None
    earned: Mapping[tuple[str, str], Weight] = field(default_factory=dict)
    data: DataWindow | None = None  # what they were earned on; None where the file does not tell

    def of(self, component: str, category: str, now: datetime) -> Weight:
        """Zero where nothing was earned, and for everything once they have expired."""
        if self.expires_at is None or self.expires_at <= now:
            return NOTHING
        return self.earned.get((component, category), NOTHING)

    @property
    def components(self) -> frozenset[str]:
        """Those with a weight anywhere."""
        return frozenset(name for (name, _), weight in self.earned.items() if weight.value)


UNEARNED: Final = Weights()


@dataclass(frozen=True, slots=True)
class _Heard:
    """One component's answer on one market with its weight there."""

    name: str
    answer: Answer
    weight: Weight

    @property
    def counts(self) -> bool:
        return bool(self.weight.value) and isinstance(self.answer, ProbEstimate)

    def voice(self) -> Voice:
        if isinstance(self.answer, ProbEstimate):
            return Voice(self.name, self.answer.q, self.weight.value, self.answer.because)
        return Voice(self.name, None, self.weight.value, self.answer.reason)

    def part(self, log_odds: Decimal) -> tuple[str, Decimal]:
        """Its contribution in logits."""
        if not self.counts:
            return self.name, ZERO
        return self.name, rounded_logit(self.weight.value * self._off(log_odds))

    def moved(self, log_odds: Decimal) -> Decimal:
        return self.weight.value * self._off(log_odds) if self.counts else ZERO

    def variance(self, log_odds: Decimal) -> Decimal:
        """In logits squared: of what it says, and of what that is worth."""
        if not self.counts:
            return ZERO
        assert isinstance(self.answer, ProbEstimate)
        sd, off = sd_logit(self.answer), self._off(log_odds)
        return self.weight.value**2 * sd**2 + off**2 * self.weight.sd**2

    def _off(self, log_odds: Decimal) -> Decimal:
        assert isinstance(self.answer, ProbEstimate)
        return logit(self.answer.q) - log_odds


class PooledModel:
    """A base that speaks and components beside it. Without earned weights it says what its base says.

    Estimates of a set that is declared exhaustive are scaled to one afterwards.
    """

    def __init__(
        self,
        base: ProbabilityModel,
        components: Sequence[ProbabilityModel] = (),
        weights: Weights = UNEARNED,
        links: DeclaredLinks = NO_LINKS,
    ) -> None:
        self._base = base
        self._components = tuple(components)
        self._weights = weights
        self._links = links

    @property
    def name(self) -> str:
        return self._base.name

    @property
    def version(self) -> str:
        """The base's own; with the weights' where any component may move it."""
        spoken = self._weights.components & {each.name for each in self._components}
        return f"{self._base.version}+{self._weights.version}" if spoken else self._base.version

    @property
    def validated(self) -> bool:
        return self._base.validated

    @property
    def requires(self) -> frozenset[str]:
        """The base's inputs; and the other markets, where they can move an estimate."""
        looks = any(link.relation is Relation.EXHAUSTIVE for link in self._links.links) or any(
            OTHERS in each.requires for each in self._components if each.name in self._weights.components
        )
        return self._base.requires | ({OTHERS} if looks else frozenset())

    @property
    def base(self) -> ProbabilityModel:
        return self._base

    @property
    def components(self) -> tuple[ProbabilityModel, ...]:
        return self._components

    @property
    def weights(self) -> Weights:
        return self._weights

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        answers = self._base.estimate_all(states)
        said = [(each.name, _answers(each, states)) for each in self._components]
        pooled = [
            self._pooled(state, answer, [(name, of_it[at]) for name, of_it in said])
            for at, (state, answer) in enumerate(zip(states, answers, strict=True))
        ]
        return renormalise(states, pooled, self._exhaustive(states))

    def _exhaustive(self, states: Sequence[MarketState]) -> list[tuple[ConditionId, ...]]:
        """The sets of which a person has declared that exactly one pays, as far as they are whole here."""
        if not self._links.links:
            return []
        linked = self._links.among(state.market for state in states)
        return [each.members for each in linked.exclusive if each.exhaustive]

    def _pooled(self, state: MarketState, answer: Answer, said: list[tuple[str, Answer]]) -> Answer:
        if isinstance(answer, Abstain) and not self._weights.components:
            return answer
        category = state.market.category
        heard = [_Heard(name, each, self._weights.of(name, category, state.now)) for name, each in said]
        if any(each.counts for each in heard):
            start = _start(state, answer, self._base)
            if isinstance(start, ProbEstimate):
                return self._moved(start, heard)
        if isinstance(answer, Abstain):
            return answer
        return replace(
            answer,
            version=self.version,  # as every estimate of this model, so that it is known for the active one
            parts=(*answer.parts, *((each.name, ZERO) for each in heard)),
            because=" ".join([answer.because, *_clauses(heard)]),
            voices=tuple(each.voice() for each in heard),
        )

    def _moved(self, start: ProbEstimate, heard: Sequence[_Heard]) -> ProbEstimate:
        """The base's estimate, moved by what the components have earned."""
        log_odds = logit(start.anchor)
        moves = [each.moved(log_odds) for each in heard]
        q = expit(logit(start.q) + sum(moves, ZERO))
        variance = sd_logit(start) ** 2 + sum((each.variance(log_odds) for each in heard), ZERO)
        sd = PRECISION.multiply(q * (ONE - q), PRECISION.sqrt(variance))
        return replace(
            start,
            q=rounded(q),
            low=rounded(q - Z90 * sd),
            high=rounded(q + Z90 * sd),
            sd=rounded(sd),
            version=self.version,
            independent=_independent(start, heard, moves),
            parts=(*start.parts, *(each.part(log_odds) for each in heard)),
            because=" ".join([start.because, *_clauses(heard)]).strip(),
            voices=tuple(each.voice() for each in heard),
        )


def sd_logit(estimate: ProbEstimate) -> Decimal:
    """The standard deviation of an estimate in logits."""
    return PRECISION.divide(estimate.sd, estimate.q * (ONE - estimate.q))


def _answers(component: ProbabilityModel, states: Sequence[MarketState]) -> list[Answer]:
    """What a component says of each market; nothing of one whose inputs are not all there."""
    answers = component.estimate_all(states)
    requires = component.requires
    return [
        answer if isinstance(answer, Abstain) else missing_input(state, requires) or answer
        for state, answer in zip(states, answers, strict=True)
    ]


def _start(state: MarketState, answer: Answer, base: ProbabilityModel) -> Answer:
    """The base's estimate, or the price itself where the base says no more than that it is right."""
    if isinstance(answer, ProbEstimate) or answer.code not in SAYS_THE_PRICE:
        return answer
    end = state.market.end_date
    if end is None or end - state.now <= LEAST_TIME:
        return answer
    anchor = anchor_of(state.books[0])
    return anchor if isinstance(anchor, Abstain) else _price(anchor, base)


def _price(anchor: Anchor, base: ProbabilityModel) -> ProbEstimate:
    return ProbEstimate(
        q=rounded(anchor.mid),
        low=rounded(anchor.mid),
        high=rounded(anchor.mid),
        sd=ZERO,
        anchor=anchor.mid,
        spread=anchor.spread,
        model=base.name,
        version=base.version,
        validated=True,  # nothing but the price; what moves it from there has been gated
        independent=False,
        parts=(),
        because="",
    )


def _independent(start: ProbEstimate, heard: Sequence[_Heard], moves: Sequence[Decimal]) -> bool:
    """Whether the greater part of the whole move comes from what this venue's prices do not tell."""
    base = abs(logit(start.q) - logit(start.anchor))
    beyond, within = (base, ZERO) if start.independent else (ZERO, base)
    for each, move in zip(heard, moves, strict=True):
        if each.counts and isinstance(each.answer, ProbEstimate) and each.answer.independent:
            beyond += abs(move)
        else:
            within += abs(move)
    return beyond > within


def _clauses(heard: Sequence[_Heard]) -> list[str]:
    """What was said and how much of it counted, for the sentence that an approver reads; nothing of who was
    silent."""
    return [_clause(each, each.answer) for each in heard if isinstance(each.answer, ProbEstimate)]


def _clause(heard: _Heard, said: ProbEstimate) -> str:
    if not heard.counts:
        return f"{sentence(heard.name)} says {percent(said.q)} and counts for nothing (weight 0)."
    return f"{sentence(heard.name)} says {percent(said.q)}, weight {heard.weight.value}: {said.because}"
