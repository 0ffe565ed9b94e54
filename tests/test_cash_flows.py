"""What a movement of the wallet means: classed, counted once, and never mistaken for a result."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken, numbered
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import Side
from polyb0t.models.bookkeeping import ledger_of, opening_of, unexplained
from polyb0t.models.cash_flows import (
    Nature,
    cash_effect,
    explained_cash,
    foreign_part,
    nature_of,
    shares_taken,
)
from polyb0t.models.portfolio import fill_key
from tests.support.decisions import NOW, d
from tests.test_portfolio import YES, a_fill, a_sale

LATER = NOW + timedelta(hours=1)


def a_move(kind: str, pusd: str = "10", shares: str = "0", **changes: Any) -> Movement:
    content = {"at": LATER, "transaction_hash": "0xmove", "condition_id": ConditionId("0xtram")}
    return Movement(kind, **{**content, "pusd": Pusd(d(pusd)), "shares": Shares(d(shares)), **changes})


class TestKinds:
    @pytest.mark.parametrize("kind", list(MovementKind))
    def test_every_word_of_the_exchange_is_classed(self, kind: MovementKind) -> None:
        assert nature_of(a_move(kind, side="IN" if kind == "TIP" else "")) is not None

    @pytest.mark.parametrize(
        ("kind", "side", "effect"),
        [
            ("DEPOSIT", "", 10),
            ("WITHDRAWAL", "", -10),
            ("SPLIT", "", -10),
            ("MERGE", "", 10),
            ("REDEEM", "", 10),
            ("CONVERSION", "", 10),
            ("MIGRATION", "", 10),
            ("REWARD", "", 10),
            ("YIELD", "", 10),
            ("MAKER_REBATE", "", 10),
            ("TAKER_REBATE", "", 10),
            ("REFERRAL_REWARD", "", 10),
            ("TIP", "IN", 10),
            ("TIP", "OUT", -10),
            ("TRADE", "BUY", -10),
            ("TRADE", "SELL", 10),
        ],
    )
    def test_what_it_does_to_the_cash(self, kind: str, side: str, effect: int) -> None:
        assert cash_effect(a_move(kind, side=side)) == effect

    def test_a_word_that_nobody_knows_explains_nothing(self) -> None:
        novelty = a_move("NOVELTY")
        assert nature_of(novelty) is None
        assert not novelty.known
        assert explained_cash((Booked(novelty),), ()) == 0

    def test_a_tip_that_does_not_say_which_way_explains_nothing(self) -> None:
        assert nature_of(a_move("TIP")) is None
        assert cash_effect(a_move("TIP")) == 0

    def test_rewards_are_found_money(self) -> None:
        assert nature_of(a_move("MAKER_REBATE")) is Nature.FOUND


class TestOwnTrades:
    def test_a_trade_that_our_fills_tell_counts_there_alone(self) -> None:
        fill = a_fill()
        row = a_move("TRADE", "91.50", "152.50", side="BUY", asset_id=YES, transaction_hash="0xHASH")
        assert foreign_part(row, [fill]) is None
        assert explained_cash((Booked(row),), [fill]) == 0

    def test_a_trade_in_several_rows_is_ours_in_all_of_them(self) -> None:
        rows = [
            Booked(a_move("TRADE", pusd, shares, side="BUY", asset_id=YES, transaction_hash="0xhash"))
            for pusd, shares in (("60", "100"), ("31.5", "52.5"))
        ]
        assert explained_cash(rows, [a_fill()]) == 0

    def test_of_a_trade_that_is_ours_in_part_the_rest_is_somebodys_own(self) -> None:
        row = a_move("TRADE", "121.50", "202.50", side="BUY", asset_id=YES, transaction_hash="0xhash")
        rest = foreign_part(row, [a_fill()])
        assert rest is not None
        assert (rest.shares, rest.pusd) == (d(50), d(30))

    def test_a_trade_of_another_transaction_is_not_ours(self) -> None:
        row = a_move("TRADE", "91.50", "152.50", side="BUY", asset_id=YES, transaction_hash="0xother")
        assert explained_cash((Booked(row),), [a_fill()]) == Decimal("-91.5")

    def test_the_other_side_of_the_same_transaction_is_not_ours(self) -> None:
        row = a_move("TRADE", "91.50", "152.50", side="SELL", asset_id=YES, transaction_hash="0xhash")
        assert foreign_part(row, [a_fill()]) == row


class TestSharesThatWent:
    """A hundred of them were ours."""

    def taken(self, row: Movement, held: str) -> tuple[Taken, ...]:
        return shares_taken(row, {YES: Shares(d(100))}, {YES: Shares(d(held))})

    def test_a_redemption_takes_what_is_not_there_any_more_and_pays_for_it(self) -> None:
        row = a_move("REDEEM", "150", "150", asset_id=YES)
        assert self.taken(row, "0") == (Taken(YES, Shares(d(100)), Pusd(d(100))),)

    def test_what_else_the_wallet_held_goes_first(self) -> None:
        row = a_move("TRADE", "30", "50", side="SELL", asset_id=YES)
        assert self.taken(row, "100") == ()
        assert self.taken(row, "80") == (Taken(YES, Shares(d(20)), Pusd(d(12))),)

    def test_a_merge_takes_them_at_cost(self) -> None:
        assert self.taken(a_move("MERGE", "40"), "60") == (Taken(YES, Shares(d(40)), None),)

    def test_a_merge_that_brought_nothing_took_nothing(self) -> None:
        assert self.taken(a_move("MERGE", "0", "100"), "0") == ()

    def test_no_more_than_the_row_tells_of(self) -> None:
        assert self.taken(a_move("REDEEM", "30", "30"), "0")[0].shares == 30

    @pytest.mark.parametrize("kind", ["DEPOSIT", "WITHDRAWAL", "SPLIT", "REWARD", "NOVELTY"])
    def test_others_take_none_whatever_is_missing(self, kind: str) -> None:
        assert self.taken(a_move(kind, "100", "100"), "0") == ()


class TestTheLedger:
    def test_a_redemption_of_ours_is_a_result(self) -> None:
        paid = Booked(
            a_move("REDEEM", "152.50", "152.50", asset_id=YES),
            (Taken(YES, Shares(d("152.50")), Pusd(d("152.50"))),),
        )
        ledger = ledger_of(Pusd(d(1000)), [a_fill()], (paid,))
        assert ledger.cash == d("1000") - d("92.964") + d("152.50")
        assert ledger.flows == 0
        assert ledger.portfolio.held() == ()
        assert ledger.portfolio.realised == d("152.50") - d("92.964")

    def test_what_was_paid_for_shares_that_are_not_ours_is_none(self) -> None:
        paid = Booked(
            a_move("REDEEM", "200", "200", asset_id=YES),
            (Taken(YES, Shares(d("152.50")), Pusd(d("152.50"))),),
        )
        ledger = ledger_of(Pusd(d(1000)), [a_fill()], (paid,))
        assert ledger.flows == d("47.50")
        assert ledger.cash == d("1000") - d("92.964") + d("200")

    def test_shares_that_were_merged_leave_without_a_result(self) -> None:
        merged = Booked(a_move("MERGE", "152.50"), (Taken(YES, Shares(d("152.50")), None),))
        ledger = ledger_of(Pusd(d(1000)), [a_fill()], (merged,))
        assert ledger.portfolio.realised == 0
        assert ledger.flows == d("152.50") - d("92.964")
        assert ledger.cash == d("1000") - d("92.964") + d("152.50")

    def test_shares_bought_after_they_went_cost_what_they_cost(self) -> None:
        sold = Booked(
            a_move("TRADE", "100", "152.50", side="SELL", asset_id=YES),
            (Taken(YES, Shares(d("152.50")), Pusd(d(100))),),
        )
        again = a_fill("t9", matched_at=LATER + timedelta(hours=1), price=Price(d("0.2")), fee=Pusd(d(0)))
        position = ledger_of(Pusd(d(0)), [a_fill(), again], (sold,)).portfolio.positions[YES]
        assert (position.confirmed, position.cost) == (d("152.50"), d("30.5"))
        assert position.realised == d(100) - d("92.964")

    def test_more_than_was_ours_is_said(self) -> None:
        gone = Booked(a_move("REDEEM", "0", "500"), (Taken(YES, Shares(d(500)), Pusd(d(0))),))
        found = ledger_of(Pusd(d(0)), [a_fill()], (gone,)).portfolio
        assert found.contradictions == (f"More of {YES} was taken from outside than was ours.",)


class TestUnexplained:
    def test_a_balance_that_fits_leaves_nothing(self) -> None:
        fills = [a_fill(), a_sale()]
        opening = opening_of(Pusd(d(1000)), fills)
        assert opening is not None
        settled = {fill_key(fill) for fill in fills}
        assert unexplained(Pusd(d(1000)), opening, fills, (), settled) == 0

    def test_a_deposit_is_unexplained_until_the_index_tells_of_it(self) -> None:
        deposit = Booked(a_move("DEPOSIT", "250"))
        assert unexplained(Pusd(d(1250)), Pusd(d(1000)), (), (), ()) == 250
        assert unexplained(Pusd(d(1250)), Pusd(d(1000)), (), (deposit,), ()) == 0

    def test_a_fill_that_the_balance_need_not_show_is_no_difference(self) -> None:
        assert unexplained(Pusd(d(1000)), Pusd(d(1000)), [a_fill()], (), ()) == 0

    def test_books_do_not_open_while_a_fill_is_under_way(self) -> None:
        assert opening_of(Pusd(d(1000)), [a_fill(status=FillStatus.MINED)]) is None


class TestCopies:
    def test_rows_that_are_the_same_are_told_apart(self) -> None:
        one, other = numbered([a_move("DEPOSIT"), a_move("DEPOSIT")])
        assert (one.copy, other.copy) == (0, 1)
        assert one.key != other.key

    def test_the_order_in_which_they_are_told_does_not_matter(self) -> None:
        rows = [a_move("DEPOSIT"), a_move("REWARD", at=NOW), a_move("DEPOSIT")]
        assert [row.key for row in numbered(rows)] == [row.key for row in numbered(rows[::-1])]

    def test_assets_tell_rows_apart(self) -> None:
        assert a_move("REDEEM").key != a_move("REDEEM", asset_id=AssetId("7")).key

    def test_side_is_what_the_exchange_says(self) -> None:
        assert a_move("TRADE", side="BUY").side == Side.BUY
