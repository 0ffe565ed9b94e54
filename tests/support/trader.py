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
from polyb0t.sandbox.signatures import (
    ORDER_TYPE,
    OrderFields,
    clob_auth_hash,
    domain_separator,
    order_hash,
    struct_hash,
)
from polyb0t.sandbox.types import BookView, PracticeAccount
from polyb0t.sandbox.wallets import DEPOSIT
from polyb0t.sandbox.wrapped import wrap_digest
from polyb0t.venue.tls import trust
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
    maker: str | None = None,
    signer: str | None = None,
    signature_type: int = 0,
    session: bool = False,
    signature: str | None = None,
) -> dict[str, object]:
    """The body of `POST /order`; without more said, of an externally owned account."""
    address = Account.from_key(key).address
    maker = maker or address
    signer = signer or (maker if signature_type == DEPOSIT else address)
    salt = next(_salts) if salt is None else salt
    fields = OrderFields(
        salt,
        maker,
        signer,
        int(token_id),
        maker_amount,
        taker_amount,
        0 if side == "BUY" else 1,
        signature_type,
        timestamp_ms,
        bytes(32),
        bytes(32),
    )
    order = {
        "salt": salt,
        "maker": maker,
        "signer": signer,
        "tokenId": token_id,
        "makerAmount": str(maker_amount),
        "takerAmount": str(taker_amount),
        "side": side,
        "expiration": str(expiration),
        "signatureType": signature_type,
        "timestamp": str(timestamp_ms),
        "metadata": ZERO32,
        "builder": ZERO32,
        "signature": signature or order_signature(key, fields, contract, session=session),
    }
    return {
        "order": order,
        "owner": owner,
        "orderType": order_type,
        "deferExec": False,
        "postOnly": post_only,
    }


def order_signature(key: str, fields: OrderFields, contract: str, *, session: bool = False) -> str:
    """Bare, wrapped for a deposit wallet, or wrapped and in the envelope of a session key."""
    if fields.signature_type != DEPOSIT:
        return f"0x{Account.unsafe_sign_hash(order_hash(fields, contract), key).signature.hex()}"
    separator, contents = domain_separator(contract), struct_hash(fields)
    inner = Account.unsafe_sign_hash(wrap_digest(fields.maker, separator, contents), key).signature
    wrapped = bytes(inner) + separator + contents + ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")
    return f"0x{(envelope(Account.from_key(key).address, wrapped) if session else wrapped).hex()}"


def envelope(session_key: str, inside: bytes) -> bytes:
    """abi(bytes32, bytes32, bytes) with the mark of a session key behind it."""
    head = bytes(12) + bytes.fromhex(session_key[2:]) + bytes(32)
    head += (96).to_bytes(32, "big") + len(inside).to_bytes(32, "big")
    return head + inside + bytes(-len(inside) % 32) + bytes.fromhex("6492") * 16


@dataclass
class Trader:
    """One practice account with credentials."""

    sandbox: RunningSandbox
    account: PracticeAccount
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(trust_env=False, verify=trust(), timeout=10)
    )

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
        return str(int(self.sandbox.app.clock.right.now().timestamp()))

    def _signed(self, token_id: str, side: str, gives: int, takes: int, **rest: Any) -> dict[str, object]:
        now_ms = milliseconds(self.sandbox.app.clock.right.now())
        key, owner = self.account.key, self.credentials.api_key
        kind = self.account.signature_type
        wallet: dict[str, Any] = {"maker": self.account.wallet, "signature_type": kind}
        return signed_payload(key, owner, token_id, side, gives, takes, timestamp_ms=now_ms, **wallet | rest)

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
