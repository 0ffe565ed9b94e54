"""Before orders may leave: every check says what it found, and not knowing is never a pass."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.environment import POLYMARKET, fetch_sandbox_environment, from_sandbox
from polyb0t.venue.preflight import Check, CheckState, run_preflight
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import Connected, connected

NAMES = ["clock", "version", "location", "credentials", "account", "allowances", "selling"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=2) as running:
        yield running


@pytest.fixture
def venue(sandbox: RunningSandbox) -> Iterator[Connected]:
    sandbox.faults.clear()
    with connected(sandbox) as link:
        yield link
    sandbox.faults.clear()


def checks(venue: Connected, clock: Clock | None = None, *, live: bool = True) -> dict[str, Check]:
    found = run_preflight(venue.environment, venue.wallet, venue.api if live else None, clock or venue.clock)
    assert [check.name for check in found] == NAMES
    assert all(check.do for check in found if check.state in (CheckState.FAILED, CheckState.WARNING))
    return {check.name: check for check in found}


def test_everything_is_right_on_a_sandbox(venue: Connected) -> None:
    assert {check.state for check in checks(venue).values()} == {CheckState.OK}


def test_without_credentials_the_accounts_checks_are_not_run_and_say_so(venue: Connected) -> None:
    found = checks(venue, live=False)
    not_run = {name for name, check in found.items() if check.state is CheckState.NOT_RUN}
    assert not_run == {"credentials", "account", "allowances"}


class Shifted(SystemClock):
    """A machine whose clock is wrong."""

    def __init__(self, seconds: float) -> None:
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._shift


@pytest.mark.parametrize("seconds", [-3.2, 4.2, 3_600, -3_600])
def test_a_clock_that_is_off_fails(venue: Connected, seconds: float) -> None:
    assert checks(venue, Shifted(seconds))["clock"].state is CheckState.FAILED


@pytest.mark.parametrize(
    ("path", "body", "name", "state"),
    [
        ("/clob/version", {"version": 3}, "version", CheckState.FAILED),
        ("/clob/version", {"version": "2"}, "version", CheckState.FAILED),
        ("/clob/version", {}, "version", CheckState.FAILED),
        ("/api/geoblock", {"blocked": True, "country": "XX"}, "location", CheckState.FAILED),
        ("/api/geoblock", {"blocked": "no"}, "location", CheckState.FAILED),
        ("/api/geoblock", {}, "location", CheckState.FAILED),
        ("/clob/auth/api-keys", {"apiKeys": ["another"]}, "credentials", CheckState.FAILED),
        ("/clob/auth/api-keys", {}, "credentials", CheckState.FAILED),
        ("/clob/auth/ban-status/closed-only", {"closed_only": True}, "account", CheckState.FAILED),
        ("/clob/auth/ban-status/closed-only", {}, "account", CheckState.FAILED),
        ("/clob/balance-allowance", {"balance": "0", "allowances": {}}, "allowances", CheckState.FAILED),
        (
            "/clob/balance-allowance",
            {"balance": "0", "allowances": {POLYMARKET.contracts["exchange_v2"]: "1"}},
            "allowances",
            CheckState.WARNING,
        ),
        ("/data/v2/approvals", {"data": {"contracts": []}}, "selling", CheckState.WARNING),
        ("/clob/time", "soon", "clock", CheckState.FAILED),
    ],
)
def test_what_is_wrong_is_found(
    venue: Connected, path: str, body: object, name: str, state: CheckState
) -> None:
    kind = "application/json"
    venue.sandbox.faults.replace([Fault("status", path, status=200, body=body, content_type=kind)])
    found = checks(venue)
    assert found[name].state is state
    assert {check.state for other, check in found.items() if other != name} == {CheckState.OK}


def test_an_approval_that_only_says_max_is_no_approval(venue: Connected) -> None:
    contracts = POLYMARKET.contracts
    rows = [
        {
            "token": contracts["conditional_tokens"],
            "spender": contracts[name],
            "approved": False,
            "amount": "max",
        }
        for name in ("exchange_v2", "neg_risk_exchange_v2")
    ]
    body = {"data": {"contracts": rows}}
    venue.sandbox.faults.replace([Fault("status", "/data/v2/approvals", status=200, body=body)])
    assert checks(venue)["selling"].state is CheckState.WARNING


@pytest.mark.parametrize("lacking", ["exchange_v2", "neg_risk_exchange_v2", "exchange_v3"])
def test_each_exchange_has_to_be_approved_by_the_ledger_of_its_shares(venue: Connected, lacking: str) -> None:
    contracts = POLYMARKET.contracts
    ledgers = {
        "exchange_v2": "conditional_tokens",
        "neg_risk_exchange_v2": "conditional_tokens",
        "exchange_v3": "position_manager",
    }
    rows = [
        {"token": contracts[ledger], "spender": contracts[name], "approved": name != lacking, "amount": "max"}
        for name, ledger in ledgers.items()
    ]
    body = {"data": {"contracts": rows}}
    venue.sandbox.faults.replace([Fault("status", "/data/v2/approvals", status=200, body=body)])
    found = checks(venue)["selling"]
    assert found.state is CheckState.WARNING
    assert lacking in found.detail


def test_a_venue_that_does_not_answer_fails_every_check(venue: Connected) -> None:
    venue.sandbox.faults.replace([Fault("drop_before", "/")])
    assert {check.state for check in checks(venue).values()} == {CheckState.FAILED}


# --- where the venue is --------------------------------------------------------------------------------


def test_the_sandbox_tells_its_own_environment(sandbox: RunningSandbox) -> None:
    environment = fetch_sandbox_environment(sandbox.url + "/", SystemClock())
    assert environment.is_sandbox
    assert environment.world_id == sandbox.world.world_id
    assert environment.clob_url == f"{sandbox.url}/clob"
    assert environment.contracts == dict(POLYMARKET.contracts)
    first = environment.accounts[0]
    assert (first.wallet, first.funding) == (sandbox.account(0).wallet, Decimal(10_000))
    assert first.key not in repr(environment)


def test_a_sandbox_that_points_at_another_machine_is_refused(sandbox: RunningSandbox) -> None:
    told = sandbox.environment()
    urls = sandbox.urls()
    for name in ("clob", "gamma", "data", "market_ws", "user_ws", "geoblock", "relayer"):
        elsewhere = {**told, "urls": {**urls, name: "https://clob.polymarket.com"}}
        with pytest.raises(ConfigurationError) as refused:
            from_sandbox(elsewhere, sandbox.url)
        assert refused.value.code == "not_a_sandbox"


@pytest.mark.parametrize("missing", ["urls", "contracts", "accounts", "world_id", "chain_id"])
def test_what_is_no_sandbox_is_refused(sandbox: RunningSandbox, missing: str) -> None:
    told = {name: value for name, value in sandbox.environment().items() if name != missing}
    with pytest.raises(ConfigurationError):
        from_sandbox(told, sandbox.url)
    bodies: tuple[object, ...] = (None, [], "x", {})
    for body in bodies:
        with pytest.raises(ConfigurationError):
            from_sandbox(body, sandbox.url)


def test_no_sandbox_at_all_names_the_command_that_starts_one() -> None:
    with pytest.raises(VenueUnreachableError) as raised:
        fetch_sandbox_environment("http://127.0.0.1:9", SystemClock())
    assert "polyb0t sandbox" in str(raised.value)
