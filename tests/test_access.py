"""Which trades are large, what they need, and who publishes where that begins."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.ids import OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.access import (
    NO_THRESHOLDS,
    Required,
    Role,
    Thresholds,
    guarded,
    required_of,
    why_too_little,
    words_of,
    worth,
)
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.proposing import Frame, closing_intent, opening_intent
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.chances import Candidate
from polyb0t.models.closing import CloseProposal, close_proposal
from polyb0t.models.proposal import decide_openings
from polyb0t.runtime.thresholds import read_thresholds, stricter, thresholds_fact, thresholds_of
from tests.support.builders import NOW, a_cancel, a_close, a_scope, an_intent
from tests.support.decisions import a_context, a_desk, a_state


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("POLYBOT_", "POLYB0T_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def pusd(text: str) -> Pusd:
    return Pusd(Decimal(text))


def large(two: str | None = None, code: str | None = None, seconds: int = 240) -> Thresholds:
    return Thresholds(
        None if two is None else pusd(two), None if code is None else pusd(code), timedelta(seconds=seconds)
    )


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "covers"),
        [
            (Role.VIEWER, {Role.VIEWER}),
            (Role.APPROVER, {Role.VIEWER, Role.APPROVER}),
            (Role.ADMIN, {Role.VIEWER, Role.APPROVER, Role.ADMIN}),
        ],
    )
    def test_each_may_what_those_before_it_may(self, role: Role, covers: set[Role]) -> None:
        assert {needed for needed in Role if role.covers(needed)} == covers
        assert role.decides is (Role.APPROVER in covers)


class TestWorth:
    def test_a_purchase_is_worth_its_ceiling(self) -> None:
        intent = an_intent()
        assert worth(intent) == intent.max_cost

    @pytest.mark.parametrize(
        ("worst", "bid", "seen", "expected"),
        [
            ("0.01", "0.60", None, "60"),  # a sale for next to nothing gives the whole position away
            ("0.50", None, "0.55", "55"),
            ("0.70", "0.60", "0.55", "70"),
        ],
    )
    def test_a_sale_is_worth_its_shares_at_the_best_price_that_is_known(
        self, worst: str, bid: str | None, seen: str | None, expected: str
    ) -> None:
        sale = replace(
            a_close(),
            shares=Shares(Decimal(100)),
            worst_price=Price(Decimal(worst)),
            best_bid=None if bid is None else Price(Decimal(bid)),
            reference_price=None if seen is None else Price(Decimal(seen)),
        )
        assert worth(sale) == Decimal(expected)

    def test_what_takes_back_is_never_large(self) -> None:
        cancel = a_cancel(OrderId("0x" + "a" * 64))
        assert worth(cancel) == 0
        assert guarded(cancel, large("0.01", "0.01")) == cancel


class TestWhatItNeeds:
    @pytest.mark.parametrize(
        ("two", "code", "needed"),
        [
            (None, None, Required()),
            ("above", None, Required(2)),
            (None, "above", Required(1, code=True)),
            ("above", "above", Required(2, code=True)),
            ("at", "at", Required()),
        ],
    )
    def test_it_is_written_into_the_trade_and_its_digest(
        self, two: str | None, code: str | None, needed: Required
    ) -> None:
        intent = an_intent()
        cost = intent.max_cost or pusd("0")
        lines = {"above": str(cost - Decimal("0.000001")), "at": str(cost)}
        made = guarded(intent, large(lines.get(two or ""), lines.get(code or "")))
        assert required_of(made) == needed
        grown = timedelta(seconds=240) if needed.more_than_one_word else timedelta(0)
        assert made.deadline - intent.deadline == grown
        assert (made.digest == intent.digest) is not needed.more_than_one_word

    def test_it_never_needs_less_than_it_did(self) -> None:
        strict = replace(an_intent(), approvals_required=3, code_required=True)
        made = guarded(strict, large("0.01"))
        assert required_of(made) == Required(3, code=True)

    def test_what_was_proposed_with_less_is_told(self) -> None:
        intent = an_intent()
        denied = why_too_little(intent, large("0.01", "0.01"))
        assert denied is not None
        assert denied.code == "approvals_short"
        assert "2 approvals with a code" in denied.detail
        assert why_too_little(guarded(intent, large("0.01", "0.01")), large("0.01", "0.01")) is None
        assert why_too_little(intent, NO_THRESHOLDS) is None

    @pytest.mark.parametrize(
        ("needed", "said"),
        [
            (Required(), "one approval"),
            (Required(2), "2 approvals"),
            (Required(1, code=True), "one approval with a code"),
        ],
    )
    def test_in_words(self, needed: Required, said: str) -> None:
        assert words_of(needed) == said


class TestProposing:
    """What the engine and a person propose carries what its worth asks for."""

    def frame(self, **more: Any) -> Frame:
        return Frame(scope=a_scope(), regime=Regime.LIVE, now=NOW, decide_seconds=60, **more)

    def opening(self, frame: Frame) -> TradeIntent:
        state = a_state()
        model = MarketCalibrationModel(packaged_coefficients())
        (proposal,) = decide_openings([Candidate(state, model.predict(state))], a_desk()).proposals
        return opening_intent(proposal, frame)

    def sale(self, frame: Frame) -> TradeIntent:
        context = a_context()
        assert context.book is not None
        found = close_proposal(context.book.asset_id, context=context, reason="Stop-loss.")
        assert isinstance(found, CloseProposal)
        return closing_intent(found, frame, opened_by=None)

    @pytest.mark.parametrize("kind", ["opening", "sale"])
    def test_a_large_one_needs_two_and_takes_longer(self, kind: str) -> None:
        make = getattr(self, kind)
        small, big = make(self.frame()), make(self.frame(thresholds=large("1", "1")))
        assert required_of(small) == Required()
        assert required_of(big) == Required(2, code=True)
        assert small.deadline == NOW + timedelta(seconds=60)
        assert big.deadline == NOW + timedelta(seconds=300)


def row(facts: str) -> LeaseInfo:
    """An engine's row with these facts."""
    return LeaseInfo("engine", 1, "h:1", "b", "1", Regime.LIVE, 1, NOW, NOW, released=False, facts=facts)


