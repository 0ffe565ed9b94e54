"""Approved claims, a pretended chain and a claims process that can be struck down anywhere."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, TradeId, Wallet
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.booking import expected_of
from polyb0t.execution.settlement.claimer import Claimer
from polyb0t.execution.settlement.parts import ClaimParts, ClaimSettings
from polyb0t.execution.settlement.ports import ClaimChain, ClaimRoute, Holding, Relayer
from polyb0t.execution.settlement.store import ClaimStores
from polyb0t.execution.settlement.terms import ClaimTerms, call_hash
from polyb0t.execution.store import Stores
from polyb0t.models.portfolio import NO_MONEY, portfolio_of
from tests.support.builders import NOW, WALLET, a_claim, a_fill
from tests.support.clock import FakeClock
from tests.support.databases import World, migrated_file, sqlite_url
from tests.support.pretend_chain import PretendChain, PretendRelayer

STEP_SECONDS = 5.0


class Struck(BaseException):
    """The process ended here."""


class Line:
    """Counts every call between the parts, before and after; ends the process at one of them."""

    def __init__(self, at: int = 0) -> None:
        self.passed, self.at = 0, at

    def wrap(self, part: Any) -> Any:
        return _Wrapped(part, self)

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Struck


class _Wrapped:
    def __init__(self, part: Any, line: Line) -> None:
        self._part, self._line = part, line

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)

        def called(*args: Any, **named: Any) -> Any:
            self._line.point()
            answer = method(*args, **named)
            self._line.point()
            return answer

        return called


class ClaimRoom:
    """One wallet with markets that ended, each with an approved claim."""

    def __init__(self, folder: Path, route: ClaimRoute = ClaimRoute.TRANSACTION, **settings: Any) -> None:
        (folder / "polyb0t.db").write_bytes(migrated_file())
        self.clock = FakeClock()
        self.world = World(sqlite_url(folder), self.clock)
        self.route = route
        self.chain = PretendChain(Wallet(WALLET), NOW)
        self.relayer = PretendRelayer(self.chain)
        self.node: object = self.chain  # what the process is told of the chain
        self.opening = self.chain.money
        self.anchor = AnchorFile(folder / "anchor.json", self.world.engine)
        self.settings = ClaimSettings(confirmations=5, **settings)
        self.halted = False  # is the HALT file there
        self.lease: Lease | None = None
        self.claimer = self.start()

    # -- the process ---------------------------------------------------------------------------

    def start(self, line: Line | None = None) -> Claimer:
        """A process of its own, also in place of one that was struck down."""
        before = self.lease.token if self.lease is not None else None
        lease = self.world.engine.acquire(
            "claims",
            holder="host:2",
            boot_id="boot",
            process_started="2",
            regime=Regime.LIVE,
            take_over_from=before,
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        wrap = line.wrap if line is not None else lambda part: part
        stores = self.world.stores
        parts = ClaimParts(
            stores=ClaimStores(
                **{
                    name: wrap(getattr(stores, name))
                    if name in ("intents", "claims")
                    else getattr(stores, name)
                    for name in (*Stores.__slots__, "claims")
                }
            ),
            lease=lease,
            chain=cast("ClaimChain", wrap(self.node)),
            relayer=cast("Relayer", wrap(self.relayer)) if self.route is ClaimRoute.RELAYER else None,
            wallet=Wallet(WALLET),
            route=self.route,
            clock=self.clock,
            settings=self.settings,
            anchor=wrap(self.anchor).advance,
            halt_file=lambda: self.halted,
        )
        self.claimer = Claimer(parts)
        return self.claimer

    def step(self) -> None:
        """The process does what it can; then time passes everywhere."""
        assert self.lease is not None
        self.world.engine.beat(self.lease, cycle=0)
        with suppress(VenueUnreachableError):  # the next step goes on
            self.claimer.step()
        self.pass_time()

    def pass_time(self, seconds: float = STEP_SECONDS) -> None:
        self.clock.advance(seconds=seconds)
        self.chain.advance(seconds)
        self.relayer.work()

    def until_over(self, most: int = 400) -> None:
        for _ in range(most):
            if not self.unfinished():
                return
            self.step()
        raise AssertionError(f"after {most} steps: {[s.status for s in self.sends()]}")

    def unfinished(self) -> bool:
        waiting = (IntentStatus.APPROVED, IntentStatus.EXECUTING)
        return bool(self.world.intents.list(statuses=waiting, limit=None)) or any(
            send.is_open for send in self.sends()
        )

    # -- the world -----------------------------------------------------------------------------

    def won(
        self, number: int, shares: str = "20", payouts: tuple[str, str] = ("1", "0"), other: str = "0"
    ) -> IntentId:
        """A market that was bought, ended, and whose claim a person approved."""
        condition = ConditionId("0x" + f"{number:02x}" * 32)
        assets = (AssetId(str(1000 + number)), AssetId(str(2000 + number)))
        self._bought(condition, assets[0], Shares(Decimal(shares)))
        self.chain.market(condition, assets, shares, other)
        self.chain.resolve(condition, *payouts)
        return self.approved(condition, assets, (shares, other), payouts)

    def approved(
        self,
        condition: ConditionId,
        assets: tuple[AssetId, AssetId],
        shares: tuple[str, str],
        payouts: tuple[str, str],
    ) -> IntentId:
        held = (Shares(Decimal(shares[0])), Shares(Decimal(shares[1])))
        prices = (Price(Decimal(payouts[0])), Price(Decimal(payouts[1])))
        holding = Holding(condition, "v1", False, assets, held, expected_of(held, prices))
        call = self.chain.build(Wallet(WALLET), holding)
        terms = ClaimTerms(
            route=self.route,
            wallet=Wallet(WALLET),
            contract=call.target,
            function=call.function,
            call_hash=call_hash(call),
            holding=holding,
            payouts=prices,
        )
        created = self.world.intents.now()
        intent = a_claim(condition_id=condition, created_at=created, claim=terms.written())
        return self.world.approved(intent).id

    def _bought(self, condition: ConditionId, asset: AssetId, shares: Shares) -> None:
        intent = self.world.intent(condition_id=condition, asset_id=asset)
        order = self.world.permitted(intent)
        fill = a_fill(
            order.id,
            trade_id=TradeId(f"t{asset}"),
            condition_id=condition,
            asset_id=asset,
            shares=shares,
            status=FillStatus.CONFIRMED,
        )
        self.world.orders.record_fills(order.id, (fill,), self.world.lease)
        done = {"status": OrderStatus.FILLED, "code": "filled", "detail": ""}
        self.world.orders.settle(order.id, self.world.lease, **cast("Any", done))

    # -- what came of it -----------------------------------------------------------------------

    def sends(self) -> tuple[Any, ...]:
        return self.world.stores.claims.sends()

    def record(self, intent_id: IntentId) -> IntentRecord:
        return self.world.intents.get(intent_id)

    def paid(self) -> Pusd:
        return Pusd(sum((entry.payout.pusd for entry in self.world.stores.claims.payouts()), ZERO))

    def judge(self) -> list[str]:
        """What is wrong: a claim sent twice, money lost, a cent without an explanation."""
        found = []
        came = self.chain.money - self.opening
        if self.paid() != came:
            found.append(f"the chain paid {came}, the books have {self.paid()}")
        booked = self.world.stores.books.movements()
        fills = self.world.orders.fills()
        portfolio = portfolio_of(fills, starting_cash=NO_MONEY, booked=booked)
        if portfolio.contradictions:
            found.append(str(portfolio.contradictions))
        found += [
            f"{position.shares} of {position.asset_id} in the books, not on the chain"
            for position in portfolio.held()
            if self.chain.held.get(position.asset_id, ZERO) != position.shares
        ]
        times: dict[ConditionId, int] = {}
        for mined in self.chain.mined:
            for call in mined.calls if mined.ours else ():
                times[call.condition_id] = times.get(call.condition_id, 0) + 1
        found += [f"{condition} was sent {count} times" for condition, count in times.items() if count > 1]
        found += [f"{send.id} is {send.status}" for send in self.sends() if send.is_open]
        if self.world.engine.audit().findings:
            found += self.world.engine.audit().findings
        return found
