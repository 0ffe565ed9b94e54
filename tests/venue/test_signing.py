"""Orders are hashed and signed exactly as the exchange and both of the vendor's own signers do it."""

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket._internal.actions.orders.typed_data import build_order_signature, build_order_typed_data
from polymarket._internal.actions.orders.types import UnsignedOrder
from polymarket.types import HexString
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2
from py_clob_client_v2.order_utils.model.side import Side as VendorSide
from py_clob_client_v2.order_utils.model.signature_type_v2 import SignatureTypeV2
from py_clob_client_v2.signer import Signer as VendorSigner

from polyb0t.core.errors import ConfigurationError
from polyb0t.sandbox.signatures import OrderFields
from polyb0t.sandbox.signatures import order_hash as sandbox_hash
from polyb0t.venue import signing
from polyb0t.venue.signing import (
    ExchangeDomain,
    OrderStruct,
    SigningKey,
    checksummed,
    clob_auth_signature,
    order_hash,
    order_id_of,
    sign_order,
    struct_hash,
)

KEY_TEXT = "0x" + "11" * 32
KEY = SigningKey(KEY_TEXT)
EOA = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
DEPOSIT_WALLET = "0x2222222222222222222222222222222222222222"
SAFE = "0x75F00B003FBBBA193FABEB06284c3187a4C1232E"
TOKEN = 71321045679252212594626385532706912750332728571942532289631379312455583992563
POSITION = 663574927012476832975694178961957910328055987427402067619466963999000625152

CTF = ExchangeDomain("2", 137, "0xE111180000d2663C0091e4f400237545B87B996B")
NEG_RISK = ExchangeDomain("2", 137, "0xe2222d279d744050d28e00520010520000310F59")
V3 = ExchangeDomain("3", 137, "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa")


def order(token: int = TOKEN, *, kind: int = 0, maker: str = EOA, signer: str = EOA) -> OrderStruct:
    return OrderStruct(123456789, maker, signer, token, 4_500_000, 10_000_000, 0, kind, 1_760_000_000_000)


def wallet_order(token: int = TOKEN) -> OrderStruct:
    return order(token, kind=3, maker=DEPOSIT_WALLET, signer=DEPOSIT_WALLET)


# --- published check values ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "separator"),
    [
        (CTF, "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"),
        (NEG_RISK, "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"),
        (V3, "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"),
    ],
)
def test_domain_separators_are_those_of_the_deployed_exchanges(
    domain: ExchangeDomain, separator: str
) -> None:
    assert domain.separator.hex() == separator


