"""`intents approve`: show what is approved, ask, approve exactly that, and say what came of it."""

import math
from dataclasses import dataclass, replace
from typing import Final

from polyb0t.cli import door, words
from polyb0t.cli.as_whom import as_whom, progress_lines
from polyb0t.cli.exit_words import exit_lines
from polyb0t.cli.intents_read import load, mark_seen
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.render_result import Result, result_lines
from polyb0t.cli.render_show import dialog, question
from polyb0t.cli.scene import Scene, disagreement, look
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import INTENT_ID_LENGTH
from polyb0t.core.units import Price, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.refusals import person
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.smaller import smaller_form
from polyb0t.execution.standing import StandingApproval
from polyb0t.models import wording
from polyb0t.runtime.approving import Approver, exits_for, most_required
from polyb0t.runtime.deciding import Shape, approve_as_shown
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import approvals_of, intent_view, order_of

WAIT_SECONDS: Final = 5.0
_LOOK_EVERY: Final = 0.1
_DIGEST_SHORTEST: Final = 8
NOT_DONE: Final = 4
DECLINED: Final = 1


@dataclass(frozen=True, slots=True)
class Request:
    """What was typed. `wait` in seconds; None means 5 s when a person sits there, else none."""

    prefix: str
    yes: bool = False
    digest: str | None = None
    wait: float | None = None
    with_exits: bool = False
    shares: Shares | None = None
    worst_price: Price | None = None
    code: str | None = None

    @property
    def less(self) -> bool:
        """Whether a smaller form is wanted than the one that was proposed."""
        return self.shares is not None or self.worst_price is not None


def approve(terminal: Terminal, opened: OpenedStore, request: Request) -> int:
    """Approve one intent; the exit code.

    Raises:
        NotFoundError, AmbiguousError: no such id. ConflictError: decided, late, halted, another content.
        UsageError: nobody can be asked and `--yes` is missing.
    """
    record = opened.stores.intents.find(request.prefix)
    digest = _digest(record, request)
    scene = look(opened)
    asked = False
    now = opened.stores.intents.now()
    shown, exits = record, None
    if record.status is IntentStatus.PENDING and request.less:
        smaller = smaller_form(record.intent, shares=request.shares, worst_price=request.worst_price, now=now)
        shown = replace(record, intent=smaller, digest=smaller.digest)
    if record.status is IntentStatus.PENDING and request.with_exits:
        exits = exits_for(opened, shown.intent)
    if record.status is IntentStatus.PENDING and not request.yes:
        can_be_asked(terminal, f"polyb0t intents approve {record.id}")
        item = replace(load(opened.stores, [record])[0], record=shown)
        note = disagreement(scene, opened)
        mark_seen(terminal, opened, [record])
        lines = [*([note] if note else []), *dialog(item, scene, terminal.paint, terminal.columns)]
        large = progress_lines(opened, record, now, terminal.columns)
        terminal.show([*lines, *exit_lines(exits, terminal.columns), *large])
        if not terminal.ask(question(item, scene)):
            terminal.say(f"Not approved: you did not say y. Nothing was sent; {item.short} still waits.")
            return DECLINED
        asked = True
    shape = Shape(None if shown is record else shown.intent, exits)
    approver = Approver(door.actor())
    if record.status is IntentStatus.PENDING:
        needed = most_required([shown.intent, *([exits] if exits else [])])
        given = approvals_of(opened.stores, record)
        approver = as_whom(terminal, opened, needed, request.code, ask=asked, given=given)
    approved = approve_as_shown(
        opened.stores,
        door.manager(opened),
        record,
        digest=digest,
        actor=approver.actor,
        shape=shape,
        code=approver.code,
    )
    if not asked and not terminal.json:
        terminal.show(_content(load(opened.stores, [approved])[0], exits, terminal.columns))
    return conclude(terminal, opened, approved, scene, asked=asked, wait=request.wait)


def _content(item: Listed, exits: StandingApproval | None, columns: int) -> list[str]:
    """What was approved, for who was not asked and so has not read it."""
    trade, question_ = item.trade, wording.one_line(item.record.intent.question)
    said = f"{item.short}: {trade.sentence()}: {trade.stake()}"
    return [*words.wrap(said, columns), words.cut(question_, columns), *exit_lines(exits, columns)]


