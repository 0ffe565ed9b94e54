"""Where the API listens: on this computer alone, or elsewhere with tokens and TLS."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from polyb0t.api.app import create_app
from polyb0t.api.security import reach_of
from polyb0t.api.serving import bind, require_guarded, server_config
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.runtime.opened import OpenedStore
from tests.api.conftest import Service


def opened(service: Service, **settings: Any) -> OpenedStore:
    data = service.opened.settings.data_dir
    return replace(service.opened, settings=load_settings(data_dir=data, **settings))


def refusal(service: Service, **settings: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        require_guarded(opened(service, **settings))
    return error.value.code


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    made += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(made, check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_practice_money_on_this_computer_needs_nothing(service: Service, host: str) -> None:
    require_guarded(opened(service, api_host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.example"])
def test_elsewhere_it_does_not_listen_without_tls_whatever_tokens_there_are(
    service: Service, host: str
) -> None:
    service.token("anna")
    assert refusal(service, api_host=host) == "tls_required"


def test_nor_without_a_token_that_is_in_force(service: Service, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    elsewhere = {"api_host": "192.0.2.1", "api_tls_cert": cert, "api_tls_key": key}
    assert refusal(service, **elsewhere) == "tokens_required"
    service.token("old", days=1e-9)
    service.token("gone")
    service.stores.access.revoke("gone", actor="user:owner", reason="")
    assert refusal(service, **elsewhere) == "tokens_required"
    service.token("anna")
    require_guarded(opened(service, **elsewhere))


def test_behind_a_proxy_it_needs_tokens_and_a_name(service: Service) -> None:
    assert refusal(service, api_behind_proxy=True) == "api_names_required"
    named = {"api_behind_proxy": True, "api_names": "trader.example"}
    assert refusal(service, **named) == "tokens_required"
    service.token("anna")
    require_guarded(opened(service, **named))


def test_on_every_address_the_name_has_to_be_said(service: Service, certificate: tuple[Path, Path]) -> None:
    service.token("anna")
    cert, key = certificate
    everywhere = {"api_host": "0.0.0.0", "api_tls_cert": cert, "api_tls_key": key}
    assert refusal(service, **everywhere) == "api_names_required"
    require_guarded(opened(service, **everywhere, api_names="trader.example"))


def test_with_real_money_it_does_not_begin_without_a_token_on_this_computer_either(
    real_money: Service,
) -> None:
    assert refusal(real_money) == "tokens_required"
    real_money.token("anna")
    require_guarded(opened(real_money))


@pytest.mark.parametrize("which", ["cert alone", "key alone", "swapped", "missing", "no pem"])
def test_a_certificate_that_cannot_be_used_is_said_before_anything_listens(
    service: Service, certificate: tuple[Path, Path], which: str, tmp_path: Path
) -> None:
    cert, key = certificate
    nothing = tmp_path / "nothing.pem"
    if which == "no pem":
        nothing.write_text("hello")
    given: dict[str, Any] = {
        "cert alone": {"api_tls_cert": cert},
        "key alone": {"api_tls_key": key},
        "swapped": {"api_tls_cert": key, "api_tls_key": cert},
    }.get(which, {"api_tls_cert": nothing, "api_tls_key": key})
    assert refusal(service, **given) == "tls_files"


@pytest.mark.parametrize("networks", ["10.0.0.0/33", "example.org", "10.0.0.1-10.0.0.9", "1.2.3"])
def test_a_list_of_addresses_that_cannot_be_read_is_refused(networks: str) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(api_allow=networks)


class TestByTls:
    @pytest.fixture
    def secure(
        self, service: Service, certificate: tuple[Path, Path]
    ) -> Iterator[tuple[Service, httpx.Client]]:
        """The same store, served by https as `polyb0t api` does."""
        cert, key = certificate
        store = opened(service, api_tls_cert=cert, api_tls_key=key)
        listening = bind("127.0.0.1", 0)
        server = uvicorn.Server(server_config(create_app(store, reach_of(store.settings)), store.settings))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        trusted = ssl.create_default_context(cafile=cert)
        client = httpx.Client(
            base_url=f"https://localhost:{port}", verify=trusted, trust_env=False, timeout=10
        )
        yield service, client
        client.close()
        server.should_exit = True
        thread.join(15)
        listening.close()

    def test_a_decision_goes_by_https_and_no_other_way(self, secure: tuple[Service, httpx.Client]) -> None:
        service, client = secure
        record, token = service.propose(), service.token("anna")
        shown = {"authorization": f"Bearer {token}"}
        plain = httpx.URL(str(client.base_url).replace("https", "http"))
        with pytest.raises(httpx.HTTPError), httpx.Client(trust_env=False, timeout=5) as without:
            without.get(plain.join("/intents"), headers=shown)
        page = {**shown, "origin": str(client.base_url).replace("https", "http").rstrip("/")}
        assert client.post(f"/intents/{record.id}/approve", headers=page).status_code == 403
        answer = client.post(f"/intents/{record.id}/approve", headers=shown)
        assert (answer.status_code, answer.json()["decided_by"]) == (200, "token:anna")
        assert "max-age" in answer.headers["strict-transport-security"]
        assert "server" not in answer.headers
