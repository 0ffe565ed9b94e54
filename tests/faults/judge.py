"""What became of a history, from the exchange's ledger and the database alone."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import milliseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, ceil_e6, floor_e6, to_e6
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.orders import TERMINAL_ORDER, OrderRecord, OrderStatus
from polyb0t.execution.store import JournalEntry
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.types import YES, TradeStatus
from tests.faults.exchange import FUNDING, Exchange
from tests.faults.history import History

COLUMNS: Final = ("doubled", "lost", "invented", "unapproved", "late", "unexplained")
_IN_DOUBT: Final = frozenset({OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED})
_BELIEVED: Final = frozenset({OrderStatus.LIVE, OrderStatus.DELAYED, OrderStatus.MATCHED, OrderStatus.FILLED})
_MOVING: Final = frozenset({"order.settled", "fill.recorded"})


@dataclass
class Verdict:
    """Sentences by column; an empty column is a promise kept. `open` is not proven yet and says so."""

    found: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})
    open: int = 0
    certainty: list[float] = field(default_factory=list)  # seconds from the permit to the first proof
    orders: int = 0

    @property
    def clean(self) -> bool:
        return not any(self.found.values())

    def add(self, column: str, sentence: str) -> None:
        self.found[column].append(sentence)


class Judge:
    """Reads both sides once."""

    def __init__(self, history: History) -> None:
        self.exchange: Exchange = history.exchange
        self.history = history
        history.machine.slot(0).renew()
        self.stores = history.machine.slot(0).stores
        self.intents = {record.id: record for record in self.stores.intents.list(limit=1_000)}
        self.orders = {order.id.lower(): order for order in self.stores.orders.orders(limit=1_000)}
        self.journal = self.stores.engine.journal(limit=10_000)
        self.fills = self.stores.orders.fills()
        self.theirs = {order.order_id.lower(): order for order in self.exchange.our_orders()}
        self.verdict = Verdict(orders=len(self.orders))

    def judge(self) -> Verdict:
        self._identities()
        for order_id, theirs in self.theirs.items():
            ours = self.orders.get(order_id)
            if ours is None:
                self.verdict.add("lost", f"the exchange has order {order_id[:10]}, the database has not")
            else:
                self._one(ours, theirs)
        for ours in self.orders.values():
            self._believed(ours)
            self._permit(ours)
        self._people()
        self._cancels()
        self._final()
        self._engines()
        self._money()
        self._books()
        return self.verdict

    # -- orders --------------------------------------------------------------------------------

    def _identities(self) -> None:
        """At most one identity of an intent at the exchange, and no copy of one beyond the first."""
        mine = [self.orders[order_id].intent_id for order_id in self.theirs if order_id in self.orders]
        for intent_id in {one for one in mine if mine.count(one) > 1}:
            self.verdict.add("doubled", f"intent {intent_id[:8]} has several orders at the exchange")
        posts = [body for line in self.history.lines for body in line.posts]
        if len(posts) > len(set(posts)):
            self.verdict.add("doubled", "the same order was sent twice")

    def _one(self, ours: OrderRecord, theirs: Order) -> None:
        short = ours.id[:10]
        traded = self._traded(theirs)
        here = to_e6(ours.filled_shares)
        if here > traded:
            self.verdict.add("invented", f"{short}: {here} traded here, {traded} there")
        elif here < traded and ours.status in TERMINAL_ORDER:
            self.verdict.add("lost", f"{short}: {here} traded here, {traded} there, and it is {ours.status}")
        if self._alive(theirs) and ours.status in TERMINAL_ORDER:
            self.verdict.add("lost", f"{short} is {ours.status} here and {theirs.status} there")
        intent = self.intents[ours.intent_id]
        if traded and intent.status is not IntentStatus.EXECUTED and ours.status not in _IN_DOUBT:
            self.verdict.add("lost", f"{short} traded, and its intent is {intent.status}")
        if not _as_signed(intent, theirs):
            self.verdict.add("unapproved", f"{short} is another order than the one that was approved")
        if self._spent(theirs) > to_e6(intent.intent.amount or Decimal(10**9)):
            self.verdict.add("doubled", f"{short} spent more than was signed")

    def _believed(self, ours: OrderRecord) -> None:
        """What is said here to be alive or traded has to be so there."""
        short, theirs = ours.id[:10], self.theirs.get(ours.id.lower())
        if theirs is None and (ours.filled_shares or ours.status in _BELIEVED):
            self.verdict.add("invented", f"{short} is {ours.status} here and was never accepted there")
        rests = ours.status in (OrderStatus.LIVE, OrderStatus.DELAYED)
        if theirs is not None and rests and not self._alive(theirs):
            self.verdict.add("invented", f"{short} rests here and is over there")

    def _alive(self, theirs: Order) -> bool:
        known = theirs.order_id in self.exchange.world.engine.orders
        return known and theirs.status in ("LIVE", "DELAYED")

    def _traded(self, theirs: Order) -> int:
        """Shares that stand: matched, less the trades that failed on chain."""
        return sum(shares for _, shares, _ in self._parts(theirs))

    def _spent(self, theirs: Order) -> int:
        return sum(pusd for _, _, pusd in self._parts(theirs))

    def _parts(self, theirs: Order) -> list[tuple[str, int, int]]:
        parts = []
        for trade in self.exchange.world.trades(maker=self.exchange.wallet):
            if trade.status is TradeStatus.FAILED:
                continue
            if trade.taker_order_id == theirs.order_id:
                parts.append((trade.trade_id, trade.size_e6, trade.pusd_e6))
            parts.extend(
                (trade.trade_id, fill.matched_e6, fill.pusd_e6)
                for fill in trade.maker_orders
                if fill.order_id == theirs.order_id
            )
        return parts

    # -- permission ----------------------------------------------------------------------------

    def _permit(self, ours: OrderRecord) -> None:
        if ours.id in self._recovered():
            return  # its permit is in the journal that the restored one replaced
        intent = self.intents[ours.intent_id]
        permitted = self._entry("order.permitted", ours.id)
        approved = self._entry("intent.approved", intent.id)
        short = ours.id[:10]
        if permitted is None or approved is None or approved.sequence > permitted.sequence:
            self.verdict.add("unapproved", f"{short} was permitted without an approval before it")
            return
        if intent.digest != json.loads(approved.payload)["digest"] or intent.digest != intent.intent.digest:
            self.verdict.add("unapproved", f"{short}: another content was approved")
        if any(self._stopped(entry, intent, permitted) for entry in self.journal):
            self.verdict.add("unapproved", f"{short} was permitted after it had been stopped")
        if intent.execute_by is None or permitted.at >= intent.execute_by:
            self.verdict.add("late", f"{short} was permitted at {permitted.at}, after {intent.execute_by}")
        theirs = self.theirs.get(ours.id.lower())
        if (
            theirs is not None
            and theirs.created_ms > milliseconds(permitted.at) + 61_000
            and not self.history.skewed
        ):
            self.verdict.add("late", f"{short} was accepted long after its permit")
        self._certainty(ours, permitted)

    def _recovered(self) -> list[str]:
        adopted = [entry for entry in self.journal if entry.kind == "database.adopted"]
        return [order_id for entry in adopted for order_id in json.loads(entry.payload)["recovered"]]

    @staticmethod
    def _stopped(entry: JournalEntry, intent: IntentRecord, permitted: JournalEntry) -> bool:
        if entry.sequence > permitted.sequence:
            return False
        ends = ("intent.rejected", "intent.expired", "intent.failed")
        rejected = entry.kind in ends and entry.subject == intent.id
        return rejected or (entry.kind.startswith("switch") and entry.kind.endswith("tripped"))

    def _certainty(self, ours: OrderRecord, permitted: JournalEntry) -> None:
        for entry in self.journal:
            if entry.sequence <= permitted.sequence or entry.kind not in _MOVING:
                continue
            content = json.loads(entry.payload)
            about = entry.subject == ours.id or content.get("order") == ours.id
            if about and content.get("to") not in ("UNKNOWN", "SIGNED", "VANISHED"):
                self.verdict.certainty.append((entry.at - permitted.at).total_seconds())
                return
        self.verdict.open += 1

    def _entry(self, kind: str, subject: str) -> JournalEntry | None:
        found = (entry for entry in self.journal if entry.kind == kind and entry.subject == subject)
        return next(found, None)

    def _people(self) -> None:
        """One approval wins; a halt that came before a send stops it; what must stop everything did."""
        history = self.history
        if history.winners > 1:
            self.verdict.add("doubled", f"{history.winners} people were told that theirs was the approval")
        sent = sum(len(line.posts) for line in history.lines)
        if history.sends_allowed is not None and sent > history.sends_allowed:
            self.verdict.add("unapproved", "an order left after the HALT file was there")
        if history.must_trip and self.theirs and not any(e.kind == "switch.tripped" for e in self.journal):
            self.verdict.add("unexplained", "another order's id was named, and nothing stopped")

    def _engines(self) -> None:
        """Time never goes back, and only the engine that holds the lease claims."""
        token, before = 0, None
        for entry in self.journal:
            if before is not None and entry.at < before:
                self.verdict.add("unexplained", f"entry {entry.sequence} is older than the one before it")
            before = entry.at
            if entry.kind == "lease.acquired":
                token = int(json.loads(entry.payload)["token"])
            elif entry.kind == "intent.claimed" and json.loads(entry.payload).get("lease", token) != token:
                self.verdict.add("unexplained", "an engine claimed that had lost its lease")

    # -- cancels and ends ----------------------------------------------------------------------

    def _cancels(self) -> None:
        """Only what somebody had cancelled is, and what was cancelled is gone."""
        wanted = {
            record.intent.target_order_id
            for record in self.intents.values()
            if record.intent.intent_type is IntentType.CANCEL_ORDER
            and self._entry("intent.approved", record.id) is not None
        }
        halted = any(entry.kind == "switch.tripped" for entry in self.journal)
        asked = {one for line in self.history.lines for body in line.cancels for one in json.loads(body)}
        if asked - wanted and not halted:
            self.verdict.add(
                "unapproved", f"a cancel of {sorted(asked - wanted)} was sent that nobody wanted"
            )
        if asked - self.orders.keys():
            self.verdict.add("unapproved", "a cancel was sent of an order that is none of ours")
        for record in self.intents.values():
            theirs = self.theirs.get((record.intent.target_order_id or "").lower())
            if theirs is not None and record.status is IntentStatus.EXECUTED and self._alive(theirs):
                self.verdict.add("lost", f"{theirs.order_id[:10]} was cancelled here and rests there")
        if self.history.all_dead and any(map(self._alive, self.theirs.values())):
            self.verdict.add("unapproved", "trading is halted, and an order of ours rests")
        by_hand = [self.exchange.world.order(order_id) for order_id in self.exchange.by_hand]
        if any(order is None or order.status != "LIVE" for order in by_hand):
            self.verdict.add("unapproved", "an order that is none of ours was touched")
        for column, sentence in self.history.broken:
            self.verdict.add(column, sentence)

    def _final(self) -> None:
        """A trade that is over there is over here: there was time enough and nothing in the way."""
        over = {
            trade.trade_id: trade.status
            for trade in self.exchange.world.trades(maker=self.exchange.wallet)
            if trade.status in (TradeStatus.CONFIRMED, TradeStatus.FAILED)
        }
        for fill in self.fills:
            if fill.trade_id in over and fill.status != over[fill.trade_id].value:
                ended = f"{fill.status} here and {over[fill.trade_id]} there"
                self.verdict.add("unexplained", f"trade {fill.trade_id[:10]} stays {ended}")

    # -- money and books -----------------------------------------------------------------------

    def _money(self) -> None:
        """Every millionth that moved is a fill of the database, or known to have been somebody else's."""
        cash = FUNDING + self.history.pusd_given
        shares = {self.exchange.token: self.history.shares_given, self.exchange.other_token: 0}
        for fill in self.fills:
            if fill.status is not FillStatus.CONFIRMED:
                continue
            sign = 1 if fill.side == "BUY" else -1
            shares[fill.asset_id] += sign * to_e6(fill.shares)
            cash -= sign * _notional(fill) + to_e6(fill.fee)
        if self._settling():
            return  # the ledger moves when the trade does
        there = self.exchange.world.balance(self.exchange.wallet)
        if abs(there - cash) > len(self.fills):
            self.verdict.add("unexplained", f"{there} millionths of pUSD there, {cash} by our books")
        for token, ours in shares.items():
            held = self.exchange.world.balance(self.exchange.wallet, token)
            if held != ours:
                self.verdict.add("unexplained", f"{held} millionths of a share there, {ours} by our books")

    def _settling(self) -> bool:
        doubted = any(order.status in _IN_DOUBT for order in self.orders.values())
        return doubted or any(
            fill.status not in (FillStatus.CONFIRMED, FillStatus.FAILED) for fill in self.fills
        )

    def _books(self) -> None:
        chain = self.stores.verify_journal()
        if not chain.intact:
            self.verdict.add("unexplained", f"the journal is broken at {chain.broken_at}: {chain.detail}")
        unresolved = [order for order in self.orders.values() if order.status not in TERMINAL_ORDER]
        if not unresolved and self.stores.orders.reserved_pusd():
            self.verdict.add("unexplained", f"{self.stores.orders.reserved_pusd()} pUSD stay reserved")
        if not unresolved and self.stores.orders.reserved_shares(AssetId(self.exchange.token)):
            self.verdict.add("unexplained", "shares stay reserved")
        for record in self.intents.values():
            order = self.orders.get((record.order_id or "").lower())
            stuck = record.status is IntentStatus.EXECUTING and (
                order is None or order.status in TERMINAL_ORDER
            )
            if stuck or record.status is IntentStatus.APPROVED:
                self.verdict.add("unexplained", f"intent {record.id[:8]} stays {record.status}")
        markets = (self.exchange.spec, self.exchange.other)
        self.exchange.world.ledger.check([(spec.condition_id, spec.token_ids) for spec in markets])


def _as_signed(record: IntentRecord, theirs: Order) -> bool:
    """The exchange has exactly what the approver saw; what a taker BUY spent is judged beside this."""
    intent = record.intent
    same = (
        theirs.side.value == intent.side
        and theirs.order_type.value == intent.order_type
        and theirs.outcome == YES
    )
    if intent.amount is not None or intent.worst_price is None:
        return same
    exact = (theirs.size, theirs.price) == (to_e6(intent.shares or ZERO), to_e6(intent.worst_price))
    return same and exact and theirs.post_only == intent.post_only


def _notional(fill: Fill) -> int:
    return to_e6(ceil_e6(fill.notional) if fill.side is Side.BUY else floor_e6(fill.notional))
