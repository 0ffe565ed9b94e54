"""A card as one page of HTML with its reliability plot; no script, nothing fetched."""

from typing import Final

from polyb0t.research import pages
from polyb0t.research.cards import words
from polyb0t.research.cards.card import Card
from polyb0t.research.charts import reliability_plot
from polyb0t.research.report_words import Heading, Sheet

_NAMES: Final = 2  # columns of words, before those of figures


def card_page(card: Card) -> str:
    """The page. Everything that came from outside is escaped."""
    headings = tuple(Heading(name, text=number < _NAMES) for number, name in enumerate(words.TABLE))
    cells = Sheet(headings, tuple(tuple(row) for row in words.rows(card)), None)
    return pages.page(
        f"Model card {card.id}",
        [
            *pages.facts(words.facts(card)),
            pages.paragraph(words.verdict(card.overall)),
            f"<h2>Where it may speak</h2>{pages.bullets(words.reasons(card))}",
            f"<h2>Said and happened</h2>{reliability_plot(card.model_bins, card.price_bins)}",
            pages.paragraph(
                "Filled: the model, with 95 % intervals by event. Open: the market price. On the diagonal, "
                "what was said is what happened."
            ),
            *pages.section("By category and time to the end", cells, "No row was judged."),
            f"<h2>What was wrong with the data</h2>{pages.bullets(card.problems or ('Nothing.',))}",
        ],
    )
