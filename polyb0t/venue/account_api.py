"""Signed reads and cancels of one account. Reads may be repeated, cancels go out once each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from polyb0t.core.clock import Clock, milliseconds
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import OrderId, Wallet
from polyb0t.execution.gateway import CancelAnswer
from polyb0t.venue.account_parsing import parse_cancel, parse_page
from polyb0t.venue.buckets import CANCELS, CANCELS_AT_ONCE, Throttle
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.http import Answer, HttpReader
from polyb0t.venue.one_shot import NeverLeft, NoAnswer, OneShot
from polyb0t.venue.parsing import Refused, Wire, decode_json
from polyb0t.venue.signing import POLY_1271

_CANCEL_WAIT_SECONDS: Final = 30.0  # for our own limit, between the requests of a large cancel
_MOST_PAGES: Final = 200


@dataclass(frozen=True, slots=True)
class TradingWallet:
    """Who pays and who signs. For a plain wallet (signature type 0) both are the same address."""

    maker: Wallet  # holds the money and the shares
    owner: Wallet  # the address of the signing key, which API credentials belong to
    signature_type: int
    session: bool = False  # the key is one that the owner of a deposit wallet lets trade, and only trade

    @property
    def signer(self) -> Wallet:
        """`signer` of the order: a deposit wallet signs for itself, through its owner's key."""
        return self.maker if self.signature_type == POLY_1271 else self.owner


class AccountApi:
    """The endpoints that want L2 headers.

    Raises (every method):
        VenueUnreachableError: no usable answer; that is never an empty one.
        ConfigurationError: there are no credentials for this wallet.
    """

    def __init__(
        self,
        clob_url: str,
        wallet: TradingWallet,
        credentials: ApiCredentials | None,
        *,
        reader: HttpReader,
        one_shot: OneShot,
        clock: Clock,
        throttle: Throttle | None = None,
    ) -> None:
        self.wallet = wallet
        self._throttle = throttle
        self._clob_url = clob_url
        self._credentials = credentials
        self._reader = reader
        self._one_shot = one_shot
        self._clock = clock

    def use(self, credentials: ApiCredentials) -> None:
        """From the next request on these, of the same key."""
        self._credentials = credentials

    def with_credentials(self, credentials: ApiCredentials) -> "AccountApi":
        """The same account through other credentials."""
        return AccountApi(
            self._clob_url,
            self.wallet,
            credentials,
            reader=self._reader,
            one_shot=self._one_shot,
            clock=self._clock,
            throttle=self._throttle,
        )

    @property
    def credentials(self) -> ApiCredentials:
        """The credentials, once it is certain that they belong to this wallet's key."""
        if self._credentials is None or self._credentials.address != self.wallet.owner:
            raise ConfigurationError(
                "There are no API credentials for this wallet.",
                why="The exchange shows and cancels orders only to the credentials that placed them.",
                do="Start the engine once with the wallet's key, or use the exchange's website.",
                code="no_credentials",
            )
        return self._credentials

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, also: frozenset[int] = frozenset()
    ) -> Answer:
        """One signed GET; the query is not part of what is signed."""
        headers = self.credentials.headers(at=self._seconds(), method="GET", path=path)
        return self._reader.get(f"{self._clob_url}{path}", params, also=also, headers=headers)

    def read(self, path: str, params: Mapping[str, str] | None = None) -> object:
        """The JSON of one signed GET."""
        return self._reader.parsed(self.get(path, params))

    def rows(self, path: str, params: Mapping[str, str] | None = None) -> list[Wire]:
        """All rows of a listing, over all of its pages."""
        rows: list[Wire] = []
        cursor, seen = "", set[str]()
        while True:
            answer = self.get(path, {**(params or {}), **({"next_cursor": cursor} if cursor else {})})
            try:
                page = parse_page(decode_json(answer.body))
            except Refused as refused:
                raise self._reader.unusable(answer.host, refused) from refused
            rows.extend(page.rows)
            cursor = page.next_cursor
            if not cursor:
                return rows
            if cursor in seen or len(seen) >= _MOST_PAGES:
                raise self._reader.unusable(answer.host, Refused("malformed", "the listing does not end"))
            seen.add(cursor)

    def unusable(self, refused: Refused) -> VenueUnreachableError:
        """The error for a row that arrived and can not be read."""
        return self._reader.unusable(urlsplit(self._clob_url).netloc, refused)

    def cancel(self, order_ids: Sequence[OrderId]) -> CancelAnswer:
        """Cancel by id, and only these."""
        cancelled: list[OrderId] = []
        refused: dict[OrderId, str] = {}
        for start in range(0, len(order_ids), CANCELS_AT_ONCE):
            answer = self._cancel(order_ids[start : start + CANCELS_AT_ONCE])
            cancelled.extend(answer.cancelled)
            refused.update(answer.not_cancelled)
        asked = set(order_ids)
        return CancelAnswer(
            tuple(one for one in cancelled if one in asked),
            {one: why for one, why in refused.items() if one in asked},
        )

    def _cancel(self, order_ids: Sequence[OrderId]) -> CancelAnswer:
        if self._throttle and not self._throttle.wait(CANCELS, len(order_ids), at_most=_CANCEL_WAIT_SECONDS):
            raise _cancel_unproven("it takes no more cancels for now")
        body = msgspec.json.encode(list(order_ids))
        headers = self.credentials.headers(at=self._seconds(), method="DELETE", path="/orders", body=body)
        headers["Content-Type"] = "application/json"
        try:
            reply = self._one_shot.call("DELETE", f"{self._clob_url}/orders", headers=headers, body=body)
        except (NeverLeft, NoAnswer) as error:
            raise _cancel_unproven(str(error)) from error
        if self._throttle:
            self._throttle.answered(CANCELS, reply.status, reply.headers)
        try:
            if reply.status != 200:
                raise Refused("status", f"it answered {reply.status}")
            return parse_cancel(decode_json(reply.body))
        except Refused as refused:
            raise _cancel_unproven(refused.what) from refused

    def _seconds(self) -> int:
        return milliseconds(self._clock.now()) // 1_000


def _cancel_unproven(why: str) -> VenueUnreachableError:
    return VenueUnreachableError(
        "The exchange did not confirm the cancel.",
        why=f"{why[:300]}.",
        do="The orders may be cancelled or not: look again, then cancel again.",
    )
