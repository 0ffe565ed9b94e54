"""Where this process trades: venue, wallet and with them the scope."""

from dataclasses import dataclass

from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.execution.scope import PAPER_WALLET, Scope
from polyb0t.models.wording import money
from polyb0t.venue.environment import POLYMARKET, VenueEnvironment, fetch_sandbox_environment
from polyb0t.venue.signing import checksummed


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A venue's addresses, the wallet there, and how its orders are signed."""

    environment: VenueEnvironment
    wallet: Wallet
    signature_type: int

    @property
    def scope(self) -> Scope:
        where = self.environment
        return Scope(where.name, where.chain_id, self.wallet, where.world_id)

    @property
    def summary(self) -> str:
        """For the launcher: `practice account with 10,000.00 pUSD`."""
        funding = next(
            (account.funding for account in self.environment.accounts if account.wallet == self.wallet), None
        )
        return "connected" if funding is None else f"practice account with {money(funding)} pUSD"


def look_around(settings: Settings) -> Surroundings:
    """The surroundings that the settings name. Asks the sandbox for its own; asks the real venue nothing.

    Raises:
        VenueUnreachableError: no sandbox answers.
        ConfigurationError: the real venue without a wallet, or a kind of wallet that is not there.
    """
    environment = ask_sandbox(settings.sandbox_url) if settings.is_sandbox else POLYMARKET
    if settings.mode == "paper":  # nobody's wallet, so that its database and digests are no account's
        return Surroundings(environment, Wallet(PAPER_WALLET), settings.signature_type)
    if settings.is_sandbox:
        return _at_sandbox(settings, environment)
    if settings.wallet_address is None:
        raise ConfigurationError(
            "Not started: POLYBOT_WALLET_ADDRESS is not set.",
            why="On the real venue a wallet's positions are read, even in a dry run; its address is public.",
            do="Set it to your wallet's address, or practise without one: make run",
            code="no_wallet",
        )
    return Surroundings(environment, checksummed(settings.wallet_address), settings.signature_type)


def ask_sandbox(url: str) -> VenueEnvironment:
    """The addresses and accounts of the sandbox at `url`.

    Raises:
        VenueUnreachableError: none answers.
    """
    try:
        return fetch_sandbox_environment(url, SystemClock())
    except VenueUnreachableError as error:
        raise VenueUnreachableError(
            f"Not started: no sandbox answers at {url}.",
            why=error.why or error.what,
            do="Start one: polyb0t sandbox, or sandbox, engine and API together: make run",
            code=error.code,
        ) from error


def _at_sandbox(settings: Settings, environment: VenueEnvironment) -> Surroundings:
    """A practice account: the named wallet's, else the first of the named kind, else the first.

    Another wallet may be looked at, but not traded with.
    """
    kind = settings.signature_type if "signature_type" in settings.model_fields_set else None
    if settings.wallet_address is None:
        account = next((each for each in environment.accounts if kind in (None, each.signature_type)), None)
        if account is None:
            raise ConfigurationError(
                f"Not started: the sandbox has no practice account of signature type {kind}.",
                why=f"It offers {_kinds(environment)}.",
                do="Leave POLYBOT_SIGNATURE_TYPE unset to use the first one.",
                code="no_such_account",
            )
        return Surroundings(environment, account.wallet, account.signature_type)
    wallet = checksummed(settings.wallet_address)
    owned = next((each for each in environment.accounts if each.wallet == wallet), None)
    if owned is None:
        return Surroundings(environment, wallet, settings.signature_type)
    if kind not in (None, owned.signature_type):
        raise ConfigurationError(
            f"Not started: {wallet} has signature type {owned.signature_type}, not {kind}.",
            why="Orders signed for another kind of wallet would all be refused.",
            do="Unset POLYBOT_SIGNATURE_TYPE, or name a wallet of that kind.",
            code="wrong_signature_type",
        )
    return Surroundings(environment, wallet, owned.signature_type)


def _kinds(environment: VenueEnvironment) -> str:
    return ", ".join(str(kind) for kind in sorted({each.signature_type for each in environment.accounts}))