# The six: each kind of contract and each way to sign, with the id that the exchange gives the order and
# the bytes that its owner's key makes of it. A deposit wallet's are its owner's 65 bytes, the domain, the
# hash of the order, the order's type in words, and the length of those.
WRAP_TAIL = signing.ORDER_TYPE.hex() + "00ba"
VECTORS: dict[str, tuple[OrderStruct, ExchangeDomain, str, str]] = {
    "plain wallet, CTF exchange": (
        order(),
        CTF,
        "0x9224704e124b43cc08ab52b5e19a0a7a74c3cebc510c4220b48ac45fb429282d",
        "0x7f4c283b8b09be89b2dc3d4b831ab659536500b7f7a150402408f3776c50179966e508034d1e140401384ab907b153dade8e9ca4257925b07bd3cd00518524671c",
    ),
    "plain wallet, neg-risk exchange": (
        order(),
        NEG_RISK,
        "0xd23fe20265b697b3852b4d93636bb9dcba448ae34a3ade24b10d8ba1f3a5ad0d",
        "0x8e09a3ad1b19a143c6f45e0207e5daf700bad47bfdbb2c57c10921ed23ad15fa6bcbcd93c8b44894fce6c50d7379aabd064864abc394dfa65b69cb7619040bf31b",
    ),
    "plain wallet, exchange of the newer protocol": (
        order(POSITION),
        V3,
        "0xe82638ed56c35dce7aea536f949f5c52b9654f60e584b2730ef8a22af7e13a25",
        "0xdbb305f3f849d06ab235e9d00393bf4f87171eff76f47dff0fd0dfe95528ac9d105396798167bd0fd56fa6cd671fa1792fb2b49f559bf394ec82fa3f1cac5a561b",
    ),
    "Safe, CTF exchange": (
        order(kind=2, maker=SAFE),
        CTF,
        "0xc3f44faf6b4ff95e4ca3ca65bd841c67f2a6224e95dd1f204f87efac2578a3d9",
        "0x988ef51fb972be9dfa8b91f763ead9113321c168503bf0139780bb33fc8291c51df3b8adf55ff1a7002ab2ac8525ac492933c82ca48a1e4eb4777e627ae3df581b",
    ),
    "deposit wallet, CTF exchange": (
        wallet_order(),
        CTF,
        "0x362f0647ef54f778bd9a8acd8297dc9733a39b850aa648accd0080cf6344fdb6",
        "0x0cf89581b580d6f14f6602afe05cb9a06b83625ec06840a392bd56d09bd2b6fe79579edd6c6236f411adad9a6f4c2b72743b51f0d20b92b290903696d603af551b"
        "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"
        "fdb097ddac974314a841c41a2745786bdaede76d59d9660c00953f0aa26c677b" + WRAP_TAIL,
    ),
    "deposit wallet, exchange of the newer protocol": (
        wallet_order(POSITION),
        V3,
        "0x21463d5bb04abe563e55e8de0789eecd9b672d254ef693d34c07b284b0c382f2",
        "0x6d5bf39b94f364d8d4db46ad30a0ed148385ecfb2a0ef5c9947d4deb61951dc278fce229c24cb574eac09b64bc6c3678caab35c73b5c1ab11566ec7d800b01011c"
        "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"
        "a894aab43fd35266ac2605458287ec78f687f92de27dca72b3b18eff0ef24a17" + WRAP_TAIL,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_six_orders_are_byte_exact_and_both_vendor_signers_and_the_sandbox_agree(name: str) -> None:
    struct, domain, order_id, signature = VECTORS[name]
    assert sign_order(struct, domain, KEY) == (order_id, signature)
    assert order_id_of(struct, domain) == order_id
    assert by_older_sdk(struct, domain) == (order_id, signature)
    assert by_current_sdk(struct, domain) == signature
    fields = OrderFields(*(getattr(struct, name) for name in OrderFields.__struct_fields__))
    assert "0x" + sandbox_hash(fields, domain.contract).hex() == order_id


def test_a_deposit_wallets_order_keeps_the_plain_orders_id_and_says_what_was_signed() -> None:
    struct, domain, order_id, signature = VECTORS["deposit wallet, CTF exchange"]
    raw = bytes.fromhex(signature[2:])
    assert order_id == "0x" + order_hash(struct, domain).hex()
    assert len(raw) == 317
    assert raw[97:129] == struct_hash(struct)


def test_the_order_typehash_is_the_published_one() -> None:
    assert signing.ORDER_TYPEHASH.hex() == "bb86318a2138f5fa8ae32fbe8e659f8fcf13cc6ae4014a707893055433818589"


def test_the_proof_of_control_is_byte_exact() -> None:
    assert clob_auth_signature(KEY, chain_id=137, timestamp=1_760_000_000, nonce=0) == (
        "0x95da8bdccaf0091205a2dfb3d1fdee53ab50699ede77f476b89b5c94c69f61b30369b2b8cd307712ef8290ec7e8fb9436b77f1eff27b49a36263cd242c4f60771c"
    )


# --- equality with both of the vendor's signers ----------------------------------------------------


def by_older_sdk(struct: OrderStruct, domain: ExchangeDomain) -> tuple[str, str]:
    builder = ExchangeOrderBuilderV2(
        domain.contract,
        domain.chain_id,
        VendorSigner(KEY_TEXT, domain.chain_id),
        generate_salt=lambda: str(struct.salt),
        domain_version=domain.version,
    )
    built = builder.build_signed_order(
        OrderDataV2(
            maker=struct.maker,
            tokenId=str(struct.token_id),
            makerAmount=str(struct.maker_amount),
            takerAmount=str(struct.taker_amount),
            side=VendorSide(struct.side),
            signer=struct.signer,
            signatureType=SignatureTypeV2(struct.signature_type),
            timestamp=str(struct.timestamp),
        )
    )
    return builder.build_order_hash(builder.build_order_typed_data(built)), built.signature


def by_current_sdk(struct: OrderStruct, domain: ExchangeDomain) -> str:
    fields: dict[str, Any] = {
        "chain_id": domain.chain_id,
        "builder": "0x" + "00" * 32,
        "exchange_address": domain.contract,
        "expiration": 0,
        "maker": struct.maker,
        "maker_amount": struct.maker_amount,
        "metadata": "0x" + "00" * 32,
        "order_type": "GTC",
        "salt": struct.salt,
        "side": "SELL" if struct.side else "BUY",
        "signature_type": struct.signature_type,
        "signer": struct.signer,
        "taker_amount": struct.taker_amount,
        "timestamp": struct.timestamp,
        "token_id": str(struct.token_id),
        "protocol_version": "3" if domain.version == "3" else "2",
    }
    unsigned = UnsignedOrder(**fields)
    signed = Account.sign_typed_data(KEY_TEXT, full_message=build_order_typed_data(unsigned))
    return build_order_signature(unsigned, HexString("0x" + signed.signature.hex().removeprefix("0x")))


ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: checksummed(raw.hex()))
UINT256 = st.integers(min_value=0, max_value=2**256 - 1)


@st.composite
def structs(draw: st.DrawFn) -> OrderStruct:
    kind = draw(st.sampled_from([0, 1, 2, 3]))
    wallet = draw(ADDRESSES)
    maker = EOA if kind == 0 else wallet
    signer = wallet if kind == 3 else EOA
    return OrderStruct(
        salt=draw(st.integers(0, 2**53 - 1)),
        maker=maker,
        signer=signer,
        token_id=draw(UINT256.filter(bool)),
        maker_amount=draw(st.integers(1, 10**15)),
        taker_amount=draw(st.integers(1, 10**15)),
        side=draw(st.sampled_from([0, 1])),
        signature_type=kind,
        timestamp=draw(st.integers(1, 10**14)),
    )


@settings(max_examples=60, deadline=None)
@given(struct=structs(), domain=st.sampled_from([CTF, NEG_RISK, V3]))
def test_any_order_gets_the_id_and_signature_that_both_vendor_signers_give(
    struct: OrderStruct, domain: ExchangeDomain
) -> None:
    order_id, signature = sign_order(struct, domain, KEY)

    assert (order_id, signature) == by_older_sdk(struct, domain)
    assert signature == by_current_sdk(struct, domain)


@settings(max_examples=25, deadline=None)
@given(struct=structs(), domain=st.sampled_from([CTF, NEG_RISK, V3]))
def test_without_the_fast_library_the_bytes_are_the_same(struct: OrderStruct, domain: ExchangeDomain) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "_FastKey", None)
        slow = SigningKey(KEY_TEXT)
    assert slow.address == KEY.address == EOA
    assert sign_order(struct, domain, slow) == sign_order(struct, domain, KEY)


