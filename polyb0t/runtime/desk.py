"""What is known of money and risk right now: the cycle decides by it, the executor checks by it again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from threading import Lock
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, ConditionId, EventId, IntentId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.account_state import AccountState
from polyb0t.data.fills import NOT_ON_CHAIN, Fill, FillStatus
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.access import Thresholds
from polyb0t.execution.cooldown import ENDED, cooldowns_of
from polyb0t.execution.foreign import NOTHING_FOREIGN, Foreign
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import TERMINAL_ORDER, UNRESOLVED_ORDER, OrderRecord, OrderType
from polyb0t.execution.scope import Regime
from polyb0t.execution.skew import Clocks
from polyb0t.execution.store import ClaimLimits, Stores
from polyb0t.models.decision_desk import Desk
from polyb0t.models.execution_choice import TAKER_ONLY, ExecutionRules, came_true
from polyb0t.models.exposure import AtRisk, exposure_of
from polyb0t.models.kill_switches import stance_of
from polyb0t.models.portfolio import FillKey, Portfolio, fill_key
from polyb0t.models.reckoning import Reckoning
from polyb0t.models.risk import (
    Allowance,
    ControlContext,
    Exposure,
    RiskLimits,
    ShareAllowance,
    ends_far,
)
from polyb0t.models.usage import UsualSpread
from polyb0t.runtime.foreign import read_foreign
from polyb0t.runtime.held import Origins, events_of, tail_of, under_way
from polyb0t.runtime.identity_proofs import IdentityProofs
from polyb0t.runtime.limit_book import NO_LISTS, LimitBook, LimitSettings, Records, within_budget
from polyb0t.runtime.prompting import Prompting
from polyb0t.runtime.risk_watch import risk_facts
from polyb0t.runtime.watching import MarketWatch

RESTED_LOOKED_AT: Final = 100  # of the newest ended orders, for how many of those that rested filled
_TRADES: Final = (IntentType.OPEN_POSITION, IntentType.CLOSE_POSITION)


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What of the settings a decision depends on. `pretend_cash_pusd` is the dry run's bankroll."""

    limits: RiskLimits
    regime: Regime
    pretend_cash_pusd: Pusd
    allow_unvalidated: bool
    identity_proven: bool  # for every market; else `proven_of` says for which
    prompts_per_hour: int
    most_waiting: int
    cooldown_seconds: int
    reentry_hours: int
    spender_of: Callable[[Market], str]  # the contract that settles a market
    thresholds: Thresholds
    book: LimitSettings = NO_LISTS
    prompts_per_day: int = 10_000
    decide_seconds: int = 60  # that a person has for an opening
    signature_type: int = 3  # of the wallet: a proof of identity is about one kind
    execution: ExecutionRules = TAKER_ONLY


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trade that has no intent yet, as far as what is known about it depends on the trade."""

    condition_id: ConditionId
    asset_id: AssetId
    side: Side
    id: None = None
    shares: None = None
    max_cost: None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """What is under way and what we hold, read in this order."""

    live: tuple[IntentRecord, ...]
    unresolved: tuple[OrderRecord, ...]
    reserved: Pusd
    fills: tuple[Fill, ...]
    cash: Pusd | None
    portfolio: Portfolio

    def records(self, reserved: Decimal) -> Records:
        """The same for the limits, with what is `reserved` beside the trade that they judge."""
        return Records(
            self.live,
            self.unresolved,
            self.fills,
            reserved=Pusd(max(ZERO, reserved)),
            realised=self.portfolio.realised,
            held=self.portfolio.held_cost,
        )

    def assets(self, *, without: IntentId | None) -> frozenset[AssetId]:
        """What something of ours aims at that is not over."""
        return frozenset(
            [record.intent.asset_id for record in self.live if record.id != without]
            + [order.asset_id for order in self.unresolved if order.intent_id != without]
        )


class AccountDesk:
    """Holds the newest account state; everything else is read from the stores when it is asked for.

    The cycle's thread and the executor's threads share it, so the state is replaced, never changed.
    """

    def __init__(
        self,
        stores: Stores,
        watch: MarketWatch,
        clock: Clock,
        settings: DeskSettings,
        *,
        usual_spread: Callable[[ConditionId], Decimal | None] = lambda _condition: None,
        outside: Callable[[], Pusd] = lambda: Pusd(ZERO),
        shares_allowed: Callable[[AssetId], Mapping[str, Shares] | None] = lambda _asset: None,
        clocks: Clocks | None = None,
        drawdown: Callable[[], Decimal | None] = lambda: ZERO,
    ) -> None:
        """`outside` is cash in the balance that nothing explains yet: it is no bankroll. `shares_allowed`
        reads how many shares of an asset each contract may take; None: not readable. Without `clocks` only
        this machine's own are compared. `drawdown` is how far the account is under its peak."""
        self._outside = outside
        self._shares_allowed = shares_allowed
        self._stores = stores
        self._book = LimitBook(stores, settings.book, settings.regime)
        self._usual_spread = usual_spread
        self._watch = watch
        self._clock = clock
        self._settings = settings
        self._clocks = clocks or Clocks(clock)
        self._drawdown = drawdown
        self._origins = Origins(stores)
        self._reckoning = Reckoning()
        self._prompting = Prompting(
            stores,
            settings.regime,
            per_hour=settings.prompts_per_hour,
            per_day=settings.prompts_per_day,
            most_waiting=settings.most_waiting,
            decide_seconds=settings.decide_seconds,
        )
        self._proofs = IdentityProofs(stores, settings.signature_type, settings.spender_of)
        self._account: AccountState | None = None
        self._settled: frozenset[FillKey] = frozenset()
        self._lock = Lock()
        # Told later by who reads results; on these nothing is opened.
        self.frozen_events: Callable[[], frozenset[EventId]] = frozenset

    @property
    def account(self) -> AccountState | None:
        return self._account

    def observe(self, account: AccountState, settled: frozenset[FillKey]) -> None:
        """The account as just read. `settled` are the fills that were known to be on chain before the
        read began: only of those it is certain that the balance shows them."""
        with self._lock:
            self._account, self._settled = account, settled

    def settled(self) -> frozenset[FillKey]:
        """The fills that our records know to be on chain now."""
        fills = self._stores.orders.fills()
        return frozenset(fill_key(fill) for fill in fills if fill.status not in NOT_ON_CHAIN)

    def portfolio(self) -> Portfolio:
        """Our own lots, from our own fills; cash as far as it is known, else zero."""
        return self._portfolio(self._stores.orders.fills())

    def cash_pusd(self) -> Pusd | None:
        """Cash before reservations, corrected by fills that it does not show yet; None: not known."""
        return self._cash(self._stores.orders.fills())

    def equity_pusd(self, portfolio: Portfolio) -> Pusd | None:
        """Cash and our lots at the bid; a lot without a bid counts at cost until one is seen."""
        return self._equity(self.cash_pusd(), portfolio)

    def desk(self) -> Desk:
        """Everything about us that this cycle's proposals depend on."""
        now = self._stores.intents.now()
        look = self._look()
        at_risk = self._at_risk(look, without=None)
        return Desk(
            now=now,
            limits=self._book.in_force(self._settings.limits),
            regime=self._settings.regime,
            stance=stance_of(self._stores.switches.list()),
            bankroll_pusd=self._bankroll(look.cash, look.portfolio),
            spendable_pusd=None if look.cash is None else Pusd(look.cash - look.reserved),
            exposure=self._exposure(at_risk),
            tail=tail_of(at_risk, self._watch),
            events=events_of(look.portfolio, self._under_way(look), self._watch),
            drawdown=self._drawdown(),
            live_assets=look.assets(without=None),
            resting_assets=self._resting(),
            sold_assets=self._sold(),
            clock_skew_seconds=self._skew_seconds(),
            allow_unvalidated=self._settings.allow_unvalidated,
            identity_proven=self._settings.identity_proven,
            identity_proven_of=self._identity_proven,
            at_most=self._prompting.room(look.live, int(self._settings.limits.orders_hour_max)),
            waiting=self._prompting.waiting(),
            allowance_of=self._allowance,
            usual_spread_of=lambda market: UsualSpread(self._usual_spread(market.condition_id)),
            frozen_events=self.frozen_events(),
            execution=self._execution(),
            movement_of=lambda market: self._watch.movement(market.condition_id),
            **self._book.known(look.records(look.reserved), self._account, without=None),
        )

    def clock_facts(self) -> tuple[Decimal | None, str | None]:
        """The known difference of the clocks in seconds, and the sentence if it stops trading."""
        return _milli(self._clocks.known()), self._clocks.problem()

    def risk(self) -> Mapping[str, object]:
        """How much of each limit is used now, for the published facts."""
        return risk_facts(self.desk(), self._watch)

    def claim_limits(self, intent: TradeIntent) -> ClaimLimits:
        """Implements `Situation`: the store adds the reservations of every unresolved order itself."""
        as_of = self._stores.engine.last_sequence()  # before anything else: the claim looks from here on
        fills = self._stores.orders.fills()
        portfolio, cash = self._portfolio(fills), self._cash(fills)
        bankroll = self._bankroll(cash, portfolio) or Pusd(ZERO)
        limits = self._book.in_force(self._settings.limits)
        at_risk = Pusd(limits.total_fraction * bankroll)
        used = portfolio.held_cost + max(ZERO, -portfolio.realised)
        closable = None
        if intent.side is Side.SELL:
            closable = _closable(portfolio, intent.asset_id, Shares(ZERO))
        return ClaimLimits(
            spendable_pusd=cash,
            max_order_pusd=Pusd(min(limits.order_fraction * bankroll, limits.order_max_pusd)),
            max_exposure_pusd=at_risk,
            max_used_pusd=at_risk if limits.budget_pusd is None else Pusd(limits.budget_pusd - used),
            max_turnover_pusd=Pusd(limits.turnover_multiple * bankroll),
            bought_today_pusd=self._book.bought_today(fills),
            max_orders_hour=int(limits.orders_hour_max),
            held_cost_pusd=Pusd(portfolio.held_cost + self._foreign(portfolio).cost_pusd),
            closable_shares=closable,
            as_of=as_of,
            thresholds=self._settings.thresholds,
        )

    def control_context(
        self, intent: TradeIntent | Wanted, book: OrderBook, *, at_submit: bool = True
    ) -> ControlContext:
        """Implements `Situation`: the controls once more, without the intent's own reservation."""
        in_sells = self._stores.orders.reserved_shares(intent.asset_id) - (intent.shares or ZERO)
        look = self._look()
        own = intent.max_cost or ZERO
        closable = None
        if intent.side is Side.SELL:
            closable = _closable(look.portfolio, intent.asset_id, Shares(max(ZERO, in_sells)))
        market = self._watch.market(intent.condition_id)
        at_risk = self._at_risk(look, without=intent.id)
        return ControlContext(
            now=self._clock.now(),
            limits=self._settings.limits,
            regime=self._settings.regime,
            at_submit=at_submit,
            stance=stance_of(self._stores.switches.list()),
            market=market,
            terms=self._watch.terms(intent.condition_id),
            book=book,
            bankroll_pusd=self._bankroll(look.cash, look.portfolio),
            spendable_pusd=None if look.cash is None else Pusd(look.cash - max(ZERO, look.reserved - own)),
            exposure=self._exposure(at_risk),
            tail=tail_of(at_risk, self._watch),
            live_assets=look.assets(without=intent.id),
            closable_shares=closable,
            clock_skew_seconds=self._skew_seconds(),
            allow_unvalidated=self._settings.allow_unvalidated,
            allowance=None if market is None else self._allowance(market),
            share_allowance=self._share_allowance(intent, market) if at_submit else None,
            identity_proven=market is not None and self._identity_proven(market),
            usual_spread=UsualSpread(self._usual_spread(intent.condition_id)),
            frozen_events=self.frozen_events(),
            **self._book.known(look.records(look.reserved - own), self._account, without=intent.id),
        )

    def _identity_proven(self, market: Market) -> bool:
        live = self._settings.regime is Regime.LIVE  # elsewhere nothing is sent, and nobody asks
        return self._settings.identity_proven or (live and self._proofs.proven(market))

    def _look(self) -> _Look:
        """Fills are read last: one that is stored meanwhile counts twice, and never not at all."""
        live = self._stores.intents.list(statuses=tuple(LIVE_STATUSES), limit=None)
        unresolved = self._stores.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None)
        reserved = self._stores.orders.reserved_pusd()
        fills = self._stores.orders.fills()
        return _Look(live, unresolved, reserved, fills, self._cash(fills), self._portfolio(fills))

    def _portfolio(self, fills: Sequence[Fill]) -> Portfolio:
        return self._reckoning.of(fills, Pusd(ZERO), self._stores.books.movements())

    def _cash(self, fills: Iterable[Fill]) -> Pusd | None:
        if self._settings.regime is Regime.DRY_RUN:
            return self._settings.pretend_cash_pusd
        account = self._account
        if account is None or account.cash_pusd is None:
            return None
        return Pusd(account.cash_pusd - _not_in_balance(fills, self._settled))

    def _bankroll(self, cash: Pusd | None, portfolio: Portfolio) -> Pusd | None:
        equity = self._equity(cash, portfolio)
        ours = None if equity is None else Pusd(equity - self._outside())
        return within_budget(ours, self._settings.limits)

    def _equity(self, cash: Pusd | None, portfolio: Portfolio) -> Pusd | None:
        if cash is None:
            return None
        held = ZERO
        for position in portfolio.held():
            bid = self._watch.bid(position.asset_id)
            held += position.cost if bid is None else bid * position.shares
        return Pusd(cash + held)

    def _allowance(self, market: Market) -> Allowance | None:
        """By the newest account read; a contract that it does not name may take nothing."""
        account = self._account
        if account is None or account.allowances_pusd is None:
            return None
        spender = self._settings.spender_of(market)
        return Allowance(spender, account.allowances_pusd.get(spender, Pusd(ZERO)))

    def _share_allowance(self, intent: TradeIntent | Wanted, market: Market | None) -> ShareAllowance | None:
        """Read now, for a sale with money; a contract that the answer does not name may take nothing."""
        if market is None or intent.side is not Side.SELL or self._settings.regime is not Regime.LIVE:
            return None
        spender, told = self._settings.spender_of(market), self._shares_allowed(intent.asset_id)
        return ShareAllowance(spender, None if told is None else told.get(spender, Shares(ZERO)))

    def _at_risk(self, look: _Look, *, without: IntentId | None) -> list[AtRisk]:
        """Positions, and everything approved or under way."""
        at_risk = self._origins.at_risk(look.portfolio, look.fills)
        at_risk += self._foreign(look.portfolio).at_risk()
        at_risk += [under_way(intent) for intent in self._under_way(look) if intent.id != without]
        return at_risk

    def _exposure(self, at_risk: list[AtRisk]) -> Exposure:
        """All of it at the worst that can come of it."""
        now, limits = self._clock.now(), self._settings.limits
        return exposure_of(at_risk, self._watch.market, lambda market: ends_far(market, now, limits))

    def _under_way(self, look: _Look) -> list[TradeIntent]:
        """Every trade that is approved, or whose order is not over."""
        pending = {
            record.id: record.intent for record in look.live if record.status is not IntentStatus.PENDING
        }
        for order in look.unresolved:
            if order.intent_id not in pending:
                pending[order.intent_id] = self._stores.intents.get(order.intent_id).intent
        return [intent for intent in pending.values() if intent.intent_type in _TRADES]

    def _foreign(self, portfolio: Portfolio) -> Foreign:
        """What somebody else did with this wallet. A dry run's money is pretended, so there it is nothing."""
        live = self._settings.regime is Regime.LIVE
        return read_foreign(self._stores, self._account, portfolio) if live else NOTHING_FOREIGN

    def _resting(self) -> frozenset[AssetId]:
        """Ideas that ended a while ago, and muted markets; the store refuses them too, by the same rules."""
        now = self._stores.intents.now()
        rule = cooldowns_of(self._stores.scope, opening_seconds=self._settings.cooldown_seconds)
        ended = self._stores.intents.list(
            statuses=ENDED,
            types=(IntentType.OPEN_POSITION,),
            changed_since=now - rule.longest,
            limit=None,
        )
        resting = {
            record.intent.asset_id
            for record in ended
            if record.intent.regime is self._settings.regime and (rule.rests_until(record) or now) > now
        }
        muted = (self._watch.market(mute.condition_id) for mute in self._stores.by_hand.mutes())
        assets = {outcome.asset_id for market in muted if market is not None for outcome in market.outcomes}
        return frozenset(resting | assets)

    def _sold(self) -> frozenset[AssetId]:
        """Outcomes that were sold a while ago. The model that liked them mostly still does."""
        since = self._stores.intents.now() - timedelta(hours=self._settings.reentry_hours)
        closed = self._stores.intents.list(
            statuses=(IntentStatus.EXECUTED,),
            types=(IntentType.CLOSE_POSITION,),
            changed_since=since,
            limit=None,
        )
        regime = self._settings.regime
        return frozenset(each.intent.asset_id for each in closed if each.intent.regime is regime)

    def _execution(self) -> ExecutionRules:
        """The owner's choice, with what the newest orders that rested say about chances of a fill."""
        rules = self._settings.execution
        if not rules.allowed:
            return rules
        newest = self._stores.orders.orders(statuses=sorted(TERMINAL_ORDER), limit=RESTED_LOOKED_AT)
        rested = (order for order in newest if order.order_type is OrderType.GTD)
        ended = [
            (chance, order.filled_shares > 0)
            for order in rested
            if (chance := self._stores.intents.get(order.intent_id).intent.fill_chance) is not None
        ]
        return replace(rules, came_true=came_true(ended))

    def _skew_seconds(self) -> Decimal | None:
        return _milli(self._clocks.measure())


def _milli(seconds: float | None) -> Decimal | None:
    return None if seconds is None else Decimal(round(seconds * 1_000)).scaleb(-3)


def _closable(portfolio: Portfolio, asset_id: AssetId, in_open_sells: Shares) -> Shares:
    position = portfolio.positions.get(asset_id)
    return Shares(ZERO) if position is None else position.closable(in_open_sells)


def _not_in_balance(fills: Iterable[Fill], settled: frozenset[FillKey]) -> Decimal:
    """What fills cost that the balance may not show yet; proceeds are left out until read.

    A fill that settled while the balance was being read may be counted twice until the next read, and
    never not at all.
    """
    bought = (fill for fill in fills if fill.side is Side.BUY and fill.status is not FillStatus.FAILED)
    return sum((fill.notional + fill.fee for fill in bought if fill_key(fill) not in settled), ZERO)
