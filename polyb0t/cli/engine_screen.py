"""The engine's own terminal: one line for an event, none for a cycle, a status line rewritten in place."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from polyb0t.cli import words
from polyb0t.cli.scene import account_words, override_words
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.trade_words import Trade
from polyb0t.core.clock import from_microseconds
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId, OrderId
from polyb0t.data.order_book import Side
from polyb0t.data.universe_words import left_out
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.outcome import outcome_of
from polyb0t.execution.refusals import person
from polyb0t.execution.scope import Regime, mode_words
from polyb0t.execution.store import JournalEntry, Stores
from polyb0t.models import wording
from polyb0t.models.kill_switches import KillSwitchType, overridden, stance_of
from polyb0t.runtime.screen import CheckFacts, Ended, StartFacts, StatusFacts, StopFacts

STATUS_SECONDS: Final = 60.0  # between status lines where there is no terminal to rewrite
_INDENT: Final = 20  # columns of time, event and id
_CLEAR: Final = "\r\x1b[K"
_NOT_ASKED: Final = {
    Ended.TAKEN_OVER: "Stopped: another engine has taken over this wallet. Nothing more is sent from here.",
    Ended.NOT_WRITTEN: "Stopped: the database could not be written for 15 s; nothing was sent meanwhile. "
    "Look at its disk and at who else uses it, then start again.",
}
_MARKS: Final = {"ok": "ok", "failed": "FAILED", "warning": "warning", "not_run": "not run"}


@dataclass
class EngineScreen:
    """Implements `runtime.screen.Screen` on a terminal or into a pipe."""

    terminal: Terminal
    quiet_start: bool = False
    _stores: Stores | None = None
    _rewriting: bool = False
    _status_at: float = field(default=float("-inf"))

    def started(self, facts: StartFacts) -> None:
        self._stores = facts.stores
        if self.quiet_start:
            return
        paint = self.terminal.paint
        mode = mode_words(facts.scope, facts.regime)
        real = facts.regime is Regime.LIVE and not facts.scope.is_sandbox
        switches = tuple(facts.stores.switches.list())
        stance = f"{stance_of(switches).words}{override_words(overridden(switches))}"
        wallet = account_words(facts.scope, decides_itself=facts.decides_itself)
        lines = [f"{paint.red(mode) if real else mode}   {wallet}   {stance}"]
        if facts.regime is Regime.DRY_RUN:
            lines.append("Dry run: trades are proposed, nothing is signed or sent.")
        if facts.regime is Regime.PAPER:
            lines += _paper_lines(facts)
        elif facts.pretend_cash_pusd is not None:
            lines.append(f"Sized against a pretend {wording.money(facts.pretend_cash_pusd)} pUSD.")
        lines.append(f"Details are in {facts.log_file}")
        self.terminal.show(lines)

    def told(self, sentence: str) -> None:
        self._wipe()
        self._show([sentence])

    def climbing(self, lines: list[str]) -> None:
        if not self.quiet_start:
            self._show([part for line in lines for part in words.fold(line, self.terminal.columns)])

    def checked(self, checks: tuple[CheckFacts, ...]) -> None:
        shown = [check for check in checks if not (self.quiet_start and check.state == "ok")]
        for check in shown:
            mark = _MARKS.get(check.state, check.state)
            self.terminal.show([f"{mark:<8} {check.name:<14} {wording.one_line(check.detail)}"])
            if check.do and check.state != "ok":
                self.terminal.show([f"{'':23} Do: {check.do}"])

    def confirm(self, facts: StartFacts) -> bool:
        tail = facts.scope.wallet[-4:]
        if not self.terminal.somebody_sits_here:
            self.terminal.say("Not started: real orders need a person at the start, or --yes.")
            return False
        budget = "" if facts.budget_pusd is None else f"{facts.budget_pusd:f}".partition(".")[0]
        self.terminal.say(
            f"Approved trades will be sent as REAL orders with wallet {facts.scope.wallet}; "
            f"at most {wording.money(facts.budget_pusd)} pUSD of it are used, losses counted.",
        )
        asked = f"{tail} {budget}".strip()
        question = f"Type the wallet's last four characters and the budget ({asked}) to start:"
        return " ".join(self.terminal.ask_text(question).split()) == asked

    def happened(self, entry: JournalEntry) -> None:
        lines = self._lines(entry)
        if lines:
            self._wipe()
            at = f"{entry.at:%H:%M:%S}"
            first, *rest = lines
            self._show([f"{at}  {first}", *(f"{'':{_INDENT}}{line}" for line in rest)])

    def status(self, facts: StatusFacts) -> None:
        line = _status_line(facts)
        if self.terminal.out.isatty():
            shown = words.cut(line, self.terminal.columns - 1)
            self.terminal.out.write(_CLEAR + self.terminal.spell(shown))
            self.terminal.out.flush()
            self._rewriting = True
        elif facts.cycle and facts.now.timestamp() - self._status_at >= STATUS_SECONDS:
            self._status_at = facts.now.timestamp()
            self.terminal.show([line])

    def stopping(self, open_orders: tuple[OrderId, ...]) -> None:
        self._wipe()
        lines = ["Finishing the cycle, at most 5 s. Ctrl-C again stops at once."]
        if open_orders:
            it = "it" if len(open_orders) == 1 else "one"
            cancel = f"cancel {it}: polyb0t orders cancel {open_orders[0][:6]}"
            lines.append(f"Open orders stay at the exchange: {len(open_orders)} ({cancel}).")
        self._show(lines)

    def stopped(self, facts: StopFacts) -> None:
        self._wipe()
        if facts.ended in _NOT_ASKED:
            self.terminal.say(_NOT_ASKED[facts.ended])
        lines = [f"Stopped after {_counted(facts.cycles, 'cycle')}. The log is {facts.log_file}"]
        if facts.open_orders:
            lines.append(f"Open at the exchange: {_counted(facts.open_orders, 'order')}.")
        if facts.unknown_orders:
            unknown = _counted(facts.unknown_orders, "order")
            lines.append(f"Of unknown outcome: {unknown}, looked up at the next start.")
        self._show(lines)

    def _show(self, lines: list[str]) -> None:
        """Lines that fit; what goes on stands under the words, not under the time."""
        self.terminal.show(
            part for line in lines for part in words.hang(line, self.terminal.columns, _INDENT)
        )

    def _wipe(self) -> None:
        if self._rewriting:
            self.terminal.out.write(_CLEAR)
            self._rewriting = False

    def _lines(self, entry: JournalEntry) -> list[str]:
        """What a person wants to know of a journal entry; nothing for most of them."""
        payload = json.loads(entry.payload)
        if entry.kind.startswith(("intent.", "approval.")):
            return self._intent_lines(entry, payload)
        match entry.kind:
            case "switch.tripped":
                stance = f" {_words_of(entry.subject)}."
                return [
                    self.terminal.paint.red("TRIPPED") + f"   {entry.subject}: {payload['reason']}.{stance}"
                ]
            case "switch.cleared":
                return [f"CLEARED   {entry.subject} by {person(entry.actor)}: {payload['reason']}"]
            case "switch.overridden":
                until = wording.clock_time(from_microseconds(payload["until"]))
                who = f"{person(entry.actor)}: {payload['reason']}"
                return [f"OVERRIDDEN   {entry.subject} until {until} by {who}"]
            case "order.settled":
                return self._order_lines(entry, payload)
            case "order.taken_back":
                order = wording.short_hex(entry.subject)
                return [f"TAKEN BACK   order {order}: {wording.one_line(str(payload['detail']))}"]
            case "credentials.rotated":
                return [f"REPLACED  API credentials by {person(entry.actor)}; the new ones are in use"]
            case "credentials.not_revoked":
                return [f"NOT REVOKED   the old API credentials: {payload['why']} Tried again at the start"]
            case "credentials.rotation_refused":
                return [f"NOT REPLACED   API credentials: {payload['detail']}"]
            case "universe.observed":
                return [_universe_line(payload)]
            case _:
                return []

    def _intent_lines(self, entry: JournalEntry, payload: dict[str, Any]) -> list[str]:
        assert self._stores is not None
        record = self._record(entry.subject)
        if record is None:
            return []
        short = self._short(record.id)
        detail = wording.one_line(str(payload.get("detail") or record.result_detail))
        match entry.kind:
            case "intent.proposed":
                left = wording.left((record.intent.deadline - entry.at).total_seconds())
                question = words.cut(wording.one_line(record.intent.question), 60)
                bell = "\a" if self.terminal.out.isatty() else ""
                return [f"{bell}NEW       {short}  {_trade_line(record)}", f"{question}   {left} left"]
            case "intent.approved":
                after = wording.span((entry.at - record.intent.created_at).total_seconds())
                return [f"APPROVED  {short}  by {person(entry.actor)}, {after} after it was proposed"]
            case "approval.given":
                so_far = f"{len(payload['given'])} of {payload['needed']}"
                return [f"APPROVAL  {short}  by {person(entry.actor)}, {so_far}"]
            case "intent.rejected":
                return [f"REJECTED  {short}  by {person(entry.actor)}{': ' + detail if detail else ''}"]
            case "intent.expired":
                return [f"EXPIRED   {short}  {_why_expired(record, payload, entry.actor)}"]
            case "intent.failed":
                return [f"FAILED    {short}  {detail} ({payload.get('code')})"]
            case "intent.executed" if payload.get("code") == "dry_run":
                return [f"DRY RUN   {short}  {_lower_first(detail)}"]
            case "intent.executed":
                return [f"EXECUTED  {short}  {self._outcome(record)}"]
            case _:
                return []

    def _order_lines(self, entry: JournalEntry, payload: dict[str, Any]) -> list[str]:
        assert self._stores is not None
        if payload.get("to") == "UNKNOWN":
            paint = self.terminal.paint
            return [
                paint.yellow("UNKNOWN")
                + f"   order {wording.short_hex(entry.subject)}: {payload.get('detail')}",
                "It may be at the exchange or not. Its money counts as spent; it is asked for until known.",
            ]
        if payload.get("to") in ("FILLED", "VANISHED", "ABSENT"):
            order = self._stores.orders.order(OrderId(entry.subject))
            record = self._record(order.intent_id)
            if record is not None:
                return [f"{payload['to']:<9} {self._short(record.id)}  {self._outcome(record)}"]
        return []

    def _record(self, intent_id: str) -> IntentRecord | None:
        assert self._stores is not None
        try:
            return self._stores.intents.get(IntentId(intent_id))
        except PolybotError:
            return None

    def _outcome(self, record: IntentRecord) -> str:
        assert self._stores is not None
        order = self._stores.orders.order(record.order_id) if record.order_id else None
        text = outcome_of(record, order)
        if order is None or not order.filled_shares:
            return text
        paid = order.filled_notional + (order.fees if order.side is Side.BUY else -order.fees)
        verb = "paid" if order.side is Side.BUY else "received"
        price = wording.average(order.average_price, record.intent.tick)
        what = f"{wording.outcome(record.intent.outcome_label)} at {price}"
        return f"{text}: {what}, {verb} {wording.money(paid)} pUSD"

    def _short(self, intent_id: IntentId) -> str:
        assert self._stores is not None
        return self._stores.intents.shortest_prefixes([intent_id])[intent_id]


def _paper_lines(facts: StartFacts) -> list[str]:
    """What is simulated, who decides, and what the account was opened with."""
    who = "decides every proposal by itself" if facts.decides_itself else "waits for your decisions"
    opened = "" if facts.pretend_cash_pusd is None else wording.money(facts.pretend_cash_pusd)
    return [
        "Paper: fills are simulated on the books as they are. No key is read; nothing is signed or sent.",
        f"It {who}. The account was opened with {opened} pUSD that nobody has.",
    ]


def _trade_line(record: IntentRecord) -> str:
    """`BUY YES 150.00+ sh, 61¢ or less, at most 95.16 pUSD, edge +2.9¢`."""
    trade, intent = Trade(record.intent), record.intent
    if intent.worst_price is None:
        return trade.column()
    bound = "or less" if trade.buys else "or more"
    parts = [trade.column(), f"{trade.worst_price()} {bound}"]
    if trade.buys:
        parts.append(f"at most {wording.at_most(intent.max_cost)} pUSD")
    if intent.edge_worst is not None:
        parts.append(f"edge {wording.edge(intent.edge_worst)}")
    return ", ".join(parts)


def _counted(number: int, noun: str) -> str:
    """`1 cycle`, `2 cycles`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _why_expired(record: IntentRecord, payload: dict[str, Any], actor: str) -> str:
    code = payload.get("code")
    if code == "expired_by_hand":
        return f"by {person(actor)}, before its time was up"
    if code == "superseded":
        return "replaced by a newer proposal"
    if code == "other_regime":
        return "proposed before this start, in another mode; it cannot be sent in this one"
    seconds = wording.span((record.intent.deadline - record.intent.created_at).total_seconds())
    if record.decided_at is not None:
        return "approved, but not sent before its time was up"
    if record.seen_at is None:
        return f"no decision in {seconds}; it was on no screen. Is `make watch` open?"
    return f"no decision in {seconds}"


