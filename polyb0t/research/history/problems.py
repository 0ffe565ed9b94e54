"""What was wrong with a file of history: counted by kind, with an example, never silently used."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

# Kind -> what is said of it. `dropped` kinds leave the market or point out; the others are only told.
KINDS: Final = {
    "unreadable_line": "lines that could not be read; left out",
    "unreadable_market": "markets with a missing or impossible part; left out",
    "no_market": "rows that do not name their market; left out",
    "two_results": "markets with more than one result; left out",
    "no_outcome": "markets whose end is not known; left out",
    "impossible_payout": "markets that pay other than 0, a half or 1; left out",
    "void": "markets that paid both outcomes half; they are shown and teach nothing",
    "no_prices": "markets without a usable price; left out",
    "twice": "markets that are there twice; the first counts",
    "impossible_time": "prices whose instant is missing or before the year 2000; left out",
    "price_outside": "prices that are not inside 0 and 1; left out",
    "after_the_end": "prices from after the market had ended; left out",
    "duplicate_point": "prices at an instant that has one already; the first counts",
    "out_of_order": "markets whose prices were not in the order of time; put in order",
    "gap": "markets with more than seven days between two prices; those days have no rows",
    "ended_early": "markets that ended early, with the day on which they were to end still to come; left out "
    "until then, for those like them in which it has not happened still run",
    "end_not_told": "markets without a scheduled end; their last price stands in for it",
    "end_in_words": "markets without a scheduled end; a date in their question or name stands in for it",
    "no_end": "markets of which nothing says when they were to end; nothing is opened in them",
    "no_time": "rows without an instant; left out",
    "two_prices": "instants at which one thing has different prices; left out",
    "same_trade": "trades that equal another one in everything; they count once",
    "not_resolved": "markets whose result is not told; they stay open to the end",
    "category_unknown": "markets of a category that no table of fees has; the dearest of the day is taken",
    "no_book": "rows without a book; left out",
    "one_side": "books with one side; used as they are",
    "crossed": "books whose best bid is not below the best ask; left out",
    "no_size": "levels and trades without a number of shares above 0; left out",
    "no_side": "trades that do not tell the taker's side; used without it",
    "foreign_market": "rows of things that nothing describes; left out",
    "recording_stopped": "stretches in which nothing was recorded; no book is known in them",
    "unknown_column": "columns that nobody asked for; not read",
    "looks_ahead": "columns that tell of later; not read",
}


@dataclass
class Problems:
    """Counts by kind and the first example of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, example: str, count: int = 1) -> None:
        """One more of `kind`, which has to be one of `KINDS`."""
        if kind not in KINDS:
            raise KeyError(kind)
        if count:
            self.counts[kind] += count
            self.examples.setdefault(kind, example)

    def forget(self, kind: str) -> None:
        """Leave out what was noted of `kind`: it is told under another one."""
        self.counts.pop(kind, None)
        self.examples.pop(kind, None)

    def sentences(self) -> list[str]:
        """One line a kind, in the order of `KINDS`."""
        return [
            f"{self.counts[kind]:,} {words} (for example {self.examples[kind]:.80})."
            for kind, words in KINDS.items()
            if self.counts[kind]
        ]
