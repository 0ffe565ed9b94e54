"""Build, hash and sign one order: ours against py-clob-client-v2 as pip installs it.

The rival runs in an environment of its own, made once under .tools/, without coincurve (pip does not
bring it) and then with it. Ours does more in its time: canonical text and digest of the intent,
amounts, hash, signature, request body and headers. The ratio that counts leaves the rival's hash out.

    .venv/bin/python -m bench signing
"""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bench.figures import Section
from bench.rivals import ROOT, measured_by
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import Wallet
from polyb0t.data.markets import FeeSchedule
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import SigningKey
from tests.venue.intents import an_intent

RIVAL = "py-clob-client-v2==1.2.1"
COINCURVE = "coincurve>=21,<22"
ROUNDS = 60
WANTED_RATIO = 5.0


@dataclass(frozen=True, slots=True)
class SigningTimes:
    """Medians in milliseconds per order."""

    ours: float
    ours_slow: float  # without coincurve
    rival: float  # as pip installs it, without its hash
    rival_hash: float
    rival_fast: float  # with coincurve beside it
    rival_fast_hash: float

    @property
    def ratio(self) -> float:
        return self.rival / self.ours


def measure() -> Section:
    times = timed()
    section = Section(
        f"Build, hash and sign one order, median of {ROUNDS}",
        rival=f"{RIVAL} in an environment of its own, as pip installs it, without its hash",
    )
    section.add("one order", times.ours, "ms", rival=times.rival)
    section.add("how many times faster", times.ratio, "x", target=WANTED_RATIO, at_least=True)
    section.add("one order, rival with coincurve", times.ours, "ms", rival=times.rival_fast)
    section.add("one order, both without coincurve", times.ours_slow, "ms", rival=times.rival)
    section.notes.append(
        f"the rival's hash: {times.rival_hash:.2f} ms more, {times.rival_fast_hash:.2f} ms with coincurve"
    )
    section.notes.append("ours includes its own hash, and the canonical text and digest of the intent")
    return section


def timed() -> SigningTimes:
    plain, fast = _rival("rival-plain", RIVAL), _rival("rival-coincurve", RIVAL, COINCURVE)
    assert not plain["coincurve"], "the plain rival found coincurve"
    assert fast["coincurve"], "the fast rival has no coincurve"
    return SigningTimes(
        ours=_ours(),
        ours_slow=_ours_without_coincurve(),
        rival=plain["sign_ms"],
        rival_hash=plain["hash_ms"],
        rival_fast=fast["sign_ms"],
        rival_fast_hash=fast["hash_ms"],
    )


def _ours() -> float:
    clock = SystemClock()
    key = SigningKey("11" * 32)
    wallet = TradingWallet(key.address, key.address, 0)
    credentials = ApiCredentials(Wallet(key.address), "a-key", "AAECAwQFBgcICQoLDA0ODw==", "a-phrase")
    sender = OneShot(clock)
    with HttpReader(clock) as reader:
        api = AccountApi(
            "http://127.0.0.1:9", wallet, credentials, reader=reader, one_shot=sender, clock=clock
        )
        schedule = FeeSchedule(Decimal(0), Decimal(1))
        gateway = PolymarketGateway(POLYMARKET, api, sender, fee_of=lambda _order: schedule, key=key)
        scope = f"polymarket:137:{key.address}"
        intents = [an_intent(scope=scope) for _ in range(ROUNDS + 3)]
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        taken = []
        for intent in intents:
            start = time.perf_counter()
            gateway.prepare(intent, at)
            taken.append((time.perf_counter() - start) * 1000)
    sender.close()
    return statistics.median(taken[3:])


def _ours_without_coincurve() -> float:
    """In a process of its own, where importing coincurve fails."""
    code = (
        "import sys; sys.modules['coincurve'] = None\nfrom bench.bench_signing import _ours; print(_ours())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _rival(name: str, *packages: str) -> dict[str, float]:
    return measured_by(name, "rival_signing.py", (str(ROUNDS),), packages)
