"""Real processes on bad days: an engine that dies, a database that is restored, orders to take back alone."""

import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.ids import OrderId, new_intent_id
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.store import Lease, Stores
from polyb0t.models import wording
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.taken_back import TakenBack
from polyb0t.runtime.opened import open_store
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e with money")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path) as running:
        yield running


def stores_of(home: Household) -> Stores:
    settings = load_settings(
        venue="sandbox", data_dir=home.folder / "data", sandbox_url=home.sandbox_url, dry_run=False
    )
    return open_store(settings).stores


def bought(home: Household, proposal: dict[str, Any]) -> str:
    """The order id of a trade that a person approved and the exchange filled."""
    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")

    def filled() -> str | None:
        ours = [order for order in home.json("orders", "list") if order["intent_id"] == proposal["id"]]
        return ours[0]["id"] if ours and ours[0]["status"] == "FILLED" else None

    return eventually(filled, within=60, what="a filled order")


def resting(
    home: Household, stores: Stores, form: Callable[[TradeIntent, Stores], TradeIntent] | None = None
) -> str:
    """The order id of an approved post-only purchase a cent under the bid."""
    form = form or a_cent_under_the_bid
    info = stores.engine.lease_info("engine")
    assert info is not None
    lease = Lease("engine", info.token)

    def proposed() -> TradeIntent | None:
        for record in stores.intents.list(statuses=(IntentStatus.PENDING,)):
            intent = form(record.intent, stores)
            answer = stores.intents.supersede(record.id, intent, lease)
            if isinstance(answer, IntentRecord):
                return intent
        return None

    intent = eventually(proposed, what="an idea")
    stores.intents.approve(intent.id, digest=intent.digest, actor="user:test", grace_seconds=10)

    def rests() -> str | None:
        after = stores.intents.get(intent.id)
        assert after.status is not IntentStatus.FAILED, (after.result, after.result_detail)
        live = after.order_id is not None and stores.orders.order(after.order_id).status is OrderStatus.LIVE
        return after.order_id if live else None

    return eventually(rests, what="a resting order")


def a_cent_under_the_bid(intent: TradeIntent, stores: Stores) -> TradeIntent:
    now = stores.intents.now()
    assert intent.best_bid is not None
    assert intent.tick is not None
    price = Price(intent.best_bid - intent.tick)
    return replace(
        intent,
        id=new_intent_id(),
        order_type=OrderType.GTC,
        post_only=True,
        worst_price=price,
        amount=None,
        least_shares=None,
        shares=Shares(Decimal(10)),
        max_cost=Pusd(Decimal(20)),
        created_at=now,
        deadline=now + timedelta(seconds=60),
    )


def for_two_hours(intent: TradeIntent, stores: Stores) -> TradeIntent:
    """The same as the engine proposes it, with conditions that no price meets."""
    rests = a_cent_under_the_bid(intent, stores)
    assert rests.worst_price is not None
    assert rests.shares is not None
    return replace(
        rests,
        order_type=OrderType.GTD,
        life_seconds=7_200,
        max_cost=Pusd(rests.worst_price * rests.shares),
        taken_back=TakenBack(mid=Decimal("0.5"), below=Decimal("0.001"), spread=Decimal("0.99")),
    )


def database_of(home: Household) -> Path:
    [path] = (home.folder / "data").glob("sandbox-*/polyb0t.sqlite3")
    return path


def practice_wallet(home: Household) -> str:
    return str(home.http("GET", "/sandbox/environment")["accounts"][0]["wallet"])


