"""Where this process trades: venue, wallet and with them the scope."""

from dataclasses import dataclass

from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.execution.scope import Scope
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
        ConfigurationError: the real venue without a wallet.
    """
    if settings.is_sandbox:
        environment = fetch_sandbox_environment(settings.sandbox_url, SystemClock())
        wallet = (
            checksummed(settings.wallet_address)
            if settings.wallet_address
            else environment.accounts[0].wallet
        )
        return Surroundings(environment, wallet, signature_type=0)
    if settings.wallet_address is None:
        raise ConfigurationError(
            "Not started: POLYBOT_WALLET_ADDRESS is not set.",
            why="On the real venue one wallet's positions are read, even in a dry run; its address is public",
            do="Set it to your wallet's address, or practise without one: make run",
            code="no_wallet",
        )
    return Surroundings(POLYMARKET, checksummed(settings.wallet_address), settings.signature_type)
