"""The wallet's activity as the exchange sends it: read whole, and never guessed at."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import Wallet
from polyb0t.data.cash_flows import MovementKind
from polyb0t.venue.activity import parse_activity
from polyb0t.venue.parsing import Refused, decode_json
from tests.support.shared import shared_path

WALLET = Wallet("0x204f72f35326db932158cba6adff0b9a1da95e14")
CONDITION = "0x2db661f1c7901e525b843cd94bccfb514e7a1570e456065f4eb0268311ca5d9f"
TOKEN = "78336263860524650031155400600701777442313407862548216108095196338559464173193"


def row(**changes: Any) -> dict[str, Any]:
    """A redemption, with the names of the second version of the index."""
    content = {
        "proxy_wallet": WALLET,
        "type": "REDEEM",
        "timestamp": 1786861677,
        "condition_id": CONDITION,
        "token_id": "",
        "side": "",
        "outcome": "Under",
        "outcome_index": 1,
        "size": 20,
        "usdc_size": 20,
        "price": 0,
        "transaction_hash": "0x5de796414ba81fa80d141d23a710b90c187c2cd667417e16a0340e36ad9c5363",
        "is_combo": False,
    }
    return {**content, **changes}


def page(*rows: object, cursor: str | None = None) -> object:
    answer = {"data": rows, "pagination": {"has_more": cursor is not None, "next_cursor": cursor}}
    return decode_json(json.dumps(answer).encode())


class TestRows:
    def test_a_redemption(self) -> None:
        (movement,), cursor = parse_activity(page(row()), WALLET)
        assert (movement.kind, movement.pusd, movement.shares) == ("REDEEM", Decimal(20), Decimal(20))
        assert movement.at == datetime.fromtimestamp(1786861677, UTC)
        assert (movement.condition_id, movement.outcome_label) == (CONDITION, "Under")
        assert cursor == ""

    def test_a_deposit_names_no_market(self) -> None:
        deposit = row(type="DEPOSIT", condition_id="", outcome="", size=0, usdc_size=614.285714)
        (movement,), _ = parse_activity(page(deposit), WALLET)
        assert (movement.pusd, movement.condition_id) == (Decimal("614.285714"), None)

    def test_a_split_without_a_size(self) -> None:
        (movement,), _ = parse_activity(page(row(type="SPLIT", size=None)), WALLET)
        assert movement.shares == 0

    def test_money_is_read_to_the_millionth(self) -> None:
        (movement,), _ = parse_activity(page(row(usdc_size=0.30000000000000004)), WALLET)
        assert movement.pusd == Decimal("0.3")

    @pytest.mark.parametrize("kind", [kind for kind in MovementKind if kind not in ("TRADE", "TIP")])
    def test_every_kind(self, kind: str) -> None:
        (movement,), _ = parse_activity(page(row(type=kind)), WALLET)
        assert movement.known

    def test_a_kind_that_nobody_knows_is_a_movement_all_the_same(self) -> None:
        (movement,), _ = parse_activity(page(row(type="AIRDROP", condition_id=None)), WALLET)
        assert not movement.known

    def test_a_basket_has_an_id_of_its_own_length(self) -> None:
        long = "0x" + "ab" * 31
        combo = row(type="TRADE", side="BUY", token_id="7", is_combo=True, condition_id=long)
        (movement,), _ = parse_activity(page(combo), WALLET)
        assert movement.condition_id == long

    def test_the_rows_that_were_recorded(self) -> None:
        """Recorded under the names of the index's first version; what they hold is the same."""
        names = {
            "proxyWallet": "proxy_wallet",
            "conditionId": "condition_id",
            "usdcSize": "usdc_size",
            "transactionHash": "transaction_hash",
            "asset": "token_id",
            "outcomeIndex": "outcome_index",
        }
        for file in sorted(shared_path("recorded/data_api").glob("*activity*.json")):
            rows = [{names.get(key, key): each[key] for key in each} for each in json.loads(file.read_text())]
            movements, _ = parse_activity(page(*rows), Wallet(rows[0]["proxy_wallet"]))
            assert len(movements) == len(rows)
            assert {movement.kind for movement in movements} <= {"TRADE", "REDEEM"}


class TestRefused:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda one: one.update(proxy_wallet="0x" + "11" * 20),
            lambda one: one.update(type=None),
            lambda one: one.update(type=""),
            lambda one: one.update(timestamp=None),
            lambda one: one.update(timestamp="yesterday"),
            lambda one: one.update(usdc_size=None),
            lambda one: one.update(usdc_size=-3),
            lambda one: one.update(usdc_size="NaN"),
            lambda one: one.update(size=-1),
            lambda one: one.update(condition_id="0x12"),
            lambda one: one.update(condition_id=None),
            lambda one: one.update(side="UP"),
            lambda one: one.update(type="TRADE", token_id=TOKEN),
            lambda one: one.update(type="TRADE", side="BUY", token_id=""),
            lambda one: one.update(type="TRADE", side="BUY", token_id=TOKEN, size=None),
        ],
    )
    def test_one_row_that_cannot_be_read_spoils_the_listing(
        self, spoil: Callable[[dict[str, Any]], None]
    ) -> None:
        bad = row()
        spoil(bad)
        with pytest.raises(Refused):
            parse_activity(page(row(), bad), WALLET)

    @pytest.mark.parametrize(
        "answer",
        [
            None,
            [],
            {"data": None, "pagination": {"has_more": False, "next_cursor": None}},
            {"data": []},
            {"data": [], "pagination": {"has_more": True, "next_cursor": None}},
            {"data": [], "pagination": {"has_more": False, "next_cursor": "more"}},
            {"data": [7], "pagination": {"has_more": False, "next_cursor": None}},
        ],
    )
    def test_another_shape_is_no_listing(self, answer: object) -> None:
        with pytest.raises(Refused):
            parse_activity(answer, WALLET)
