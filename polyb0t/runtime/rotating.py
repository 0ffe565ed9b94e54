"""New API credentials in the place of the old ones, while the engine goes on.

Only the process that holds the signing key can make them, so a person asks over the journal and the
engine answers there. An order is seen and cancelled only with the credentials that placed it: with one
open nothing is changed. The swap happens under the lock under which orders are permitted, and an order
that was prepared before it is not permitted after it.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Final

import msgspec
import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, ConflictError, NotAuthorisedError, PolybotError
from polyb0t.core.ids import Wallet
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.runtime.account import Account, credentials_file
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.account_parsing import parse_balance
from polyb0t.venue.credentials import (
    ApiCredentials,
    load_credentials,
    make_credentials,
    revoke_credentials,
    save_credentials,
)
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.parsing import Refused
from polyb0t.venue.signing import DigestSigner

log = structlog.get_logger(__name__)

ASKED: Final = "credentials.rotation_asked"
REFUSED: Final = "credentials.rotation_refused"
ROTATED: Final = "credentials.rotated"
REVOKED: Final = "credentials.revoked"
NOT_REVOKED: Final = "credentials.not_revoked"
SUBJECT: Final = "credentials"  # of the entries that say which are in force


@dataclass(frozen=True, slots=True)
class InForce:
    """What the journal says of the credentials that a rotation left behind."""

    address: Wallet
    credential_id: str
    nonce: int


def in_force(stores: Stores) -> InForce | None:
    """The last rotation's; None where there was none, so that the first nonce holds."""
    entry = stores.engine.latest_entry(SUBJECT)
    if entry is None:
        return None
    told = msgspec.json.decode(entry.payload, type=dict[str, object])
    address, name, nonce = told.get("address"), told.get("to"), told.get("nonce")
    if not isinstance(address, str) or not isinstance(name, str) or not isinstance(nonce, int):
        return None
    return InForce(Wallet(address), name, nonce)


def retired_file(path: Path) -> Path:
    """Where credentials wait that are replaced and not yet revoked, beside the file of those in force."""
    return path.with_name("credentials-retired.json")


@dataclass(frozen=True, slots=True)
class RotationParts:
    """What a rotation works with. `key` is the signing key of this process."""

    stores: Stores
    around: Surroundings
    gateway: OrderGateway
    api: AccountApi
    key: DigestSigner
    path: Path  # of the stored credentials
    clock: Clock
    permits: Lock  # held while an order is permitted
    swapped: Callable[[ApiCredentials], None]  # whoever else holds the old ones


