"""What must be right before orders may leave: each check a value with a remedy, none of them silent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import Wallet
from polyb0t.core.units import ZERO
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.account_parsing import parse_balance
from polyb0t.venue.environment import EXCHANGES, VenueEnvironment
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.parsing import Refused, Wire, as_object, flag, text
from polyb0t.venue.venue_time import venue_second

CLOB_GENERATION: Final = 2
WARN_SKEW: Final = timedelta(seconds=1)
MOST_SKEW: Final = timedelta(seconds=2)
# Who keeps the shares, and which contract has to be allowed to take them: the newer protocol has its own.
_SELLING: Final = (
    ("conditional_tokens", "exchange_v2"),
    ("conditional_tokens", "neg_risk_exchange_v2"),
    ("position_manager", "exchange_v3"),
)
_LIMITS: Final = ReadLimits(total_seconds=8, attempts=2, budget_seconds=10)


class CheckState(StrEnum):
    OK = "ok"
    FAILED = "failed"  # orders may not leave
    WARNING = "warning"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `do` is what a person can do about it, "" where nothing is wrong."""

    name: str
    state: CheckState
    detail: str
    do: str = ""


def run_preflight(
    environment: VenueEnvironment, wallet: Wallet, api: AccountApi | None, clock: Clock
) -> tuple[Check, ...]:
    """All checks that ask the venue, in the order in which a person would fix them.

    Nothing is changed there. Never raises for an answer: what can not be asked has failed. Without an
    `api` the account's checks are reported as not run.
    """
    with HttpReader(clock, limits=_LIMITS, sandbox=environment.is_sandbox) as reader:
        return _Preflight(environment, wallet, reader, clock, api).run()


