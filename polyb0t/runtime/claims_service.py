"""`polyb0t claims run`: carries approved claims out, and alone reads the relayer's key."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import FrameType
from typing import Final

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConfigurationError, LeaseLostError, PolybotError
from polyb0t.db import migrate
from polyb0t.db.stores import SqlStores, open_stores
from polyb0t.execution.anchor import AnchorFile, require_present
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.claimer import Claimer
from polyb0t.execution.settlement.parts import ClaimParts, ClaimSettings
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.runtime.chain import ChainDoor, chain_door
from polyb0t.runtime.choices import regime_of
from polyb0t.runtime.claim_routes import PROBLEM_FACT, RELAYER_FACT, Way, way_of
from polyb0t.runtime.halt_file import HaltFile
from polyb0t.runtime.keys import KEY_NAME, owners_key
from polyb0t.runtime.lease import LeaseKeeper, acquire_lease
from polyb0t.runtime.logging import configure_logging
from polyb0t.runtime.passwords import passwords_of
from polyb0t.runtime.places import anchor_path, data_dir, database_url, scope_dir
from polyb0t.runtime.relayer_key import (
    RELAYER_ADDRESS_NAME,
    RELAYER_KEY_NAME,
    relayer_key,
    stored_relayer_key,
)
from polyb0t.runtime.screen import Ended
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.venue.relayer import RelayerKey
from polyb0t.venue.signing import SigningKey

log = structlog.get_logger(__name__)

STEP_SECONDS: Final = 5.0
SANDBOX_STEP_SECONDS: Final = 1.0
LOOK_AGAIN_SECONDS: Final = 60.0  # for a node that was not there
DEPOSIT_WALLET: Final = 3
ROLE: Final = "claims"
Say = Callable[[str], None]


def run_claims(settings: Settings, say: Say, *, steps: int | None = None) -> int:
    """Until Ctrl-C, a signal, or the last of `steps`; the exit code.

    Raises:
        PolybotError: it could not start; nothing was sent.
    """
    if regime_of(settings) is not Regime.LIVE:
        raise ConfigurationError(
            "Not started: in a dry run and in paper nothing is claimed.",
            why="Claims move real shares of the wallet, or practice ones.",
            do="POLYBOT_DRY_RUN=false polyb0t claims run",
            code="nothing_to_claim_for",
        )
    clock = SystemClock()
    configure_logging(data_dir(settings) / "claims-polyb0t.log", settings.log_level)
    around = look_around(settings)
    passwords = passwords_of(settings)
    key = owners_key(settings, around, passwords)
    relayer = None
    if around.signature_type == DEPOSIT_WALLET:
        relayer = relayer_key(around, key.address, lambda: stored_relayer_key(settings, around, passwords))
    for name in (KEY_NAME, RELAYER_KEY_NAME, RELAYER_ADDRESS_NAME):
        os.environ.pop(name, None)
    url = database_url(settings, around.scope)
    migrate.upgrade(url)
    stores = open_stores(url, around.scope, clock, lease_seconds=settings.lease_seconds)
    try:
        anchor = AnchorFile(anchor_path(settings, around.scope), stores.engine)
        require_present(stores, anchor)
        lease = acquire_lease(stores.engine, Regime.LIVE, ROLE)
        facts: dict[str, object] = {RELAYER_FACT: relayer is not None, PROBLEM_FACT: ""}
        keeper = LeaseKeeper(stores.engine, lease, clock, settings.lease_seconds, facts=lambda: facts)
        stores.engine.beat(lease, cycle=0, facts=facts)
        keeper.start()
        try:
            run = ClaimsRun(settings, around, stores, keeper, clock, say, key, relayer, anchor)
            run.tell = partial(facts.__setitem__, PROBLEM_FACT)
            return run.until_stopped(steps)
        finally:
            keeper.stop()
    finally:
        stores.close()


class ClaimsRun:
    """One run, in the main thread."""

    def __init__(  # noqa: PLR0917 - what a run is made of
        self,
        settings: Settings,
        around: Surroundings,
        stores: SqlStores,
        keeper: LeaseKeeper,
        clock: Clock,
        say: Say,
        key: SigningKey,
        relayer: RelayerKey | None,
        anchor: AnchorFile,
    ) -> None:
        self._settings, self._around, self._stores = settings, around, stores
        self._keeper, self._clock, self._say = keeper, clock, say
        self._key, self._relayer, self._anchor = key, relayer, anchor
        self._stop = threading.Event()
        self._told = ""
        self.tell: Callable[[str], None] = lambda _problem: None  # what a person should know of it

    @property
    def _lease(self) -> Lease:
        return self._keeper.lease

    def until_stopped(self, steps: int | None) -> int:
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, self._interrupted)
        try:
            taken = 0
            while not self._over() and (steps is None or taken < steps):
                taken += self._with_a_door(None if steps is None else steps - taken)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return LeaseLostError.exit_code if self._keeper.ended is Ended.TAKEN_OVER else 0

    def _with_a_door(self, steps: int | None) -> int:
        """Steps through one connection to chain and relayer; how many were taken."""
        with ExitStack() as stack:
            door = stack.enter_context(chain_door(self._settings, self._around, self._clock))
            claimer = self._claimer(door)
            if claimer is None:
                self._stop.wait(LOOK_AGAIN_SECONDS if steps is None else 0)
                return 1
            taken = 0
            while not self._over() and (steps is None or taken < steps):
                taken += 1
                self._step(claimer)
                self._stop.wait(SANDBOX_STEP_SECONDS if self._around.environment.is_sandbox else STEP_SECONDS)
            return taken

    def _claimer(self, door: ChainDoor) -> Claimer | None:
        """None: nothing can be claimed from here now, and the person was told what to do."""
        chain = door.claims(self._key if self._around.signature_type == 0 else None)
        info = self._stores.engine.lease_info(ROLE)
        now = self._stores.intents.now()
        way = way_of(self._around.signature_type, node=chain is not None, claims=info, now=now)
        self._tell(way)
        if chain is None or way.route is ClaimRoute.WEBSITE:
            self.tell(f"{way.why} {way.do}")
            return None
        relayer = None if self._relayer is None else door.relayer(self._key, self._relayer)
        parts = ClaimParts(
            stores=self._stores,
            lease=self._lease,
            chain=chain,
            relayer=relayer,
            wallet=self._around.wallet,
            route=way.route,
            clock=self._clock,
            settings=ClaimSettings(confirmations=self._settings.claim_confirmations),
            halt_file=HaltFile(scope_dir(self._settings, self._around.scope) / "HALT").present,
            anchor=self._anchor.advance,
        )
        return Claimer(parts)

    def _tell(self, way: Way) -> None:
        words = {
            ClaimRoute.TRANSACTION: "Approved claims are sent as transactions of your own key.",
            ClaimRoute.RELAYER: "Approved claims are sent through the venue's relayer.",
        }
        sentence = words.get(way.route) or f"Nothing is claimed from here: {way.why} {way.do}"
        if sentence != self._told:
            self._told = sentence
            self._say(sentence)

    def _step(self, claimer: Claimer) -> None:
        try:
            claimer.step()
            self.tell(claimer.waits)
        except LeaseLostError as error:
            log.error("claims.lease_lost", reason=str(error))  # noqa: TRY400 - the reason is in the sentence
            self._keeper.lose(Ended.TAKEN_OVER)
        except PolybotError as error:
            log.warning("claims.step_failed", reason=str(error))
            self.tell(f"{error.what} {error.why}".strip())
        except Exception:
            log.exception("claims.step_crashed")  # what is stored is the truth; the next step goes on
            self.tell("An error of the program; its log has it.")

    def _over(self) -> bool:
        return self._stop.is_set() or self._keeper.lost.is_set()

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
