"""What the books promise: movements counted once, and marks that survive a restart."""

from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.errors import DatabaseError, LeaseLostError, NotAuthorisedError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, Taken
from polyb0t.execution.books import Opening
from polyb0t.execution.scope import Regime
from polyb0t.models.equity import EquityMarks
from tests.support.builders import NOW, a_deposit
from tests.support.databases import World

LIVE = Regime.LIVE


def d(text: str) -> Pusd:
    return Pusd(Decimal(text))


class TestMovements:
    def test_they_come_back_as_they_were_told(self, world: World) -> None:
        redeemed = Movement(
            "REDEEM",
            NOW + timedelta(seconds=1),
            "0xabc",
            d("40"),
            Shares(Decimal(40)),
            ConditionId("0xc1"),
            AssetId("71"),
            "Yes",
        )
        entries = (
            Booked(a_deposit()),
            Booked(redeemed, (Taken(AssetId("71"), Shares(Decimal("12.5")), d("12.5")),)),
        )
        assert world.stores.books.record_movements(entries, world.lease) == entries
        assert world.another().books.movements() == entries

    def test_one_that_is_seen_again_is_not_counted_again(self, world: World) -> None:
        books = world.stores.books
        books.record_movements((Booked(a_deposit()),), world.lease)
        twin = Booked(a_deposit(copy=1))
        assert books.record_movements((Booked(a_deposit()), twin, twin), world.lease) == (twin,)
        assert len(books.movements()) == 2

    def test_each_is_in_the_journal(self, world: World) -> None:
        world.stores.books.record_movements((Booked(a_deposit()),), world.lease)
        entry = world.engine.journal()[-1]
        assert (entry.kind, entry.subject, entry.actor) == ("movement.recorded", "DEPOSIT", "engine")
        assert '"pusd":"250"' in entry.payload

    def test_an_engine_that_was_taken_over_from_writes_none(self, world: World) -> None:
        world.engine.release(world.lease)
        with pytest.raises(LeaseLostError):
            world.stores.books.record_movements((Booked(a_deposit()),), world.lease)
        assert world.stores.books.movements() == ()

    def test_more_than_fit_into_one_statement(self, world: World) -> None:
        many = tuple(Booked(a_deposit(copy=number)) for number in range(601))
        assert len(world.stores.books.record_movements(many, world.lease)) == 601
        assert world.stores.books.record_movements(many, world.lease) == ()


class TestOpening:
    def test_books_are_opened_once(self, world: World) -> None:
        books = world.stores.books
        assert books.opening(LIVE) is None
        opened = books.open_books(LIVE, d("1000"), world.lease)
        assert opened == Opening(d("1000"), opened.at)
        world.advance(60)
        assert books.open_books(LIVE, d("7"), world.lease) == opened
        assert world.another().books.opening(LIVE) == opened

    def test_each_regime_has_its_own(self, world: World) -> None:
        world.stores.books.open_books(LIVE, d("1000"), world.lease)
        assert world.stores.books.opening(Regime.DRY_RUN) is None


class TestMarks:
    @pytest.fixture
    def opened(self, world: World) -> World:
        world.stores.books.open_books(LIVE, d("1000"), world.lease)
        return world

    def test_there_are_none_before_the_first_look(self, opened: World) -> None:
        assert opened.stores.books.marks(LIVE) is None

    def test_books_that_are_not_open_cannot_be_marked(self, world: World) -> None:
        with pytest.raises(DatabaseError) as error:
            world.stores.books.mark(LIVE, d("1"), d("0"), world.lease)
        assert error.value.code == "books_not_open"

    def test_a_restart_forgets_neither_peak_nor_day(self, opened: World) -> None:
        books = opened.stores.books
        books.mark(LIVE, d("1000"), d("0"), opened.lease)
        books.mark(LIVE, d("1100"), d("0"), opened.lease)
        after = opened.another().books.mark(LIVE, d("990"), d("0"), opened.lease)
        assert (after.peak_pusd, after.day_start_pusd) == (d("1100"), d("1000"))

    def test_a_day_is_opened_once_and_journalled(self, opened: World) -> None:
        for equity in ("1000", "1001", "1002"):
            opened.stores.books.mark(LIVE, d(equity), d("0"), opened.lease)
        opened.advance(24 * 3600)
        opened.stores.books.mark(LIVE, d("980"), d("0"), opened.lease)
        days = [entry for entry in opened.engine.journal() if entry.kind == "day.opened"]
        assert len(days) == 2
        marks = opened.stores.books.marks(LIVE)
        assert marks is not None
        assert (marks.day, marks.day_start_pusd) == (days[1].subject, d("980"))

    def test_a_look_that_changes_nothing_writes_nothing(self, opened: World) -> None:
        opened.stores.books.mark(LIVE, d("1000"), d("0"), opened.lease)
        rows = opened.sql("SELECT updated_at FROM equity_marks")
        opened.advance(30)
        opened.stores.books.mark(LIVE, d("999"), d("0"), opened.lease)
        assert opened.sql("SELECT updated_at FROM equity_marks") == rows

    def test_a_person_accepts_a_loss_while_the_engine_runs(self, opened: World) -> None:
        books = opened.stores.books
        books.mark(LIVE, d("1000"), d("0"), opened.lease)
        other = opened.another().books
        assert other.rebase_peak(LIVE, equity=d("800"), actor="user:anna", reason="the flood")
        assert books.mark(LIVE, d("801"), d("0"), opened.lease).peak_pusd == 801
        entry = next(each for each in opened.engine.journal() if each.kind == "peak.rebased")
        assert entry.actor == "user:anna"

    def test_a_loss_that_is_accepted_between_the_look_and_the_lock_stays_accepted(
        self, opened: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        books, other = opened.stores.books, opened.another().books
        books.mark(LIVE, d("1000"), d("0"), opened.lease)
        read = books.marks

        def read_and_overtaken(regime: Regime) -> EquityMarks | None:
            found = read(regime)
            other.rebase_peak(regime, equity=d("800"), actor="user:anna", reason="the flood")
            return found

        monkeypatch.setattr(books, "marks", read_and_overtaken)
        opened.advance(24 * 3600)
        assert books.mark(LIVE, d("790"), d("0"), opened.lease).peak_pusd == 800

    @pytest.mark.parametrize(("actor", "reason"), [("engine", "x"), ("user:", "x"), ("user:anna", " ")])
    def test_nobody_else_accepts_one(self, opened: World, actor: str, reason: str) -> None:
        opened.stores.books.mark(LIVE, d("1000"), d("0"), opened.lease)
        with pytest.raises(NotAuthorisedError):
            opened.stores.books.rebase_peak(LIVE, equity=d("1"), actor=actor, reason=reason)

    def test_without_a_peak_there_is_nothing_to_accept(self, opened: World) -> None:
        assert not opened.stores.books.rebase_peak(LIVE, equity=d("1"), actor="user:a", reason="r")
