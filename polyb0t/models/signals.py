"""What a probability model sees and says.

The market price is the model to beat and usually wins, so the normal answer is to abstain. An
estimate is always about the first outcome; the second has the complement.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, Price
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook


@dataclass(frozen=True, slots=True)
class MarketState:
    """One market as it is known at `now`: nothing in here is younger than that instant."""

    market: Market
    terms: TradingTerms | None
    books: tuple[OrderBook | None, OrderBook | None]  # in the order of the market's outcomes
    now: datetime

    def book(self, asset_id: AssetId) -> OrderBook | None:
        """The book of one outcome; None when it is not known."""
        first, second = self.market.outcomes
        if asset_id == first.asset_id:
            return self.books[0]
        return self.books[1] if asset_id == second.asset_id else None


@dataclass(frozen=True, slots=True)
class Belief:
    """How likely one outcome is, with the 90 % interval and the standard deviation behind it."""

    q: Decimal
    low: Decimal
    high: Decimal
    sd: Decimal


@dataclass(frozen=True, slots=True)
class ProbEstimate:
    """A model's view of the first outcome. Probabilities have six decimals.

    `anchor` is the market's own view (its mid). `independent` says whether anything beyond this
    market's own price went in. `parts` are the contributions in logits; `because` is a sentence.
    """

    q: Decimal
    low: Decimal
    high: Decimal
    sd: Decimal
    anchor: Price
    spread: Decimal
    model: str
    version: str
    validated: bool
    independent: bool
    parts: tuple[tuple[str, Decimal], ...]
    because: str

    def belief(self, outcome_index: int) -> Belief:
        """The view of outcome 0 or 1."""
        if outcome_index == 0:
            return Belief(self.q, self.low, self.high, self.sd)
        return Belief(ONE - self.q, ONE - self.high, ONE - self.low, self.sd)


@dataclass(frozen=True, slots=True)
class Abstain:
    """The model says nothing, and why, in one sentence; `code` groups the reasons."""

    code: str
    reason: str


def model_id(name: str, version: str) -> str:
    """How a model is named where one is compared with another; empty where none speaks."""
    return f"{name} {version}".strip()


class ProbabilityModel(Protocol):
    """A signal. `version` names the code and data behind it; `validated` says whether it has beaten the
    market price on our own data."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def validated(self) -> bool: ...

    def predict(self, state: MarketState) -> ProbEstimate | Abstain: ...


class IdentityModel:
    """The market price is right: abstains on everything. The default and the fallback."""

    name: Final = "identity"
    version: Final = "1"
    validated: Final = True

    def predict(self, state: MarketState) -> ProbEstimate | Abstain:
        question = state.market.question
        return Abstain("price_is_right", f"No model speaks for {question!r}; its price is taken as right.")
