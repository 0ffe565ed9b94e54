"""The doctor's look at the proofs of identity: which contracts a test order has been passed for."""

from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.execution.identity_proof import IdentityRule, is_proven
from polyb0t.execution.store import Stores
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.environment import EXCHANGES
from polyb0t.venue.preflight import Check, CheckState

NAME: Final = "test order"
TRY_IT: Final = (
    "polyb0t doctor --test-order: after a yes, rests the smallest order far from the market and cancels it; "
    "checks id and cancel. Costs nothing, holds 0.06 pUSD or less."
)


def proven_exchanges(around: Surroundings, stores: Stores) -> tuple[str, ...]:
    """The exchanges, by our name, under which a test order of this wallet went as predicted.

    Raises:
        DatabaseError: that could not be read.
    """
    contracts = around.environment.contracts
    kind = around.signature_type
    return tuple(name for name in EXCHANGES if is_proven(stores, IdentityRule(kind, contracts[name])))


def check_proofs(around: Surroundings, stores: Stores | None) -> Check:
    """Proven for every exchange is ok; for some is a warning, since the others' openings are refused."""
    if stores is None:
        return Check(NAME, CheckState.NOT_RUN, "It needs the database and a running engine.", TRY_IT)
    try:
        proven = proven_exchanges(around, stores)
    except PolybotError as error:
        return Check(NAME, CheckState.NOT_RUN, f"The proofs could not be read: {error.what}")
    missing = [name for name in EXCHANGES if name not in proven]
    if not missing:
        return Check(NAME, CheckState.OK, "passed on every exchange: our order ids are the exchange's")
    if not proven:
        needed = "The sandbox asks for none." if around.environment.is_sandbox else "Openings are refused."
        return Check(NAME, CheckState.NOT_RUN, needed, TRY_IT)
    then = "none is asked for here" if around.environment.is_sandbox else "openings there are refused"
    detail = f"Passed on {', '.join(proven)}, not on {', '.join(missing)}: {then}."
    return Check(NAME, CheckState.WARNING, detail, "polyb0t doctor --test-order")
