"""`auth check`: which keys and credentials there are, whose they are, and whether the exchange takes them.

It reads, and opens nothing: no key is decrypted, and of one in the environment only that it is there.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import Wallet
from polyb0t.db.stores import open_stores
from polyb0t.runtime.account import Account, build_account, credentials_file
from polyb0t.runtime.auth import surroundings
from polyb0t.runtime.keys import KEY_NAME, whose
from polyb0t.runtime.keystore import OWNER_KEY, RELAYER_KEY, SIGNING_KEY, Keystore
from polyb0t.runtime.places import database_url
from polyb0t.runtime.relayer_key import RELAYER_KEY_NAME
from polyb0t.runtime.rotating import in_force, retired_file, verify
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.credentials import ApiCredentials, load_credentials
from polyb0t.venue.preflight import Check, CheckState
from polyb0t.venue.session_keys import session_keys
from polyb0t.venue.signing import POLY_1271, checksummed
from polyb0t.venue.wallets import is_session_key

SOON: Final = timedelta(days=14)
_IMPORT: Final = "Store one: polyb0t auth import"
_ROTATE: Final = "polyb0t auth rotate"


@dataclass(frozen=True, slots=True)
class AuthFacts:
    """For the screen."""

    place: str
    wallet: str
    signature_type: int
    checks: tuple[Check, ...]

    @property
    def failed(self) -> bool:
        return any(check.state is CheckState.FAILED for check in self.checks)


def check(settings: Settings, clock: Clock | None = None) -> AuthFacts:
    """Look at everything. Raises as `look_around` does; what is found is in the checks."""
    clock = clock or SystemClock()
    around, keystore = surroundings(settings)
    key, address = _key(around, keystore)
    stored = _credentials(settings, around)
    checks = [key, *_others(keystore)]
    if isinstance(stored, Check):
        checks.append(stored)
    else:
        checks += _asked(settings, around, stored, address, clock)
    place = around.environment.name.upper()
    return AuthFacts(place, around.wallet, around.signature_type, tuple(checks))


def _key(around: Surroundings, keystore: Keystore) -> tuple[Check, Wallet | None]:
    """Where the engine would take its key from, and its address as far as that is known unopened."""
    if os.environ.get(KEY_NAME, "").strip():
        detail = f"{KEY_NAME} is set in this shell. The engine reads it from its own environment."
        return Check("signing key", CheckState.OK, detail), None
    try:
        noted = keystore.address(SIGNING_KEY)
    except PolybotError as error:
        return Check("signing key", CheckState.FAILED, str(error), error.do), None
    if noted is not None:
        address = checksummed(noted)
        detail = f"In the keystore, encrypted: {address}, {whose(around, address)}."
        session = is_session_key(address, around.wallet, around.signature_type)
        if around.signature_type == POLY_1271 and not session:
            do = "A session key can do the engine's work and cannot withdraw: polyb0t auth import --new"
            return Check("signing key", CheckState.WARNING, detail, do), address
        wrong = around.signature_type == 0 and address != around.wallet
        state = CheckState.FAILED if wrong else CheckState.OK
        return Check("signing key", state, detail, "Store the wallet's own key." if wrong else ""), address
    practice = next((a for a in around.environment.accounts if a.wallet == around.wallet), None)
    if practice is not None:
        return Check("signing key", CheckState.OK, "The practice account's own, which everybody knows."), None
    detail = f"None is stored, and {KEY_NAME} is not set here. Live orders could not be signed."
    return Check("signing key", CheckState.WARNING, detail, _IMPORT), None


def _others(keystore: Keystore) -> list[Check]:
    """What else lies in the keystore, by name."""
    found = []
    for name in keystore.names():
        if name == SIGNING_KEY:
            continue
        try:
            noted = keystore.address(name)
            whom = f" of {checksummed(noted)}" if noted and name in (OWNER_KEY, RELAYER_KEY) else ""
            found.append(Check(name, CheckState.OK, f"In the keystore, encrypted{whom}."))
        except PolybotError as error:
            found.append(Check(name, CheckState.FAILED, str(error), error.do))
    if os.environ.get(RELAYER_KEY_NAME, "").strip():
        found.append(Check(RELAYER_KEY, CheckState.OK, f"{RELAYER_KEY_NAME} is set in this shell."))
    return found


def _credentials(settings: Settings, around: Surroundings) -> ApiCredentials | Check:
    try:
        stored = load_credentials(credentials_file(settings, around))
    except PolybotError as error:
        return Check("credentials", CheckState.FAILED, f"{error.what} {error.why}", error.do)
    if stored is not None:
        return stored
    detail = "No API credentials are stored here: nothing can be read, placed or cancelled with."
    return Check("credentials", CheckState.WARNING, detail, "Get them with the key: polyb0t auth derive")


def _asked(
    settings: Settings,
    around: Surroundings,
    credentials: ApiCredentials,
    key: Wallet | None,
    clock: Clock,
) -> list[Check]:
    """What the exchange says to the stored credentials."""
    if key is not None and key != credentials.address:
        detail = f"Those that are stored belong to {credentials.address}, not to the stored signing key."
        do = "They are replaced at the next start with it, or now: polyb0t auth derive"
        return [Check("credentials", CheckState.WARNING, detail, do)]
    try:
        stores = open_stores(database_url(settings, around.scope), around.scope, clock)
    except PolybotError as error:
        return [Check("credentials", CheckState.NOT_RUN, str(error), "Bring the database up: polyb0t doctor")]
    account = build_account(around, stores, credentials, None, clock)
    try:
        last = in_force(stores)
        outdated = last and last.address == credentials.address and last.credential_id != credentials.id
        found = [_taken(account, credentials, outdated=bool(outdated)), *_retired(settings, around, account)]
        if account.api is not None and around.signature_type == POLY_1271:
            found.append(_session(account, around, clock.now()))
        found.append(_open(account))
        return found
    finally:
        account.close()
        stores.close()


def _taken(account: Account, credentials: ApiCredentials, *, outdated: bool) -> Check:
    assert account.api is not None
    named = f"{credentials.id} of {credentials.address}"
    if outdated:
        do = "Start the engine here once, or: polyb0t auth derive"
        return Check("credentials", CheckState.FAILED, f"{named} were replaced by another machine.", do)
    try:
        verify(account.api)
    except PolybotError as error:
        detail = f"The exchange did not take {named}: {error.why or error.what}"
        return Check("credentials", CheckState.FAILED, detail, f"If it answers others: {_ROTATE}")
    return Check("credentials", CheckState.OK, f"{named}: the exchange takes them.")


def _retired(settings: Settings, around: Surroundings, account: Account) -> list[Check]:
    """Credentials that were replaced and may be valid still."""
    assert account.api is not None
    path = retired_file(credentials_file(settings, around))
    try:
        left = load_credentials(path)
    except PolybotError as error:
        return [Check("old credentials", CheckState.FAILED, str(error), error.do)]
    if left is None or left.id == account.api.credentials.id:
        return []
    detail = f"{left.id} were replaced, and the exchange has not confirmed that it forgot them."
    return [Check("old credentials", CheckState.WARNING, detail, "The engine's next start tries it again.")]


def _session(account: Account, around: Surroundings, now: datetime) -> Check:
    """Whether a session key is in force, and for how long. An owner may see others that trade for it."""
    assert account.api is not None
    wallet = account.api.wallet
    try:
        listed = session_keys(account.api)
    except PolybotError as error:
        detail = f"The exchange did not list the wallet's session keys: {error.why or error.what}"
        return Check("session keys", CheckState.NOT_RUN, detail, "Look on the website, under Settings.")
    if not wallet.session:
        told = f"{len(listed)} may trade for this wallet" if listed else "None may trade for this wallet"
        named = ", ".join(f"{one.address} until {one.until:%Y-%m-%d}" for one in listed[:3])
        return Check("session keys", CheckState.OK, f"{told}{f': {named}' if named else ''}.")
    mine = next((one for one in listed if one.address == wallet.owner), None)
    if mine is None:
        detail = f"{wallet.owner} is not authorised for {around.wallet}: its orders will all be refused."
        do = "Authorise it with the owner's key, or take the owner's key: LIVE_MODE_README.md"
        return Check("session keys", CheckState.FAILED, detail, do)
    detail = f"{mine.address} may trade until {mine.until:%Y-%m-%d %H:%M} UTC ({', '.join(mine.scopes)})."
    if mine.until - now < SOON:
        return Check("session keys", CheckState.WARNING, detail, "Authorise another one before that day.")
    return Check("session keys", CheckState.OK, detail)


def _open(account: Account) -> Check:
    """Orders that hang on these credentials: with any of them they are not replaced."""
    assert account.gateway is not None
    try:
        number = len(account.gateway.open_on_the_key())
    except PolybotError as error:
        return Check("open orders", CheckState.NOT_RUN, error.why or error.what, "Run it again in a minute.")
    return Check("open orders", CheckState.OK, f"{number} hang on these credentials.")
