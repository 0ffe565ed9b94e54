"""What taking a restored database over does to it, on both databases."""

import pytest

from polyb0t.core.errors import ConflictError, NotAuthorisedError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.execution.access import Role
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Lease
from polyb0t.models.kill_switches import KillSwitchType, tripped
from tests.contracts.test_claims import Claims
from tests.support.builders import an_order_for
from tests.support.databases import World


def silent(world: World) -> None:
    """Nobody has renewed the lease for longer than it lasts."""
    world.advance(40)


def test_identity_server_and_head_are_told(world: World) -> None:
    point = world.engine.anchor_point()

    assert point.sequence == world.engine.last_sequence() > 0
    assert point.head == world.engine.journal()[-1].hash
    assert point.token == world.lease.token
    assert bool(point.server) != world.is_sqlite
    assert world.another().engine.anchor_point() == point


def test_found_and_doubtful_become_unknown_and_the_rest_expires(world: World) -> None:
    found = world.proposed()
    doubtful = world.claimed(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    rest = world.approved(asset_id=AssetId("6"), condition_id=ConditionId("0x" + "ef" * 32))
    silent(world)

    adoption = world.engine.adopt(
        actor="user:anna",
        reason="disk",
        above_token=40,
        found=[an_order_for(found.intent)],
        doubtful=[an_order_for(doubtful.intent)],
    )

    assert adoption.expired == (rest.id,)
    assert world.intents.get(rest.id).status is IntentStatus.EXPIRED
    for record in (found, doubtful):
        after = world.intents.get(record.id)
        assert after.status is IntentStatus.EXECUTING
        assert after.order_id is not None
        order = world.orders.order(after.order_id)
        assert (order.status, order.signed_order) == (OrderStatus.UNKNOWN, None)
    assert world.orders.reserved_pusd() == sum(r.intent.max_cost or 0 for r in (found, doubtful))
    assert adoption.point.token == 41
    assert len(tripped(world.switches.list())) == len(KillSwitchType)
    assert world.stores.verify_journal().intact
    assert world.start_engine().token == 42


def test_a_claim_that_may_have_been_sent_since_ends_and_one_whose_transaction_is_known_is_followed(
    world: World,
) -> None:
    claims = Claims(world)
    sent, taken = claims.executing(1), claims.executing(2)
    claims.prepared(sent)
    silent(world)

    adoption = world.engine.adopt(actor="user:anna", reason="disk", above_token=0, found=[], doubtful=[])

    ended = world.intents.get(taken)
    assert (ended.status, ended.result) == (IntentStatus.FAILED, "adopted")
    assert world.intents.get(sent).status is IntentStatus.EXECUTING
    assert adoption.expired == (taken,)
    assert world.engine.audit().findings == ()


def test_the_old_lease_is_worth_nothing_afterwards(world: World) -> None:
    old = world.lease
    silent(world)
    world.engine.adopt(actor="user:anna", reason="disk", above_token=0, found=[], doubtful=[])

    new = world.start_engine()

    assert isinstance(new, Lease)
    assert new.token > old.token


def test_a_running_engine_is_not_pulled_from_under(world: World) -> None:
    with pytest.raises(ConflictError) as refused:
        world.engine.adopt(actor="user:anna", reason="disk", above_token=0, found=[], doubtful=[])

    assert refused.value.code == "engine_running"
    assert tripped(world.switches.list()) == ()


@pytest.mark.parametrize(
    ("actor", "reason"), [("engine", "x"), ("token:t", "x"), ("user:", "x"), ("user:a", " ")]
)
def test_only_a_person_with_a_reason_takes_over(world: World, actor: str, reason: str) -> None:
    silent(world)
    with pytest.raises(NotAuthorisedError):
        world.engine.adopt(actor=actor, reason=reason, above_token=0, found=[], doubtful=[])


def test_one_that_beat_a_moment_ago_stands_in_the_way_unless_its_process_is_proven_gone(world: World) -> None:
    def adopt(*gone: Lease) -> int:
        return world.engine.adopt(
            actor="user:anna", reason="disk", above_token=0, found=(), doubtful=(), gone=gone
        ).point.token

    held = world.lease
    for another in ((), (Lease("engine", held.token + 1),), (Lease("claims", held.token),)):
        with pytest.raises(ConflictError) as refused:
            adopt(*another)
        assert refused.value.code == "engine_running"

    assert adopt(held) > held.token


def test_every_token_is_taken_back_since_one_may_have_been_revoked_after_the_backup(world: World) -> None:
    for name in ("anna", "bob"):
        world.stores.access.create(
            digest=name.encode().hex(), name=name, role=Role.APPROVER, days=9, actor="user:owner"
        )
    silent(world)
    world.engine.adopt(actor="user:anna", reason="disk", above_token=0, found=[], doubtful=[])
    assert {each.state(world.intents.now()) for each in world.stores.access.tokens()} == {"revoked"}


def test_what_was_sent_with_approvals_that_the_backup_does_not_know_is_no_finding(world: World) -> None:
    record = world.proposed(approvals_required=2)
    silent(world)
    world.engine.adopt(
        actor="user:anna", reason="disk", above_token=0, found=[an_order_for(record.intent)], doubtful=[]
    )
    assert world.engine.audit().findings == ()
