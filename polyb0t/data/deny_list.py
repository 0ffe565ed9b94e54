"""Markets that a person never wants traded: one list, asked when markets are chosen and before each send."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from polyb0t.data.markets import Market


@dataclass(frozen=True, slots=True)
class DenyList:
    """Entries in lower case, as POLYBOT_DENY has them.

    An entry is a condition id, an event id, a category, a tag, a slug, or a part of the slug or of the
    question; `condition:`, `event:`, `category:`, `tag:` or `word:` before it asks for that alone.
    `*` and `?` stand for any text and any letter.
    """

    entries: tuple[str, ...] = ()

    def why(self, market: Market) -> str:
        """The sentence that names the first entry which denies this market; empty when none does."""
        return next((said for entry in self.entries if (said := _fits(entry, market))), "")


NOTHING_DENIED: Final = DenyList()


def _fits(entry: str, market: Market) -> str:
    kind, _, rest = entry.partition(":")
    asked, wanted = ((kind,), rest) if kind in _FITS and rest else (tuple(_FITS), entry)
    for each in asked:
        if wanted and _FITS[each](wanted, market):
            told = f"It fits {wanted}, which" if each == "word" else f"Its {each} {wanted}"
            return f"{told} is on the deny list."
    return ""


def _has_word(wanted: str, market: Market) -> bool:
    pattern = f"*{wanted}*"
    return fnmatchcase(market.slug.lower(), pattern) or fnmatchcase(market.question.lower(), pattern)


_FITS: Final[Mapping[str, Callable[[str, Market], bool]]] = {
    "condition": lambda wanted, market: market.condition_id.lower() == wanted,
    "event": lambda wanted, market: (market.event_id or "").lower() == wanted,
    "category": lambda wanted, market: market.category.lower() == wanted,
    "tag": lambda wanted, market: wanted in (tag.lower() for tag in market.tags),
    "word": _has_word,
}
