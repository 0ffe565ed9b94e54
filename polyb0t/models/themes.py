"""What markets have in common that is narrower than a category: the declared tags that say something."""

from typing import Final

from polyb0t.data.markets import Market

# Tags that name a whole category or how the catalogue shows a market; a limit on those limits nothing
# that belongs together.
WIDE: Final = frozenset(
    (
        *("all", "featured", "trending", "new", "breaking-news", "hide-from-new", "recurring", "games"),
        *("rewards-20-4pt5-50", "rewards-50-4pt5-50", "earn-4", "parent-for-derivative"),
        *("esports", "sports", "crypto", "crypto-prices", "weather", "mentions", "economics", "economy"),
        *("finance", "business", "tech", "geopolitics", "politics", "us-politics", "culture"),
        *("pop-culture", "entertainment", "world", "science", "general", "other"),
    )
)


def themes(market: Market) -> tuple[str, ...]:
    """The market's themes: its tags without the wide ones and its category, each once."""
    tags = dict.fromkeys(tag.lower() for tag in market.tags)
    return tuple(tag for tag in tags if tag and tag not in WIDE and tag != market.category.lower())
