"""`claims list` and `claims show`."""

from collections.abc import Sequence

from polyb0t.cli import words
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Terminal
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.execution.settlement.sends import SendRecord
from polyb0t.models import wording
from polyb0t.models.gas import gas_words, pol_of
from polyb0t.runtime.claims_view import (
    ByHand,
    Claim,
    Process,
    by_hand,
    find_claim,
    process_of,
    read_claims,
)
from polyb0t.runtime.opened import OpenedStore

_COLUMNS = (
    Column("CLAIM"),
    Column("EXPECTED", right=True),
    Column("PAID", right=True),
    Column("STANDS", widest=40),
    Column("MARKET"),
)
_UNDER_WAY = (IntentStatus.APPROVED, IntentStatus.EXECUTING)
_NONE = "No claims. One is proposed when a market of which you hold winning shares has resolved."


def show_list(terminal: Terminal, opened: OpenedStore) -> None:
    """Print the claims, and what a person has to claim."""
    claims = read_claims(opened.stores, opened.settings.pol_price_pusd)
    instructions = by_hand(opened.stores)
    process = process_of(opened.stores)
    if terminal.json:
        shown = {"claims": [each.view() for each in claims], "process": process.view()}
        terminal.data({**shown, "by_hand": [each.view() for each in instructions]})
        return
    scene = look(opened)
    lines = [*context_line(scene, terminal.paint, terminal.columns).split("\n"), ""]
    lines += _table(claims, terminal.columns) if claims else words.wrap(_NONE, terminal.columns)
    if any(each.record.status in _UNDER_WAY for each in claims):
        lines += words.wrap(_process(process), terminal.columns)
    lines += _instructions(instructions, terminal.columns)
    terminal.show(lines)


def show_one(terminal: Terminal, opened: OpenedStore, prefix: str) -> None:
    """Print one claim with its transactions."""
    claim = find_claim(opened.stores, prefix, opened.settings.pol_price_pusd)
    if terminal.json:
        terminal.data(claim.view())
        return
    terminal.show(_screen(claim, look(opened), terminal))


def _process(process: Process) -> str:
    if not process.running:
        return "Nothing is sent: no claims process runs. Start it: polyb0t claims run"
    if process.problem:
        return f"The claims process runs and waits: {wording.one_line(process.problem)}"
    return "The claims process runs."


def _table(claims: Sequence[Claim], columns: int) -> list[str]:
    cells = [
        [
            claim.record.id[:6],
            wording.money(claim.expected),
            wording.money(claim.paid) if claim.paid else "-",
            claim.stands,
            wording.one_line(claim.record.intent.question),
        ]
        for claim in claims
    ]
    follow = f"Closer look: polyb0t claims show {claims[0].record.id[:6]}"
    if columns < MEDIUM:
        cards = [[f"{cell[0]}  {cell[1]} pUSD", f"      {cell[3]}"] for cell in cells]
        return [*(words.cut(line, columns) for card in cards for line in card), "", follow]
    return [*table(_COLUMNS, cells, columns), "", follow]


def _instructions(instructions: Sequence[ByHand], columns: int) -> list[str]:
    lines: list[str] = []
    for each in instructions:
        lines += ["", *words.wrap(f"To claim yourself: {wording.one_line(each.question)}", columns)]
        lines += [f"  {line}" for line in words.wrap(f"{each.why} {each.do}", columns - 2)]
        lines.append(words.cut(f"  {each.page}", columns))
    return lines


def _screen(claim: Claim, scene: Scene, terminal: Terminal) -> list[str]:
    intent, columns = claim.record.intent, terminal.columns
    told = dict(intent.claim or {})
    lines = [
        *context_line(scene, terminal.paint, columns).split("\n"),
        "",
        f"Claim {claim.record.id}",
        f"  {claim.stands}",
        *(f"  {line}" for line in words.wrap(wording.one_line(intent.question), columns - 2)),
        f"  expected {wording.money(claim.expected)} pUSD, paid {wording.money(claim.paid)} pUSD",
        *(f"  {line}" for line in words.wrap(_cost(claim), columns - 2)),
        *(
            f"  {words.cut(f'{name:<10} {told[name]}', columns - 2)}"
            for name in ("route", "wallet", "contract", "function", "shares", "payouts")
            if name in told
        ),
    ]
    if claim.record.result_detail:
        lines += [f"  {line}" for line in words.wrap(claim.record.result_detail, columns - 2)]
    for send in claim.sends:
        lines += ["", *_send(send, columns)]
    for entry in claim.payouts:
        by = "" if entry.send_id else ", not by polyb0t"
        paid = f"Paid {wording.money(entry.payout.pusd)} pUSD in block {entry.payout.block_number}{by}"
        lines += ["", words.cut(paid, columns), words.cut(f"  {entry.payout.tx_hash}", columns)]
    return [*lines, "", f"Its approval: polyb0t intents show {claim.record.id[:6]}"]


def _cost(claim: Claim) -> str:
    if (claim.record.intent.claim or {}).get("route") == ClaimRoute.RELAYER:
        return "gas is paid by the relayer, which asks nothing for it"
    if not claim.gas.transactions:
        return "gas none yet"
    return f"gas {gas_words(claim.gas)}, paid beside the books"


def _send(send: SendRecord, columns: int) -> list[str]:
    lines = [f"{send.status.value}, nonce {send.nonce}, {wording.clock_time(send.created_at)}"]
    lines += [words.cut(f"  {each}", columns) for each in (send.tx_hash, send.transaction_id) if each]
    if send.gas_cost_wei:
        lines.append(f"  gas {pol_of(send.gas_cost_wei):.6f} POL")
    if send.detail:
        lines += [f"  {line}" for line in words.wrap(wording.one_line(send.detail), columns - 2)]
    return lines
