"""`doctor`: every check that can be made without signing anything, each with what to do about it.

It reads only, and never the signing key. A check that cannot be made says why and is `not run`: it is
never a pass. To add a check, write a function that answers with one and call it in `diagnose`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from polyb0t.config.settings import PREFIX, Settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import Wallet
from polyb0t.core.units import Pusd
from polyb0t.db.stores import open_stores
from polyb0t.execution.store import Stores
from polyb0t.models.account_size import Purse, smallest_order, too_small
from polyb0t.models.usage import SmallOrders
from polyb0t.models.wording import money
from polyb0t.runtime import doctor_database
from polyb0t.runtime.account import Account, credentials_file, stored_account
from polyb0t.runtime.approvers_check import check_approvers
from polyb0t.runtime.chain import chain_door
from polyb0t.runtime.choices import limit_settings, regime_of, risk_limits
from polyb0t.runtime.limit_book import within_budget
from polyb0t.runtime.outside_check import check_outside
from polyb0t.runtime.places import database_url
from polyb0t.runtime.proofs_check import check_proofs
from polyb0t.runtime.relayer_key import relayer_key
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.venue.account import PolymarketAccount
from polyb0t.venue.credentials import load_credentials
from polyb0t.venue.diagnosis import WalletFacts, check_network, check_wallet
from polyb0t.venue.http import HttpReader
from polyb0t.venue.preflight import Check as Check  # noqa: PLC0414 - for whoever shows a diagnosis
from polyb0t.venue.preflight import CheckState as CheckState  # noqa: PLC0414
from polyb0t.venue.preflight import run_preflight

# The preflight's checks under the names that a person reads here.
_NAMES: Final = {"location": "region", "allowances": "spending", "version": "order system"}
START_ONCE: Final = "Start the engine once with money: polyb0t run --live --no-dry-run"
# What may stay open although everything else is right: the engine refuses openings for the first by itself.
_LATER: Final = frozenset({"test order"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings in the order in which they were made."""

    place: str  # SANDBOX or POLYMARKET
    wallet: str
    live: bool
    checks: tuple[Check, ...]
    why: str = ""  # this place, where the settings name none

    def count(self, state: CheckState) -> int:
        return sum(check.state is state for check in self.checks)

    @property
    def failed(self) -> bool:
        """Whether something is wrong, or, for real orders, something needed could not be looked at."""
        blind = self.live and any(
            check.state is CheckState.NOT_RUN and check.name not in _LATER for check in self.checks
        )
        return bool(self.count(CheckState.FAILED)) or blind

    @property
    def ready(self) -> bool:
        """Whether orders may be meant: nothing failed, and the test order was passed where it is asked."""
        proven = all(check.state is CheckState.OK for check in self.checks if check.name == "test order")
        return not self.failed and (proven or not self.live or self.place == "SANDBOX")


def diagnose(settings: Settings, *, live: bool, clock: Clock | None = None) -> Diagnosis:
    """Look at everything. With `live` also at the account, through the credentials that are stored here.

    Never raises for what it finds.
    """
    clock = clock or SystemClock()
    checks = [_settings(settings)]
    try:
        around = look_around(settings)
    except PolybotError as error:
        name = "network" if settings.is_sandbox else "wallet"
        failed = Check(name, CheckState.FAILED, " ".join(filter(None, (error.what, error.why))), error.do)
        skipped = [Check(each, CheckState.NOT_RUN, f"It needs the {name}.") for each in _NEEDS_A_PLACE]
        checks += [failed, *(check for check in skipped if check.name != name)]
        return Diagnosis(settings.venue.upper(), settings.wallet_address or "", live, tuple(checks))
    database, stores = _stores(settings, around, clock)
    account, missing = _account(settings, around, stores, clock) if live else (Account(), None)
    checks.append(database)
    checks += _venue(around, account, settings, clock)
    if missing is not None:
        checks = [_explained(check, missing) for check in checks]
    checks += check_approvers(settings, stores)
    checks += check_outside(settings, clock)
    if live:
        checks.append(_size(settings, around, account, clock))
        checks.append(check_proofs(around, stores))
        checks += claims_checks(settings, around, clock)
    return Diagnosis(around.environment.name.upper(), around.wallet, live, tuple(checks))


_NEEDS_A_PLACE: Final = ("database", "clock", "network", "region", "wallet")


def claims_checks(settings: Settings, around: Surroundings, clock: Clock) -> Sequence[Check]:
    """What claiming a settled position needs: node, relayer, approvals. One value a check."""
    try:
        owner = _owner(settings, around) or around.wallet
        with chain_door(settings, around, clock) as door:
            return door.checks(relayer_key(around, owner))
    except PolybotError as error:
        detail = " ".join(filter(None, (error.what, error.why)))
        return (Check("claims", CheckState.FAILED, detail, error.do),)


