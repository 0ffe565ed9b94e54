"""Pre-trade controls: each passes at its border, breaks beyond it, and fails closed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import FeeSchedule, ProtocolVersion
from polyb0t.data.order_book import Side
from polyb0t.models.exposure import AtRisk
from polyb0t.models.kill_switches import Stance
from polyb0t.models.limits import CONTROLS, breaches, check
from polyb0t.models.portfolio_tail import PortfolioTail
from polyb0t.models.risk import (
    NOTHING,
    Allowance,
    ControlContext,
    ControlResult,
    Exposure,
    ProposedTrade,
    RiskLimits,
)
from polyb0t.models.taken_back import TakenBack
from polyb0t.models.usage import OwnOrder, SmallOrders, Usage, UsualSpread
from polyb0t.research.tail_risk import tail_loss
from tests.support.decisions import NOW, a_book, a_close, a_context, a_market, a_trade, d, terms_of

NAMES = [control.__name__ for control in CONTROLS]


def broken(trade: ProposedTrade, context: ControlContext) -> list[str]:
    return [result.name for result in breaches(check(trade, context))]


def result(name: str, trade: ProposedTrade, context: ControlContext) -> ControlResult:
    return next(each for each in check(trade, context) if each.name == name)


def market_with(**changes: Any) -> ControlContext:
    return a_context(market=a_market(**changes))


def book_with(
    bids: Any = (("0.59", 410),),
    asks: Any = (("0.60", 320), ("0.61", 900)),
    usual: str | None = "0.01",
    **changes: Any,
) -> ControlContext:
    known = UsualSpread(None if usual is None else d(usual))
    return a_context(book=a_book("tram-yes", bids, asks, **changes), usual_spread=known)


def terms_with(**changes: Any) -> ControlContext:
    return a_context(terms=terms_of(a_market(), **changes))


def limits_with(**changes: Any) -> ControlContext:
    return a_context(limits=RiskLimits(**changes))


def exposed(**changes: Any) -> ControlContext:
    return a_context(exposure=Exposure(**changes))


def tailed(lost: str) -> ControlContext:
    """An event whose market nobody lists any more: it loses all that it cost, in every case."""
    gone = AtRisk(ConditionId("0xgone"), AssetId("gone"), Shares(d(1_000)), Pusd(d(lost)))
    return a_context(tail=PortfolioTail((gone,), {}, lambda _asset: None, tail_loss))


def far(at_risk: str, **changes: Any) -> ControlContext:
    """A market that ends in 91 days."""
    market = a_market(**{"end_date": NOW + timedelta(days=91), **changes})
    return a_context(market=market, exposure=Exposure(far=Pusd(d(at_risk))))


def themed(at_risk: str) -> ControlContext:
    return a_context(
        market=a_market(tags=("politics", "trams", "harbor-city")),
        exposure=Exposure(by_theme={"trams": Pusd(d(at_risk))}),
    )


def denying(*entries: str) -> ControlContext:
    return a_context(deny=DenyList(entries))


def small(agreed: int, most: str) -> ControlContext:
    return a_context(small_orders=SmallOrders(agreed, 20, Pusd(d(most))))


def used(**changes: Any) -> ControlContext:
    nothing = Usage(0, NOTHING, NOTHING, 0, NOTHING, NOTHING)
    exact: dict[str, Any] = {
        name: d(value) if isinstance(value, str) else value for name, value in changes.items()
    }
    return a_context(usage=replace(nothing, **exact))


def budgeted(budget: str, held: str = "0", lost: str = "0") -> ControlContext:
    return replace(used(held_pusd=held, lost_pusd=lost), limits=RiskLimits(budget_pusd=d(budget)))


def resting(asset: str, side: str, price: str) -> ControlContext:
    return a_context(own_orders=(OwnOrder(AssetId(asset), Side(side), Price(d(price))),))


def test_the_trade_of_the_screen_passes_every_control() -> None:
    assert broken(a_trade(), a_context()) == []


@pytest.mark.parametrize("version", list(ProtocolVersion))
def test_both_protocol_versions_are_signed_for(version: ProtocolVersion) -> None:
    assert broken(a_trade(), market_with(version=version)) == []


def test_a_close_passes_every_control() -> None:
    assert broken(a_close(), a_context()) == []


def test_each_control_has_a_name_of_its_own_and_a_docstring() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(control.__doc__ for control in CONTROLS)


def test_results_come_in_the_order_of_the_list() -> None:
    assert [each.name for each in check(a_trade(), a_context())] == NAMES


RESTING = a_trade(
    order_type="GTD",
    worst_price=Price(d("0.59")),
    amount=None,
    min_shares=None,
    shares=Shares(d(150)),
    max_cost=Pusd(d("88.50")),
    post_only=True,
    taken_back=TakenBack(mid=d("0.60"), below=d("0.59"), spread=d("0.04")),
)
MAKERS_PAY = a_context(
    terms=terms_of(a_market(), fee=FeeSchedule(d("0.04"), d(1), taker_only=False)),
    book=a_book("tram-yes", [("0.59", 410)], [("0.61", 900)]),
)


def test_a_purchase_that_rests_passes_every_control() -> None:
    assert broken(RESTING, book_with(asks=(("0.61", 900),))) == []
    assert broken(RESTING, book_with(bids=(("0.59", 5),), asks=(("0.60", 1),))) == []  # not under 59 cents


# One row per breach: the control, the trade, the moment, a piece of the sentence.
OPENING_BREACHES: list[tuple[str, ProposedTrade, ControlContext, str]] = [
    ("stance", a_trade(), a_context(stance=Stance.REDUCING), "closes only"),
    ("stance", a_trade(), a_context(stance=Stance.HALTED), "cancels only"),
    ("not_tradable", a_trade(), market_with(closed=True), "does not take orders"),
    ("not_tradable", a_trade(), market_with(active=False), "does not take orders"),
    ("not_tradable", a_trade(), market_with(archived=True), "does not take orders"),
    ("not_tradable", a_trade(), market_with(accepting_orders=False), "does not take orders"),
    ("not_tradable", a_trade(), market_with(order_book_enabled=False), "does not take orders"),
    ("not_tradable", a_trade(), market_with(version="v3"), "Which contract settles"),
    ("being_resolved", a_trade(), market_with(resolution_status="proposed"), "result has been proposed"),
    ("being_resolved", a_trade(), market_with(resolution_status="disputed"), "disputed"),
    ("denied", a_trade(), denying("0xtram"), "Its condition 0xtram is on the deny list"),
    ("denied", a_trade(), denying("event:event-tram"), "Its event event-tram"),
    ("denied", a_trade(), denying("politics"), "Its category politics"),
    ("denied", a_trade(), denying("ferry", "happen"), "It fits happen, which"),
    ("not_tradable", a_trade(), market_with(game_start=NOW), "game has begun"),
    ("not_tradable", a_trade(condition_id=ConditionId("0xother")), a_context(), "another market"),
    ("rules_changed", a_trade(), market_with(rules_hash="rules-2"), "rules text has changed"),
    ("rules_changed", a_trade(rules_hash=""), market_with(rules_hash=""), "rules text has changed"),
    ("ends_soon", a_trade(), market_with(end_date=NOW + timedelta(hours=71)), "ends in 71 h"),
    ("ends_soon", a_trade(), market_with(end_date=None), "not known"),
    ("book_stale", a_trade(), book_with(age_seconds=15.1), "seen 15 s ago"),
    ("book_stale", a_trade(), book_with(age_seconds=-2.5), "seen"),
    (
        "book_stale",
        a_trade(),
        a_context(book=a_book("tram-no", [("0.59", 1)], [("0.60", 900)])),
        "another outcome",
    ),
    ("clock_skew", a_trade(), a_context(clock_skew_seconds=d("2.1")), "differ by 2.1 s"),
    ("clock_skew", a_trade(), a_context(clock_skew_seconds=d("-2.1")), "differ by"),
    ("wrong_side", a_trade(side=Side.SELL), a_context(), "OPEN_POSITION does not SELL"),
    ("price_worse", a_trade(), book_with(asks=(("0.63", 9_000),), bids=(("0.62", 1),)), "best offer is 63¢"),
    ("price_worse", a_trade(), book_with(asks=()), "nobody offers"),
    ("no_longer_rests", RESTING, book_with(bids=(("0.58", 9),), asks=(("0.59", 9),)), "trade at once"),
    ("no_longer_rests", RESTING, book_with(bids=(("0.57", 9),), asks=(("0.60", 9),)), "middle is 58.5¢"),
    ("no_longer_rests", RESTING, book_with(bids=(("0.59", 9),), asks=(("0.63", 9),)), "spread is 4¢"),
    ("no_longer_rests", RESTING, book_with(bids=()), "One side of its book is empty"),
    ("no_longer_rests", RESTING, a_context(book=None), "not known"),
    ("fee_unknown", RESTING, MAKERS_PAY, "pay a fee here, too"),
    ("price_collar", a_trade(), book_with(bids=(("0.55", 1),), asks=(("0.58", 9_000),)), "outside"),
    ("price_collar", a_trade(worst_price=Price(d("0.98"))), a_context(), "3¢ to 97¢"),
    ("spread_wide", a_trade(), book_with(bids=(("0.56", 9),)), "spread is 4¢"),
    ("spread_wide", a_trade(), book_with(bids=()), "not known"),
    ("spread_unusual", a_trade(), book_with(bids=(("0.57", 9),), usual="0.005"), "0.5¢ is usual here"),
    ("depth_thin", a_trade(), book_with(asks=(("0.60", 599),)), "599.00 shares are offered"),
    ("off_tick", a_trade(worst_price=Price(d("0.605"))), a_context(), "not on the grid of 1¢"),
    ("off_tick", a_trade(), terms_with(tick=Price(d("0.1"))), "not on the grid of 10¢"),
    ("below_minimum", a_trade(min_shares=Shares(d("4.99"))), a_context(), "smallest order is 5 shares"),
    ("below_minimum", a_trade(amount=Pusd(d("0.99"))), a_context(), "smallest purchase is 1 pUSD"),
    ("decimals", a_trade(amount=Pusd(d("91.505"))), a_context(), "more than two decimals"),
    ("unit_mismatch", a_trade(shares=Shares(d(150))), a_context(), "sized in pUSD"),
    ("unit_mismatch", a_trade(amount=None, shares=Shares(d(150))), a_context(), "sized in pUSD"),
    (
        "fee_unknown",
        a_trade(),
        a_context(market=a_market(fee=None), terms=terms_of(a_market(fee=None))),
        "not known",
    ),
    ("fee_unknown", a_trade(), terms_with(fee=FeeSchedule(d("0.05"), d(1))), "more than 95.16"),
    ("fee_unknown", a_trade(), terms_with(fee=FeeSchedule(d("0.03"), d("0.5"))), "no ceiling"),
    ("balance", a_trade(), a_context(spendable_pusd=Pusd(d("95.15"))), "needs 95.16 pUSD"),
    (
        "allowance_low",
        a_trade(),
        a_context(regime="live", allow_unvalidated=True, allowance=Allowance("0xE1", Pusd(d("95.15")))),
        "The contract 0xE1 may take 95.15 pUSD",
    ),
    ("order_too_large", a_trade(), a_context(bankroll_pusd=Pusd(d(9_515))), "may risk 95.15"),
    ("order_too_large", a_trade(), limits_with(order_max_pusd=d(95)), "may risk 95.00"),
    ("order_too_large", a_trade(), limits_with(order_max_shares=d(149)), "at most 149 shares"),
    (
        "exposure_market",
        a_trade(),
        exposed(by_market={"0xtram": Pusd(d("104.85"))}),
        "This market may risk 200.00",
    ),
    ("exposure_event", a_trade(), exposed(by_event={"event-tram": Pusd(d("304.85"))}), "may risk 400.00"),
    (
        "exposure_category",
        a_trade(),
        exposed(by_category={"politics": Pusd(d("1904.85"))}),
        "may risk 2,000.00",
    ),
    ("exposure_theme", a_trade(), themed("704.85"), "This theme may risk 800.00"),
    ("exposure_far", a_trade(), far("1404.85"), "more than 90 days from now may risk 1,500.00"),
    ("exposure_far", a_trade(), far("1404.85", end_date=None), "may risk 1,500.00"),
    ("exposure_dependent", a_trade(dependent=True), exposed(dependent=Pusd(d("2404.85"))), "2,500.00"),
    ("portfolio_tail", a_trade(), tailed("705"), "in the worst twentieth of cases, may risk 800.00"),
    ("exposure_total", a_trade(), exposed(total=Pusd(d("4904.85"))), "may risk 5,000.00"),
    ("small_orders", a_trade(), small(19, "95.15"), "19 of 20 settled orders agree; at most 95.15 pUSD"),
    ("budget", a_trade(), budgeted("100", held="4.85"), "the budget is 100.00"),
    ("budget", a_trade(), budgeted("100", lost="4.85"), "the budget is 100.00"),
    ("open_orders", a_trade(), used(open_orders=20), "20 orders are under way; at most 20 are"),
    ("open_money", a_trade(), used(open_pusd="1904.85"), "may risk 2,000.00"),
    ("turnover_day", a_trade(), used(bought_today_pusd="4904.85"), "5,000.00 is allowed"),
    ("orders_hour", a_trade(), used(orders_last_hour=6), "6 orders in the last hour; at most 6 are"),
    ("cash_floor", a_trade(), a_context(spendable_pusd=Pusd(d("2095.15"))), "2,000.00 always stay"),
    ("duplicate", a_trade(), a_context(live_assets=frozenset({AssetId("tram-yes")})), "exists already"),
    ("self_trade", a_trade(), a_context(live_assets=frozenset({AssetId("tram-no")})), "other outcome, No,"),
    (
        "opposite",
        a_trade(),
        resting("tram-yes", "SELL", "0.61"),
        "our own order on this outcome, SELL at 61¢",
    ),
    ("opposite", a_trade(), resting("tram-no", "BUY", "0.39"), "on the other outcome, BUY at 39¢"),
    ("edge_low", a_trade(edge_at_worst=d("0.0239")), a_context(), "needed +2.4¢"),
    ("edge_low", a_trade(edge_at_worst=d("0.0149"), edge_required=None), a_context(), "needed +1.5¢"),
    ("edge_too_good", a_trade(edge_now=d("0.081")), a_context(), "usually means a wrong quote"),
    ("model_unvalidated", a_trade(), a_context(regime="live"), "POLYBOT_ALLOW_UNVALIDATED_MODEL"),
    ("model_inactive", a_trade(), a_context(active_model="market calibration 2"), "calibration 2 runs now"),
    ("model_inactive", a_trade(model=""), a_context(), "not known"),
    ("identity_unproven", a_trade(), a_context(regime="live", identity_proven=False), "not proven yet"),
    ("near_market", a_trade(test_order=True), a_context(), "buys, and only rests"),
]


@pytest.mark.parametrize(("name", "trade", "context", "words"), OPENING_BREACHES)
def test_an_opening_is_refused(name: str, trade: ProposedTrade, context: ControlContext, words: str) -> None:
    found = result(name, trade, context)
    assert not found.passed
    assert words in found.detail


def test_every_control_has_a_breach_above() -> None:
    assert {name for name, *_ in OPENING_BREACHES} == set(NAMES)


# The last value on the good side of each border.
BORDERS: list[tuple[str, ProposedTrade, ControlContext]] = [
    ("ends_soon", a_trade(), market_with(end_date=NOW + timedelta(hours=72))),
    ("book_stale", a_trade(), book_with(age_seconds=15)),
    ("book_stale", a_trade(), replace(book_with(age_seconds=2), at_submit=True)),
    ("clock_skew", a_trade(), a_context(clock_skew_seconds=d(-2))),
    ("price_worse", a_trade(), book_with(asks=(("0.61", 9_000),))),
    ("price_collar", a_trade(worst_price=Price(d("0.62"))), a_context()),
    ("spread_wide", a_trade(), book_with(bids=(("0.57", 9),))),
    ("depth_thin", a_trade(), book_with(asks=(("0.60", 600),))),
    ("below_minimum", a_trade(min_shares=Shares(d(5)), amount=Pusd(d(1))), a_context()),
    ("balance", a_trade(), a_context(spendable_pusd=Pusd(d("95.16")))),
    ("allowance_low", a_trade(), a_context(allowance=Allowance("0xE1", Pusd(d("95.16"))))),
    ("order_too_large", a_trade(), a_context(bankroll_pusd=Pusd(d(9_516)))),
    ("exposure_market", a_trade(), exposed(by_market={"0xtram": Pusd(d("104.84"))})),
    ("exposure_event", a_trade(), exposed(by_event={"event-tram": Pusd(d("304.84"))})),
    ("exposure_category", a_trade(), exposed(by_category={"politics": Pusd(d("1904.84"))})),
    ("exposure_total", a_trade(), exposed(total=Pusd(d("4904.84")))),
    ("portfolio_tail", a_trade(), tailed("704")),
    ("cash_floor", a_trade(), a_context(spendable_pusd=Pusd(d("2095.16")))),
    ("exposure_theme", a_trade(), themed("704.84")),
    ("exposure_far", a_trade(), far("1404.84")),
    ("exposure_far", a_trade(), far("9999", end_date=NOW + timedelta(days=90))),
    ("exposure_dependent", a_trade(dependent=True), exposed(dependent=Pusd(d("2404.84")))),
    ("exposure_dependent", a_trade(), exposed(dependent=Pusd(d(9_999)))),
    ("small_orders", a_trade(), small(19, "95.16")),
    ("small_orders", a_trade(), small(20, "5")),
    ("budget", a_trade(), budgeted("100", held="4.84")),
    ("open_orders", a_trade(), used(open_orders=19)),
    ("open_money", a_trade(), used(open_pusd="1904.84")),
    ("turnover_day", a_trade(), used(bought_today_pusd="4904.84")),
    ("orders_hour", a_trade(), used(orders_last_hour=5)),
    ("opposite", a_trade(), resting("tram-yes", "SELL", "0.62")),
    ("opposite", a_trade(), resting("tram-no", "BUY", "0.38")),
    ("opposite", a_trade(), resting("tram-yes", "BUY", "0.99")),
    ("opposite", a_close(), resting("tram-yes", "BUY", "0.57")),
    ("opposite", a_close(), resting("tram-no", "SELL", "0.43")),
    ("spread_unusual", a_trade(), book_with(bids=(("0.57", 9),), usual="0.01")),
    ("spread_unusual", a_trade(), book_with(bids=(("0.57", 9),), usual=None)),
    ("being_resolved", a_trade(), market_with(resolution_status="inactive")),
    ("edge_low", a_trade(edge_at_worst=d("0.024")), a_context()),
    ("edge_too_good", a_trade(edge_now=d("0.08")), a_context()),
    ("model_unvalidated", a_trade(), a_context(regime="live", allow_unvalidated=True)),
    ("model_unvalidated", a_trade(model_validated=True), a_context(regime="live")),
    ("model_unvalidated", a_trade(), a_context(regime="paper")),
    ("identity_unproven", a_trade(), a_context(regime="live", identity_proven=True)),
    ("identity_unproven", a_trade(), a_context(regime="dry_run", identity_proven=False)),
]


@pytest.mark.parametrize(("name", "trade", "context"), BORDERS)
def test_the_border_itself_passes(name: str, trade: ProposedTrade, context: ControlContext) -> None:
    assert result(name, trade, context).passed, result(name, trade, context)


class TestAtSubmit:
    def test_the_book_has_to_be_fresher(self) -> None:
        context = replace(book_with(age_seconds=2.1), at_submit=True)
        assert not result("book_stale", a_trade(), context).passed

    def test_the_order_itself_is_depth_enough(self) -> None:
        thin = book_with(asks=(("0.60", 150),))
        assert not result("depth_thin", a_trade(), thin).passed
        assert result("depth_thin", a_trade(), replace(thin, at_submit=True)).passed


class TestClosing:
    def test_it_goes_on_when_openings_are_stopped(self) -> None:
        assert broken(a_close(), a_context(stance=Stance.REDUCING)) == []
        assert broken(a_close(), a_context(stance=Stance.HALTED)) == ["stance"]

    def test_it_is_not_held_back_by_what_protects_openings(self) -> None:
        context = a_context(
            market=a_market(
                end_date=NOW + timedelta(hours=1), rules_hash="rules-2", resolution_status="proposed"
            ),
            bankroll_pusd=None,
            spendable_pusd=None,
            exposure=None,
            live_assets=frozenset({AssetId("tram-yes"), AssetId("tram-no")}),
            book=a_book("tram-yes", [("0.59", 10)], [("0.75", 10)]),
        )
        assert broken(a_close(), context) == []

    def test_it_does_not_meet_our_own_orders(self) -> None:
        assert broken(a_close(), resting("tram-yes", "BUY", "0.58")) == ["opposite"]
        assert broken(a_close(), resting("tram-no", "SELL", "0.42")) == ["opposite"]

    def test_it_is_not_held_back_by_what_has_been_used_up(self) -> None:
        everything = used(open_orders=500, open_pusd="9999", bought_today_pusd="99999", orders_last_hour=99)
        spent = replace(
            everything,
            deny=DenyList(("tram",)),
            small_orders=SmallOrders(0, 20, Pusd(d(5))),
            usual_spread=None,
        )
        assert broken(a_close(), spent) == []

    def test_no_more_is_sold_than_can_be(self) -> None:
        assert broken(a_close(), a_context(closable_shares=Shares(d("119.99")))) == ["balance"]

    def test_a_floor_far_under_the_bid_is_refused(self) -> None:
        assert "price_collar" in broken(a_close(worst_price=Price(d("0.55"))), a_context())

    def test_a_bid_under_the_floor_is_refused(self) -> None:
        found = result("price_worse", a_close(worst_price=Price(d("0.60"))), a_context())
        assert found.detail == "You allowed 60¢ or more; the best bid is 59¢."

    def test_money_is_not_its_unit(self) -> None:
        assert "unit_mismatch" in broken(a_close(amount=Pusd(d(60))), a_context())


def test_a_resting_order_may_wait_away_from_the_book() -> None:
    rest = a_trade(
        order_type="GTC",
        amount=None,
        shares=Shares(d(150)),
        min_shares=None,
        worst_price=Price(d("0.58")),
        max_cost=Pusd(d(87)),
    )
    book = a_context(book=a_book("tram-yes", [("0.59", 410)], [("0.60", 700)]))
    assert broken(rest, book) == ["depth_thin"]
    assert broken(replace(rest, post_only=True), book) == []


def test_a_taker_that_says_it_only_rests_still_needs_what_it_takes() -> None:
    thin = book_with(asks=(("0.60", 10),))
    assert "depth_thin" in broken(a_trade(post_only=True), thin)


class TestAPersonsOwnIdea:
    IDEA = a_trade(
        own_idea=True, edge_now=None, edge_at_worst=None, edge_required=None, model="", model_validated=None
    )

    def test_no_model_has_to_speak_for_it(self) -> None:
        assert broken(self.IDEA, a_context(regime="live")) == []
        said = [each.value for each in check(self.IDEA, a_context()) if "edge" in each.name]
        assert said == ["own idea", "own idea"]

    def test_every_other_limit_holds(self) -> None:
        assert broken(self.IDEA, used(orders_last_hour=6)) == ["orders_hour"]

    def test_what_a_model_said_nothing_about_and_nobody_claims_is_refused(self) -> None:
        nobody = replace(self.IDEA, own_idea=False)
        assert broken(nobody, a_context()) == [
            "edge_low", "edge_too_good", "model_inactive", "model_unvalidated",
        ]  # fmt: skip


class TestFailingClosed:
    @pytest.mark.parametrize(
        ("missing", "names"),
        [
            ("stance", {"stance"}),
            (
                "market",
                {
                    "not_tradable",
                    "denied",
                    "being_resolved",
                    "opposite",
                    "exposure_theme",
                    "exposure_far",
                    "portfolio_tail",
                    "rules_changed",
                    "ends_soon",
                    "exposure_market",
                    "exposure_event",
                    "exposure_category",
                    "self_trade",
                },
            ),
            ("terms", {"not_tradable", "off_tick", "below_minimum"}),
            (
                "book",
                {"book_stale", "price_worse", "price_collar", "spread_wide", "spread_unusual", "depth_thin"},
            ),
            (
                "bankroll_pusd",
                {
                    "order_too_large",
                    "exposure_market",
                    "exposure_event",
                    "exposure_category",
                    "exposure_total",
                    "exposure_theme",
                    "exposure_far",
                    "exposure_dependent",
                    "portfolio_tail",
                    "cash_floor",
                    "open_money",
                    "turnover_day",
                },
            ),
            ("spendable_pusd", {"balance", "cash_floor"}),
            (
                "exposure",
                {
                    "exposure_market",
                    "exposure_event",
                    "exposure_theme",
                    "exposure_category",
                    "exposure_total",
                    "exposure_far",
                    "exposure_dependent",
                },
            ),
            ("tail", {"portfolio_tail"}),
            ("usage", {"open_orders", "open_money", "turnover_day", "orders_hour", "budget"}),
            ("deny", {"denied"}),
            ("usual_spread", {"spread_unusual"}),
            ("own_orders", {"opposite"}),
            ("small_orders", {"small_orders"}),
            ("active_model", {"model_inactive"}),
            ("live_assets", {"duplicate", "self_trade"}),
            ("clock_skew_seconds", {"clock_skew"}),
        ],
    )
    def test_what_is_not_known_does_not_pass(self, missing: str, names: set[str]) -> None:
        market = a_market(tags=("trams",), end_date=NOW + timedelta(days=91))
        moment = a_context(market=market, limits=RiskLimits(budget_pusd=d(9_000)))
        unknown: dict[str, Any] = {missing: None}
        found = breaches(check(a_trade(dependent=True), replace(moment, **unknown)))
        assert {each.name for each in found} == names
        assert all("not known" in each.detail for each in found)

    def test_closable_shares_that_are_not_known_stop_a_sale(self) -> None:
        assert broken(a_close(), a_context(closable_shares=None)) == ["balance"]

    def test_an_allowance_that_is_not_known_stops_a_live_purchase(self) -> None:
        context = a_context(regime="live", allow_unvalidated=True, allowance=None)
        assert broken(a_trade(), context) == ["allowance_low"]

    def test_an_allowance_of_shares_that_is_not_known_stops_a_live_sale_before_it_is_sent(self) -> None:
        context = a_context(regime="live", allow_unvalidated=True, at_submit=True, share_allowance=None)
        assert broken(a_close(), context) == ["allowance_low"]

    def test_every_optional_fact_of_the_context_is_in_the_list_above(self) -> None:
        optional = {
            name for name, kind in get_type_hints(ControlContext).items() if type(None) in get_args(kind)
        }
        assert optional == {
            "stance", "market", "terms", "book", "bankroll_pusd", "spendable_pusd", "exposure", "live_assets",
            "closable_shares", "clock_skew_seconds", "allowance", "share_allowance", "deny", "usual_spread",
            "usage", "own_orders", "small_orders", "active_model", "tail",
        }  # fmt: skip

    @pytest.mark.parametrize("nonsense", ["NaN", "Infinity", "-Infinity"])
    @pytest.mark.parametrize(
        "part", ["worst_price", "amount", "min_shares", "max_cost", "edge_at_worst", "edge_now"]
    )
    def test_nonsense_refuses_the_trade_and_raises_nothing(self, part: str, nonsense: str) -> None:
        assert broken(a_trade(**{part: Decimal(nonsense)}), a_context()) != []

    def test_an_asset_of_another_market_is_refused(self) -> None:
        assert "not_tradable" in broken(a_trade(asset_id=AssetId("alien")), a_context())

    def test_an_unknown_kind_of_intent_is_refused(self) -> None:
        assert "stance" in broken(a_trade(intent_type="TRANSFER"), a_context())

    def test_an_empty_trade_is_refused(self) -> None:
        trade = a_trade(amount=Pusd(d(0)), min_shares=Shares(d(0)), max_cost=Pusd(d(0)))
        assert {"below_minimum", "decimals", "balance"} <= set(broken(trade, a_context()))

    def test_a_purchase_that_calls_itself_a_close_is_judged_as_an_opening(self) -> None:
        disguised = replace(a_trade(max_cost=Pusd(d(5_000))), intent_type="CLOSE_POSITION")
        assert {"wrong_side", "order_too_large", "exposure_market"} <= set(broken(disguised, a_context()))

    def test_a_sale_that_calls_itself_an_opening_is_refused(self) -> None:
        assert "wrong_side" in broken(replace(a_close(), intent_type="OPEN_POSITION"), a_context())


def test_a_result_survives_storage() -> None:
    for found in check(a_trade(), a_context(spendable_pusd=None)):
        assert ControlResult.from_dict(found.as_dict()) == found


def test_a_stored_pass_is_a_literal_true() -> None:
    assert not ControlResult.from_dict({"name": "balance", "passed": "true"}).passed


@pytest.mark.parametrize("value", ["-0.1", "1.1", "NaN"])
def test_an_impossible_limit_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="order_fraction"):
        RiskLimits(order_fraction=d(value))


def test_exposure_adds_up() -> None:
    market = a_market()
    sums = Exposure().plus(market, Pusd(d(10))).plus(market, Pusd(d(5)))
    assert {sums.total, sums.market(market), sums.event(market), sums.category(market)} == {d(15)}


def test_a_market_without_an_event_is_an_event_of_its_own() -> None:
    alone, other = a_market(event_id=None), a_market("other", event_id=None)
    sums = Exposure().plus(alone, Pusd(d(1)))
    assert (sums.event(alone), sums.event(other)) == (d(1), d(0))


def test_the_side_decides_what_the_balance_is() -> None:
    assert a_close().side is Side.SELL
    assert "150.00 shares" in result("balance", a_close(), a_context()).limit
