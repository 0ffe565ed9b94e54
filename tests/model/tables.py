"""The legal moves as the protocol has them, written down a second time to compare the code with."""

from collections.abc import Mapping
from typing import Final, TypeVar

from polyb0t.data.fills import FillStatus as F
from polyb0t.execution.intents import IntentStatus as I
from polyb0t.execution.orders import OrderStatus as O

S = TypeVar("S")

INTENTS: Final[dict[I, frozenset[I]]] = {
    I.PENDING: frozenset({I.APPROVED, I.REJECTED, I.EXPIRED}),
    I.APPROVED: frozenset({I.EXECUTING, I.REJECTED, I.EXPIRED}),
    I.EXECUTING: frozenset({I.EXECUTED, I.FAILED}),
    I.EXECUTED: frozenset(),
    I.REJECTED: frozenset(),
    I.EXPIRED: frozenset(),
    I.FAILED: frozenset({I.EXECUTED}),  # evidence that came later
}

_FATES = {O.FILLED, O.CANCELLED, O.EXPIRED}  # what an accepted order can come to
ORDERS: Final[dict[O, frozenset[O]]] = {
    O.SIGNED: frozenset({O.UNKNOWN, O.LIVE, O.DELAYED, O.MATCHED, O.REFUSED, *_FATES}),
    O.UNKNOWN: frozenset({O.LIVE, O.DELAYED, O.MATCHED, O.ABSENT, *_FATES}),
    O.LIVE: frozenset({O.MATCHED, O.VANISHED, *_FATES}),
    O.DELAYED: frozenset({O.LIVE, O.MATCHED, O.VANISHED, *_FATES}),
    O.MATCHED: frozenset({O.LIVE, *_FATES}),
    O.VANISHED: frozenset({O.LIVE, O.MATCHED, O.ABSENT, *_FATES}),
    O.REFUSED: frozenset({O.LIVE, O.MATCHED, *_FATES}),
    O.ABSENT: frozenset({O.LIVE, O.MATCHED, *_FATES}),
    O.CANCELLED: frozenset({O.MATCHED, O.FILLED}),
    O.EXPIRED: frozenset({O.MATCHED, O.FILLED}),
    O.FILLED: frozenset({O.CANCELLED}),  # its last trade failed on chain
}
FIRST: Final = {(None, O.SIGNED), (None, O.UNKNOWN)}  # stored at the permit; looked up after a restore

FILLS: Final[dict[F, frozenset[F]]] = {
    F.MATCHED: frozenset({F.MINED, F.RETRYING, F.CONFIRMED, F.FAILED}),
    F.MINED: frozenset({F.RETRYING, F.CONFIRMED, F.FAILED}),
    F.RETRYING: frozenset({F.MINED, F.CONFIRMED, F.FAILED}),
    F.CONFIRMED: frozenset(),
    F.FAILED: frozenset(),
}


def arrows(table: Mapping[S, frozenset[S]]) -> set[tuple[S, S]]:
    return {(before, after) for before, afters in table.items() for after in afters}
