"""A session key in the keystore trades, its credentials are replaced while the engine runs, and no secret
that was planted on the way is found anywhere that people or programs read."""

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from polyb0t.core.practice import practice_key
from polyb0t.venue.signing import SigningKey
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

SESSION = practice_key(40)
PASSWORD = "canary-of-the-keystore-7391"
DEPOSIT: Any = {"POLYBOT_VENUE": "sandbox", "POLYBOT_SIGNATURE_TYPE": "3"}
PLANTED = {"signing key": SESSION, "password": PASSWORD}
IN_THE_SHELL = {
    "POLYBOT_PRIVATE_KEY": practice_key(41),
    "POLYBOT_RELAYER_API_KEY": "canary-of-the-relayer-2286",
    "POLYBOT_RELAYER_API_KEY_ADDRESS": SigningKey(practice_key(41)).address,
}
# What the exchange itself keeps, and the files that are there to hold secrets.
MEANT = ("credentials.json", "signing-key.json", "world.json")


def descriptor(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """One run for both: what the first test does is what the second looks for traces of."""
    with household(tmp_path_factory.mktemp("keys")) as made:
        made.cold = True  # what /proc shows of each process is what it was started with
        made.start_sandbox()
        yield made


def authorise(home: Household) -> str:
    accounts = home.http("GET", "/sandbox/environment")["accounts"]
    wallet: str = next(one["wallet"] for one in accounts if one["signature_type"] == 3)
    body = {"wallet": wallet, "address": SigningKey(SESSION).address, "seconds": 86_400}
    home.http("PUT", "/sandbox/session-keys", body)
    return wallet


def store_the_key(home: Household) -> str:
    key, password = descriptor(SESSION), descriptor(PASSWORD + "\n")
    options = ("--key-fd", str(key), "--password-fd", str(password))
    said = home.command("auth", "import", *options, fds=(key, password), **DEPOSIT)
    os.close(key)
    os.close(password)
    return said


def start(home: Household, **more: str) -> Any:
    password = descriptor(PASSWORD + "\n")
    engine = home.start_engine(
        practice=True, fds=(password,), POLYBOT_KEYSTORE_PASSWORD_FD=str(password), **DEPOSIT, **more
    )
    os.close(password)
    return engine


def told(home: Household, *command: str) -> Any:
    return json.loads(home.command(*command, "--json", **DEPOSIT))


def buy(home: Household, but: str = "") -> Any:
    """Approve a proposal and wait until its fill is final."""

    def proposals() -> list[Any]:
        listed = home.ask("GET", "/intents?status=PENDING")
        return [one for one in listed if one["asset_id"] != but]

    [proposal, *_] = eventually(proposals, what="a proposal")
    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10", **DEPOSIT)
    eventually(
        lambda: all(row["status"] in ("FILLED", "CANCELLED") for row in home.ask("GET", "/orders")),
        what="the end of every order",
    )
    return proposal


def secrets_of(home: Household) -> dict[str, str]:
    """The API credentials that lie in the data directory now."""
    [file] = (home.folder / "data").glob("sandbox-*/credentials.json")
    stored = json.loads(file.read_text())
    return {f"{name} {stored['nonce']}": stored[name] for name in ("api_key", "secret", "passphrase")}


def disguises(secret: str) -> Iterator[bytes]:
    """As it is, and as programs write it by mistake."""
    plain = secret.removeprefix("0x")
    for text in {plain, plain.lower(), plain.upper(), quote(plain, safe="")}:
        yield text.encode()
    yield base64.b64encode(plain.encode()).rstrip(b"=")
    if len(plain) == 64:
        yield bytes.fromhex(plain)
        yield base64.b64encode(bytes.fromhex(plain)).rstrip(b"=")


def everywhere(home: Household) -> Iterator[tuple[str, bytes]]:
    """Every file of the household: databases with their logs of changes, logs, outputs, anchors, records."""
    for path in sorted(home.folder.rglob("*")):
        if path.is_file() and path.name not in MEANT and path.name != "sandbox.out":
            yield str(path.relative_to(home.folder)), path.read_bytes()


def answers(home: Household) -> Iterator[tuple[str, bytes]]:
    """What the API says on every path that it has, and to requests that are wrong."""
    paths = json.loads(_get(home, "/openapi.json"))["paths"]
    for path in paths:
        if "{" not in path:
            yield path, _get(home, f"{path}?after=0&follow=false" if path == "/events" else path)
    for path in (
        "/intents/zzzz",
        "/intents?limit=x",
        "/orders/zzzz",
        "/nowhere",
        "/metrics",
        "/events?after=x",
    ):
        yield path, _get(home, path)


def _get(home: Household, path: str) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{home.api_port}{path}", timeout=10) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read()


def processes(home: Household) -> Iterator[tuple[str, bytes]]:
    """The command lines of everything that runs, and the environment of what signs nothing."""
    for name, process in home.processes.items():
        proc = Path(f"/proc/{process.pid}")
        if process.poll() is None and proc.exists():
            yield f"{name}: command line", (proc / "cmdline").read_bytes()
            yield f"{name}: environment", (proc / "environ").read_bytes()


COMMANDS = (
    ("status",),
    ("account", "--json"),
    ("positions", "--json"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("auth", "check", "--json"),
    ("auth", "check"),
    ("events", "--after", "0", "--json"),
    ("doctor", "--json"),
    ("audit", "verify", "--json"),
    ("orders", "list", "--json"),
    ("kill-switches", "list", "--json"),
)


def everything_is_told(home: Household) -> None:
    """Errors of each kind, and whatever a person would type then."""
    faults = [
        {
            "action": "status",
            "path": "/clob/data/orders",
            "status": 500,
            "body": "<html>oops</html>",
            "count": 2,
        },
        {"action": "cut_body", "path": "/clob/balance-allowance", "count": 2},
        {
            "action": "status",
            "path": "/clob/order",
            "status": 401,
            "body": {"error": "Unauthorized"},
            "count": 1,
        },
    ]
    home.http("PUT", "/sandbox/faults", faults)
    waiting = eventually(lambda: home.ask("GET", "/intents?status=PENDING"), what="a proposal")
    home.spawn("refused", "-m", "polyb0t", "intents", "approve", waiting[0]["id"], "--yes", **DEPOSIT).wait(
        60
    )
    home.command("auth", "derive", code=5, **DEPOSIT)  # nobody gives it the password
    home.command("orders", "cancel", "0xnothing", code=3, **DEPOSIT)
    shell = {**DEPOSIT, **IN_THE_SHELL}  # a person who keeps keys in the shell, as LIVE_MODE_README allows
    running = [home.spawn("-".join(command), "-m", "polyb0t", *command, **shell) for command in COMMANDS]
    for process in running:
        process.wait(60)


def test_a_session_key_trades_and_its_credentials_are_replaced_without_a_restart(home: Household) -> None:
    trades_and_replaces(home)


def trades_and_replaces(home: Household) -> None:
    wallet = authorise(home)
    assert "session key" in store_the_key(home)
    dry_run = ("run", "--live", "--sandbox", "--cycles", "1")
    home.command(*dry_run, **DEPOSIT)  # without any password: it reads no key
    home.command(*dry_run, "--no-dry-run", "--yes", code=5, **DEPOSIT)
    engine = start(home, POLYBOT_LOG_LEVEL="debug")
    home.start_api()
    first = buy(home)

    before = secrets_of(home)
    done = told(home, "auth", "rotate")

    assert (done["by_engine"], done["revoked"]) == (True, True)
    after = secrets_of(home)
    assert not set(after.values()) & set(before.values())
    PLANTED.update(before | after)
    buy(home, but=first["asset_id"])
    assert engine.poll() is None
    orders = {row["id"]: row for row in told(home, "orders", "list")}
    taken = home.ledger_orders(wallet)
    assert {row["order_id"] for row in taken} == set(orders)  # each once, at the exchange and here
    assert told(home, "audit", "verify")["findings"] == []


def test_no_secret_is_found_in_any_log_table_error_trace_metric_or_answer(home: Household) -> None:
    if len(PLANTED) < 8:  # this one alone, or in another process than the test above
        trades_and_replaces(home)
    assert len(PLANTED) == 8  # two sets of credentials among them
    PLANTED["key in a shell"] = IN_THE_SHELL["POLYBOT_PRIVATE_KEY"]
    PLANTED["relayer's key"] = IN_THE_SHELL["POLYBOT_RELAYER_API_KEY"]
    everything_is_told(home)

    places = [*everywhere(home), *answers(home), *processes(home)]

    found = [
        (place, name)
        for place, content in places
        for name, secret in PLANTED.items()
        if any(one in content for one in disguises(secret))
    ]
    assert found == []
    assert len(places) > 40
    assert any("polyb0t.log" in place for place, _ in places)
    assert any("sqlite3" in place for place, _ in places)