def _settings(settings: Settings) -> Check:
    given = len(settings.model_fields_set)
    dry = "A start from here is a dry run."
    if not settings.dry_run:
        dry = "A start from here sends what is approved."
    return Check("settings", CheckState.OK, f"{given} set, none unknown. {dry}")


def _stores(settings: Settings, around: Surroundings, clock: Clock) -> tuple[Check, Stores | None]:
    """The database's check, and its storage where it can be used."""
    url = database_url(settings, around.scope)
    check = doctor_database.check(url)
    if check.state not in (CheckState.OK, CheckState.WARNING):
        return check, None
    try:
        stores = open_stores(
            url,
            around.scope,
            clock,
            opening_cooldown_seconds=settings.cooldown_seconds,
            lease_seconds=settings.lease_seconds,
        )
    except PolybotError as error:
        why = " ".join(filter(None, (error.what, error.why)))
        return replace(check, state=CheckState.FAILED, detail=why, do=error.do), None
    return doctor_database.with_backup(check, stores, clock.now()), stores


def _account(
    settings: Settings, around: Surroundings, stores: Stores | None, clock: Clock
) -> tuple[Account, Check | None]:
    """The account by its stored credentials; without any, why its checks are not run."""
    missing = Check("", CheckState.NOT_RUN, "No credentials of this wallet are stored here yet.", START_ONCE)
    if stores is None:
        return Account(), missing
    try:
        account = stored_account(settings, around, stores, clock)
    except PolybotError as error:
        return Account(), replace(missing, detail=f"{error.what} {error.why}".strip(), do=error.do)
    return account, missing if account.api is None else None


def _venue(around: Surroundings, account: Account, settings: Settings, clock: Clock) -> list[Check]:
    """What the exchange is asked: the preflight's checks, and three that only a diagnosis makes."""
    found = run_preflight(around.environment, around.wallet, account.api, clock)
    theirs = [replace(check, name=_NAMES.get(check.name, check.name)) for check in found]
    facts = WalletFacts(around.wallet, around.signature_type, _owner(settings, around))
    network = check_network(around.environment, around.wallet, clock)
    wallet = _guarded("wallet", lambda: check_wallet(around.environment, facts, clock))
    return [theirs[0], network, *theirs[1:3], wallet, *theirs[3:]]


def _owner(settings: Settings, around: Surroundings) -> Wallet | None:
    try:
        credentials = load_credentials(credentials_file(settings, around))
    except PolybotError:
        return None  # the account's own check says why they cannot be read
    return None if credentials is None else credentials.address


def _explained(check: Check, missing: Check) -> Check:
    """The reason that is true here, in place of the preflight's."""
    of_account = check.name in ("credentials", "account", "spending") and check.state is CheckState.NOT_RUN
    return replace(missing, name=check.name) if of_account else check


def _size(settings: Settings, around: Surroundings, account: Account, clock: Clock) -> Check:
    """Whether any order fits between this account's limits and the exchange's smallest."""
    cash = None
    if account.api is not None:
        with HttpReader(clock, sandbox=around.environment.is_sandbox) as reader:
            real = PolymarketAccount(
                around.environment, around.wallet, reader=reader, clock=clock, api=account.api
            )
            cash = real.cash_pusd()
    if cash is None:
        return Check("account size", CheckState.NOT_RUN, "The account's cash could not be read.", START_ONCE)
    limits, lists = risk_limits(settings), limit_settings(settings, regime_of(settings))
    bankroll = within_budget(cash, limits) or Pusd(cash)
    phase = SmallOrders(0, lists.small_orders, lists.small_order_pusd)
    problem = too_small(Purse(bankroll, limits, phase), smallest_order((), limits))
    if problem is not None:
        do = problem.do.removeprefix("Do: ")
        return Check("account size", CheckState.WARNING, problem.what, do)
    return Check("account size", CheckState.OK, f"{money(cash)} pUSD in cash; orders fit")


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except PolybotError as error:
        detail = " ".join(filter(None, (error.what, error.why)))
        return Check(name, CheckState.FAILED, detail, error.do or "Run it again in a minute.")


def unreadable(error: PolybotError, *, live: bool) -> Diagnosis:
    """What is left to say when the settings themselves cannot be read."""
    detail = " ".join(filter(None, (error.what, error.why)))
    failed = Check("settings", CheckState.FAILED, detail, error.do or f"Correct the {PREFIX} settings.")
    skipped = tuple(Check(name, CheckState.NOT_RUN, "It needs the settings.") for name in _NEEDS_A_PLACE)
    return Diagnosis("", "", live, (failed, *skipped))
