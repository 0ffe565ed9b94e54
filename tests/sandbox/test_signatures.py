"""The sandbox's own EIP-712, against check values that two other implementations agree on."""

import pytest
from eth_account import Account

from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3, NEG_RISK_EXCHANGE_V2, exchange_of
from polyb0t.sandbox.signatures import (
    ORDER_TYPEHASH,
    InvalidSignatureError,
    OrderFields,
    checksum,
    clob_auth_hash,
    domain_separator,
    order_hash,
    recover,
)

KEY = "0x" + "11" * 32
EOA = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
CTF_TOKEN = 71321045679252212594626385532706912750332728571942532289631379312455583992563
POSITION = 663574927012476832975694178961957910328055987427402067619466963999000625152
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def an_order(token_id: int = CTF_TOKEN, maker: str = EOA, signature_type: int = 0) -> OrderFields:
    return OrderFields(
        salt=123456789,
        maker=maker,
        signer=maker,
        token_id=token_id,
        maker_amount=4_500_000,
        taker_amount=10_000_000,
        side=0,
        signature_type=signature_type,
        timestamp=1760000000000,
        metadata=bytes(32),
        builder=bytes(32),
    )


def test_the_struct_and_the_three_domains_are_the_contracts_ones() -> None:
    assert ORDER_TYPEHASH.hex() == "bb86318a2138f5fa8ae32fbe8e659f8fcf13cc6ae4014a707893055433818589"
    assert (
        domain_separator(EXCHANGE_V2).hex()
        == "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"
    )
    assert (
        domain_separator(NEG_RISK_EXCHANGE_V2).hex()
        == "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"
    )
    assert (
        domain_separator(EXCHANGE_V3).hex()
        == "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"
    )


@pytest.mark.parametrize(
    ("version", "neg_risk", "token", "digest", "signature"),
    [
        (
            "v1",
            False,
            CTF_TOKEN,
            "9224704e124b43cc08ab52b5e19a0a7a74c3cebc510c4220b48ac45fb429282d",
            "0x7f4c283b8b09be89b2dc3d4b831ab659536500b7f7a150402408f3776c50179966e508034d1e140401384ab907b153dade8e9ca4257925b07bd3cd00518524671c",
        ),
        (
            "v1",
            True,
            CTF_TOKEN,
            "d23fe20265b697b3852b4d93636bb9dcba448ae34a3ade24b10d8ba1f3a5ad0d",
            "0x8e09a3ad1b19a143c6f45e0207e5daf700bad47bfdbb2c57c10921ed23ad15fa6bcbcd93c8b44894fce6c50d7379aabd064864abc394dfa65b69cb7619040bf31b",
        ),
        (
            "v2",
            False,
            POSITION,
            "e82638ed56c35dce7aea536f949f5c52b9654f60e584b2730ef8a22af7e13a25",
            "0xdbb305f3f849d06ab235e9d00393bf4f87171eff76f47dff0fd0dfe95528ac9d105396798167bd0fd56fa6cd671fa1792fb2b49f559bf394ec82fa3f1cac5a561b",
        ),
    ],
)
def test_order_ids_and_signers_match_the_published_vectors(
    version: str, neg_risk: bool, token: int, digest: str, signature: str
) -> None:
    found = order_hash(an_order(token), exchange_of(version, neg_risk))
    assert found.hex() == digest
    assert recover(found, signature) == EOA.lower()


@pytest.mark.parametrize(
    ("contract", "token", "digest"),
    [
        (EXCHANGE_V2, CTF_TOKEN, "362f0647ef54f778bd9a8acd8297dc9733a39b850aa648accd0080cf6344fdb6"),
        (EXCHANGE_V3, POSITION, "21463d5bb04abe563e55e8de0789eecd9b672d254ef693d34c07b284b0c382f2"),
    ],
)
def test_a_deposit_wallets_order_id_is_the_hash_of_the_plain_order(
    contract: str, token: int, digest: str
) -> None:
    wallet = "0x" + "22" * 20
    assert order_hash(an_order(token, wallet, 3), contract).hex() == digest


def test_the_wallet_statement_matches_its_vector() -> None:
    signature = "0x95da8bdccaf0091205a2dfb3d1fdee53ab50699ede77f476b89b5c94c69f61b30369b2b8cd307712ef8290ec7e8fb9436b77f1eff27b49a36263cd242c4f60771c"
    assert recover(clob_auth_hash(EOA, "1760000000", 0), signature) == EOA.lower()


def test_one_order_has_one_signature_the_malleable_twin_is_refused() -> None:
    digest = order_hash(an_order(), EXCHANGE_V2)
    signed = Account.unsafe_sign_hash(digest, KEY).signature
    assert recover(digest, signed.hex()) == EOA.lower()
    twin = signed[:32] + (SECP256K1_ORDER - int.from_bytes(signed[32:64], "big")).to_bytes(32, "big")
    with pytest.raises(InvalidSignatureError):
        recover(digest, (twin + bytes([55 - signed[64]])).hex())


@pytest.mark.parametrize("bad", ["", "0x", "0xzz", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64])
def test_what_is_not_a_signature_is_refused(bad: str) -> None:
    with pytest.raises(InvalidSignatureError):
        recover(bytes(32), bad)


def test_a_field_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="uint256"):
        order_hash(an_order(token_id=1 << 256), EXCHANGE_V2)
    with pytest.raises(ValueError, match="address"):
        order_hash(an_order(maker="0x12"), EXCHANGE_V2)


def test_checksums_are_eip_55() -> None:
    assert checksum(EOA.lower()) == EOA
