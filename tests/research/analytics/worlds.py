"""A month of invented proposals, enough of them for every sentence and every chart."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from polyb0t.core.units import Pusd
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentRecord
from polyb0t.research.analytics.analysis import Analysis, analyse
from polyb0t.research.analytics.records import EquityPoint, Records
from tests.research.analytics.ideas import HOUR, Shelf, expired, fill, idea, pays, records, refused, rejected
from tests.support.builders import NOW

CENT = Decimal("0.01")


@dataclass
class _World:
    chance: Random
    ideas: list[IntentRecord] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)

    def add(self, number: int) -> None:
        """One proposal; two share an event. Six cents of edge are promised and one is there."""
        name, at = f"w{number:03}", NOW + number * HOUR / 2
        ask = self.chance.randint(20, 85) * CENT
        bid = ask - self.chance.randint(1, 3) * CENT
        about = {
            "event": f"e{number // 2}",
            "q": str(ask + 6 * CENT),
            "bid": str(bid),
            "ask": str(ask),
            "at": at,
            "fee": "0.5",
            "category": self.chance.choice(["politics", "sport"]),
        }
        fate = self.chance.random()
        if fate < 0.5:
            self.ideas.append(idea(name, after=self.chance.uniform(5, 50), **about))  # type: ignore[arg-type]
            paid = ask + self.chance.randint(0, 1) * CENT
            self.fills.append(fill(name, str(paid), fee="0.5", at=at + HOUR / 60))
        else:
            made = refused if fate < 0.6 else rejected if fate < 0.8 else expired
            self.ideas.append(made(name, **about))  # type: ignore[arg-type]
        self.ends[name] = "1" if self.chance.random() < float(ask) + 0.01 else "0"
        for hours in (1 / 60, 1 / 6, 1, 24):
            drift = self.chance.randint(-2, 3) * CENT
            self.shelf.show(name, at + hours * HOUR, str(bid + drift), str(ask + drift))


def a_month(proposals: int, seed: int = 1) -> Records:
    """So many proposals, half an hour apart, judged at the end of the month."""
    world = _World(Random(seed))
    for number in range(proposals):
        world.add(number)
    equity = [
        EquityPoint(NOW + timedelta(days=day), Pusd(Decimal(1000 + world.chance.randint(-30, 40) + day)))
        for day in range(30)
    ]
    return records(
        *world.ideas,
        fills=world.fills,
        pays=pays(**world.ends),
        books=world.shelf,
        equity=equity,
        until=NOW + timedelta(days=30),
    )


def an_analysis(proposals: int = 120) -> Analysis:
    return analyse(a_month(proposals))