def _words_of(switch: str) -> str:
    halted = (KillSwitchType.API_ERROR_RATE, KillSwitchType.RECONCILIATION, KillSwitchType.MANUAL)
    return "Cancels only" if switch in halted else "Closes only"


def _universe_line(payload: dict[str, Any]) -> str:
    """`Watching 60 markets: 41 tradable, 12 end too soon, 7 have too wide a spread.`"""
    reasons = sorted(payload.get("reasons", []), key=lambda each: -each["count"])[:3]
    out = [f"{each['count']} {left_out(each['code'], each['count'])}" for each in reasons]
    parts = [f"{payload['tradable']} tradable", *out]
    skipped = payload.get("skipped_count", 0)
    if skipped:
        parts.append(f"{skipped} not understood")
    return f"Watching {_counted(payload['watched'], 'market')}: {', '.join(parts)}."


def _status_line(facts: StatusFacts) -> str:
    """`cycle 31, 1.1 s, 4 s ago   2 waiting, next 38 s   1 person watching   cash 10,000.00 pUSD`"""
    waiting = f"{facts.waiting} waiting"
    if facts.next_deadline is not None:
        waiting += f", next {wording.left((facts.next_deadline - facts.now).total_seconds())}"
    watching = {0: "nobody watching", 1: "1 person watching"}.get(
        facts.watchers, f"{facts.watchers} people watching"
    )
    cash = "cash not known" if facts.cash_pusd is None else f"cash {wording.money(facts.cash_pusd)} pUSD"
    age = wording.span(facts.cycle_age_seconds)
    stance = f"{stance_of(facts.switches).words}{override_words(overridden(facts.switches))}"
    parts = [f"cycle {facts.cycle}, {facts.cycle_seconds:.1f} s, {age} ago", waiting, watching, cash]
    if stance != "trading allowed":
        parts.insert(0, stance)
    if facts.problem:
        parts.insert(0, facts.problem)
    return "   ".join(parts)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