class TestARestoredDatabase:
    def test_it_starts_nothing_until_it_is_taken_over_and_executes_nothing_twice(
        self, home: Household, tmp_path: Path
    ) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True, POLYBOT_INTENT_EXPIRY_SECONDS="600")
        before = bought(home, home.waiting())
        proposed = home.waiting()
        copy = tmp_path / "copy.sqlite3"
        home.command("db", "backup", str(copy))
        after = bought(home, proposed)
        engine.send_signal(signal.SIGINT)
        engine.wait(30)

        self.restore(home, copy)
        refused = home.spawn(
            "refused", *"-m polyb0t run --live --sandbox --yes".split(), POLYBOT_DRY_RUN="false"
        )
        assert refused.wait(60) != 0
        assert "db adopt --reason" in home.output("refused")

        # The copy says that an engine beat a moment ago; its process is gone on this very boot.
        home.command("db", "adopt", "--reason", "the disk was replaced")
        listed = {order["id"] for order in home.json("orders", "list")}
        assert {before, after} <= listed
        home.start_engine(practice=True)
        stances = {switch.tripped for switch in stores_of(home).switches.list()}
        assert stances == {True}
        ids = [row["order_id"] for row in home.ledger_orders(practice_wallet(home))]
        assert sorted(ids) == sorted({before, after})
        assert "The journal holds" in home.command("audit", "verify")
        assert after in home.command("audit", "show", proposed["id"], "--json")

    def restore(self, home: Household, copy: Path) -> None:
        """As somebody does it who read nothing: the copy over the file, the log files gone."""
        path = database_of(home)
        for part in path.parent.glob(f"{path.name}-*"):
            part.unlink()
        shutil.copyfile(copy, path)


class TestAnEngineThatDied:
    def test_a_standby_takes_over_and_with_both_dead_orders_are_taken_back_by_hand(
        self, home: Household
    ) -> None:
        home.start_sandbox()
        first = home.start_engine(practice=True)
        stores = stores_of(home)
        standby = home.spawn(
            "standby", *"-m polyb0t run --live --sandbox --yes --standby".split(), POLYBOT_DRY_RUN="false"
        )
        one = resting(home, stores)
        first.kill()
        eventually(lambda: self.holder(stores) == standby.pid, what="the standby as the engine")
        two, three = resting(home, stores), resting(home, stores)
        standby.kill()
        standby.wait(10)

        assert "Cancelled" in home.command("orders", "cancel", two)
        # Nobody has read since that it is over, so it is sent again; the exchange's first answer stands.
        assert "Cancelled already before this: 1." in home.command("orders", "cancel-all")
        state = {
            row["order_id"]: row["status"]
            for row in home.ledger_orders(practice_wallet(home))
            if row["order_id"] in (one, two, three)
        }
        assert set(state) == {one, two, three}
        assert not any("LIVE" in str(status).upper() for status in state.values()), state
        assert "The journal holds" in home.command("audit", "verify")

    def holder(self, stores: Stores) -> int | None:
        info: Any = stores.engine.lease_info("engine")
        return None if info is None else int(str(info.holder).rsplit(":", 1)[-1])


class TestAPurchaseThatRests:
    def test_kill_9_leaves_one_order_with_its_money_reserved_and_the_next_engine_looks_after_it(
        self, home: Household
    ) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        stores = stores_of(home)
        order_id = OrderId(resting(home, stores, for_two_hours))
        order = stores.orders.order(order_id)
        cost = stores.intents.get(order.intent_id).intent.max_cost
        engine.kill()
        engine.wait(10)
        assert stores.orders.reserved_pusd() == cost

        home.start_engine(practice=True)
        assert stores.orders.order(order_id).status is OrderStatus.LIVE
        assert stores.orders.reserved_pusd() == cost
        stores.switches.trip(
            KillSwitchType.DAILY_LOSS, actor="user:test", reason="A test.", value="11", limit="10"
        )

        def over() -> bool:
            return stores.orders.order(order_id).status is OrderStatus.CANCELLED

        eventually(over, what="the end of the order")
        assert stores.orders.reserved_pusd() == 0

        def taken_back() -> str | None:  # written after the exchange has told of the end
            kinds = {entry.kind: entry.payload for entry in stores.engine.journal(subject=order_id)}
            return kinds.get("order.taken_back")

        assert '"code":"paused"' in eventually(taken_back, what="the order taken back")
        [row] = [row for row in home.ledger_orders(practice_wallet(home)) if row["order_id"] == order_id]
        assert "LIVE" not in str(row["status"]).upper()
        assert len(home.ledger_orders(practice_wallet(home))) == 1
        assert f"order {wording.short_hex(order_id)} taken back as approved (paused)" in home.command(
            "audit", "show", order.intent_id
        )
