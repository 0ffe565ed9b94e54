"""What `audit verify` and `audit show` print."""

from collections.abc import Iterator

from polyb0t.cli import claim_words, words
from polyb0t.cli.terminal import Terminal
from polyb0t.execution.refusals import person
from polyb0t.models import wording
from polyb0t.runtime import auditing
from polyb0t.runtime.auditing import Step, Verdict
from polyb0t.runtime.opened import OpenedStore

BROKEN = 4
_SHOWN = 50


def verify(terminal: Terminal, opened: OpenedStore) -> int:
    """Print the verdict; the exit code."""
    verdict = auditing.verify(opened)
    if terminal.json:
        terminal.data(verdict.view())
    else:
        terminal.show(list(_verdict_lines(terminal, verdict)))
    return 0 if verdict.intact else BROKEN


def show(terminal: Terminal, opened: OpenedStore, prefix: str) -> None:
    """Print the story of one intent."""
    record = opened.stores.intents.find(prefix)
    steps = auditing.story(opened.stores, record)
    if terminal.json:
        terminal.data([step.view() for step in steps])
        return
    short = opened.stores.intents.shortest_prefixes([record.id])[record.id]
    head = words.cut(
        f"{short}  {record.status.value}  {wording.one_line(record.intent.question)}", terminal.columns
    )
    lines = [head, ""]
    for step in steps:
        lines += _lines(step, terminal.columns)
    terminal.show(lines)


def _verdict_lines(terminal: Terminal, verdict: Verdict) -> Iterator[str]:
    report = verdict.report
    what = f"{report.entries:,} entries, {report.intents:,} intents, "
    what += f"{report.orders:,} orders, {report.fills:,} fills"
    what += f", {report.sends:,} transactions of claims" if report.sends else ""
    if verdict.intact:
        yield f"The journal holds: {what}."
        yield f"Anchor: {verdict.anchor}"
        yield f"Head: {report.head}"
        return
    yield terminal.paint.red("BROKEN") + f"  {len(verdict.findings)} findings in {what}."
    for finding in verdict.findings[:_SHOWN]:
        yield from words.fold(f"  {wording.one_line(finding)}", terminal.columns)
    if len(verdict.findings) > _SHOWN:
        yield f"  and {len(verdict.findings) - _SHOWN} more: --json"
    yield "Do not trade on this database. Compare it with a copy; docs/operations.md says how."


def _lines(step: Step, columns: int) -> Iterator[str]:
    """When, how long after the step before, and what; a long sentence goes on under itself."""
    after = f"+{step.seconds:.3f} s"
    when = f"{step.at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f"  {after:>12}  "
    first, *rest = words.wrap(_sentence(step), max(20, columns - len(when))) or [""]
    yield when + first
    yield from (" " * len(when) + more for more in rest)


def _sentence(step: Step) -> str:
    payload = step.payload
    detail = wording.one_line(str(payload.get("detail") or ""))
    code = f" ({payload['code']})" if payload.get("code") else ""
    after = f": {detail}" if detail else ""
    match step.kind:
        case "intent.proposed":
            return f"proposed, digest {str(payload.get('digest', ''))[:12]}"
        case "order.permitted":
            return f"order {wording.short_hex(step.subject)} permitted: stored as SIGNED, may be sent once"
        case "order.settled":
            return f"order {payload['from']} -> {payload['to']}{code}{after}"
        case "order.taken_back":
            return f"order {wording.short_hex(step.subject)} taken back as approved{code}{after}"
        case "fill.recorded":
            fill = f"{payload['shares']} at {payload['price']}, fee {payload['fee']}"
            return f"fill {wording.one_line(step.subject)[:16]} {payload['to']}: {fill}"
        case "claim.prepared" | "claim.settled" | "claim.final" | "payout.booked" | "payout.taken_back":
            return claim_words.sentence(step)
        case kind if kind.startswith("intent."):
            by = f" by {person(step.actor)}" if step.actor.startswith(("user:", "token:")) else ""
            return f"{kind.removeprefix('intent.')}{by}{code}{after}"
        case kind:
            said = wording.one_line(str(payload.get("answer") or payload.get("reason") or detail))
            return kind.replace(".", " ") + (f": {said}" if said else "") + f" by {person(step.actor)}"
