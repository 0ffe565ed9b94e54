"""Why a replay proposed no more than it did: the counts of its `run.json` in sentences."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from polyb0t.data.universe_words import left_out
from polyb0t.models import wording

NOTHING: Final = "Why nothing was proposed"
NO_MORE: Final = "Why no more was proposed"
_TOO_LITTLE: Final = "The model sees too little edge at the present offers."
_NAMED: Final = 8
_LONGEST: Final = 60
_LEAST_SHORT: Final = Decimal("0.01")  # cents: what is short by less is short


def funnel(told: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A title and its sentences; none where the replay did not count them."""
    title = NOTHING if nothing_proposed(told) else NO_MORE
    found = told.get("funnel")
    if found is None:
        return title, ()
    of = _whole(found)
    reasons = _reasons(found)
    lines = [_line(count, of, said) for count, said in reasons[:_NAMED]]
    others = sum(count for count, _ in reasons[_NAMED:])
    if others:
        lines.append(_line(others, of, "Other reasons."))
    if not of:
        lines.append("No decision was made: no market was let in.")
    return title, (*lines, *_unwritten(told, found), *_left_out(found), *_misses(found))


def why_nothing(told: Mapping[str, Any]) -> str:
    """One sentence with the three commonest reasons, for a replay that proposed nothing."""
    found = told.get("funnel")
    if found is None:
        return "none"
    of, reasons = _whole(found), _reasons(found)
    if not of:
        out = "; ".join(_left_out(found))
        return f"none, and no market was let in to be decided on. {out}".strip()
    said = " ".join(f"{count:,} times: {sentence}" for count, sentence in reasons[:3])
    nearest = next(iter(_misses(found)), "")
    return f"none in {of:,} decisions. {said} {nearest}".strip()


def nothing_proposed(told: Mapping[str, Any]) -> bool:
    counts: Mapping[str, int] = told.get("counts", {})
    return counts.get("openings_proposed") == 0


def _whole(found: Mapping[str, Any]) -> int:
    """Every decision: they add up."""
    return int(
        found["worth_proposing"] + found["too_little_edge"] + sum(each["count"] for each in found["passed"])
    )


def _reasons(found: Mapping[str, Any]) -> list[tuple[int, str]]:
    """How many decisions ended for which reason, the most frequent first."""
    rows = [(int(found["too_little_edge"]), _TOO_LITTLE)]
    for each in found["passed"]:
        said = wording.one_line(str(each["sentence"]))
        rows.append((int(each["count"]), f"For example: {said}" if each["wordings"] > 1 else said))
    return sorted((row for row in rows if row[0]), key=lambda row: (-row[0], row[1]))


def _line(count: int, of: int, said: str) -> str:
    return f"{count:,} of {of:,} decisions ({100 * count / of:.0f} %): {said}"


def _unwritten(told: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    unwritten = int(found["worth_proposing"]) - int(told["counts"]["openings_proposed"])
    if unwritten > 0:
        yield (
            f"{unwritten:,} were worth proposing and were not put before the person: a limit or a control "
            "spoke against it, or the account was not in order."
        )


def _left_out(found: Mapping[str, Any]) -> Iterator[str]:
    rows: Sequence[Mapping[str, Any]] = found["left_out"]
    if rows:
        said = ", ".join(f"{each['count']:,} {left_out(each['code'], each['count'])}" for each in rows)
        yield f"Left out before anything was decided, over all cycles: {said}."


def _misses(found: Mapping[str, Any]) -> Iterator[str]:
    for miss in found["misses"]:
        asked = wording.one_line(miss["question"])
        cut = asked if len(asked) <= _LONGEST else f"{asked[: _LONGEST - 1]}…"
        edge, needed = Decimal(miss["edge"]), Decimal(miss["needed"])
        short = max(100 * (needed - edge), _LEAST_SHORT)
        yield (
            f"Nearest miss: {wording.edge(edge)}, {short:.2f}¢ short of what is needed, "
            f'on {miss["outcome"]} in "{cut}".'
        )
