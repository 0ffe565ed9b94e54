"""One planted bug for each class of real histories; every process that is forked meanwhile has it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

from polyb0t.execution.gateway import SendOutcome
from polyb0t.venue.gateway import PolymarketGateway
from tests.faults.plants import AGAIN, AS_ACCEPTED, AS_REFUSED, PLANTS, Planted


@contextmanager
def two_copies() -> Iterator[None]:
    """Every order is sent twice, in case the first copy gets lost."""
    send = PolymarketGateway.send

    def wrong(self: PolymarketGateway, prepared: Any) -> SendOutcome:
        send(self, prepared)
        return send(self, prepared)

    with patch.object(PolymarketGateway, "send", wrong):
        yield


@dataclass(frozen=True, slots=True)
class Sown:
    """A bug, and where it shows: the trade and the point at which the fault strikes, if that matters."""

    planted: Planted
    shape: str = "fak_buy"
    at: str | None = None


TWICE: Final = Planted("every order is sent twice", two_copies)
_FENCE: Final = PLANTS["two engines"]
_WON: Final = Sown(PLANTS["2 deciders"])

REAL_PLANTS: Final[Mapping[str, Sown]] = {
    "killed": Sown(PLANTS["crash"], "gtc", at="answer begun"),
    "stopped for longer than a lease, a standby takes over": Sown(
        PLANTS["suspended 31 s, takeover meanwhile"], at="before a transaction #2"
    ),
    "stopped for longer than a lease": Sown(AS_ACCEPTED, at="connecting"),
    "halted by another process": Sown(PLANTS["HALT file"], at="after the anchor"),
    "rejected by another process": Sown(PLANTS["rejected by another person"], at="before a transaction"),
    "database locked by another process": Sown(PLANTS["database locked"], at="after a call"),
    "money withdrawn": Sown(PLANTS["money withdrawn"], at="before a call"),
    "exchange restarts, orders wiped": Sown(
        PLANTS["exchange restarts, orders wiped"], "gtc", at="after a call"
    ),
    "exchange killed": Sown(AS_ACCEPTED, at="connected"),
    "disk full": Sown(PLANTS["disk full"], at="after a call"),
    "killed at any moment": Sown(TWICE),
    "reply lost after acceptance": Sown(AGAIN),
    "no answer after acceptance": Sown(AGAIN),
    "connection cut before": Sown(AS_ACCEPTED),
    "timeout before it is looked at": Sown(AS_ACCEPTED),
    "cut mid-body": Sown(AS_REFUSED, "gtc"),
    "500": Sown(AS_ACCEPTED),
    "502 page": Sown(AS_ACCEPTED),
    "503": Sown(AS_ACCEPTED),
    "425": Sown(AS_ACCEPTED),
    "429 bare": Sown(AS_ACCEPTED),
    "429 with headers": Sown(PLANTS["429 with the exchange's headers"]),
    "500 after acceptance": Sown(AS_REFUSED, "gtc"),
    "503 after acceptance": Sown(AS_REFUSED, "gtc"),
    "HTML after acceptance": Sown(AS_REFUSED, "gtc"),
    "unknown status word": Sown(AS_REFUSED, "gtc"),
    "success with an error text": Sown(AS_REFUSED, "gtc"),
    "another order's id": Sown(PLANTS["another order's id"]),
    "ghost fill": Sown(PLANTS["ghost fill"]),
    "two engines": Sown(_FENCE),
    "backup restored and adopted": Sown(PLANTS["backup restored"]),
    **{f"{count} deciders, {way}": _WON for count in (2, 4, 8) for way in ("commands", "HTTP", "both")},
}
