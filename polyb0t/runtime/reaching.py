"""The exchange as commands reach it: with the stored credentials, never with the signing key."""

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConflictError, NotAuthorisedError
from polyb0t.execution.gateway import OrderGateway
from polyb0t.runtime.account import Account, FeeOf, stored_account
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.surroundings import Surroundings, look_around


def gateway_of(opened: OpenedStore, fee_of: FeeOf | None = None) -> OrderGateway:
    """A gateway that asks and cancels for the account of this database, whatever this shell's settings say.

    Raises:
        ConflictError: another venue answers. NotAuthorisedError: no credentials are stored here.
        VenueUnreachableError: the sandbox of this database does not run.
    """
    gateway = account_of(opened, fee_of)[1].gateway
    if gateway is None:
        raise NotAuthorisedError(
            "Nothing done: there are no credentials for this wallet here. Nothing was sent.",
            why="The engine writes them when it starts with money; a cancel never uses the signing key.",
            do="Cancel on the exchange's website, or start the engine once: polyb0t run --live",
            code="no_credentials",
        )
    return gateway


def account_of(opened: OpenedStore, fee_of: FeeOf | None = None) -> tuple[Surroundings, Account]:
    """Venue and account of this database with the stored credentials; the account is empty without any.

    Raises:
        ConflictError: another venue answers. VenueUnreachableError: the sandbox does not run.
    """
    settings = opened.settings.model_copy(update=_of_scope(opened))
    around = look_around(settings)
    if around.scope != opened.scope:
        raise ConflictError(
            f"Nothing done: this database belongs to {opened.scope}. Nothing was sent.",
            why=f"What answers here is {around.scope}.",
            code="foreign_scope",
        )
    return around, stored_account(settings, around, opened.stores, SystemClock(), fee_of)


def _of_scope(opened: OpenedStore) -> dict[str, str]:
    """Where the database belongs."""
    where = {"venue": opened.scope.venue, "wallet_address": opened.scope.wallet}
    return {**where, "sandbox_url": opened.run.sandbox_url} if opened.run else where
