"""From a posted order to one that the exchange may match: shape, owner, signer, signature.

The checks and their texts are the venue's, in the venue's order. What the order does to the book
and the balance is decided by the world, not here.
"""

from typing import Literal

import msgspec

from polyb0t.sandbox.auth import Credentials
from polyb0t.sandbox.contracts import exchange_of
from polyb0t.sandbox.makers import check_maker, may_sign
from polyb0t.sandbox.signatures import (
    InvalidSignatureError,
    OrderFields,
    checksum,
    domain_separator,
    order_digest,
    recover,
    struct_hash,
)
from polyb0t.sandbox.types import OrderRequest, OrderType, Side
from polyb0t.sandbox.wallets import DEPOSIT
from polyb0t.sandbox.wire import UNREADABLE, WireError
from polyb0t.sandbox.world import World
from polyb0t.sandbox.wrapped import signer_of

BAD_PAYLOAD = "Invalid order payload"
OLD_VERSION = "invalid order version, please use the latest clob-client"
NOT_OWNER = "the order owner has to be the owner of the API KEY"
BAD_SIGNATURE = "invalid signature"


class WireOrder(msgspec.Struct, frozen=True, rename="camel"):
    """The signed part as JSON carries it; the expiration is not signed."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: Literal["BUY", "SELL"]
    signature_type: int
    timestamp: str
    metadata: str
    builder: str
    signature: str
    expiration: str = "0"


class OrderPayload(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `POST /order`."""

    order: WireOrder
    owner: str
    order_type: Literal["GTC", "GTD", "FOK", "FAK"]
    defer_exec: bool = False
    post_only: bool = False


def decode_payload(raw: bytes | msgspec.Raw) -> OrderPayload:
    """The posted order.

    Raises:
        WireError: 400; an order of the generation before has a text of its own.
    """
    try:
        return msgspec.json.decode(raw, type=OrderPayload)
    except UNREADABLE as error:
        text = OLD_VERSION if _is_old(raw) else BAD_PAYLOAD
        raise WireError(400, text) from error


def claims_post_only(raw: msgspec.Raw) -> bool:
    """Whether one leg of a batch says that it only rests; an unreadable one does not."""
    try:
        return decode_payload(raw).post_only
    except WireError:
        return False


def checked_request(payload: OrderPayload, who: Credentials, world: World) -> OrderRequest:
    """The order after every check that needs no book.

    Raises:
        WireError: the venue's refusal.
    """
    order = payload.order
    if payload.owner != who.api_key:
        raise WireError(400, NOT_OWNER)
    check_maker(order.maker, order.signer, order.signature_type, who.address, world)
    condition = world.condition_of(order.token_id)
    if condition is None:
        raise WireError(400, "Invalid token id")
    spec = world.market(condition).spec
    fields = _fields(order)
    contract = exchange_of(spec.version, spec.neg_risk)
    order_id = _verified_id(fields, order.signature, contract, who.address, world)
    return OrderRequest(
        order_id=order_id,
        owner=who.api_key,
        maker=checksum(order.maker),
        signer=checksum(order.signer),
        token_id=order.token_id,
        side=Side(order.side),
        maker_amount_e6=fields.maker_amount,
        taker_amount_e6=fields.taker_amount,
        order_type=OrderType(payload.order_type),
        post_only=payload.post_only,
        expiration_s=_whole(order.expiration),
        signature_type=order.signature_type,
        salt=order.salt,
    )


def _fields(order: WireOrder) -> OrderFields:
    return OrderFields(
        salt=order.salt,
        maker=order.maker,
        signer=order.signer,
        token_id=_whole(order.token_id),
        maker_amount=_amount(order.maker_amount),
        taker_amount=_amount(order.taker_amount),
        side=0 if order.side == "BUY" else 1,
        signature_type=order.signature_type,
        timestamp=_whole(order.timestamp),
        metadata=_bytes32(order.metadata),
        builder=_bytes32(order.builder),
    )


def _verified_id(fields: OrderFields, signature: str, contract: str, address: str, world: World) -> str:
    """The order's id, once whoever has `address` signed exactly these fields for this exchange."""
    try:
        contents, separator = struct_hash(fields), domain_separator(contract)
    except ValueError as error:
        raise WireError(400, BAD_PAYLOAD) from error
    digest = order_digest(separator, contents)
    try:
        if fields.signature_type == DEPOSIT:
            signed = signer_of(fields.maker, signature, separator, contents)
            right = signed.address == address.lower() and may_sign(signed, fields.maker, world)
        else:
            right = recover(digest, signature) == address.lower()
    except InvalidSignatureError as error:
        raise WireError(400, BAD_SIGNATURE) from error
    if not right:
        raise WireError(400, BAD_SIGNATURE)
    return "0x" + digest.hex()


def _is_old(raw: bytes | msgspec.Raw) -> bool:
    """Whether this is an order as it was before the present generation."""
    try:
        body = msgspec.json.decode(raw)
    except UNREADABLE:
        return False
    order = body.get("order") if isinstance(body, dict) else None
    return isinstance(order, dict) and "timestamp" not in order and "feeRateBps" in order


def _whole(text: str) -> int:
    """A decimal text as a uint256 at most; longer digits are refused before they are parsed."""
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise WireError(400, BAD_PAYLOAD)
    return int(text)


def _amount(text: str) -> int:
    """A positive amount in base units; a few digits more than all the money there is, and no more."""
    if len(text) > 24 or _whole(text) == 0:
        raise WireError(400, BAD_PAYLOAD)
    return int(text)


def _bytes32(text: str) -> bytes:
    if len(text) != 66 or not text.startswith("0x"):
        raise WireError(400, BAD_PAYLOAD)
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise WireError(400, BAD_PAYLOAD) from error
