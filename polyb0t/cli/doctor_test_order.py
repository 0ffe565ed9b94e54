"""`doctor --test-order`: one question, one order that costs nothing, and what it proved."""

from polyb0t.cli import door, words
from polyb0t.cli.approve import DECLINED, can_be_asked
from polyb0t.cli.by_hand import unstored
from polyb0t.cli.render_show import dialog, question
from polyb0t.cli.scene import look
from polyb0t.cli.terminal import Terminal
from polyb0t.execution.intents import TradeIntent
from polyb0t.models import wording
from polyb0t.runtime.by_hand import HandDesk
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.proving import Outcome, Proving, require_engine, untested

NOT_PROVEN = 1
_NAME = 9


def run(terminal: Terminal, opened: OpenedStore, market: str | None, *, yes: bool) -> int:
    """Propose it, ask, follow it; the exit code: 0 proven, 1 not.

    Raises:
        ConflictError: no engine sends orders here, or no market is fit. NotAuthorisedError: no credentials.
    """
    require_engine(opened)
    around, wanted = untested(opened)
    with HandDesk(opened) as desk:
        intent = desk.test_order(market, wanted)
    scene, item = look(opened), unstored(intent)
    if not yes:
        can_be_asked(terminal, "polyb0t doctor --test-order")
        terminal.show(dialog(item, scene, terminal.paint, terminal.columns))
        terminal.show(words.wrap(_what_happens(intent), terminal.columns))
        if not terminal.ask(question(item, scene)):
            terminal.say("No test order: you did not say y. Nothing was sent.")
            return DECLINED
    proving = Proving(opened, around, door.actor())
    opened.stores.by_hand.propose_and_approve(
        intent,
        digest=intent.digest,
        actor=door.actor(),
        grace_seconds=opened.settings.execution_grace_seconds,
    )
    outcome = proving.follow(intent)
    _tell(terminal, outcome)
    return 0 if outcome.proven else NOT_PROVEN


def _what_happens(intent: TradeIntent) -> str:
    return (
        f"A test order: it rests {wording.shares(intent.shares)} shares at "
        f"{wording.price(intent.worst_price, intent.tick)}, is read back by its id and cancelled at once. It "
        f"costs nothing; should it fill after all, at most {wording.at_most(intent.max_cost)} pUSD."
    )


def _tell(terminal: Terminal, outcome: Outcome) -> None:
    if terminal.json:
        steps = [{"name": step.name, "passed": step.passed, "detail": step.detail} for step in outcome.steps]
        terminal.data({"proven": outcome.proven, "order_id": outcome.order_id, "steps": steps})
        return
    room = terminal.columns - 2 * _NAME
    lines: list[str] = []
    for step in outcome.steps:
        first, *rest = words.wrap(step.detail, room) or [""]
        state = "ok" if step.passed else "FAILED"
        lines += [f"{state:<{_NAME}}{step.name:<{_NAME}}{first}", *(" " * 2 * _NAME + line for line in rest)]
    proven = "Proven for this kind of wallet and this exchange contract: openings there may be sent."
    missing = "Not proven: openings with real money stay refused there. Look: polyb0t orders list"
    terminal.show([*lines, "", *words.wrap(proven if outcome.proven else missing, terminal.columns)])