@given(
    field=st.sampled_from(["salt", "maker_amount", "taker_amount", "side", "signature_type", "timestamp"]),
    struct=structs(),
)
def test_every_signed_field_changes_the_id(field: str, struct: OrderStruct) -> None:
    changed = replace(struct, **{field: getattr(struct, field) + 1})
    assert order_hash(changed, CTF) != order_hash(struct, CTF)


# --- refusals and secrecy --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"salt": -1},
        {"maker_amount": 2**256},
        {"maker": "0x12"},
        {"signer": "no address"},
        {"maker": "0x" + "ab" * 19 + "  "},
        {"metadata": b"x"},
    ],
)
def test_a_field_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        sign_order(replace(order(), **change), CTF, KEY)


@pytest.mark.parametrize(
    "text", ["", "0x", "11" * 31, "11" * 33, "zz" * 32, "0x" + "00" * 32, "0x" + "ff" * 32, "5ecret canary"]
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        SigningKey(text)
    assert raised.value.code == "bad_private_key"
    assert not text.strip("0x") or text not in f"{raised.value!r} {raised.value}"
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_key_is_never_shown_copied_or_pickled() -> None:
    canary = "c0ffee" * 10 + "abcd"
    key = SigningKey(canary)
    assert canary not in f"{key!r} {key!s} {key.__slots__}".lower()
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


def test_addresses_get_their_checksum() -> None:
    assert checksummed(EOA.lower()) == EOA
    with pytest.raises(ValueError):
        checksummed("0x1234")
