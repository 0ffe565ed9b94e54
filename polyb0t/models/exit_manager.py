"""Exits: which held positions should be sold now, and why. Several triggers make one proposal.

`decide_exit` is pure; `ExitManager` only remembers since when a market has been thin, and what was said of
positions that are too small to sell.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Shares, floor_to
from polyb0t.models.exit_rules import RULES, ExitRules, ExitTrigger, ExitView, thinner
from polyb0t.models.fees import per_share
from polyb0t.models.wording import shares as shares_text

HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ExitProposal:
    """Sell `shares` of one asset. `hold_needs` is the probability from which holding to the end would have
    been better than selling at the bid now."""

    asset_id: AssetId
    shares: Shares
    triggers: tuple[ExitTrigger, ...]
    reason: str
    hold_needs: Decimal


@dataclass(frozen=True, slots=True)
class TooSmall:
    """It should be sold, and the exchange takes no order so small; said, never proposed."""

    asset_id: AssetId
    shares: Shares
    least: Shares
    triggers: tuple[ExitTrigger, ...]
    reason: str


def decide_exit(view: ExitView, rules: ExitRules, least: Shares) -> ExitProposal | TooSmall | None:
    """What to do with one position. `least` is the market's smallest order.

    None: nothing asks for a sale, nothing can be sold, or the book is too old to say.
    """
    if view.bid is None or view.fee is None or not _fresh(view, rules):
        return None
    said = [(trigger, RULES[trigger](view, rules)) for trigger in RULES if trigger in rules.enabled]
    reasons = [(trigger, sentence) for trigger, sentence in said if sentence is not None]
    sellable = Shares(floor_to(view.position.closable, HUNDREDTH))
    if not reasons or sellable <= 0:
        return None
    triggers = tuple(trigger for trigger, _ in reasons)
    reason = " ".join(sentence for _, sentence in reasons)
    if sellable < least:
        small = f"{reason} It holds {shares_text(sellable)} shares; the smallest order is {least:f}."
        return TooSmall(view.position.asset_id, sellable, least, triggers, small)
    needs = view.bid - per_share(view.bid, view.fee)
    return ExitProposal(view.position.asset_id, sellable, triggers, reason, needs)


class ExitManager:
    """Judges every held position once a cycle. Used by one thread."""

    def __init__(self, rules: ExitRules) -> None:
        self.rules = rules
        self._thin_since: dict[AssetId, datetime] = {}
        self._told: set[AssetId] = set()

    def decide(self, view: ExitView, least: Shares) -> ExitProposal | TooSmall | None:
        """`decide_exit` with what earlier cycles have seen."""
        asset = view.position.asset_id
        if _fresh(view, self.rules):
            if thinner(view, self.rules) is None:
                self._thin_since.pop(asset, None)
            else:
                since = self._thin_since.setdefault(asset, view.now)
                view = replace(view, thin_seconds=(view.now - since).total_seconds())
        return decide_exit(view, self.rules, least)

    def first_told(self, dust: TooSmall) -> bool:
        """Whether this position's size is said for the first time: dust is no news twice."""
        if dust.asset_id in self._told:
            return False
        self._told.add(dust.asset_id)
        return True

    def keep(self, held: Iterable[AssetId]) -> None:
        """Forget what is no longer held."""
        still = frozenset(held)
        self._thin_since = {asset: at for asset, at in self._thin_since.items() if asset in still}
        self._told &= still


def _fresh(view: ExitView, rules: ExitRules) -> bool:
    """An old price is no reason to sell at a new one."""
    return view.book is not None and -2 <= view.book.age_seconds(view.now) <= rules.book_age_max_seconds
