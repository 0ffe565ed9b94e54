"""Tokens, one-time codes, and trades that need more than one word: on every database."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConflictError, DatabaseError, NotAuthorisedError, NotFoundError, PolybotError
from polyb0t.core.units import Pusd, Shares
from polyb0t.db.stores import SqlStores
from polyb0t.execution.access import CODE_REST, WRONG_CODES, Role, Thresholds, TokenRecord
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.smaller import smaller_form
from polyb0t.execution.store import Denied
from polyb0t.runtime.exit_column import exit_column
from polyb0t.runtime.standing_terms import NO_TERMS, standing_for
from tests.support.databases import World

ANNA, BOB, CARLA, VIC = "token:anna", "token:bob", "token:carla", "token:vic"


def digest_of(name: str) -> str:
    return (name.encode().hex() * 64)[:64]


def token(world: World, name: str, role: Role = Role.APPROVER, days: float = 30) -> TokenRecord:
    return world.stores.access.create(
        digest=digest_of(name), name=name, role=role, days=days, actor="user:owner"
    )


@pytest.fixture
def team(world: World) -> World:
    for name in ("anna", "bob", "carla"):
        token(world, name)
    token(world, "vic", Role.VIEWER)
    return world


def approve(world: World, record: IntentRecord, actor: str, code: int | None = None) -> IntentRecord:
    return world.intents.approve(record.id, digest=record.digest, actor=actor, grace_seconds=10, code=code)


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(PolybotError) as error:
        work()
    return error.value.code


class TestTokens:
    def test_what_is_stored_says_who_what_and_until_when(self, world: World) -> None:
        made = token(world, "anna", days=7)
        assert world.stores.access.find(made.digest) == made
        assert (made.name, made.role, made.created_by) == ("anna", Role.APPROVER, "user:owner")
        assert made.expires_at - made.created_at == timedelta(days=7)
        assert made.state(world.intents.now()) == "active"
        assert world.kinds("anna") == ["token.created"]

    def test_a_name_stands_for_one_person(self, world: World) -> None:
        token(world, "anna")
        again = lambda: world.stores.access.create(  # noqa: E731 - one line, called once
            digest="f" * 64, name="anna", role=Role.ADMIN, days=1, actor="user:owner"
        )
        assert refused(again) == "token_name_taken"
        assert [each.digest for each in world.stores.access.tokens()] == [digest_of("anna")]

    def test_one_that_expired_makes_room_for_its_successor(self, world: World) -> None:
        old = token(world, "anna", days=1)
        world.advance(86_401)
        new = world.stores.access.create(
            digest="f" * 64, name="anna", role=Role.VIEWER, days=1, actor="user:owner"
        )
        states = {each.digest: each.state(world.intents.now()) for each in world.stores.access.tokens()}
        assert states == {old.digest: "revoked", new.digest: "active"}

    def test_a_revoked_one_opens_nothing_and_says_who_took_it(self, team: World) -> None:
        gone = team.stores.access.revoke("anna", actor="user:owner", reason="lost laptop")
        assert (gone.state(team.intents.now()), gone.revoked_by) == ("revoked", "user:owner")
        assert team.kinds("anna") == ["token.created", "token.revoked"]
        assert refused(lambda: team.stores.access.revoke("anna", actor="user:owner", reason="")) == (
            "token_not_found"
        )

    @pytest.mark.parametrize("actor", ["token:anna", "engine", "", "user:"])
    def test_no_token_makes_or_takes_another(self, team: World, actor: str) -> None:
        make = lambda: team.stores.access.create(  # noqa: E731 - one line, called once
            digest="e" * 64, name="eve", role=Role.ADMIN, days=1, actor=actor
        )
        assert refused(make) == "person_required"
        assert refused(lambda: team.stores.access.revoke("bob", actor=actor, reason="")) == "person_required"
        assert len(team.stores.access.tokens()) == 4

    def test_its_use_is_noted_once_a_minute(self, team: World) -> None:
        access = team.stores.access
        access.used(digest_of("anna"))
        first = access.find(digest_of("anna"))
        team.advance(30)
        access.used(digest_of("anna"))
        assert access.find(digest_of("anna")) == first
        team.advance(31)
        access.used(digest_of("anna"))
        assert access.find(digest_of("anna")) != first

    def test_rows_cannot_be_changed_behind_its_back(self, team: World) -> None:
        for statement in (
            "UPDATE access_tokens SET role = 'admin' WHERE name = 'vic'",
            "UPDATE access_tokens SET expires_at = expires_at + 1 WHERE name = 'anna'",
            "DELETE FROM access_tokens WHERE name = 'anna'",
        ):
            with pytest.raises(DatabaseError):
                team.sql(statement)

    def test_whether_there_was_ever_one_outlives_it(self, world: World) -> None:
        assert not world.stores.access.ever()
        token(world, "anna")
        world.stores.access.revoke("anna", actor="user:owner", reason="")
        assert world.stores.access.ever()


class TestDecidingWithAToken:
    def test_the_decision_is_signed_with_its_name(self, team: World) -> None:
        assert approve(team, team.proposed(), ANNA).decided_by == ANNA

    @pytest.mark.parametrize(
        ("actor", "code"),
        [(VIC, "role_too_low"), ("token:nobody", "token_refused"), ("token:", "person_required")],
    )
    def test_one_that_may_not_decide_decides_nothing(self, team: World, actor: str, code: str) -> None:
        record = team.proposed()
        assert refused(lambda: approve(team, record, actor)) == code
        assert refused(lambda: team.intents.reject(record.id, actor=actor, reason="")) == code
        assert team.intents.get(record.id).status is IntentStatus.PENDING

    def test_nor_does_an_expired_or_a_revoked_one(self, team: World) -> None:
        record = team.proposed(deadline=team.intents.now() + timedelta(days=60))
        team.stores.access.revoke("bob", actor="user:owner", reason="")
        assert refused(lambda: approve(team, record, BOB)) == "token_refused"
        team.advance(31 * 86_400)
        assert refused(lambda: approve(team, record, ANNA)) == "token_refused"
        assert team.intents.get(record.id).status is IntentStatus.PENDING

    def test_what_a_token_approved_is_not_sent_once_it_is_revoked(self, team: World) -> None:
        record = approve(team, team.proposed(), ANNA)
        team.stores.access.revoke("anna", actor="user:owner", reason="stolen")
        denied = team.claim(record.id)
        assert isinstance(denied, Denied)
        assert denied.code == "token_revoked"
        assert team.intents.get(record.id).status is IntentStatus.FAILED

    def test_nor_permitted(self, team: World) -> None:
        record = approve(team, team.proposed(), ANNA)
        assert isinstance(team.claim(record.id), IntentRecord)
        team.stores.access.revoke("anna", actor="user:owner", reason="stolen")
        denied = team.permit(record.intent)
        assert isinstance(denied, Denied)
        assert denied.code == "token_revoked"

    def test_a_successor_of_the_same_name_does_not_vouch_for_it(self, team: World) -> None:
        record = approve(team, team.proposed(), ANNA)
        team.advance(1)
        team.stores.access.revoke("anna", actor="user:owner", reason="stolen")
        team.stores.access.create(
            digest="f" * 64, name="anna", role=Role.APPROVER, days=1, actor="user:owner"
        )
        denied = team.claim(record.id)
        assert isinstance(denied, Denied)
        assert denied.code == "token_revoked"


class TestTwoPeople:
    def large(self, world: World, **more: Any) -> IntentRecord:
        return world.proposed(approvals_required=2, **more)

    def test_the_first_word_leaves_it_waiting_with_a_row(self, team: World) -> None:
        record = approve(team, self.large(team), ANNA)
        assert (record.status, record.decided_by) == (IntentStatus.PENDING, None)
        (given,) = team.stores.access.approvals(record.id)
        assert (given.actor, given.with_code) == (ANNA, False)
        assert team.kinds(record.id) == ["intent.proposed", "approval.given"]
        denied = team.claim(record.id)
        assert isinstance(denied, Denied)
        assert denied.code == "not_approved"

    def test_the_second_approves_it_and_it_is_claimed_and_permitted(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        done = approve(team, record, BOB)
        assert (done.status, done.decided_by) == (IntentStatus.APPROVED, BOB)
        assert [each.actor for each in team.stores.access.approvals(record.id)] == [ANNA, BOB]
        assert isinstance(team.claim(record.id), IntentRecord)
        assert not isinstance(team.permit(record.intent), Denied)
        assert team.engine.audit().findings == ()

    def test_the_same_person_does_not_count_twice(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        assert refused(lambda: approve(team, record, ANNA)) == "already_approved_by_you"
        assert team.intents.get(record.id).status is IntentStatus.PENDING

    @pytest.mark.parametrize(
        ("actor", "code"),
        [("user:anna", "token_needed"), (VIC, "role_too_low"), ("token:x", "token_refused")],
    )
    def test_a_shell_without_a_token_is_nobody_here(self, team: World, actor: str, code: str) -> None:
        record = self.large(team)
        assert refused(lambda: approve(team, record, actor)) == code
        assert team.stores.access.approvals(record.id) == ()

    def test_of_many_at_once_each_person_counts_once_and_it_is_approved_once(self, team: World) -> None:
        record = self.large(team)
        stores = {name: team.another() for name in (ANNA, BOB, CARLA, ANNA + " again", BOB + " again")}
        start = threading.Barrier(len(stores))
        came: list[IntentRecord | str] = []

        def decide(name: str, mine: SqlStores) -> None:
            start.wait(10)
            try:
                came.append(
                    mine.intents.approve(
                        record.id, digest=record.digest, actor=name.split(maxsplit=1)[0], grace_seconds=10
                    )
                )
            except PolybotError as error:
                came.append(error.code)

        threads = [threading.Thread(target=decide, args=each) for each in stores.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        won = [each.status for each in came if not isinstance(each, str)]
        assert sorted(won) == [IntentStatus.APPROVED, IntentStatus.PENDING]
        assert {each for each in came if isinstance(each, str)} <= {
            "already_decided",
            "already_approved_by_you",
        }
        assert len(team.stores.access.approvals(record.id)) == 2
        assert team.kinds(record.id).count("intent.approved") == 1

    def test_a_word_of_a_token_that_was_revoked_counts_no_more(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        team.stores.access.revoke("anna", actor="user:owner", reason="stolen")
        assert approve(team, record, BOB).status is IntentStatus.PENDING
        assert approve(team, record, CARLA).status is IntentStatus.APPROVED

    def test_one_that_is_revoked_after_the_second_stops_the_claim(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        approve(team, record, BOB)
        team.stores.access.revoke("anna", actor="user:owner", reason="stolen")
        denied = team.claim(record.id)
        assert isinstance(denied, Denied)
        assert denied.code == "approvals_missing"

    def test_too_late_is_too_late_for_the_second_as_well(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        team.advance(3_600)
        assert refused(lambda: approve(team, record, BOB)) == "expired"

    def test_one_person_rejects_it(self, team: World) -> None:
        record = self.large(team)
        approve(team, record, ANNA)
        assert team.intents.reject(record.id, actor="user:bert", reason="").status is IntentStatus.REJECTED

    def test_a_row_that_was_moved_past_the_approvals_is_not_claimed(self, team: World) -> None:
        record = self.large(team)
        team.sql(
            "UPDATE trade_intents SET status = 'APPROVED', decided_by = 'token:anna', decided_at = created_at,"
            f" execute_by = deadline + 600000000, approved_epoch = 0 WHERE id = '{record.id}'"
        )
        denied = team.claim(record.id)
        assert isinstance(denied, Denied)
        assert denied.code in ("approvals_missing", "token_revoked")
        assert any("approvals" in finding for finding in team.engine.audit().findings)

    def test_approvals_cannot_be_altered_or_moved_to_another_trade(self, team: World) -> None:
        record, other = self.large(team), self.large(team, asset_id="77")
        approve(team, record, ANNA)
        for statement in (
            f"UPDATE approvals SET subject = '{other.id}'",
            "UPDATE approvals SET actor = 'token:bob'",
            "DELETE FROM approvals",
        ):
            with pytest.raises(DatabaseError):
                team.sql(statement)

    def test_less_of_it_needs_the_second_as_well(self, team: World) -> None:
        record = self.large(team)
        half = smaller_form(
            record.intent, shares=Shares(Decimal(10)), worst_price=None, now=team.intents.now()
        )
        smaller = team.stores.by_hand.approve_less(
            record.id, half, digest=record.digest, actor=ANNA, grace_seconds=10
        )
        assert smaller.status is IntentStatus.PENDING
        assert approve(team, smaller, BOB).status is IntentStatus.APPROVED


class TestCodes:
    @pytest.fixture
    def coded(self, team: World) -> World:
        for name in ("anna", "bob"):
            team.stores.access.enrol_code(digest_of(name), 100, actor="user:owner")
        return team

    def large(self, world: World, **more: Any) -> IntentRecord:
        return world.proposed(code_required=True, **more)

    def test_with_a_new_code_it_is_approved_and_sent(self, coded: World) -> None:
        record = self.large(coded)
        assert approve(coded, record, ANNA, code=101).status is IntentStatus.APPROVED
        assert isinstance(coded.claim(record.id), IntentRecord)

    def test_without_one_it_is_not(self, coded: World) -> None:
        record = self.large(coded)
        assert refused(lambda: approve(coded, record, ANNA)) == "code_needed"
        assert coded.intents.get(record.id).status is IntentStatus.PENDING

    @pytest.mark.parametrize("step", [100, 99, 0, -1])
    def test_the_code_that_was_shown_at_first_or_an_older_one_is_a_replay(
        self, coded: World, step: int
    ) -> None:
        record = self.large(coded)
        assert refused(lambda: approve(coded, record, ANNA, code=step)) == "code_used"
        assert coded.intents.get(record.id).status is IntentStatus.PENDING

    def test_a_code_counts_once(self, coded: World) -> None:
        first, second = self.large(coded), self.large(coded, asset_id="77")
        approve(coded, first, ANNA, code=101)
        assert refused(lambda: approve(coded, second, ANNA, code=101)) == "code_used"
        assert approve(coded, second, ANNA, code=102).status is IntentStatus.APPROVED

    def test_of_many_uses_at_once_one_counts(self, coded: World) -> None:
        records = [self.large(coded, asset_id=str(900 + n)) for n in range(4)]
        worlds = [coded.another() for _ in records]
        start = threading.Barrier(len(records))
        came: list[str] = []

        def decide(mine: SqlStores, record: IntentRecord) -> None:
            start.wait(10)
            try:
                mine.intents.approve(record.id, digest=record.digest, actor=ANNA, grace_seconds=10, code=101)
                came.append("approved")
            except PolybotError as error:
                came.append(error.code)

        threads = [threading.Thread(target=decide, args=each) for each in zip(worlds, records, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(came) == ["approved", "code_used", "code_used", "code_used"]

    def test_a_token_without_one_cannot(self, coded: World) -> None:
        record = self.large(coded)
        assert refused(lambda: coded.stores.access.try_code(digest_of("carla"))) == "code_not_set_up"
        assert refused(lambda: approve(coded, record, CARLA, code=101)) == "code_used"

    def test_too_many_tries_rest_and_say_until_when(self, coded: World) -> None:
        access = coded.stores.access
        for _ in range(WRONG_CODES):
            access.try_code(digest_of("anna"))
        assert refused(lambda: access.try_code(digest_of("anna"))) == "code_locked"
        assert "code.locked" in coded.kinds("anna")
        coded.advance(CODE_REST.total_seconds() - 1)
        assert refused(lambda: access.try_code(digest_of("anna"))) == "code_locked"
        access.try_code(digest_of("bob"))  # another person's go on
        coded.advance(2)
        access.try_code(digest_of("anna"))

    def test_tries_at_once_all_count(self, coded: World) -> None:
        worlds = [coded.another() for _ in range(6)]
        came: list[str] = []
        start = threading.Barrier(len(worlds))

        def guess(mine: SqlStores) -> None:
            start.wait(10)
            for _ in range(3):
                try:
                    mine.access.try_code(digest_of("anna"))
                    came.append("tried")
                except NotAuthorisedError as error:
                    came.append(error.code)

        threads = [threading.Thread(target=guess, args=(mine,)) for mine in worlds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert came.count("tried") == WRONG_CODES
        assert came.count("code_locked") == 18 - WRONG_CODES

    def test_a_right_code_forgives_the_tries_before_it(self, coded: World) -> None:
        access = coded.stores.access
        for step in (101, 102, 103):
            for _ in range(WRONG_CODES):
                access.try_code(digest_of("anna"))
            approve(coded, self.large(coded, asset_id=str(step)), ANNA, code=step)

    def test_a_right_code_forgives_them_also_where_the_trade_was_gone_and_a_used_one_never(
        self, coded: World
    ) -> None:
        access, digest = coded.stores.access, digest_of("anna")
        for step in (101, 102):
            for _ in range(WRONG_CODES):
                access.try_code(digest)
            access.code_was_right(digest, step)
        approve(coded, self.large(coded), ANNA, code=103)
        for _ in range(WRONG_CODES):
            access.try_code(digest)
        access.code_was_right(digest, 103)
        assert refused(lambda: access.try_code(digest)) == "code_locked"

    def test_two_people_with_a_code_each(self, coded: World) -> None:
        record = self.large(coded, approvals_required=2)
        assert approve(coded, record, ANNA, code=101).status is IntentStatus.PENDING
        assert refused(lambda: approve(coded, record, BOB)) == "code_needed"
        assert approve(coded, record, BOB, code=101).status is IntentStatus.APPROVED

    def test_only_a_token_in_force_gets_one(self, team: World) -> None:
        team.stores.access.revoke("anna", actor="user:owner", reason="")
        with pytest.raises(NotAuthorisedError):
            team.stores.access.enrol_code(digest_of("anna"), 1, actor="user:owner")


class TestTheClaimAsksAgain:
    def test_a_trade_that_was_proposed_with_less_than_the_engine_asks_for_is_not_carried_out(
        self, world: World
    ) -> None:
        record = world.approved()
        assert record.intent.max_cost is not None
        strict = Thresholds(two_above=Pusd(record.intent.max_cost - Decimal("0.000001")))
        denied = world.claim(record.id, thresholds=strict)
        assert isinstance(denied, Denied)
        assert denied.code == "approvals_short"
        assert world.intents.get(record.id).status is IntentStatus.FAILED

    def test_at_the_threshold_one_person_is_enough(self, world: World) -> None:
        record = world.approved()
        assert record.intent.max_cost is not None
        limits = Thresholds(two_above=record.intent.max_cost, code_above=record.intent.max_cost)
        assert isinstance(world.claim(record.id, thresholds=limits), IntentRecord)


class TestExitsInAdvance:
    def given(self, world: World, opening: IntentRecord) -> Any:
        return standing_for(opening.intent, load_settings(), world.intents.now(), NO_TERMS)

    def test_they_need_what_their_purchase_needs_and_are_in_force_with_the_second(self, team: World) -> None:
        opening = team.proposed(approvals_required=2, deadline=team.intents.now() + timedelta(hours=1))
        exits, standing = self.given(team, opening), team.stores.standing
        first = standing.protect(exits, digest=exits.digest, actor=ANNA)
        assert not first.active(team.intents.now())
        assert standing.active() == ()
        assert [each.id for each in standing.waiting()] == [exits.id]
        column = exit_column(team.stores, [exits.asset_id], team.intents.now())
        assert column == {exits.asset_id: "1 of 2 approve"}
        assert refused(lambda: standing.protect(exits, digest=exits.digest, actor=ANNA)) == (
            "already_approved_by_you"
        )
        second = standing.protect(exits, digest=exits.digest, actor=BOB)
        assert second.active(team.intents.now())
        assert [each.id for each in standing.active()] == [exits.id]
        assert standing.waiting() == ()

    def test_one_code_serves_a_trade_and_its_exits(self, team: World) -> None:
        team.stores.access.enrol_code(digest_of("anna"), 100, actor="user:owner")
        opening = team.proposed(code_required=True)
        exits = self.given(team, opening)
        assert exits.code_required
        done = team.stores.standing.approve_with_exits(
            opening.id,
            exits,
            digest=opening.digest,
            standing_digest=exits.digest,
            actor=ANNA,
            grace_seconds=10,
            code=101,
        )
        assert done.status is IntentStatus.APPROVED
        assert len(team.stores.standing.active()) == 1

    def test_a_revoked_word_takes_them_out_of_force(self, team: World) -> None:
        opening = team.proposed(approvals_required=2, deadline=team.intents.now() + timedelta(hours=1))
        exits, standing = self.given(team, opening), team.stores.standing
        standing.protect(exits, digest=exits.digest, actor=ANNA)
        standing.protect(exits, digest=exits.digest, actor=BOB)
        team.stores.access.revoke("bob", actor="user:owner", reason="stolen")
        assert standing.active() == ()

    def test_what_is_refused_takes_nothing_back(self, team: World) -> None:
        opening = team.proposed(deadline=team.intents.now() + timedelta(hours=1))
        exits, standing = self.given(team, opening), team.stores.standing
        standing.protect(exits, digest=exits.digest, actor="user:anna")
        larger = replace(self.given(team, opening), approvals_required=2)
        with pytest.raises(NotAuthorisedError):
            standing.protect(larger, digest=larger.digest, actor="user:anna")
        assert [each.id for each in standing.active()] == [exits.id]


def test_an_unknown_name_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.stores.access.revoke("nobody", actor="user:owner", reason="")
    with pytest.raises(ConflictError):
        world.approve(world.approved().id)