class Rotation:
    """One at a time; begun by a journal entry or called."""

    def __init__(self, parts: RotationParts) -> None:
        self._parts = parts
        self._one = Lock()

    def begin(self, entry: JournalEntry) -> Thread:
        """Answer a request in a thread of its own: it waits for the exchange."""
        actor, request = entry.actor, entry.subject
        thread = Thread(target=self._answer, args=(actor, request), name="rotation", daemon=True)
        thread.start()
        return thread

    def _answer(self, actor: str, request: str) -> None:
        """This thread's outermost line: whatever happens is told to who asked."""
        try:
            self.rotate(actor, request)
        except PolybotError as error:
            log.warning("credentials.not_rotated", code=error.code, why=str(error))
            self._refuse(actor, request, error.code, str(error))
        except Exception:
            log.exception("credentials.rotation_crashed")
            self._refuse(actor, request, "failed", "It is not known why; the log has it.")

    def rotate(self, actor: str, request: str) -> bool:
        """Make, verify, swap, revoke; whether the exchange has forgotten the old ones.

        Raises:
            ConflictError: `orders_open`, `rotation_runs`. NotAuthorisedError: no person asked.
            VenueUnreachableError: the exchange did not answer; the old credentials are in force.
        """
        if not actor.startswith(("user:", "token:")):
            raise NotAuthorisedError("The credentials were not changed.", why="Only a person asks for it.")
        if not self._one.acquire(blocking=False):
            raise _not_now("Another change of them is under way.", "Wait for it.", "rotation_runs")
        try:
            self._refuse_open_orders(at_exchange=True)
            new = self._made()
            old = self._swap(new, actor, request)
            return self._revoke(old, actor, request)
        finally:
            self._one.release()

    def finish(self, actor: str) -> None:
        """Revoke what an earlier run replaced and could not revoke; nothing is raised for it."""
        waiting = load_credentials(retired_file(self._parts.path))
        if waiting is None:
            return
        if waiting.id == self._parts.api.credentials.id:
            retired_file(self._parts.path).unlink(missing_ok=True)  # it ended before it was replaced
        else:
            self._revoke(waiting, actor, secrets.token_hex(8))

    def _refuse_open_orders(self, *, at_exchange: bool) -> None:
        watched = self._parts.stores.orders.watched()
        on_key = self._parts.gateway.open_on_the_key() if at_exchange else ()
        if watched or on_key:
            ids = dict.fromkeys((*(one.id for one in watched), *(one.order_id for one in on_key)))
            named = ", ".join(order[:10] for order in ids)
            raise _not_now(
                f"{len(ids)} orders are open or not final: {named:.200}. "
                "Only the credentials that placed them show and cancel them.",
                "Wait until they are final, or cancel them: polyb0t orders cancel-all",
                "orders_open",
            )

    def _made(self) -> ApiCredentials:
        """New credentials that answer a read."""
        parts = self._parts
        environment, one_shot = parts.around.environment, OneShot(parts.clock)
        try:
            new = make_credentials(
                one_shot,
                environment.clob_url,
                parts.key,
                chain_id=environment.chain_id,
                at=parts.clock.now(),
            )
        finally:
            one_shot.close()
        if new.id == parts.api.credentials.id:
            raise ConflictError(
                "The credentials were not changed.",
                why="The exchange gave the same ones again.",
                do="Try again in a second.",
                code="same_credentials",
            )
        verify(parts.api.with_credentials(new))
        return new

    def _swap(self, new: ApiCredentials, actor: str, request: str) -> ApiCredentials:
        """Journal, file, memory; no order is permitted meanwhile. The old ones."""
        parts = self._parts
        with parts.permits:
            self._refuse_open_orders(at_exchange=False)
            old = parts.api.credentials
            save_credentials(retired_file(parts.path), old)
            payload = {
                "request": request,
                "address": new.address,
                "from": old.id,
                "to": new.id,
                "nonce": new.nonce,
            }
            self._note(ROTATED, SUBJECT, payload, actor)  # from here on every start uses the new ones
            save_credentials(parts.path, new)
            parts.api.use(new)
            parts.swapped(new)
        log.warning("credentials.rotated", old=old.id, new=new.id)
        return old

    def _revoke(self, old: ApiCredentials, actor: str, request: str) -> bool:
        parts = self._parts
        one_shot, why = OneShot(parts.clock), "It did not confirm it."
        try:
            done = revoke_credentials(one_shot, parts.around.environment.clob_url, old, at=parts.clock.now())
        except PolybotError as error:
            done, why = False, error.why or error.what
        finally:
            one_shot.close()
        if done:
            retired_file(parts.path).unlink(missing_ok=True)
            self._note(REVOKED, request, {"request": request, "credential": old.id}, actor)
        else:
            log.error("credentials.not_revoked", credential=old.id, why=why)
            self._note(NOT_REVOKED, request, {"request": request, "credential": old.id, "why": why}, actor)
        return done

    def _refuse(self, actor: str, request: str, code: str, detail: str) -> None:
        try:
            self._note(REFUSED, request, {"request": request, "code": code, "detail": detail}, actor)
        except PolybotError as error:
            log.warning("credentials.not_journalled", why=str(error))

    def _note(self, kind: str, subject: str, payload: dict[str, object], actor: str) -> None:
        self._parts.stores.engine.note(None, kind=kind, subject=subject, payload=payload, actor=actor)


def rotation_of(
    settings: Settings,
    around: Surroundings,
    stores: Stores,
    account: Account,
    *,
    clock: Clock,
    permits: Lock,
    swapped: Callable[[ApiCredentials], None] = lambda _new: None,
) -> Rotation | None:
    """None where nothing is signed."""
    if account.api is None or account.gateway is None or account.key is None:
        return None
    path = credentials_file(settings, around)
    return Rotation(
        RotationParts(
            stores, around, account.gateway, account.api, account.key, path, clock, permits, swapped
        )
    )


def verify(api: AccountApi) -> None:
    """A read that no account is refused and none answers with nothing.

    Raises:
        VenueUnreachableError: it failed, so these credentials are proven by nothing.
    """
    kind = {"asset_type": "COLLATERAL", "signature_type": str(api.wallet.signature_type)}
    try:
        parse_balance(api.read("/balance-allowance", kind))
    except Refused as refused:
        raise api.unusable(refused) from refused


def new_request() -> str:
    """A name for a request, so that its answer is known among others."""
    return f"rotation-{secrets.token_hex(8)}-{os.getpid()}"


def _not_now(why: str, do: str, code: str) -> ConflictError:
    return ConflictError("The credentials were not changed.", why=why, do=do, code=code)


def no_key_here(regime: str) -> ConfigurationError:
    """An engine that signs nothing cannot make credentials."""
    return ConfigurationError(
        "The credentials were not changed: the engine that runs has no signing key.",
        why=f"It runs in the regime {regime}, which reads none.",
        do="Stop it and ask again, or start it with money.",
        code="engine_without_key",
    )
