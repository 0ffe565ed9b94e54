"""One history: a few approved claims, a process that carries them out, and what goes wrong meanwhile."""

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from polyb0t.core.errors import LeaseLostError
from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.execution.settlement.ports import ClaimCall, ClaimRoute, RelayerState
from tests.faults.claims.judge import Verdict, judge
from tests.faults.claims.node import FOREIGN, Node
from tests.support.claim_room import ClaimRoom, Line, Struck
from tests.support.pretend_chain import BLOCK_SECONDS, Mined

MOST_STEPS: Final = 900
PUT_RIGHT_AT: Final = 60
DEADLINE_SECONDS: Final = 120  # of a batch; nothing but how long a history takes depends on it
_SHARES: Final = ("20", "15.000001", "0.333333", "7.1")
_PAYOUTS: Final = (("1", "0"), ("1", "0"), ("0.5", "0.5"), ("0.333333", "0.666667"))


@dataclass(frozen=True)
class Story:
    """What goes wrong. `prepare` before anything is sent; `during` before each step, with its number."""

    name: str
    routes: tuple[ClaimRoute, ...]
    prepare: Callable[["History"], None] = lambda _history: None
    during: Callable[["History", int], None] = lambda _history, _step: None
    may_fail: tuple[str, ...] = ()  # with what a claim may end unpaid
    alerts: bool = False  # whether a person may be told of a difference
    crashes: str = "half"  # of the histories also end their process somewhere: half, all, none


class StoppedLine(Line):
    """Stops the process at its point, in place of ending it: others go on, and then it does too."""

    def __init__(self, at: int, meanwhile: Callable[[], None]) -> None:
        super().__init__(at)
        self._meanwhile = meanwhile

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            self._meanwhile()


