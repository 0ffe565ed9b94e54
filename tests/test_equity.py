"""Peak, drawdown and the day's result: money that is moved changes none of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.units import Pusd
from polyb0t.models.equity import AccountHealth, EquityMarks, health, marked, rebased

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def d(text: str | int) -> Pusd:
    return Pusd(Decimal(text))


def after(*looks: tuple[str, str], at: datetime = NOON) -> tuple[EquityMarks, AccountHealth]:
    """Marks and health after looks of (equity, all flows so far)."""
    marks = None
    for equity, flows in looks:
        marks = marked(marks, d(equity), d(flows), at)
    assert marks is not None
    return marks, health(marks, d(looks[-1][0]), at)


class TestDrawdown:
    def test_it_is_measured_from_the_most_that_there_was(self) -> None:
        _, seen = after(("1000", "0"), ("1200", "0"), ("1080", "0"))
        assert seen.peak_pusd == 1200
        assert seen.drawdown_fraction == Decimal("0.1")

    def test_above_the_peak_there_is_none(self) -> None:
        _, seen = after(("1000", "0"), ("1001", "0"))
        assert seen.drawdown_fraction == 0

    def test_a_deposit_makes_no_loss_smaller(self) -> None:
        _, seen = after(("1000", "0"), ("900", "0"), ("1800", "900"))
        assert seen.drawdown_fraction == Decimal("0.1")

    def test_a_withdrawal_makes_no_loss_larger(self) -> None:
        marks, seen = after(("1000", "0"), ("900", "0"), ("90", "-810"))
        assert seen.drawdown_fraction == Decimal("0.1")
        assert marks.peak_pusd == 100

    def test_nor_does_taking_everything_out_and_coming_back(self) -> None:
        _, seen = after(("1000", "0"), ("0", "-1000"), ("500", "-500"))
        assert seen.drawdown_fraction == 0

    def test_a_deposit_is_no_gain(self) -> None:
        marks, seen = after(("1000", "0"), ("1500", "500"))
        assert marks.peak_pusd == 1500
        assert seen.day_result_pusd == 0

    def test_a_price_that_is_not_fresh_raises_no_peak(self) -> None:
        marks = marked(None, d(1000), d(0), NOON)
        assert marked(marks, d(1300), d(0), NOON, sure=False).peak_pusd == 1000

    def test_a_person_accepts_a_loss(self) -> None:
        marks, _ = after(("1000", "0"), ("800", "0"))
        seen = health(rebased(marks, d(800)), d(800), NOON)
        assert seen.drawdown_fraction == 0

    def test_what_is_not_known_is_no_figure(self) -> None:
        unknown = AccountHealth(NOON)
        assert unknown.drawdown_fraction is None
        assert unknown.day_result_pusd is None
        assert unknown.day_result_fraction is None


class TestTheDay:
    def test_its_result_is_measured_from_its_first_look(self) -> None:
        _, seen = after(("1000", "0"), ("1002.5", "0"))
        assert (seen.day, seen.day_result_pusd) == ("2026-11-22", Decimal("2.5"))
        assert seen.day_result_fraction == Decimal("0.0025")

    def test_it_turns_at_midnight_utc(self) -> None:
        marks, _ = after(("1000", "0"))
        before = marked(marks, d(900), d(0), NOON + timedelta(hours=11, minutes=59))
        assert (before.day, before.day_start_pusd) == ("2026-11-22", d(1000))
        turned = marked(before, d(900), d(0), NOON + timedelta(hours=12))
        assert (turned.day, turned.day_start_pusd, turned.peak_pusd) == ("2026-11-23", d(900), d(1000))

    def test_a_clock_that_went_back_opens_no_day_anew(self) -> None:
        marks, _ = after(("1000", "0"))
        assert marked(marks, d(900), d(0), NOON - timedelta(days=1)).day == "2026-11-22"

    def test_money_that_came_and_went_is_no_result(self) -> None:
        marks, seen = after(("1000", "0"), ("1090", "100"), ("40", "-950"))
        assert marks.day_flows_pusd == -950
        assert seen.day_result_pusd == -10

    def test_flows_of_yesterday_are_no_flows_of_today(self) -> None:
        marks, _ = after(("1000", "0"), ("1100", "100"))
        marks = marked(marks, d(1100), d(100), NOON + timedelta(days=1))
        seen = health(marks, d(1100), NOON)
        assert (marks.day_flows_pusd, seen.day_result_pusd) == (d(0), d(0))

    def test_a_withdrawal_makes_the_days_loss_no_larger_part(self) -> None:
        _, seen = after(("1000", "0"), ("950", "0"), ("50", "-900"))
        assert seen.day_result_pusd == -50
        assert seen.day_result_fraction is not None
        assert abs(seen.day_result_fraction + Decimal("0.05")) < Decimal("0.000001")


_EQUITY = st.integers(100_000_000, 10_000_000_000).map(lambda e6: Decimal(e6).scaleb(-6))


@given(start=_EQUITY, now=_EQUITY, flow=st.integers(-99_000_000, 5_000_000_000))
def test_no_flow_changes_either_fraction(start: Decimal, now: Decimal, flow: int) -> None:
    moved = Decimal(flow).scaleb(-6)
    marks = marked(marked(None, Pusd(start), d(0), NOON), Pusd(now), d(0), NOON)
    before = health(marks, Pusd(now), NOON)
    marks = marked(marks, Pusd(now + moved), Pusd(moved), NOON)
    then = health(marks, Pusd(now + moved), NOON)
    for name in ("drawdown_fraction", "day_result_fraction"):
        # To the millionth of a pUSD in the marks; a wallet of one pUSD is the least that is left here.
        assert abs(getattr(then, name) - getattr(before, name)) < Decimal("0.00011")
    assert then.day_result_pusd == before.day_result_pusd
