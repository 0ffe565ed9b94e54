"""Where markets stand between their end and their result: `data.resolution.ResolutionReader`.

The venue's index says it (`GET /v2/resolutions?condition=`, at most 20, a minute or more late); the
chain's own payouts, where a node is set, are what pays. A proposal is no result. Where the two contradict
each other, and where the index writes something else than it documents, nothing is concluded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from polyb0t.core.clock import Clock, from_microseconds
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import MILLION, Price
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import (
    Refused,
    Wire,
    as_object,
    condition_id,
    describe,
    exact_decimal,
    flag,
    line,
    whole,
)

CONDITIONS_PER_REQUEST: Final = 20
_LATEST_SECOND: Final = 16_725_225_600  # the year 2500
_S = ResolutionState
_STATES: Final[Mapping[str, ResolutionState]] = {
    "initialized": _S.OPEN,
    "posed": _S.OPEN,
    "active": _S.OPEN,
    "proposed": _S.PROPOSED,
    "reproposed": _S.PROPOSED,
    "challenged": _S.DISPUTED,
    "disputed": _S.DISPUTED,
    "arbitration": _S.DISPUTED,
    "resolved": _S.RESOLVED,
}
Payouts = tuple[Price, Price]


class ChainPayouts(Protocol):
    """The results that the chain itself has."""

    def payouts(self, condition: ConditionId) -> Payouts | None:
        """pUSD per share by outcome; None: no result yet.

        Raises:
            VenueUnreachableError: not read.
        """
        ...


class PolymarketResolutionStates:
    """The index, checked against the chain where there is a node."""

    def __init__(
        self, data_url: str, reader: HttpReader, clock: Clock, *, chain: ChainPayouts | None = None
    ) -> None:
        self._url = f"{data_url.rstrip('/')}/v2/resolutions"
        self._reader = reader
        self._clock = clock
        self._chain = chain

    def read(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, Resolution]:
        wanted = list(dict.fromkeys(condition_ids))
        found: dict[ConditionId, Resolution] = {}
        for start in range(0, len(wanted), CONDITIONS_PER_REQUEST):
            found |= self._told(wanted[start : start + CONDITIONS_PER_REQUEST])
        if self._chain is None:
            return found
        return {name: against_chain(each, self._chain.payouts(name)) for name, each in found.items()}

    def _told(self, asked: Sequence[ConditionId]) -> dict[ConditionId, Resolution]:
        answer = self._reader.get(self._url, {"condition": ",".join(asked)})
        try:
            told = parse_states(self._reader.parsed(answer), self._clock.now())
        except Refused as refused:
            raise self._reader.unusable(answer.host, refused) from refused
        return {name: each for name, each in told.items() if name in asked}


def parse_states(raw: object, at: datetime) -> dict[ConditionId, Resolution]:
    """The markets of one answer. A row that makes no sense makes its market UNKNOWN.

    Raises:
        Refused: no list of rows, or a row of which one can not say which market it means.
    """
    rows = as_object(raw, "the answer").get("data")
    if not isinstance(rows, list) or len(rows) > CONDITIONS_PER_REQUEST * 2:
        raise Refused("malformed", f"data is {describe(rows)}, not a list of markets")
    found: dict[ConditionId, Resolution] = {}
    for row in (as_object(each, "a market") for each in rows):
        name = condition_id(row.get("condition_id"), "condition_id")
        try:
            told = _resolution(name, row, at)
        except (Refused, ValueError) as error:
            told = Resolution(name, _S.UNKNOWN, at, detail=f"it can not be read: {error!s:.200}")
        if name in found and found[name] != told:
            told = Resolution(name, _S.UNKNOWN, at, detail="it is told twice, and differently")
        found[name] = told
    return found


def _resolution(name: ConditionId, row: Wire, at: datetime) -> Resolution:
    word = line(row, "status", longest=40).lower()
    state = _STATES.get(word, _S.UNKNOWN)
    if state is not _S.RESOLVED and _payouts(row) is not None:
        return Resolution(name, _S.UNKNOWN, at, detail=f"{word or 'no status'}, and yet with payouts")
    return Resolution(
        name,
        state,
        at,
        payouts=_payouts(row),
        was_disputed=flag(row, "was_disputed") is True,
        resolved_at=_instant(row, "resolved_at"),
        expected_at=_instant(row, "expected_settlement_time"),
        detail=word,
    )


def _payouts(row: Wire) -> Payouts | None:
    """Millionths of a pUSD a share, in the market's order; [0, 0] is written where there is no result."""
    raw = row.get("payouts")
    if raw is None or raw == []:
        return None
    if not isinstance(raw, list) or len(raw) != 2:
        raise Refused("malformed", f"payouts are {describe(raw)}")
    first, second = (exact_decimal(each, "a payout") for each in raw)
    if first == 0 and second == 0:
        return None
    return Price(first / MILLION), Price(second / MILLION)


def _instant(row: Wire, name: str) -> datetime | None:
    seconds = whole(row, name, largest=_LATEST_SECOND)
    return from_microseconds(seconds * 1_000_000) if seconds else None


def against_chain(told: Resolution, payouts: Payouts | None) -> Resolution:
    """What both together say: the chain is earlier, and a result that only the index has is none yet."""
    if payouts is None:
        if told.state is not _S.RESOLVED:
            return told
        return _contradicted(told, "the index says that it is resolved, the chain does not yet")
    if told.payouts is not None and told.payouts != payouts:
        return _contradicted(told, f"the index says {_words(told.payouts)}, the chain {_words(payouts)}")
    try:
        return replace(told, state=_S.RESOLVED, payouts=payouts, on_chain=True)
    except ValueError as error:
        return _contradicted(told, f"the chain says something that is no result: {error}")


def _contradicted(told: Resolution, why: str) -> Resolution:
    return replace(told, state=_S.UNKNOWN, payouts=None, resolved_at=None, detail=why)


def _words(payouts: Payouts) -> str:
    return " and ".join(f"{each:f}" for each in payouts)
