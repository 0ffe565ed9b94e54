"""Rules of deciding, switches and the claim."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

DECISIONS = source("db/decisions.py")
UNIT = source("db/unit.py")
PERMISSION = source("db/permission.py")
SWITCHES = source("db/kill_switch_store.py")
PROPOSALS = source("db/proposals.py")
CARRYING = source("db/carrying_out.py")
LIMITS = source("db/claim_limits.py")
STANDING = source("db/standing_book.py")
TRIGGERS = source("db/triggers.py")
ROWS = source("db/rows.py")
IN = "tests/contracts/test_intents"

CLOCKS: Final = Chapter(
    "Clocks",
    (
        rule(
            "time_after_lock",
            "A deadline is judged by the database's time, taken after the lock is held: who waited for the lock "
            "past the deadline is too late.",
            "db/test_sqlite:who_waited_for_the_lock_past_the_deadline_is_too_late",
            UNIT(
                "        return self.database.write(\n            lambda connection: work(",
                "        before = self.database._clock.now()\n"
                "        now = self.database.__class__.now\n"
                "        self.database.now = lambda connection: before  # type: ignore[method-assign]\n"
                "        return self.database.write(\n            lambda connection: work(",
            ),
        ),
        rule(
            "time_never_goes_back",
            "Time is never before the journal's last entry: a wall clock that is set back revives nothing.",
            "contracts/test_intents:a_wall_clock_that_is_set_back_revives_nothing",
            UNIT("return now if head is None or head.at is None else max(now, head.at)", "return now"),
        ),
        rule(
            "expiry_is_sticky",
            "What is found to be past its deadline is written EXPIRED, and stays so.",
            "contracts/test_intents:at_the_deadline_it_is_over_and_stays_over",
            DECISIONS("if end is None or unit.now < end:", "if True:"),
        ),
        rule(
            "grace",
            "The deadline ends the time to decide. What was approved may be sent until the later of the deadline "
            "and the approval plus the grace; that instant is fixed with the approval.",
            "contracts/test_intents:a_late_approval_leaves_the_grace_to_execute "
            "contracts/test_intents:an_approval_fixes_who_when_and_until_when",
            DECISIONS(
                "execute_by = max(record.intent.deadline, unit.now + timedelta(seconds=grace_seconds))",
                "execute_by = record.intent.deadline",
            ),
        ),
        rule(
            "suspension_counts",
            "Durations inside a process are measured by a clock that counts suspension.",
            "test_clock:durations_are_measured_by_a_clock_that_counts_suspension",
            source("core/clock.py")(
                "            return time.clock_gettime(_BOOT_CLOCK)", "            return time.monotonic()"
            ),
        ),
        rule(
            "clocks_apart",
            "More than two seconds between wall and boot clock, or between this machine and the exchange, permit "
            "nothing, and it is said.",
            "test_live_executor:a_wall_clock_that_was_set_blocks_permits_and_says_so "
            "test_clock_skew:the_difference_and_its_direction",
            source("execution/live_executor.py")(
                'return None if problem is None else Denied("clock_jumped", problem)', "return None"
            ),
            source("execution/skew.py")("SKEW_SECONDS_MAX: Final = 2.0", "SKEW_SECONDS_MAX: Final = 2000.0"),
        ),
    ),
)

GATE: Final = Chapter(
    "Switches and their gate",
    (
        rule(
            "trip_ends_what_waits",
            "A trip rejects what is pending or approved among openings, in its own transaction.",
            "contracts/test_kill_switches:a_trip_rejects_pending_and_approved_openings_in_the_trippers_name",
            SWITCHES(
                "    for opening in openings:\n        _reject", "    for opening in ():\n        _reject"
            ),
        ),
        rule(
            "trip_raises_the_epoch",
            "A trip raises the epoch: an opening is permitted only in the epoch of its approval, so that clearing "
            "a switch does not bring back what its trip stopped.",
            "contracts/test_intents:a_trip_that_was_cleared_again_still_stops_it "
            "contracts/test_intents:an_opening_needs_the_epoch_of_its_approval",
            SWITCHES("epoch = unit.raise_epoch()", "epoch = unit.epoch"),
            PERMISSION(
                "if opening and approved_epoch is not None and approved_epoch != unit.epoch:", "if False:"
            ),
        ),
        rule(
            "close_ignores_the_epoch",
            "A close does not compare the epoch: what reduces risk goes on after a trip that lets it.",
            "contracts/test_intents:a_close_does_not_compare_the_epoch",
            PERMISSION("if opening and approved_epoch is not None", "if approved_epoch is not None"),
        ),
        rule(
            "stance_by_kind",
            "Openings need all seven switches clear; closes and claims none tripped that halts.",
            "test_live_executor:a_reducing_switch_lets_a_close_through_and_a_halt_does_not "
            "contracts/test_intents:a_missing_switch_row_stops_openings_and_closes_but_no_cancel",
            PERMISSION(
                "permits(unit.stance(), intent.intent_type)", 'permits(unit.stance(), "OPEN_POSITION")'
            ),
            PERMISSION(
                "permits(unit.stance(), intent.intent_type)", 'permits(unit.stance(), "CANCEL_ORDER")'
            ),
        ),
        rule(
            "cancel_passes",
            "A cancel needs neither: nothing stands in its way.",
            "test_live_executor:a_cancel_passes_every_switch_and_a_stopped_process "
            "contracts/test_intents:a_cancel_is_approved_while_halted",
            (
                PERMISSION("if intent.intent_type is IntentType.CANCEL_ORDER:", "if False:"),
                PERMISSION(
                    "permits(unit.stance(), intent.intent_type)", 'permits(unit.stance(), "OPEN_POSITION")'
                ),
            ),
        ),
        rule(
            "missing_row_halts",
            "A switch row that is missing counts as tripped and halting.",
            "contracts/test_intents:a_missing_switch_row_stops_openings_and_closes_but_no_cancel "
            "contracts/test_intents:a_missing_switch_row_stops_it",
            source("models/kill_switches.py")(
                "if any(switch not in states for switch in KillSwitchType):", "if False:"
            ),
        ),
        rule(
            "approving_checks_the_gate",
            "Nothing is approved that the switches would not let be sent.",
            "contracts/test_intents:nothing_is_approved_while_halted",
            DECISIONS(
                "denied = unavailable(record.intent) or halted(unit, record.intent)",
                "denied = unavailable(record.intent)",
            ),
        ),
        rule(
            "halt_file",
            "`halt` writes a file as well, and the file is looked at before anything is signed and once more "
            "before each POST, for the hour when the database is stuck.",
            "test_live_executor:the_halt_file_stops_it_when_the_database_cannot "
            "test_live_executor:the_halt_file_is_looked_at_once_more_right_before_the_send",
            source("execution/executor.py")("        if self.halt_file():", "        if False:"),
            source("execution/sending.py")("if self._halt_file() or not (first", "if not (first"),
        ),
        rule(
            "cancel_goes_first",
            "A cancel goes to the exchange first and into the journal second.",
            "test_cancelling:no_switch_and_no_stuck_journal_stands_in_its_way",
            source("execution/cancelling.py")(
                "    answer = gateway.cancel(order_ids)\n",
                "    engine.note(None, kind=REQUESTED, subject=order_ids[0], payload={}, actor=actor)\n"
                "    answer = gateway.cancel(order_ids)\n",
            ),
        ),
        rule(
            "content_is_immutable",
            "The content of an intent or an order never changes and no row is deleted: the database refuses it.",
            "contracts/test_schema:no_column_of_the_content_can_be_changed "
            "contracts/test_schema:no_row_can_be_deleted_or_replaced",
            TRIGGERS(
                "return f\"BEGIN SELECT RAISE(ABORT, '{table}: this row cannot be changed'); END\"",
                'return f"BEGIN SELECT 1; END -- {table}"',
            ),
        ),
        rule(
            "hashed_again",
            "The order is built from the stored text of the intent, which is hashed again first.",
            "contracts/test_schema:an_intent_whose_text_was_altered_all_the_same_is_not_used",
            ROWS("if sha256_hex(canonical) != digest:", "if False:"),
        ),
        rule(
            "scope",
            "A database belongs to one account for ever: another scope's intent, program or row is refused by name.",
            "contracts/test_intents:another_scopes_intent_is_refused "
            "contracts/test_engine:any_other_scope_is_refused_by_name",
            PROPOSALS("if intent.scope != str(unit.scope):", "if False:"),
        ),
    ),
)

DECIDE: Final = Chapter(
    "Deciding",
    (
        rule(
            "the_shown_content",
            "An approval names the digest of the content that was shown; it counts for no other content.",
            "contracts/test_intents:approving_other_content_than_was_read_is_refused",
            DECISIONS("if record.digest != digest:", "if False:"),
        ),
        rule(
            "one_decider",
            "Of several deciders at once exactly one wins; the others learn who and when.",
            "contracts/test_intents:the_second_approver_learns_who_was_first "
            "contracts/test_races:of_eight_approvers_exactly_one_wins",
            DECISIONS(
                "    if record.status is not IntentStatus.PENDING:\n        return decided",
                "    if False:\n        return decided",
            ),
        ),
        rule(
            "a_person",
            "A person decides. The engine decides by itself on paper only, and what a decision needs follows from "
            "the intent, never from the settings of the process that serves the request.",
            "contracts/test_intents:only_a_person_decides_outside_paper "
            "contracts/test_schema:nobody_can_be_left_out_of_an_approval",
            DECISIONS('if kind not in ("user", "token") or not name:', "if False:"),
        ),
        rule(
            "enough_people",
            "Where an intent or the engine's thresholds ask for two people, two different ones stand behind it, at "
            "the claim and at the permit; the word of a token that was taken back counts no more.",
            "contracts/test_access:the_first_word_leaves_it_waiting_with_a_row "
            "contracts/test_access:a_row_that_was_moved_past_the_approvals_is_not_claimed "
            "contracts/test_access:what_a_token_approved_is_not_sent_once_it_is_revoked "
            "contracts/test_access:a_trade_that_was_proposed_with_less_than_the_engine_asks_for_is_not_carried_out",
            DECISIONS("if required_of(record.intent).more_than_one_word:", "if False:"),
            CARRYING("        or _unfinished(unit, record)\n", ""),
            CARRYING("        or access_book.withdrawn(unit, record.decided_by, record.decided_at)\n", ""),
            CARRYING("        or why_too_little(record.intent, limits.thresholds)\n", ""),
        ),
        rule(
            "real_money_is_named_in_full",
            "With real money `--yes` needs the whole id or the digest: nobody sees what is approved.",
            "cli/test_decisions:with_real_money_yes_needs_the_whole_id_or_the_digest",
            source("cli/approve.py")("if real and request.yes and", "if False and"),
        ),
        rule(
            "superseding_is_one_step",
            "A newer proposal takes the place of one that still waits, in one transaction; what was decided "
            "meanwhile stays, and nothing is inserted.",
            "contracts/test_intents:an_approved_intent_is_never_superseded_and_nothing_is_inserted "
            "contracts/test_intents:superseding_expires_the_old_and_inserts_the_new_together",
            PROPOSALS("    if old.status is not IntentStatus.PENDING:", "    if False:"),
        ),
        rule(
            "paper_stays_paper",
            "What was proposed on paper never lies in an account's database, and the other way round.",
            "contracts/test_intents:nothing_of_paper_is_proposed_in_an_account",
            PROPOSALS("if (intent.regime is Regime.PAPER) is not unit.scope.is_paper:", "if False:"),
        ),
    ),
)

CLAIM: Final = Chapter(
    "Claim: APPROVED becomes EXECUTING",
    (
        rule(
            "claimed_once",
            "Only what is still approved is claimed, by one of many.",
            "contracts/test_intents:it_is_claimed_once contracts/test_intents:a_pending_intent_is_not_claimed",
            CARRYING("if record.status is not IntentStatus.APPROVED:", "if False:"),
        ),
        rule(
            "before_execute_by",
            "After its time to be sent an approval is EXPIRED.",
            "contracts/test_intents:after_execute_by_it_expires",
            CARRYING("if expire_if_due(unit, record) is not None:", "if False:"),
        ),
        rule(
            "same_regime",
            "An executor of another regime refuses it.",
            "contracts/test_intents:an_executor_of_another_regime_refuses_it",
            CARRYING("        _regime(record.intent, regime)\n        or _stopped", "        _stopped"),
        ),
        rule(
            "reserves_the_greatest_cost",
            "The claim reserves the greatest cost of a purchase and the shares of a sale.",
            "contracts/test_intents:a_claim_reserves_the_greatest_cost "
            "contracts/test_intents:a_sale_reserves_its_shares",
            CARRYING("reservations.begin(unit, claimed.intent, reservations.whole(claimed.intent))", "pass"),
        ),
        rule(
            "limits_see_every_reservation",
            "Limits hold with the reservations of every order that is not resolved: two claims never take the "
            "last of the money or of the shares together.",
            "contracts/test_intents:limits_count_what_is_reserved_already "
            "contracts/test_intents:shares_are_not_sold_twice",
            LIMITS("if cost > limits.spendable_pusd - reserved:", "if cost > limits.spendable_pusd:"),
            LIMITS("free = limits.closable_shares - now.shares", "free = limits.closable_shares"),
        ),
        rule(
            "unknown_is_no_room",
            "A balance or a holding that could not be read leaves no room.",
            "contracts/test_intents:unknown_holdings_are_not_sold contracts/test_intents:a_limit_that_does_not_hold_fails_it",
            LIMITS(
                'return Denied("shares_unknown", "The shares that we hold are not known, so nothing is sold.")',
                "return None",
            ),
            LIMITS(
                'return Denied("balance_unknown", "The balance could not be read, so nothing is opened.")',
                "return None",
            ),
        ),
        rule(
            "unknown_blocks_its_market",
            "Beside an order whose fate is not known nothing is opened in that market.",
            "contracts/test_intents:nothing_is_opened_beside_an_order_of_unknown_fate",
            LIMITS("    if unseen is None:", "    if True:"),
        ),
        rule(
            "a_fill_amid_the_look",
            "A fill that is stored while the limits are read has them read anew.",
            "contracts/test_races:a_fill_amid_the_look_of_a_claim_is_looked_at_again",
            CARRYING("if now is not None and now.moved:", "if False:"),
        ),
        rule(
            "dry_run_reserves_nothing",
            "A dry run claims without a reservation and without an order.",
            "contracts/test_intents:a_dry_run_and_a_cancel_reserve_nothing",
            CARRYING(
                "if claimed.intent.intent_type.places_order and regime is not Regime.DRY_RUN:",
                "if claimed.intent.intent_type.places_order:",
            ),
        ),
        rule(
            "one_send_a_market",
            "Sends run side by side, one a market: one that hangs starves nobody else.",
            "test_live_executor:one_hanging_send_starves_nobody_but_its_own_market",
            source("execution/dispatcher.py")(
                "target = record.intent.target if cancels else record.intent.condition_id",
                "target = record.id",
            ),
        ),
    ),
)

STANDING_RULES: Final = Chapter(
    "Standing approvals",
    (
        rule(
            "inside_or_wait",
            "A sale is approved in the name of a standing approval only where it lies inside it.",
            "contracts/test_standing:anything_else_waits_for_a_person",
            STANDING(
                "why_lapsed(standing, unit.now) or why_outside(standing, record.intent) or halted",
                "why_lapsed(standing, unit.now) or halted",
            ),
        ),
        rule(
            "budget_is_what_was_bought",
            "Its budget is what the opening bought for certain.",
            "contracts/test_standing:what_was_bought_and_is_not_final_is_no_budget_yet "
            "contracts/test_standing:the_budget_is_what_the_opening_bought_for_certain",
            STANDING("fills.c.status == FillStatus.CONFIRMED,", "fills.c.status != FillStatus.FAILED,"),
        ),
        rule(
            "only_the_dead_give_back",
            "An exit that is not proven dead keeps its share of the budget.",
            "contracts/test_standing:an_exit_that_is_not_proven_dead_keeps_its_share",
            STANDING("if OrderStatus(sale.order_status) in TERMINAL_ORDER:", "if True:"),
        ),
        rule(
            "judged_at_claim_and_permit",
            "Its end, its revocation and its version are judged again at the claim and at the permit.",
            "contracts/test_standing:taken_back_between_approval_and_claim "
            "contracts/test_standing:taken_back_between_claim_and_permit "
            "contracts/test_standing:over_at_its_end_at_every_step",
            CARRYING("        or lapsed(unit, record)\n", ""),
        ),
        rule(
            "bought_anew_is_not_covered",
            "A position that was bought anew is not covered.",
            "contracts/test_standing:a_position_bought_anew_is_not_covered",
            STANDING('        orders.c.intent_id == bindparam("opening_id"),\n', ""),
        ),
        rule(
            "never_a_purchase",
            "It covers sales only.",
            "contracts/test_standing:a_purchase_is_never_covered",
            STANDING(
                "why_lapsed(standing, unit.now) or why_outside(standing, record.intent) or halted",
                "why_lapsed(standing, unit.now) or halted",
            ),
        ),
    ),
)