def conclude(
    terminal: Terminal,
    opened: OpenedStore,
    approved: IntentRecord,
    scene: Scene,
    *,
    asked: bool,
    wait: float | None,
) -> int:
    """Say that it is approved, then what came of it; the exit code."""
    (item,) = load(opened.stores, [approved])
    if approved.status is IntentStatus.PENDING and not terminal.json:
        terminal.show(progress_lines(opened, approved, opened.stores.intents.now(), terminal.columns))
        return 0
    if not terminal.json:
        said = words.wrap(_said(item, scene), terminal.columns)
        terminal.show(["", *said] if asked else said)
    seconds = wait if wait is not None else (WAIT_SECONDS if asked else 0.0)
    return _tell(terminal, opened, item, seconds)


def _digest(record: IntentRecord, request: Request) -> str:
    """The digest to approve: the one that was given, or the one of what is shown."""
    intent = record.intent
    typed = (request.digest or "").replace(" ", "").lower()
    if typed:
        enough = len(typed) >= _DIGEST_SHORTEST and record.digest.startswith(typed)
        return record.digest if enough else typed
    real = intent.regime is Regime.LIVE and not Scope.parse(intent.scope).is_sandbox
    if real and request.yes and len(request.prefix.strip()) < INTENT_ID_LENGTH:
        raise UsageError(
            "Not approved: a real order needs its whole id or its digest with --yes. Nothing was sent.",
            why="With --yes nobody sees what is approved, so it has to be named exactly.",
            do=f"polyb0t intents approve {record.id} --yes",
            code="digest_required",
        )
    return record.digest


def can_be_asked(terminal: Terminal, command: str) -> None:
    """Raises UsageError: nobody sits there, and `command` lacks --yes."""
    if terminal.json or not terminal.somebody_sits_here:
        raise UsageError(
            "Not approved: nobody can be asked here. Nothing was sent.",
            why="This is not a terminal, or --json was given." if not terminal.json else "--json never asks.",
            do=f"Use --yes: {command} --yes",
            code="confirmation_required",
        )


_THEN: Final = {
    Regime.LIVE: "Sending.",
    Regime.DRY_RUN: "Dry run: nothing will be signed or sent.",
    Regime.PAPER: "Paper: its fill is simulated, nothing will be signed or sent.",
}


def _said(item: Listed, scene: Scene) -> str:
    """The decision, at once, before anything is known of its result."""
    record = item.record
    at = wording.clock_time(record.decided_at or record.updated_at)
    by = f"Approved by {wording.one_line(person(record.decided_by))} at {at}."
    if not scene.running:
        until = (record.execute_by or record.intent.deadline) - scene.now
        within = wording.span(until.total_seconds())
        return f"{by} {scene.no_engine(f'It is carried out only if one starts within {within}.')}"
    return f"{by} {_THEN[record.intent.regime]}"


def _tell(terminal: Terminal, opened: OpenedStore, item: Listed, seconds: float) -> int:
    """Wait for a result, then print it."""
    record, order = _wait(opened, item.record, seconds)
    if terminal.json:
        terminal.data(intent_view(record, order, item.short, approvals_of(opened.stores, record)))
        return NOT_DONE if record.status is IntentStatus.FAILED else 0
    result = Result(record, order, item.short)
    if seconds > 0:
        terminal.show(result_lines(result, terminal.paint, terminal.columns, seconds))
    return NOT_DONE if result.not_done else 0


def _wait(
    opened: OpenedStore, record: IntentRecord, seconds: float
) -> tuple[IntentRecord, OrderRecord | None]:
    """Look until something is known, for `seconds` at most."""
    clock = SystemClock()
    order = order_of(opened.stores, record.order_id)
    for _ in range(math.ceil(seconds / _LOOK_EVERY)):
        if _known(record, order):
            break
        clock.sleep(_LOOK_EVERY)
        record = opened.stores.intents.get(record.id)
        order = order_of(opened.stores, record.order_id)
    return record, order


def _known(record: IntentRecord, order: OrderRecord | None) -> bool:
    if record.status in (IntentStatus.PENDING, IntentStatus.APPROVED):
        return False
    if record.status is IntentStatus.EXECUTING:
        return order is not None and order.status is OrderStatus.UNKNOWN
    # A taker's fills arrive a moment after the exchange said yes.
    return order is None or order.status is not OrderStatus.MATCHED or bool(order.filled_shares)
