"""What `polyb0t auth` does: a key into the keystore, credentials derived, credentials replaced."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

import msgspec

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import (
    ConfigurationError,
    ConflictError,
    NotAuthorisedError,
    PolybotError,
    VenueUnreachableError,
)
from polyb0t.db import migrate
from polyb0t.db.stores import SqlStores, open_stores
from polyb0t.execution.scope import Regime
from polyb0t.runtime.account import Account, build_account, credentials_file
from polyb0t.runtime.keys import engines_key, refuse_wrong_key, whose
from polyb0t.runtime.keystore import OWNER_KEY, RELAYER_KEY, SIGNING_KEY, Keystore, keystore_of
from polyb0t.runtime.lease import acquire_lease
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.passwords import Passwords, passwords_of
from polyb0t.runtime.places import database_url
from polyb0t.runtime.rotating import (
    ASKED,
    NOT_REVOKED,
    REFUSED,
    REVOKED,
    ROTATED,
    new_request,
    no_key_here,
    rotation_of,
    verify,
)
from polyb0t.runtime.signing_in import sign_in
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.venue.credentials import load_credentials
from polyb0t.venue.signing import SigningKey, checksummed

WAIT_SECONDS: Final = 60.0  # for the engine's answer
LOOK_SECONDS: Final = 0.2
# What a key is stored for, as the command line says it.
PURPOSES: Final = {"engine": SIGNING_KEY, "claims": OWNER_KEY, "relayer": RELAYER_KEY}


@dataclass(frozen=True, slots=True)
class Kept:
    """A key that was stored."""

    name: str
    path: str
    address: str
    what: str  # it is to the wallet, in words
    session: bool


@dataclass(frozen=True, slots=True)
class Derived:
    """Credentials that answered a read."""

    address: str
    credential_id: str
    path: str
    new: bool  # were not stored here before


@dataclass(frozen=True, slots=True)
class RotatedNow:
    """New credentials are in force; `revoked` says whether the exchange has forgotten the old ones."""

    old_id: str
    new_id: str
    revoked: bool
    by_engine: bool


def surroundings(settings: Settings) -> tuple[Surroundings, Keystore]:
    """Venue, wallet and the keystore of both. Raises as `look_around`."""
    around = look_around(settings.model_copy(update={"mode": "live"}))
    return around, keystore_of(settings, around.scope)


def new_key() -> str:
    """A key that nobody has seen: for a session key, which the owner then authorises."""
    return "0x" + secrets.token_hex(32)


def keep_key(
    around: Surroundings, keystore: Keystore, purpose: str, key: str, password: str, *, replace: bool
) -> Kept:
    """Encrypt a signing key into the keystore.

    Raises:
        ConfigurationError: it is no key, or one of the other kind of venue; or the password is weak.
        ConflictError: there is one already.
    """
    signer = SigningKey(key)
    refuse_wrong_key(around, key)
    what = whose(around, signer.address)
    if purpose == "claims" and "session key" in what:
        raise ConfigurationError(
            "Nothing stored: this is a session key, which can trade and cannot claim.",
            why=f"The wallet {around.wallet} is not that of {signer.address}.",
            do="Store it for the engine (--for engine), and the owner's key for claims.",
            code="session_key_cannot_claim",
        )
    name = PURPOSES[purpose]
    digits = key.strip().removeprefix("0x").removeprefix("0X")
    path = keystore.write_secret(
        name, bytes.fromhex(digits), password, address=signer.address, replace=replace
    )
    return Kept(name, str(path), signer.address, what, "session key" in what)


def keep_relayer_key(keystore: Keystore, secret: str, address: str, password: str, *, replace: bool) -> Kept:
    """Encrypt the relayer's key; `address` is the owner's that it was made for.

    Raises:
        ConfigurationError: it is no address. ConflictError: there is one already.
    """
    try:
        owner = checksummed(address.strip())
    except ValueError:
        raise ConfigurationError(
            "Nothing stored: that is no address.",
            why="The relayer's key belongs to the owner's address, 0x and 40 digits.",
            code="bad_relayer_key",
        ) from None
    path = keystore.write_secret(
        RELAYER_KEY, secret.strip().encode(), password, address=owner, replace=replace
    )
    return Kept(RELAYER_KEY, str(path), owner, "the relayer's key of this owner", session=False)


def derive(settings: Settings, *, passwords: Passwords | None = None, clock: Clock | None = None) -> Derived:
    """Get the API credentials of the signing key, store them, and let them answer a read.

    Raises:
        ConfigurationError, NotAuthorisedError: no key, or it was not opened. VenueUnreachableError.
    """
    clock = clock or SystemClock()
    around, _ = surroundings(settings)
    path = credentials_file(settings, around)
    before = load_credentials(path)
    account, stores = _account(settings, around, passwords or passwords_of(settings), clock)
    try:
        assert account.api is not None
        verify(account.api)
        now = account.api.credentials
        return Derived(now.address, now.id, str(path), new=before is None or before.id != now.id)
    finally:
        account.close()
        stores.close()


def rotate(
    settings: Settings,
    opened: OpenedStore | None,
    *,
    actor: str,
    waiting: Callable[[], None] = lambda: None,
    passwords: Passwords | None = None,
    clock: Clock | None = None,
) -> RotatedNow:
    """Replace the API credentials: by the engine if one runs, else here, with the key.

    Raises:
        ConflictError: orders are open, or an engine without a key runs. VenueUnreachableError,
        NotAuthorisedError: said by the exchange; what was in force is in force.
    """
    clock = clock or SystemClock()
    if opened is not None and opened.engine_runs():
        return _by_engine(opened, actor, waiting, clock)
    return _here(settings, actor, passwords or passwords_of(settings), clock)


def _by_engine(opened: OpenedStore, actor: str, waiting: Callable[[], None], clock: Clock) -> RotatedNow:
    info = opened.engine()
    if info is None or info.regime is not Regime.LIVE:
        raise no_key_here(str(info.regime) if info is not None else "-")
    engine, request = opened.stores.engine, new_request()
    after = engine.last_sequence()
    engine.note(None, kind=ASKED, subject=request, payload={"request": request}, actor=actor)
    waiting()
    end = clock.boot_seconds() + WAIT_SECONDS
    rotated: dict[str, object] = {}
    while clock.boot_seconds() < end:
        for entry in engine.journal(after=after):
            after = entry.sequence
            told = msgspec.json.decode(entry.payload, type=dict[str, object])
            if told.get("request") != request:
                continue
            if entry.kind == REFUSED:
                raise _refused(str(told.get("code")), str(told.get("detail")))
            if entry.kind == ROTATED:
                rotated = told
            elif entry.kind in (REVOKED, NOT_REVOKED):
                revoked = entry.kind == REVOKED
                return RotatedNow(str(rotated.get("from")), str(rotated.get("to")), revoked, by_engine=True)
        clock.sleep(LOOK_SECONDS)
    if rotated:  # replaced; what became of the old ones it has not said yet
        return RotatedNow(str(rotated["from"]), str(rotated["to"]), revoked=False, by_engine=True)
    raise VenueUnreachableError(
        f"The engine did not answer within {WAIT_SECONDS:.0f} s.",
        why="It may change the credentials yet.",
        do="Look at its screen and at: polyb0t auth check",
        code="engine_silent",
    )


def _here(settings: Settings, actor: str, passwords: Passwords, clock: Clock) -> RotatedNow:
    """Under the engine's lease, so that none starts meanwhile."""
    around, _ = surroundings(settings)
    account, stores = _account(settings, around, passwords, clock)
    try:
        assert account.api is not None
        lease = acquire_lease(stores.engine, Regime.LIVE)
        try:
            rotation = rotation_of(settings, around, stores, account, clock=clock, permits=Lock())
            assert rotation is not None
            old = account.api.credentials.id
            revoked = rotation.rotate(actor, new_request())
        finally:
            stores.engine.release(lease)
        return RotatedNow(old, account.api.credentials.id, revoked, by_engine=False)
    finally:
        account.close()
        stores.close()


def _account(
    settings: Settings, around: Surroundings, passwords: Passwords, clock: Clock
) -> tuple[Account, SqlStores]:
    """The account as the engine would open it. This process signs, for this one thing."""
    key = engines_key(settings, around, passwords)
    url = database_url(settings, around.scope)
    migrate.upgrade(url)
    stores = open_stores(url, around.scope, clock, lease_seconds=settings.lease_seconds)
    try:
        credentials = sign_in(around, stores, credentials_file(settings, around), key, clock)
    except PolybotError:
        stores.close()
        raise
    return build_account(around, stores, credentials, key, clock), stores


def _refused(code: str, detail: str) -> PolybotError:
    kind: type[PolybotError] = {
        VenueUnreachableError.code: VenueUnreachableError,
        "no_credentials": NotAuthorisedError,
    }.get(code, ConflictError)
    return kind("The engine did not change the credentials.", why=detail, code=code)
