"""On the sandbox a practice account is chosen by its wallet, or by the kind of wallet that is wanted."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.runtime.keys import KEY_NAME, signing_key
from polyb0t.runtime.surroundings import look_around
from tests.support.sandbox import RunningSandbox, running_sandbox

DEPOSIT_WALLET = "0x7a57144fAfde87F5cE4a880D570BAe58eeBC83f2"
STRANGER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """Two plain accounts, and a deposit wallet that the first one's key owns."""
    with running_sandbox(markets=1, accounts=2) as running:
        plain, other = running.world.accounts[:2]
        owned = replace(plain, index=2, wallet=DEPOSIT_WALLET, signature_type=3)
        running.world.accounts = (plain, other, owned)
        yield running


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_NAME, raising=False)


def test_without_a_word_it_is_the_first_account(sandbox: RunningSandbox) -> None:
    around = look_around(load_settings(venue="sandbox", sandbox_url=sandbox.url))
    assert (around.wallet, around.signature_type) == (sandbox.account(0).wallet, 0)


def test_a_kind_of_wallet_chooses_the_first_account_of_it(sandbox: RunningSandbox) -> None:
    around = look_around(load_settings(venue="sandbox", sandbox_url=sandbox.url, signature_type=3))
    assert (around.wallet, around.signature_type) == (DEPOSIT_WALLET, 3)
    assert signing_key(around).address == sandbox.account(0).address


def test_the_kind_may_come_from_the_environment(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_SIGNATURE_TYPE", "3")
    assert look_around(load_settings(venue="sandbox", sandbox_url=sandbox.url)).wallet == DEPOSIT_WALLET


def test_a_wallet_brings_its_own_kind_and_its_owners_key(sandbox: RunningSandbox) -> None:
    settings = load_settings(venue="sandbox", sandbox_url=sandbox.url, wallet_address=DEPOSIT_WALLET.lower())
    around = look_around(settings)
    assert (around.wallet, around.signature_type) == (DEPOSIT_WALLET, 3)
    assert signing_key(around).address == sandbox.account(0).address
    second = look_around(
        load_settings(venue="sandbox", sandbox_url=sandbox.url, wallet_address=sandbox.account(1).wallet)
    )
    assert (second.signature_type, signing_key(second).address) == (0, sandbox.account(1).address)


def test_a_wallet_of_another_kind_than_the_setting_is_refused(sandbox: RunningSandbox) -> None:
    settings = load_settings(
        venue="sandbox", sandbox_url=sandbox.url, wallet_address=DEPOSIT_WALLET, signature_type=0
    )
    with pytest.raises(ConfigurationError) as refused:
        look_around(settings)
    assert refused.value.code == "wrong_signature_type"


def test_a_kind_that_the_sandbox_does_not_have_is_refused(sandbox: RunningSandbox) -> None:
    with pytest.raises(ConfigurationError) as refused:
        look_around(load_settings(venue="sandbox", sandbox_url=sandbox.url, signature_type=1))
    assert refused.value.code == "no_such_account"
    assert "0, 3" in str(refused.value)


def test_a_strangers_wallet_may_be_looked_at_and_not_traded_with(sandbox: RunningSandbox) -> None:
    around = look_around(load_settings(venue="sandbox", sandbox_url=sandbox.url, wallet_address=STRANGER))
    assert around.wallet == STRANGER
    with pytest.raises(ConfigurationError) as refused:
        signing_key(around)
    assert refused.value.code == "not_a_practice_wallet"


def test_paper_needs_no_wallet_and_takes_nobodys(monkeypatch):
    real = look_around(load_settings(mode="paper", wallet_address="0x" + "ab" * 20))

    assert str(real.scope) == "polymarket:137:paper"
    assert real.scope.is_paper
