"""What goes wrong on the way of a claim, one story for each kind of trouble."""

from collections.abc import Callable
from typing import Final

from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.models.kill_switches import KillSwitchType
from tests.faults.claims.history import History, Story

_OWN: Final = (ClaimRoute.TRANSACTION,)
_RELAYER: Final = (ClaimRoute.RELAYER,)
_BOTH: Final = (ClaimRoute.TRANSACTION, ClaimRoute.RELAYER)
OVER_THE_CAP: Final = 501
POINTS_OF_A_CLAIM: Final = 60  # about so many points a process passes on the way of one


def _words(*words: str, most: int = 3) -> Callable[[History], None]:
    def prepare(history: History) -> None:
        history.trouble(*(words * history.chance.randint(1, most)))

    return prepare


def _underpriced(history: History) -> None:
    """A little more than it offers, for good or until the middle of its way."""
    history.room.chain.floor_fee = 42
    history.struck = True


def _dearer_and_cheaper(history: History, step: int) -> None:
    if step and step % history.chance.randint(4, 30) == 0:
        history.room.chain.floor_fee = history.chance.choice((1, 30, 42, 46, OVER_THE_CAP))


def _gas_over_the_cap(history: History, step: int) -> None:
    if history.chance.random() < 0.2:
        history.room.chain.floor_fee = history.chance.choice((30, OVER_THE_CAP, OVER_THE_CAP))
        history.struck = True


def _reverts(history: History) -> None:
    """A simulation says that it pays, and then it does not."""
    history.room.chain.reverts_when_mined = True
    history.struck = True


def _taken_back(history: History, _step: int) -> None:
    if history.chance.random() < 0.4:
        history.take_back()


def _taken_back_and_forgotten(history: History, _step: int) -> None:
    if history.chance.random() < 0.4:
        history.take_back(forget=True)


def _taken_back_and_paid_by_another(history: History, _step: int) -> None:
    if history.chance.random() < 0.4 and history.take_back(forget=True):
        history.somebody_pays()


def _away(history: History, step: int) -> None:
    history.node.down = history.chance.random() < 0.5


def _behind(history: History, step: int) -> None:
    if step % 10 == 0:
        history.node.behind = history.chance.choice((0, 1, 4, 30))


def _stuck_behind(history: History, step: int) -> None:
    """It stays at the block that it had when the claim left."""
    if history.under_way or history.node.behind:
        history.node.behind += 2


def _two_nodes(history: History, step: int) -> None:
    history.node.one_in_two = True
    history.node.behind = 3


def _another_chain(history: History, step: int) -> None:
    history.node.wrong_chain = 2 <= step < 2 + 4 * (1 + history.number % 6)


def _paid_meanwhile(history: History, _step: int) -> None:
    if history.chance.random() < 0.3:
        history.somebody_pays()


def _paid_before(history: History) -> None:
    history.somebody_pays()


def _nonce_elsewhere(history: History, step: int) -> None:
    if history.under_way and history.foreign < 2 and history.chance.random() < 0.3:
        history.another_uses_the_nonce()


def _relayer_silent(history: History, step: int) -> None:
    history.room.relayer.silent = history.chance.random() < 0.5
    history.struck = True


def _name_forgotten(history: History, step: int) -> None:
    """It knows nothing of a submission any more, though it carries it."""
    history.room.relayer.forgetful = True
    history.struck = True


def _halted(history: History, step: int) -> None:
    switches = history.room.world.switches
    if step in (0, 2, 5):
        switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
        history.struck = True
    if step in (1, 4, 9):
        switches.clear(KillSwitchType.MANUAL, actor="user:anna", reason="back")


def _sleeps(history: History) -> None:
    history.stop_for_longer_than_a_lease(1 + history.number // 2 % POINTS_OF_A_CLAIM)


def _everything(history: History, step: int) -> None:
    told = history.chance.random()
    if told < 0.1:
        history.node.down = not history.node.down
    elif told < 0.2:
        history.node.behind = history.chance.choice((0, 0, 1, 4))
    elif told < 0.3:
        history.take_back()
    elif told < 0.4:
        history.somebody_pays()
    elif told < 0.5 and history.own_key:
        history.room.chain.floor_fee = history.chance.choice((1, 30, 42, OVER_THE_CAP))
    elif told < 0.6:
        history.trouble(history.chance.choice(_ANY_WORD[history.room.route]))


_ANY_WORD: Final = {
    ClaimRoute.TRANSACTION: ("lost", "no_answer", "forgotten"),
    ClaimRoute.RELAYER: ("busy", "lost", "accepted_unheard", "stall", "failed", "invalid"),
}

STORIES: Final = (
    Story("process ends, nothing else", _BOTH, crashes="all"),
    Story("process sleeps for longer than a lease, another goes on", _BOTH, _sleeps, crashes="none"),
    Story("answer not heard", _OWN, _words("no_answer")),
    Story("send lost", _OWN, _words("lost")),
    Story("dropped by the node", _OWN, _words("forgotten")),
    Story("stuck below the price of gas, replaced", _OWN, _underpriced),
    Story("price of gas up and down, old or new copy mined", _OWN, _underpriced, _dearer_and_cheaper),
    Story("gas over the cap for a while", _OWN, during=_gas_over_the_cap),
    Story("nonce used by another program", _OWN, _underpriced, _nonce_elsewhere),
    Story("reverted", _BOTH, _reverts, may_fail=("reverted",)),
    Story("block taken back", _BOTH, during=_taken_back),
    Story("block taken back, transaction forgotten", _BOTH, during=_taken_back_and_forgotten),
    Story("block taken back, the venue pays meanwhile", _BOTH, during=_taken_back_and_paid_by_another),
    Story("node away", _BOTH, during=_away),
    Story("node behind", _BOTH, during=_behind),
    Story("node stuck at a block", _BOTH, during=_stuck_behind),
    Story("two nodes behind one address, one of them late", _BOTH, during=_two_nodes),
    Story("node of another chain", _BOTH, during=_another_chain),
    Story("relayer busy or 429", _RELAYER, _words("busy", most=6)),
    Story("relayer: no answer before acceptance", _RELAYER, _words("lost")),
    Story("relayer: no answer after acceptance", _RELAYER, _words("accepted_unheard", most=1)),
    Story("relayer: accepted and never sent", _RELAYER, _words("stall", most=1)),
    Story("relayer: FAILED", _RELAYER, _words("failed", most=2)),
    Story("relayer: INVALID", _RELAYER, _words("invalid", most=2)),
    Story("relayer: FAILED, and mined all the same", _RELAYER, _words("failed_mined", most=1)),
    Story("relayer away", _RELAYER, during=_relayer_silent),
    Story("relayer forgets what it carries", _RELAYER, _words("accepted_unheard", most=1), _name_forgotten),
    Story("wallet's counter used by another program", _RELAYER, _words("stall"), _nonce_elsewhere),
    Story("paid by the venue before the send", _BOTH, _paid_before),
    Story("paid by the venue meanwhile", _BOTH, during=_paid_meanwhile),
    Story("halted and cleared", _BOTH, during=_halted, may_fail=("halted",)),
    Story("everything at once", _BOTH, during=_everything, crashes="all"),
)
