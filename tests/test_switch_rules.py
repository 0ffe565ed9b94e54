"""When each kill switch trips, what it says then, and what its line in the list says always."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import Pusd
from polyb0t.models import switch_rules
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.switch_rules import (
    RULES,
    Accord,
    HostCalls,
    Measures,
    SpreadLevel,
    Thresholds,
    read_switches,
)

LIMITS = Thresholds()


def d(text: str) -> Decimal:
    return Decimal(text)


def health(equity: str, *, peak: str = "10000", day: str = "10000", flows: str = "0") -> AccountHealth:
    return AccountHealth(
        marked_at=datetime(2026, 11, 22, tzinfo=UTC),
        equity_pusd=Pusd(d(equity)),
        peak_pusd=Pusd(d(peak)),
        day="2026-11-22",
        day_start_pusd=Pusd(d(day)),
        day_base_pusd=Pusd(d(day) + d(flows)),
        day_flows_pusd=Pusd(d(flows)),
    )


def sentence(switch: KillSwitchType, measures: Measures, limits: Thresholds = LIMITS) -> str | None:
    trip = RULES[switch](measures, limits).trip
    return None if trip is None else trip.sentence


class TestDrawdown:
    @pytest.mark.parametrize(("equity", "trips"), [("10000", False), ("8500.01", False), ("8500", True)])
    def test_it_trips_at_its_limit_and_not_a_cent_before(self, equity: str, trips: bool) -> None:
        found = sentence(KillSwitchType.DRAWDOWN, Measures(health=health(equity)))
        assert (found is not None) is trips

    def test_it_says_how_far_under_which_peak(self) -> None:
        reading = switch_rules.drawdown(Measures(health=health("8499")), LIMITS)
        assert reading.trip is not None
        assert reading.trip.sentence == "equity is 15.0% under its peak of 10,000.00 pUSD, limit 15%"
        assert (reading.trip.value, reading.trip.limit) == ("15.0%", "15%")
        assert reading.known == {"equity_pusd": d("8499"), "peak_pusd": d("10000")}

    def test_what_has_not_reached_its_limit_is_never_shown_as_if_it_had(self) -> None:
        reading = switch_rules.drawdown(Measures(health=health("8500.01")), LIMITS)
        assert (reading.now, reading.trips_at) == ("14.9% under peak 10,000.00", "15%")


class TestDailyLoss:
    @pytest.mark.parametrize(("equity", "trips"), [("10500", False), ("9000.01", False), ("9000", True)])
    def test_it_trips_at_its_limit(self, equity: str, trips: bool) -> None:
        found = sentence(KillSwitchType.DAILY_LOSS, Measures(health=health(equity)))
        assert (found is not None) is trips

    def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss(self) -> None:
        taken_out = Measures(health=health("5000", peak="5000", day="10000", flows="-5000"))
        assert sentence(KillSwitchType.DAILY_LOSS, taken_out) is None
        paid_in = Measures(health=health("13500", peak="15000", day="10000", flows="5000"))
        assert sentence(KillSwitchType.DAILY_LOSS, paid_in) == "10.0% was lost since 00:00 UTC, limit 10%"

    def test_its_line_has_a_sign(self) -> None:
        assert switch_rules.daily_loss(Measures(health=health("10002")), LIMITS).now == (
            "+0.02% since 00:00 UTC"
        )


class TestStaleData:
    @pytest.mark.parametrize(("age", "trips"), [("0.4", False), ("60", False), ("60.001", True)])
    def test_it_trips_beyond_its_limit(self, age: str, trips: bool) -> None:
        found = sentence(KillSwitchType.STALE_DATA, Measures(prices_age_seconds=d(age), prices_missed=6))
        assert (found is not None) is trips

    def test_it_says_how_old_the_newest_price_is(self) -> None:
        measures = Measures(prices_age_seconds=d("74"), prices_missed=6)
        assert sentence(KillSwitchType.STALE_DATA, measures) == "the newest price is 74 s old, limit 60 s"

    def test_one_read_that_failed_proves_nothing_however_long_the_cycle_is(self) -> None:
        assert (
            sentence(KillSwitchType.STALE_DATA, Measures(prices_age_seconds=d("120"), prices_missed=1))
            is None
        )

    def test_where_no_market_is_watched_nothing_grows_old(self) -> None:
        assert sentence(KillSwitchType.STALE_DATA, Measures(prices_age_seconds=None)) is None


class TestSpreadAnomaly:
    def test_it_trips_beyond_so_many_times_the_usual(self) -> None:
        wide = Measures(spread=SpreadLevel(d("0.031"), d("0.01")))
        assert sentence(KillSwitchType.SPREAD_ANOMALY, wide) == "spreads are 3.1 x the usual, limit 3 x"
        at_it = Measures(spread=SpreadLevel(d("0.03"), d("0.01")))
        assert sentence(KillSwitchType.SPREAD_ANOMALY, at_it) is None
        assert switch_rules.spread_anomaly(at_it, LIMITS).now == "3.0 x the usual"


class TestApiErrorRate:
    def host(self, errors: int, calls: int, seconds: float = 90, name: str = "clob") -> HostCalls:
        return HostCalls(name, calls, errors, seconds)

    @pytest.mark.parametrize(
        ("errors", "calls", "seconds", "trips"),
        [(11, 20, 90, True), (10, 20, 90, False), (19, 19, 90, False), (40, 40, 59, False)],
        ids=["more than half", "half", "too few calls", "a burst of less than a minute"],
    )
    def test_it_needs_many_calls_most_of_them_failed_over_a_minute(
        self, errors: int, calls: int, seconds: float, trips: bool
    ) -> None:
        measures = Measures(hosts=(self.host(errors, calls, seconds),))
        assert (sentence(KillSwitchType.API_ERROR_RATE, measures) is not None) is trips

    def test_each_host_counts_for_itself_and_the_failing_one_is_named(self) -> None:
        measures = Measures(hosts=(self.host(0, 500, name="gamma"), self.host(31, 40, name="clob")))
        assert sentence(KillSwitchType.API_ERROR_RATE, measures) == (
            "31 of 40 calls to clob failed in 5 min, limit 50%"
        )

    def test_a_few_bad_calls_to_one_host_do_not_hide_another_that_fails(self) -> None:
        measures = Measures(hosts=(self.host(3, 3, name="gamma"), self.host(31, 40, name="clob")))
        assert "calls to clob" in (sentence(KillSwitchType.API_ERROR_RATE, measures) or "")


class TestTheRest:
    def test_a_difference_holds_and_is_named(self) -> None:
        differs = Measures(accord=Accord(4, "0.7 shares are missing."))
        assert sentence(KillSwitchType.RECONCILIATION, differs) == (
            "the comparison 4 s ago found: 0.7 shares are missing"
        )
        assert sentence(KillSwitchType.RECONCILIATION, Measures(accord=Accord(4))) is None

    def test_what_is_not_known_trips_nothing_and_says_so(self) -> None:
        readings = read_switches(Measures(), LIMITS)
        assert set(readings) == set(KillSwitchType)
        assert [switch for switch, reading in readings.items() if reading.trip] == []
        assert readings[KillSwitchType.DRAWDOWN].now == "not known yet"

    def test_every_line_names_where_it_trips(self) -> None:
        at = {switch.value: reading.trips_at for switch, reading in read_switches(Measures(), LIMITS).items()}
        assert at == {
            "DRAWDOWN": "15%",
            "DAILY_LOSS": "-10%",
            "STALE_DATA": "60 s",
            "SPREAD_ANOMALY": "3 x",
            "API_ERROR_RATE": "50%, min 20",
            "RECONCILIATION": "any difference",
            "MANUAL": "polyb0t halt",
        }


class TestThresholds:
    @pytest.mark.parametrize("name", ["drawdown_fraction", "daily_loss_fraction", "api_error_fraction"])
    @pytest.mark.parametrize("value", ["0", "-0.1", "1.5", "NaN"])
    def test_a_fraction_is_above_zero_and_at_most_one(self, name: str, value: str) -> None:
        with pytest.raises(ValueError, match=name):
            replace(LIMITS, **{name: d(value)})  # type: ignore[arg-type] # each of them is a fraction
        with pytest.raises(ConfigurationError, match=f"POLYBOT_{name.upper()}"):
            load_settings(**{name: value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("stale_data_seconds", "0"),
            ("stale_data_seconds", "-5"),
            ("stale_data_seconds", "12"),  # as old as a quiet price may be
            ("spread_anomaly_multiple", "1"),
            ("api_error_least_calls", "0"),
            ("api_error_window_seconds", "60"),  # no longer than the burst that is let pass
        ],
    )
    def test_an_impossible_one_is_refused_at_the_start_by_the_settings_name(
        self, name: str, value: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=f"POLYBOT_{name.upper()}"):
            load_settings(**{name: value})

    def test_a_daily_loss_that_the_drawdown_would_always_forestall_is_refused(self) -> None:
        both: dict[str, Any] = {"drawdown_fraction": "0.05", "daily_loss_fraction": "0.06"}
        with pytest.raises(ConfigurationError, match="POLYBOT_DAILY_LOSS_FRACTION") as refused:
            load_settings(**both)
        assert "POLYBOT_DRAWDOWN_FRACTION is 0.05" in refused.value.why

    def test_who_lowers_the_drawdown_alone_need_not_name_the_daily_loss(self) -> None:
        assert load_settings(drawdown_fraction="0.01").drawdown_fraction == d("0.01")
