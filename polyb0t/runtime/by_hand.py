"""A person's own trades: the market is read here and now, the controls are run, an intent is made.

It needs no running engine and no key: the exchange's public answers are enough. What counts when it is
sent are the engine's own settings and the engine's own look, since every control runs again there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConflictError, NotFoundError, UsageError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.intents import Purpose, TradeIntent
from polyb0t.execution.proposing import Frame, closing_intent, own_idea_intent, test_order_intent
from polyb0t.execution.scope import Regime
from polyb0t.execution.skew import Clocks, VenueSkew
from polyb0t.models.closing import CannotClose, close_proposal
from polyb0t.models.far_order import far_order
from polyb0t.models.own_purchase import CannotBuy, own_purchase
from polyb0t.models.portfolio import Position
from polyb0t.runtime.choices import declared_links, desk_settings, universe_rules
from polyb0t.runtime.desk import AccountDesk, Wanted
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.reaching import account_of
from polyb0t.runtime.standing_terms import openings_of
from polyb0t.runtime.surroundings import ask_sandbox
from polyb0t.runtime.thresholds import thresholds_here
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from polyb0t.venue.account import PolymarketAccount
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.environment import POLYMARKET, VenueEnvironment
from polyb0t.venue.http import HttpReader
from polyb0t.venue.markets import PolymarketMarkets, PublicAddresses
from polyb0t.venue.venue_time import venue_second

TEST_MARKETS = 20  # are looked at for a test order before it is said that none is fit


@dataclass(frozen=True, slots=True)
class Idea:
    """A purchase that somebody wants: of which outcome, for how much, at which worst price."""

    market: str  # condition id or slug
    outcome: str
    worst_price: Price
    amount: Pusd | None = None
    shares: Shares | None = None


class HandDesk:
    """Reads what one trade needs. One use (`with`), one thread."""

    def __init__(self, opened: OpenedStore, clock: Clock | None = None) -> None:
        self._opened = opened
        self._clock = clock or SystemClock()
        settings = self._settings = _of_scope(opened)
        where, account_api = _environment(opened), None
        if opened.regime() is Regime.LIVE:
            account_api = account_of(opened)[1].api
        self._reader = HttpReader(self._clock, sandbox=where.is_sandbox, throttle=Throttle(self._clock))
        wallet = PolymarketAccount(
            where, Wallet(opened.scope.wallet), reader=self._reader, clock=self._clock, api=account_api
        )
        self._markets = PolymarketMarkets(
            self._reader, self._clock, addresses=PublicAddresses(where.gamma_url, where.clob_url)
        )
        rules = WatchSettings(universe_rules(settings), 300, declared_links(settings))
        self._watch = MarketWatch(self._markets, _NoBooks(), _NoStream(), self._clock, rules)
        theirs = VenueSkew(self._clock, lambda: venue_second(self._reader, where.clob_url))
        live = opened.regime() is Regime.LIVE
        self._desk = AccountDesk(
            opened.stores,
            self._watch,
            self._clock,
            desk_settings(settings, opened.regime(), where),
            shares_allowed=wallet.share_allowances,
            clocks=Clocks(self._clock, theirs if live else None),
        )
        account = opened.stores.engine.latest_account_state()
        if account is not None:
            self._desk.observe(account, self._desk.settled())

    def close(self, position: Position, shares: Shares | None, floor: Price | None) -> TradeIntent:
        """The sale of a position, or of a part of it, at a floor.

        Raises:
            ConflictError: a control stands in the way, by its code. VenueUnreachableError.
        """
        book = self._learn(position.condition_id, position.asset_id)
        wanted = Wanted(position.condition_id, position.asset_id, Side.SELL)
        context = self._desk.control_context(wanted, book, at_submit=False)
        proposal = close_proposal(
            position.asset_id, context=context, reason="You asked for it.", shares=shares, floor=floor
        )
        if isinstance(proposal, CannotClose):
            raise _refused("sold", proposal.code, proposal.reason)
        openings = openings_of(self._opened.stores, position.asset_id)
        return closing_intent(
            proposal,
            self._frame(self._settings.close_expiry_seconds),
            opened_by=openings[-1] if openings else None,
            purpose=Purpose.PERSON,
        )

    def buy(self, idea: Idea) -> TradeIntent:
        """A person's own purchase.

        Raises:
            NotFoundError: no such market or outcome. ConflictError: a control stands in the way.
        """
        market = self._market(idea.market)
        asset = _outcome(market, idea.outcome)
        book = self._learn(market.condition_id, asset)
        context = self._desk.control_context(
            Wanted(market.condition_id, asset, Side.BUY), book, at_submit=False
        )
        proposal = own_purchase(
            asset, context=context, worst_price=idea.worst_price, amount=idea.amount, shares=idea.shares
        )
        if isinstance(proposal, CannotBuy):
            raise _refused("proposed", proposal.code, proposal.reason)
        return own_idea_intent(proposal, self._frame(self._settings.intent_expiry_seconds))

    def test_order(self, reference: str | None, wanted: Callable[[Market], bool]) -> TradeIntent:
        """A test order on the named market, or on the first one that is `wanted` and fit for it.

        Raises:
            NotFoundError: no such market. ConflictError: a control stands in the way, on every one.
        """
        if reference is not None:
            markets: Iterable[Market] = (self._market(reference),)
        else:
            markets = [each for each in self._markets.catalogue().markets if wanted(each)][:TEST_MARKETS]
        refusal = ConflictError(
            "Not proposed: no market is fit for a test order. Nothing was sent.",
            why="None of those that are open is of the kind that is still to be tested.",
            do="Name one: polyb0t doctor --test-order --market CONDITION",
            code="no_market_for_test",
        )
        for market in markets:
            for outcome in market.outcomes:
                try:
                    book = self._learn(market.condition_id, outcome.asset_id)
                except VenueUnreachableError as error:
                    refusal = _refused("proposed", "no_fresh_book", error.what)
                    continue
                aim = Wanted(market.condition_id, outcome.asset_id, Side.BUY)
                context = self._desk.control_context(aim, book, at_submit=False)
                order = far_order(outcome.asset_id, context=context)
                if not isinstance(order, CannotBuy):
                    return test_order_intent(order, self._frame(self._settings.intent_expiry_seconds))
                refusal = _refused("proposed", order.code, order.reason)
        raise refusal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def _market(self, reference: str) -> Market:
        found = self._markets.find(reference.strip())
        if found is None:
            raise NotFoundError(
                f"Not proposed: there is no open market {reference:.80}.",
                do="Name its condition id (0x...) or the last part of its page's address.",
                code="market_not_found",
            )
        return found

    def _learn(self, condition: ConditionId, asset: AssetId) -> OrderBook:
        """This market now, and the markets of everything held, which exposure is counted by."""
        held = [position.condition_id for position in self._desk.portfolio().held()]
        self._watch.learn(self._markets.markets_of([condition, *held]), self._markets.terms([condition]))
        return self._watch.fresh_book(asset)

    def _frame(self, seconds: int) -> Frame:
        opened = self._opened
        now, large = opened.stores.intents.now(), thresholds_here(opened)
        return Frame(opened.scope, opened.regime(), now, seconds, thresholds=large)


class _NoBooks:
    def read(self, asset_ids: Sequence[AssetId], /) -> Mapping[AssetId, OrderBook]:
        del asset_ids
        return {}


class _NoStream:
    def watch(self, asset_ids: Iterable[AssetId], /) -> None:
        """Nothing is followed: one look is enough."""


def _of_scope(opened: OpenedStore) -> Settings:
    """This shell's settings with the defaults of the venue that the database belongs to: a shell that never
    heard of the sandbox must not judge practice money by the rules of real money."""
    given = {name: getattr(opened.settings, name) for name in opened.settings.model_fields_set}
    return load_settings(**{**given, "venue": opened.scope.venue})


def _environment(opened: OpenedStore) -> VenueEnvironment:
    if not opened.scope.is_sandbox:
        return POLYMARKET
    named = opened.run.sandbox_url if opened.run is not None else None
    return ask_sandbox(named or opened.settings.sandbox_url)


def _outcome(market: Market, label: str) -> AssetId:
    wanted = label.strip().lower()
    for outcome in market.outcomes:
        if outcome.label.lower() == wanted or outcome.asset_id == label.strip():
            return outcome.asset_id
    names = " or ".join(outcome.label for outcome in market.outcomes)
    raise UsageError(
        f"Not proposed: this market has no outcome {label!r:.40}.",
        do=f"Name {names}.",
        code="no_such_outcome",
    )


def _refused(done: str, code: str, reason: str) -> ConflictError:
    return ConflictError(
        f"Not {done}: a check stands in the way. Nothing was sent.",
        why=reason,
        do=f"What {code} is and what to do stands in docs/operations.md.",
        code=code,
    )