class History:
    """Made of a seed and a number, and nothing else."""

    def __init__(self, folder: Path, story: Story, seed: int, number: int) -> None:
        self.chance = random.Random(f"{seed}/{story.name}/{number}")
        self.story, self.number = story, number
        route = story.routes[number % len(story.routes)]
        self.room = ClaimRoom(folder, route, deadline_seconds=DEADLINE_SECONDS)
        own_key = self.room.route is ClaimRoute.TRANSACTION
        self.node = Node(self.room.chain, self.chance, uses_nonce=own_key)
        self.room.node = self.node
        self.line = Line()
        self.verdict = Verdict()
        self.struck = False
        self.calm = False
        self.foreign = 0
        self.two_alive: set[ConditionId] = set()
        self.claims = [self._claim(name) for name in range(1, 1 + self.chance.choice((1, 1, 2, 3)))]

    @property
    def own_key(self) -> bool:
        return self.room.route is ClaimRoute.TRANSACTION

    def play(self, crash_at: int = 0) -> None:
        """To its end, with a new process where the old one ended."""
        self.line = Line(crash_at)
        self.story.prepare(self)
        self.room.start(self.line)
        for step in range(MOST_STEPS):
            if not self.calm:
                self.story.during(self, step)
            if step == PUT_RIGHT_AT:
                self.put_right()
            if not self.room.unfinished():
                break
            self._step()
            self._look_for_two()
        self.put_right()
        self.struck = self.struck or self.node.struck > 0
        self.verdict = judge(self.room, self.story.may_fail, self.two_alive, alerts=self.story.alerts)

    def _step(self) -> None:
        try:
            self.room.step()
        except Struck:
            self.struck = True
            self.room.start()
            self.room.pass_time()
        except LeaseLostError:  # it woke, and its lease was another's
            self.room.pass_time()

    def put_right(self) -> None:
        """Nothing goes wrong any more."""
        self.calm = True
        self.node.down = self.node.wrong_chain = False
        self.node.behind = 0
        chain = self.room.chain
        chain.unreachable, chain.floor_fee = 0, min(chain.floor_fee, 30)
        chain.reverting = chain.reverts_when_mined = False
        chain.trouble.clear()
        self.room.relayer.trouble.clear()

    # -- what stories do -----------------------------------------------------------------------

    @property
    def under_way(self) -> bool:
        return any(send.is_open for send in self.room.sends())

    def trouble(self, *words: str) -> None:
        """What becomes of the next sends."""
        line = self.room.chain.trouble if self.own_key else self.room.relayer.trouble
        line.extend(words)
        self.struck = True

    def condition(self, claim: IntentId) -> ConditionId:
        condition = self.room.record(claim).intent.condition_id
        assert condition is not None
        return condition

    def somebody_pays(self) -> None:
        """The venue's operator redeems one of the markets, if anything is left of it."""
        condition = self.condition(self.chance.choice(self.claims))
        chain = self.room.chain
        if any(chain.held[asset] for asset in chain.markets[condition].assets):
            chain.auto_redeem(condition)
            self.struck = True

    def another_uses_the_nonce(self, calls: tuple[ClaimCall, ...] = ()) -> None:
        """The wallet's owner sends something of their own from another program."""
        chain = self.room.chain
        chain.advance(BLOCK_SECONDS)
        if self.own_key:
            chain.pool.pop(chain.nonces, None)
            chain.nonces += 1
        else:
            chain.wallet_nonce += 1
        self.foreign += 1
        name = f"{FOREIGN if self.own_key else '0xabroad'}{self.foreign}"
        chain.mine(name, calls, ours=False)
        self.struck = True

    def take_back(self, *, forget: bool = False) -> bool:
        """The newest blocks with something of ours leave the chain while they are not deep; `forget`: its
        transaction does not come back by itself."""
        chain, room = self.room.chain, self.room
        newest = next((block for block in reversed(chain.blocks) if block.mined), None)
        deep = chain.blocks[-1].number - newest.number + 1 if newest else 99
        if newest is None or deep >= room.settings.confirmations or not newest.mined[-1].ours:
            return False
        taken = list(newest.mined)
        chain.reorganise()
        if not self.own_key:
            chain.pool.clear()
            chain.nonces += sum(mined.ours for mined in taken)  # it counted the wallet's own
            self._relayer_takes_back(taken, forget=forget)
        elif forget:
            chain.pool.clear()
        self.struck = True
        return True

    def _relayer_takes_back(self, taken: list[Mined], *, forget: bool) -> None:
        chain, relayer = self.room.chain, self.room.relayer
        for one in relayer.known.values():
            if one["tx"] in {mined.tx_hash for mined in taken}:
                chain.wallet_nonce -= 1
                one |= {"over": forget, "state": RelayerState.FAILED if forget else RelayerState.NEW}

    def stop_for_longer_than_a_lease(self, at: int) -> None:
        """At a point of its way the process sleeps, another one goes on, and then it wakes."""

        def meanwhile() -> None:
            self.struck = True
            self.room.start()
            for _ in range(self.chance.choice((1, 3, 30, 200))):
                self._step()

        self.line = StoppedLine(at, meanwhile)

    # -- inside --------------------------------------------------------------------------------

    def _claim(self, name: int) -> IntentId:
        shares, payouts = self.chance.choice(_SHARES), self.chance.choice(_PAYOUTS)
        other = self.chance.choice(("0", "0", "4.5")) if payouts != ("1", "0") else "0"
        return self.room.won(name, shares, payouts, other)

    def _look_for_two(self) -> None:
        """Two transactions of different nonces for one market, and both could still be mined."""
        alive: dict[ConditionId, set[int]] = {}
        if self.own_key:
            for nonce, waiting in self.room.chain.pool.items():
                if nonce >= self.room.chain.nonces:
                    for call in waiting.calls:
                        alive.setdefault(call.condition_id, set()).add(nonce)
        self.two_alive |= {condition for condition, nonces in alive.items() if len(nonces) > 1}


def played(story: Story, seed: int, number: int, *, crash_at: int = 0, folder: Path | None = None) -> History:
    """One history in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        history = History(Path(place), story, seed, number)
        history.play(crash_at)
        history.room.world.close()
    return history
