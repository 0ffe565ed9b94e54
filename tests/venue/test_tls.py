"""Whose certificates are believed, also where the environment says otherwise."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import NeverLeft, OneShot
from polyb0t.venue.tls import trust

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with a certificate that it made itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*made, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(1000)
                    secure.sendall(ANSWER)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}", certificate
    over.set()
    listening.close()


def test_a_stranger_is_refused_before_a_byte_of_an_order_leaves(
    stranger: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = stranger
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # nobody's environment makes him known
    trust.cache_clear()

    with pytest.raises(NeverLeft):
        OneShot(SystemClock(), budget_seconds=5).call("POST", url, headers={}, body=b"order")


def test_nothing_is_read_from_him_either(stranger: tuple[str, Path]) -> None:
    url, _ = stranger
    reader = HttpReader(SystemClock(), limits=ReadLimits(attempts=1))

    with pytest.raises(VenueUnreachableError):
        reader.get(url)


def test_authorities_are_read_once() -> None:
    assert trust() is trust()
    assert trust().verify_mode is ssl.CERT_REQUIRED
    assert trust().check_hostname
