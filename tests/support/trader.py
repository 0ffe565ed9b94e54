"""A client of the sandbox in forty lines: signs by hand and talks plain HTTP.

Independent clients have tests of their own; this one is for the cases they refuse to send.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from eth_account import Account

from polyb0t.core.clock import milliseconds
from polyb0t.sandbox.auth import Credentials, credentials_of, l2_signature
from polyb0t.sandbox.contracts import EXCHANGE_V2
from polyb0t.sandbox.signatures import OrderFields, clob_auth_hash, order_hash
from polyb0t.sandbox.types import BookView, PracticeAccount
from tests.support.sandbox import RunningSandbox

ZERO32 = "0x" + "00" * 32
_salts = count(1)


def signed_payload(
    key: str,
    owner: str,
    token_id: str,
    side: str,
    maker_amount: int,
    taker_amount: int,
    *,
    contract: str = EXCHANGE_V2,
    order_type: str = "GTC",
    post_only: bool = False,
    expiration: int = 0,
    salt: int | None = None,
    timestamp_ms: int,
) -> dict[str, object]:
    """The body of `POST /order` for an externally owned account."""
    address = Account.from_key(key).address
    salt = next(_salts) if salt is None else salt
    fields = OrderFields(
        salt,
        address,
        address,
        int(token_id),
        maker_amount,
        taker_amount,
        0 if side == "BUY" else 1,
        0,
        timestamp_ms,
        bytes(32),
        bytes(32),
    )
    digest = order_hash(fields, contract)
    order = {
        "salt": salt,
        "maker": address,
        "signer": address,
        "tokenId": token_id,
        "makerAmount": str(maker_amount),
        "takerAmount": str(taker_amount),
        "side": side,
        "expiration": str(expiration),
        "signatureType": 0,
        "timestamp": str(timestamp_ms),
        "metadata": ZERO32,
        "builder": ZERO32,
        "signature": "0x" + Account.unsafe_sign_hash(digest, key).signature.hex(),
    }
    return {
        "order": order,
        "owner": owner,
        "orderType": order_type,
        "deferExec": False,
        "postOnly": post_only,
    }


@dataclass
class Trader:
    """One practice account with credentials."""

    sandbox: RunningSandbox
    account: PracticeAccount
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=10))

    def __post_init__(self) -> None:
        timestamp = self._seconds()
        digest = clob_auth_hash(self.account.address, timestamp, 0)
        headers = {
            "POLY_ADDRESS": self.account.address,
            "POLY_TIMESTAMP": timestamp,
            "POLY_NONCE": "0",
            "POLY_SIGNATURE": "0x" + Account.unsafe_sign_hash(digest, self.account.key).signature.hex(),
        }
        self.http.post(f"{self.sandbox.url}/clob/auth/api-key", headers=headers)

    @property
    def credentials(self) -> Credentials:
        return credentials_of(self.account.address, 0)

    def request(
        self, method: str, path: str, body: object = None, raw: bytes | None = None
    ) -> httpx.Response:
        """One signed request; `path` without the mount, with its query."""
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        who, now = self.credentials, self._seconds()
        headers = {
            "POLY_ADDRESS": who.address,
            "POLY_API_KEY": who.api_key,
            "POLY_PASSPHRASE": who.passphrase,
            "POLY_TIMESTAMP": now,
            "POLY_SIGNATURE": l2_signature(who.secret, now, method, path.partition("?")[0], content),
        }
        return self.http.request(method, f"{self.sandbox.url}/clob{path}", content=content, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def _seconds(self) -> str:
        return str(int(self.sandbox.app.clock.now().timestamp()))

    def _signed(self, token_id: str, side: str, maker: int, taker: int, **rest: Any) -> dict[str, object]:
        now_ms = milliseconds(self.sandbox.app.clock.now())
        key, owner = self.account.key, self.credentials.api_key
        return signed_payload(key, owner, token_id, side, maker, taker, timestamp_ms=now_ms, **rest)

    def payload(
        self, token_id: str, side: str, price_e6: int, shares_e6: int, **rest: Any
    ) -> dict[str, object]:
        """A signed limit order."""
        pusd = price_e6 * shares_e6 // 1_000_000
        amounts = (pusd, shares_e6) if side == "BUY" else (shares_e6, pusd)
        return self._signed(token_id, side, *amounts, **rest)

    def place(self, token_id: str, side: str, price_e6: int, shares_e6: int, **rest: Any) -> httpx.Response:
        return self.request("POST", "/order", self.payload(token_id, side, price_e6, shares_e6, **rest))

    def spend(self, token_id: str, pusd_e6: int, worst_e6: int, **rest: Any) -> httpx.Response:
        """A market BUY that spends pUSD down to a worst price, FAK unless said otherwise."""
        shares = pusd_e6 * 1_000_000 // worst_e6 // 100 * 100
        kind = {"order_type": "FAK"} | rest
        body = self._signed(token_id, "BUY", pusd_e6, shares, **kind)
        return self.request("POST", "/order", body)


def tradable_book(sandbox: RunningSandbox) -> BookView:
    """The first outcome's book of a market with both sides and a middling price."""
    for view in sandbox.world.markets():
        book = sandbox.world.book(view.spec.token_ids[0])
        if book.bids and book.asks and book.bids[-1][0] > 150_000 and book.asks[-1][0] < 850_000:
            return book
    raise AssertionError("no market with a middling price")


def json_of(response: httpx.Response) -> Mapping[str, object]:
    found = response.json()
    assert isinstance(found, dict)
    return found
