"""Session keys of a deposit wallet as the venue lists them (`GET /v1/user/session-signers`, SDK 0.14)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from polyb0t.core.ids import Wallet
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.parsing import Refused, as_object, text, whole
from polyb0t.venue.signing import checksummed

_PATH: Final = "/v1/user/session-signers"
_LATEST: Final = 253_402_300_799  # the end of the year 9999, in unix seconds


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A key that the owner lets trade, and until when."""

    address: Wallet
    scopes: tuple[str, ...]
    until: datetime


def session_keys(api: AccountApi) -> tuple[SessionKey, ...]:
    """Those that are in force.

    Raises:
        VenueUnreachableError: not told, or not in a form that is understood.
    """
    raw = api.read(_PATH)
    try:
        told = as_object(raw, "the answer")
        if checksummed(text(told, "wallet")) != api.wallet.maker:
            raise Refused("foreign", "it lists the keys of another wallet")
        rows = told.get("signers")
        if not isinstance(rows, list):
            raise Refused("malformed", "it lists no keys")
        return tuple(_key(row) for row in rows)
    except Refused as refused:
        raise api.unusable(refused) from refused
    except ValueError as error:
        raise api.unusable(Refused("malformed", str(error))) from error


def _key(raw: object) -> SessionKey:
    row = as_object(raw, "a session key")
    scopes = row.get("scopes")
    if not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes):
        raise Refused("malformed", "a session key without scopes")
    until = datetime.fromtimestamp(whole(row, "valid_until", largest=_LATEST), UTC)
    return SessionKey(checksummed(text(row, "address")), tuple(scopes), until)