@dataclass(frozen=True, slots=True)
class _Preflight:
    environment: VenueEnvironment
    wallet: Wallet
    reader: HttpReader
    clock: Clock
    api: AccountApi | None

    def run(self) -> tuple[Check, ...]:
        return (
            _guarded("clock", self._check_clock),
            _guarded("version", self._check_version),
            _guarded("location", self._check_location),
            self._of_account("credentials", self._check_credentials),
            self._of_account("account", self._check_closed_only),
            self._of_account("allowances", self._check_allowances),
            _guarded("selling", self._check_selling),
        )

    def _of_account(self, name: str, inspect: Callable[[AccountApi], Check]) -> Check:
        api = self.api
        if api is None:
            return Check(name, CheckState.NOT_RUN, "Only the live regime uses the account.")
        return _guarded(name, lambda: inspect(api))

    def _check_clock(self) -> Check:
        """The venue tells whole seconds, so up to one second of difference is no difference."""
        before = self.clock.now()
        there = venue_second(self.reader, self.environment.clob_url)
        after = self.clock.now()
        ahead = before - (there + timedelta(seconds=1))  # at least this much ahead of the venue
        behind = there - after  # at least this much behind it
        skew = max(ahead, behind, timedelta(0))
        detail = f"This machine and the exchange differ by {skew.total_seconds():.1f} s."
        if skew > MOST_SKEW:
            return Check("clock", CheckState.FAILED, detail, "Set this machine's clock (NTP).")
        if skew > WARN_SKEW:
            return Check("clock", CheckState.WARNING, detail, "Set this machine's clock (NTP).")
        return Check("clock", CheckState.OK, detail)

    def _check_version(self) -> Check:
        answer = as_object(self._json(f"{self.environment.clob_url}/version"), "the version")
        version = answer.get("version")
        if version == CLOB_GENERATION and not isinstance(version, bool):
            return Check("version", CheckState.OK, f"The order system is generation {CLOB_GENERATION}.")
        return Check(
            "version",
            CheckState.FAILED,
            f"The order system says generation {version!r:.20}, not {CLOB_GENERATION}.",
            "Orders signed by this version may be refused or misread: look for a newer polyb0t.",
        )

    def _check_location(self) -> Check:
        answer = as_object(self._json(self.environment.geoblock_url), "the answer")
        blocked = flag(answer, "blocked")
        place = " ".join(part for part in (text(answer, "country"), text(answer, "region")) if part)
        if blocked is None:
            raise Refused("malformed", "blocked is missing")
        if blocked:
            return Check(
                "location",
                CheckState.FAILED,
                f"The exchange takes no orders from here ({place or 'place unknown'}).",
                "Trade only from where the exchange permits it.",
            )
        return Check("location", CheckState.OK, "The exchange takes orders from here.")

    def _check_credentials(self, api: AccountApi) -> Check:
        keys = as_object(api.read("/auth/api-keys"), "the answer").get("apiKeys")
        if isinstance(keys, list) and api.credentials.api_key in keys:
            return Check("credentials", CheckState.OK, "The exchange knows our API credentials.")
        return Check(
            "credentials",
            CheckState.FAILED,
            "The exchange does not list our API credentials.",
            "Remove the stored credentials; new ones are made at the next start.",
        )

    def _check_closed_only(self, api: AccountApi) -> Check:
        closed = flag(as_object(api.read("/auth/ban-status/closed-only"), "the answer"), "closed_only")
        if closed is None:
            raise Refused("malformed", "closed_only is missing")
        if closed:
            return Check(
                "account",
                CheckState.FAILED,
                "The exchange lets this account only close positions.",
                "Ask the exchange's support.",
            )
        return Check("account", CheckState.OK, "The account may open positions.")

    def _check_allowances(self, api: AccountApi) -> Check:
        """Spending money needs an allowance for the exchange contract of a market's kind."""
        wanted = {"asset_type": "COLLATERAL", "signature_type": str(api.wallet.signature_type)}
        allowed = parse_balance(api.read("/balance-allowance", wanted)).allowances
        lacking = [name for name in EXCHANGES if allowed.get(self.environment.contracts[name], ZERO) <= ZERO]
        if not lacking:
            return Check("allowances", CheckState.OK, "Every exchange contract may take pUSD.")
        state = CheckState.FAILED if len(lacking) == len(EXCHANGES) else CheckState.WARNING
        return Check(
            "allowances",
            state,
            f"No allowance for {', '.join(lacking)}: orders in markets of these would be refused.",
            "Approve trading once on the exchange's website with this wallet.",
        )

    def _check_selling(self) -> Check:
        """Selling needs the ledger's approval of the exchange contract; the public index knows it."""
        url = f"{self.environment.data_url}/v2/approvals"
        answer = as_object(self.reader.parsed(self.reader.get(url, {"user": self.wallet})), "the answer")
        rows = as_object(answer.get("data"), "data").get("contracts")
        if not isinstance(rows, list):
            raise Refused("malformed", "contracts is not a list")
        approved = {_approved(as_object(row, "an approval")) for row in rows}
        contracts = self.environment.contracts
        lacking = [
            exchange
            for ledger, exchange in _SELLING
            if (contracts[ledger].lower(), contracts[exchange].lower()) not in approved
        ]
        if not lacking:
            return Check("selling", CheckState.OK, "Every exchange contract may take shares.")
        return Check(
            "selling",
            CheckState.WARNING,
            f"The index shows no approval of {', '.join(lacking)}: sales there would be refused.",
            "Approve trading once on the exchange's website with this wallet.",
        )

    def _json(self, url: str) -> object:
        return self.reader.parsed(self.reader.get(url))


def _approved(row: Wire) -> tuple[str, str]:
    """Token and spender of an approval; a pair of nothing where it is not approved."""
    if flag(row, "approved") is not True:
        return "", ""  # the amount may say "max" all the same
    return text(row, "token").lower(), text(row, "spender").lower()


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """The finding, or the failure to look, which is never a pass."""
    try:
        return check()
    except PolybotError as error:
        detail = " ".join(part for part in (error.what, error.why) if part)
        return Check(name, CheckState.FAILED, detail, error.do or "Check the connection, then start again.")
