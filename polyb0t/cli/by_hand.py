"""`positions close`, `positions protect`, `intents propose`: what a person does without being asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from polyb0t.cli import door, words
from polyb0t.cli.approve import DECLINED, can_be_asked, conclude
from polyb0t.cli.as_whom import as_whom
from polyb0t.cli.exit_words import content_words, exit_lines
from polyb0t.cli.render_intents import Listed, listed
from polyb0t.cli.render_show import dialog, question
from polyb0t.cli.scene import Scene, look
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.core.ids import IntentId
from polyb0t.core.units import Price, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, TradeIntent
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.models import wording
from polyb0t.runtime.approving import exits_for, most_required
from polyb0t.runtime.by_hand import HandDesk, Idea
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.standing_terms import Terms, given_for, held_position, openings_of
from polyb0t.runtime.views import standing_view

SHOWN_ID = 4


@dataclass(frozen=True, slots=True)
class How:
    """How a command was called. `wait` in seconds; None: 5 s when a person sits there."""

    yes: bool = False
    wait: float | None = None
    with_exits: bool = False
    code: str | None = None


def close(
    terminal: Terminal, opened: OpenedStore, prefix: str, shares: Shares | None, floor: Price | None, how: How
) -> int:
    """Sell a position at a shown floor, approved in the same `y`; the exit code."""
    position = held_position(opened.stores, prefix)
    _bounded(opened, how, floor is not None, f"polyb0t positions close {prefix} --worst-price 50c --yes")
    with HandDesk(opened) as desk:
        intent = desk.close(position, shares, floor)
    return _approve(terminal, opened, intent, how, f"polyb0t positions close {prefix}", replaces=True)


def propose(terminal: Terminal, opened: OpenedStore, idea: Idea, how: How) -> int:
    """Buy what a person wants, through the same controls, approved in the same `y`."""
    with HandDesk(opened) as desk:
        intent = desk.buy(idea)
    return _approve(terminal, opened, intent, how, "polyb0t intents propose", replaces=False)


def protect(terminal: Terminal, opened: OpenedStore, prefix: str, terms: Terms, how: How) -> int:
    """Approve a position's exits in advance: one standing approval for each of its purchases."""
    position = held_position(opened.stores, prefix)
    openings = openings_of(opened.stores, position.asset_id)
    given = [exits_for(opened, opening, terms) for opening in openings]
    scene = look(opened)
    if not how.yes:
        can_be_asked(terminal, f"polyb0t positions protect {prefix}")
        terminal.show(_protect_lines(given, scene, terminal.columns))
        if not terminal.ask("Approve? [y/N]"):
            terminal.say("Not approved: you did not say y. Exits wait for you.")
            return DECLINED
    word = as_whom(terminal, opened, most_required(given), how.code, ask=not how.yes)
    made = opened.stores.standing.protect_each(given, actor=word.actor, code=word.code)
    if terminal.json:
        terminal.data([standing_view(each) for each in made])
        return 0
    for each in made:
        back = f"Take it back: polyb0t positions unprotect {prefix}"
        text = f"Approved in advance: {content_words(each.standing)}. {_lacks(each)}{back}"
        terminal.show(words.wrap(text, terminal.columns))
    return 0


def _lacks(record: StandingRecord) -> str:
    """What it needs before anything is sold under it."""
    missing = record.missing
    if missing is None:
        return ""
    return f"Not in force yet: {missing.detail} Another approver types the same command. "


def unprotect(terminal: Terminal, opened: OpenedStore, prefix: str, reason: str) -> int:
    """Take back what was approved in advance, at once."""
    position = held_position(opened.stores, prefix)
    found = given_for(opened.stores, position.asset_id)
    if not found:
        raise ConflictError(
            f"Nothing was taken back: no exit of {prefix} is approved in advance.",
            why="Its exits wait for you.",
            code="not_protected",
        )
    store = opened.stores.standing
    gone = [store.revoke(each.id, actor=door.actor(), reason=reason) for each in found]
    if terminal.json:
        terminal.data([standing_view(each) for each in gone])
        return 0
    terminal.show(["Taken back. Exits of this position wait for you from now on."])
    return 0


def _approve(
    terminal: Terminal, opened: OpenedStore, intent: TradeIntent, how: How, command: str, *, replaces: bool
) -> int:
    scene = look(opened)
    exits: StandingApproval | None = None
    if how.with_exits:
        exits = exits_for(opened, intent)
    item = unstored(intent)
    if not how.yes:
        can_be_asked(terminal, command)
        lines = dialog(item, scene, terminal.paint, terminal.columns)
        terminal.show([*lines, *exit_lines(exits, terminal.columns)])
        if not terminal.ask(question(item, scene)):
            terminal.say("Not approved: you did not say y. Nothing was proposed and nothing was sent.")
            return DECLINED
    elif not terminal.json:
        shown = f"{item.trade.sentence()}: {item.trade.stake()}"
        terminal.show([*words.wrap(shown, terminal.columns), *exit_lines(exits, terminal.columns)])
    word = as_whom(
        terminal, opened, most_required([intent, *([exits] if exits else [])]), how.code, ask=not how.yes
    )
    approved = opened.stores.by_hand.propose_and_approve(
        intent,
        digest=intent.digest,
        actor=word.actor,
        code=word.code,
        grace_seconds=opened.settings.execution_grace_seconds,
        exits=exits,
        replaces_waiting=replaces,
    )
    return conclude(terminal, opened, approved, scene, asked=not how.yes, wait=how.wait)


def unstored(intent: TradeIntent) -> Listed:
    """The intent as a screen shows it before it is stored."""
    record = IntentRecord(
        intent=intent,
        digest=intent.digest,
        status=IntentStatus.PENDING,
        decided_at=None,
        decided_by=None,
        execute_by=None,
        result=None,
        result_detail="",
        seen_at=None,
        order_id=None,
        updated_at=intent.created_at,
    )
    return listed([record], {intent.id: IntentId(intent.id[:SHOWN_ID])}, {})[0]


def _bounded(opened: OpenedStore, how: How, named: bool, command: str) -> None:
    """With real money and --yes nobody sees the floor, so it has to be named."""
    scene = look(opened)
    if scene.real_money and how.yes and not named:
        raise UsageError(
            "Not approved: with --yes and real money the worst price has to be named. Nothing was sent.",
            why="Nobody sees the floor that would be approved.",
            do=command,
            code="worst_price_required",
        )


def _protect_lines(given: Sequence[StandingApproval], scene: Scene, columns: int) -> list[str]:
    first = given[0]
    lines = [f"{scene.mode}   {scene.account}"]
    lines += [f"  {line}" for line in words.wrap(wording.one_line(first.question), columns - 4)]
    for each in given:
        text = (
            f"Sell {wording.outcome(each.outcome_label)} without asking: {content_words(each)}; at most "
            f"{wording.shares(each.most_shares)} shares, never more than {each.opening_id[:SHOWN_ID]} "
            f"bought. Digest {wording.short_digest(each.digest)}"
        )
        lines += [f"  {line}" for line in words.wrap(text, columns - 4)]
    return lines
