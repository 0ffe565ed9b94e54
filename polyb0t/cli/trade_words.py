"""A trade in words: what, at which worst price, what it can cost or bring. Figures are worst cases."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polyb0t.cli import words
from polyb0t.core.units import ZERO, Pusd, Shares, parse_decimal
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentType, OrderType, TradeIntent
from polyb0t.execution.scope import Scope
from polyb0t.models import wording
from polyb0t.models.fees import cost_per_share, least_proceeds, taker_fee


@dataclass(frozen=True, slots=True)
class Trade:
    """One intent with the figures that follow from it."""

    intent: TradeIntent

    @property
    def takes(self) -> bool:
        return self.intent.order_type is not None and self.intent.order_type.takes

    @property
    def buys(self) -> bool:
        return self.intent.side is Side.BUY

    @property
    def least_shares(self) -> Decimal:
        """Shares that come at the worst price: more may come of a taker BUY."""
        intent = self.intent
        if intent.amount is None:
            return intent.shares or ZERO
        if intent.least_shares is not None:
            return intent.least_shares
        return intent.amount / intent.worst_price if intent.worst_price else ZERO

    @property
    def fee(self) -> FeeSchedule:
        """Makers pay none, so a resting order is reckoned without."""
        intent = self.intent
        if not self.takes:
            return FeeSchedule(ZERO, Decimal(1))
        return FeeSchedule(intent.fee_rate or ZERO, intent.fee_exponent or Decimal(1))

    @property
    def paid_at_worst(self) -> Decimal:
        """BUY: pUSD with fee when all of it fills at the worst price."""
        intent = self.intent
        worst = intent.worst_price or ZERO
        spent = intent.amount if intent.amount is not None else self.least_shares * worst
        return spent + taker_fee(self.least_shares, worst, self.fee)

    @property
    def least_gain(self) -> Decimal:
        """BUY: what is gained if the outcome comes true, at the worst price; better prices gain more."""
        return self.least_shares - self.paid_at_worst

    @property
    def break_even(self) -> Decimal | None:
        """BUY: the probability at which it pays for itself, at the worst price."""
        worst = self.intent.worst_price
        return cost_per_share(worst, self.fee) if worst is not None else None

    @property
    def least_received(self) -> Pusd | None:
        """SELL: proceeds less fee at the worst price."""
        worst = self.intent.worst_price
        if worst is None or self.intent.shares is None:
            return None
        return least_proceeds(Shares(self.intent.shares), worst, self.fee)

    @property
    def outcome(self) -> str:
        return wording.outcome(self.intent.outcome_label)

    @property
    def more(self) -> bool:
        """Whether more shares than the least may come."""
        return self.intent.amount is not None

    @property
    def brings(self) -> Decimal | None:
        """CLAIM: what it pays. Of one that names no call, and is never carried out, a pUSD a share."""
        told = (self.intent.claim or {}).get("expected_pusd")
        return self.intent.shares if told is None else parse_decimal(told)

    def worst_price(self) -> str:
        """`61¢`."""
        return wording.price(self.intent.worst_price, self.intent.tick)

    def column(self) -> str:
        """`BUY YES 150.00+ sh`, `SELL NO 120.00 sh exit`, `CLAIM 40.00 sh`, `CANCEL 0x7c1e..e09b`."""
        intent = self.intent
        match intent.intent_type:
            case IntentType.CLAIM_SETTLEMENT:
                return f"CLAIM {wording.shares(intent.shares)} sh"
            case IntentType.CANCEL_ORDER:
                return f"CANCEL {wording.short_hex(intent.target_order_id)}"
            case IntentType.OPEN_POSITION | IntentType.CLOSE_POSITION:
                exit_ = " exit" if intent.intent_type is IntentType.CLOSE_POSITION else ""
                size = wording.shares(self.least_shares) + ("+" if self.more else "")
                return f"{intent.side or '?'} {words.cut(self.outcome, 20)} {size} sh{exit_}"

    def worst_price_column(self) -> str:
        """`61¢ max`, `67¢ min`."""
        if self.intent.worst_price is None:
            return "-"
        return f"{self.worst_price()} {'max' if self.buys else 'min'}"

    def worst_case_column(self) -> str:
        """`pay 95.16 max`, `get 79.34 min`, `get 40.00`."""
        match self.intent.intent_type:
            case IntentType.CLAIM_SETTLEMENT:
                return f"get {wording.at_least(self.brings)}"
            case IntentType.CANCEL_ORDER:
                return "-"
            case _ if self.buys:
                return f"pay {wording.at_most(self.intent.max_cost)} max"
            case _:
                return f"get {wording.at_least(self.least_received)} min"

    def sentence(self) -> str:
        """`BUY YES, 150 shares or more, at 61¢ or less`."""
        intent = self.intent
        match intent.intent_type:
            case IntentType.CLAIM_SETTLEMENT:
                return f"CLAIM {wording.count(intent.shares or ZERO)} shares of {self.outcome}"
            case IntentType.CANCEL_ORDER:
                return f"CANCEL the order {wording.short_hex(intent.target_order_id)}"
            case IntentType.OPEN_POSITION | IntentType.CLOSE_POSITION:
                size = wording.count(self.least_shares) + (" shares or more" if self.more else " shares")
                bound = "or less" if self.buys else "or more"
                return f"{intent.side or '?'} {self.outcome}, {size}, at {self.worst_price()} {bound}"

    def manner(self) -> str:
        """How the order meets the book, in one sentence."""
        match self.intent.order_type:
            case OrderType.FAK:
                return "Takes what is offered now, leaves no order behind."
            case OrderType.FOK:
                return "All of it at once, or nothing."
            case OrderType.GTC:
                return "Rests in the book until it is filled or cancelled."
            case OrderType.GTD:
                return self._rests()
            case None:
                return "No new order is placed."

    def _rests(self) -> str:
        """For how long, and of a purchase of the engine's what comes of it then."""
        life = wording.coarse(self.intent.life_seconds or 0)
        if self.intent.taken_back is None:
            return f"Rests in the book for {life} at most."
        kept = wording.at_most(self.intent.max_cost)
        return (
            f"Takes nothing: it rests in the book, post-only, for {life} from when it is sent. What has not "
            f"filled by then ends by itself; {kept} pUSD stay reserved until then."
        )

    def taken_back(self) -> str:
        """For what the engine takes it back by itself; empty where that was not asked for."""
        approved = self.intent.taken_back
        return "" if approved is None else f"by the engine, while it runs, {approved.sentence}"

    def stake(self) -> str:
        """What an approval risks or brings, for one line of a dialog."""
        match self.intent.intent_type:
            case IntentType.CLAIM_SETTLEMENT:
                return f"{wording.at_least(self.brings)} pUSD come back"
            case IntentType.CANCEL_ORDER:
                return "what has filled stays filled"
            case _ if self.buys:
                loses = {"YES": "NO", "NO": "YES"}.get(self.outcome, f"not {self.outcome}")
                return f"pay at most {wording.at_most(self.intent.max_cost)} pUSD, lose it all if {loses}"
            case _:
                return f"get at least {wording.at_least(self.least_received)} pUSD for what fills"

    def decided_by(self) -> str:
        """The named source, else the first sentence of the rules; empty where neither is known."""
        source = wording.one_line(self.intent.resolution_source)
        return source or wording.first_sentence(self.intent.rules_text)

    @property
    def page(self) -> str:
        """The market's page; the sandbox invents its markets, and they have none."""
        if Scope.parse(self.intent.scope).is_sandbox:
            return ""
        return wording.one_line(self.intent.page_url)

    def about(self, now: datetime) -> str:
        """`politics, ends in 60 d`."""
        end = self.intent.end_date
        parts = [wording.one_line(self.intent.category)]
        if end is not None:
            seconds = (end - now).total_seconds()
            parts.append(f"ends in {wording.coarse(seconds)}" if seconds > 0 else "its end has passed")
        return ", ".join(part for part in parts if part)
