"""What the wording of a question says about the order of markets: a date to be met, or a line to be passed.

Only where the words leave one reading: the same question with nothing but its date or its number changed.
Whatever is negated, a range, or goes on until something happens is left alone. Even so words are no rules:
whoever acts on an order found here reads both markets' rules first.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

_MONTHS: Final = (*("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),)
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE: Final = re.compile(
    r"\b(?P<word>by|before)\s+(?P<end>(?:the\s+)?end\s+of\s+)?"
    rf"(?:{_MONTH}(?:\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?)?(?:,?\s+(?P<year>20\d\d))?|(?P<only>20\d\d))\b"
)
# Words with which a later date or a higher number no longer makes the answer only likelier or unlikelier.
_TWISTED: Final = re.compile(
    r"\b(?:not|no|never|neither|nor|without|except|unless|until|remain\w*|stays?|staying|still|continue\w*|"
    r"keeps?|exactly|only|first|next|last|between|or\s+not|from)\b|n['\u2019]t\b"
)
_ABOVE: Final = r"above|over|more than|greater than|higher than|at least|exceeds?|exceeding|\u2265|>=?"
_BELOW: Final = r"below|under|less than|fewer than|lower than|at most|\u2264|<=?"
_NUMBER: Final = (
    r"(?<![-\u2212\d.,])(?P<money>[$\u20ac\u00a3]?)(?<![-\u2212\d.,])"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
)
_UNIT: Final = r"(?:\s?(?P<unit>k|m|bn?|t|thousand|million|billion|trillion)(?![a-z]))?"
_BEFORE_IT: Final = re.compile(
    rf"(?:(?<![a-z])(?P<up>{_ABOVE})|(?<![a-z])(?P<down>{_BELOW}))\s*{_NUMBER}{_UNIT}"
)
_AFTER_IT: Final = re.compile(
    rf"{_NUMBER}{_UNIT}(?P<what>[%\u00b0]?[cf]?)\s+or\s+(?:(?P<up>more|higher|above|over)|(?P<down>less|lower|below|fewer))\b"
)
_RANGE: Final = re.compile(r"\d\s?[-\u2013\u2014]\s?[$\u20ac\u00a3]?\d")
_SCALE: Final = {
    None: 0, "k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "bn": 9, "billion": 9,
    "t": 12, "trillion": 12,
}  # fmt: skip
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A question that asks whether something happens by a date. Without a year: the market's end tells it."""

    stem: str
    year: int | None
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A question that asks whether a figure is above (or below) a line. `stem` has a # for the line."""

    stem: str
    above: bool
    line: Decimal


@lru_cache(maxsize=8_192)  # the same few hundred questions come every cycle
def deadline_of(question: str) -> Deadline | None:
    """The date that a question names, where it can be read in one way only."""
    text = _plain(question)
    found = list(_DATE.finditer(text))
    if len(found) != 1 or _TWISTED.search(text):
        return None
    date = found[0]
    stem = f"{text[: date.start()]}{date['word']} #{text[date.end() :]}".rstrip(" ?.")
    month, day, year = date["month"], date["day"], date["year"] or date["only"]
    if month is None:  # "before 2027" ends where the year begins, "by the end of 2027" where it ends
        begins = date["word"] == "before" and date["end"] is None
        return Deadline(stem, int(year), 1 if begins else 12, 1 if begins else 31)
    last = 1 if date["word"] == "before" and date["end"] is None else 31
    return Deadline(
        stem,
        int(year) if year else None,
        _MONTHS.index(month[:3]) + 1,
        int(day) if day else last,
    )


@lru_cache(maxsize=8_192)
def threshold_of(question: str) -> Threshold | None:
    """The line that a question draws, where it can be read in one way only."""
    text = _plain(question)
    found = [*_BEFORE_IT.finditer(text), *_AFTER_IT.finditer(text)]
    if len(found) != 1 or _TWISTED.search(text) or _RANGE.search(text):
        return None
    line = found[0]
    figure = Decimal(line["number"].replace(",", "")).scaleb(_SCALE[line["unit"]])
    start, end = line.start("number"), line.end("unit") if line["unit"] else line.end("number")
    stem = f"{text[:start]}#{text[end:]}".rstrip(" ?.")
    return Threshold(stem, line["up"] is not None, figure)


def _plain(question: str) -> str:
    return _SPACES.sub(" ", question.strip().lower())
