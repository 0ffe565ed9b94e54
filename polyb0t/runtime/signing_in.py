"""Which API credentials a key uses: the stored ones, unless the journal says that they were replaced."""

from pathlib import Path

import structlog

from polyb0t.core.clock import Clock
from polyb0t.execution.store import Stores
from polyb0t.runtime.rotating import SUBJECT, in_force
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.credentials import (
    ApiCredentials,
    load_credentials,
    obtain_credentials,
    save_credentials,
)
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import DigestSigner

log = structlog.get_logger(__name__)

MADE = "credentials.made"


def sign_in(
    around: Surroundings, stores: Stores, path: Path, key: DigestSigner, clock: Clock
) -> ApiCredentials:
    """The credentials of `key`: from the file at `path`, else from the exchange, and stored there for
    commands that cancel. A file of another machine, or of before a rotation, is not used.

    Raises:
        VenueUnreachableError, NotAuthorisedError: the exchange gives none.
        ConfigurationError: the file is exposed, damaged, or cannot be written.
    """
    stored, last = load_credentials(path), in_force(stores)
    rotated = last if last is not None and last.address == key.address else None
    if stored is not None and stored.address == key.address:
        if rotated is None or rotated.credential_id == stored.id:
            return stored
        log.warning("credentials.outdated", stored=stored.id, in_force=rotated.credential_id)
    wanted = rotated.nonce if rotated is not None else 0
    got = _obtained(around, key, wanted, clock)
    save_credentials(path, got)
    if got.nonce != wanted:  # the wanted ones were revoked elsewhere; other machines have to find these
        payload = {"address": got.address, "to": got.id, "nonce": got.nonce}
        stores.engine.note(None, kind=MADE, subject=SUBJECT, payload=payload, actor="engine")
    return got


def _obtained(around: Surroundings, key: DigestSigner, nonce: int, clock: Clock) -> ApiCredentials:
    environment, one_shot = around.environment, OneShot(clock)
    try:
        return obtain_credentials(
            one_shot,
            environment.clob_url,
            key,
            chain_id=environment.chain_id,
            at=clock.now(),
            nonce=nonce,
        )
    finally:
        one_shot.close()