class TestWhereItBegins:
    def test_the_settings_say_it_and_never_is_the_default(self) -> None:
        assert thresholds_of(load_settings(), Regime.LIVE).required(pusd("1000000")) == Required()
        strict = load_settings(dual_approval_pusd="500", totp_pusd="250", large_trade_seconds=120)
        assert thresholds_of(strict, Regime.LIVE) == large("500", "250", 120)

    def test_simulated_money_asks_nobody_twice(self) -> None:
        strict = load_settings(dual_approval_pusd="1")
        assert thresholds_of(strict, Regime.PAPER) == NO_THRESHOLDS
        assert thresholds_of(strict, Regime.DRY_RUN) != NO_THRESHOLDS

    def test_another_process_reads_what_the_engine_published(self) -> None:
        strict = load_settings(dual_approval_pusd="500.25")
        info = row(json.dumps({"thresholds": thresholds_fact(strict)}))
        assert read_thresholds(info) == large("500.25", None, 240)

    @pytest.mark.parametrize(
        "facts", ["{}", "[]", "{", '{"thresholds": 5}', '{"thresholds": {"two_above": "x"}}']
    )
    def test_what_cannot_be_read_is_nothing_here_and_the_claim_asks_anyway(self, facts: str) -> None:
        assert read_thresholds(row(facts)) == NO_THRESHOLDS
        assert read_thresholds(None) == NO_THRESHOLDS

    def test_of_two_the_stricter_counts(self) -> None:
        one, other = large("100", None, 10), large("50", "200", 5)
        assert stricter(one, other) == stricter(other, one) == large("50", "200", 10)
        assert stricter(one, NO_THRESHOLDS) == one
