"""How much of each limit is used: the figures of `polyb0t risk`, by the same sums as the controls."""

from dataclasses import replace

import pytest

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Pusd
from polyb0t.models.decision_desk import Desk
from polyb0t.models.limit_use import TOP, limit_uses
from polyb0t.models.limits import CONTROLS
from polyb0t.models.risk import Exposure, RiskLimits
from polyb0t.models.usage import LimitUse, SmallOrders, Usage
from tests.support.decisions import a_desk, a_market, d


def of(desk: Desk) -> dict[str, LimitUse]:
    return {use.name: use for use in limit_uses(desk, lambda kind, key: f"{kind} {key}")}


def pusd(text: str) -> Pusd:
    return Pusd(d(text))


BUSY = a_desk(
    exposure=Exposure().plus(a_market(tags=("trams",)), pusd("95.16")),
    spendable_pusd=pusd("9900"),
    usage=Usage(3, pusd("40"), pusd("135.16"), 2, pusd("7"), pusd("95.16")),
    limits=RiskLimits(budget_pusd=d(500), turnover_multiple=d("0.5")),
    bankroll_pusd=pusd("500"),
)


def test_every_limit_is_one_of_the_controls() -> None:
    assert set(of(BUSY)) <= {control.__name__ for control in CONTROLS}


def test_money_at_risk_orders_and_pace_have_their_use() -> None:
    uses = of(BUSY)
    assert (uses["exposure_total"].used, uses["exposure_total"].limit) == (d("95.16"), d(250))
    assert (uses["budget"].used, uses["budget"].limit, uses["budget"].left) == (
        d("142.16"),
        d(500),
        d("357.84"),
    )
    assert (uses["open_orders"].used, uses["open_orders"].limit) == (d(3), d(20))
    assert (uses["open_money"].used, uses["open_money"].limit) == (d(40), d(100))
    assert (uses["turnover_day"].used, uses["turnover_day"].limit) == (d("135.16"), d(250))
    assert (uses["orders_hour"].used, uses["orders_hour"].limit, uses["orders_hour"].left) == (
        d(2),
        d(6),
        d(4),
    )


def test_an_order_uses_nothing_up() -> None:
    order = of(BUSY)["order_too_large"]
    assert (order.used, order.limit, order.fraction) == (None, d(5), None)


def test_while_orders_are_small_that_is_their_limit() -> None:
    phase = SmallOrders(3, 20, pusd("5"))
    uses = of(a_desk(limits=RiskLimits(order_max_pusd=d(5)), small_orders=phase))
    assert uses["small_orders"].limit == 5
    assert "order_too_large" not in uses


def test_where_most_is_at_risk_is_named() -> None:
    uses = of(BUSY)
    assert uses["exposure_market"].label == "market 0xtram"
    assert uses["exposure_event"].label == "event event-tram"
    assert uses["exposure_theme"].label == "theme trams"
    assert uses["exposure_category"].label == "category politics"


def test_only_the_largest_are_named_and_the_largest_first() -> None:
    many = {ConditionId(f"0x{n}"): pusd(str(n)) for n in range(TOP + 3)}
    desk = a_desk(exposure=Exposure(total=pusd("99"), by_market=many))
    markets = [use for use in limit_uses(desk, lambda _kind, key: key) if use.name == "exposure_market"]
    assert [use.used for use in markets] == [7, 6, 5, 4, 3]


@pytest.mark.parametrize("missing", ["bankroll_pusd", "exposure", "usage"])
def test_nothing_is_made_up_where_something_is_not_known(missing: str) -> None:
    unknown: dict[str, None] = {missing: None}
    assert limit_uses(replace(BUSY, **unknown), lambda _kind, key: key) == ()  # type: ignore[arg-type]


def test_a_limit_that_is_passed_has_nothing_left_and_more_than_all_used() -> None:
    over = LimitUse("budget", "", d(120), d(100), "pUSD")
    assert (over.left, over.fraction) == (d(0), d("1.2"))
    assert LimitUse("budget", "", d(1), d(0), "pUSD").fraction == 1
