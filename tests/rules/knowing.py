"""Rules of what is known of an order: absence, reconciliation, windows, what is not ours."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

ABSENCE = source("execution/absence.py")
TRUTH = source("execution/order_truth.py")
RECONCILER = source("execution/reconciler.py")
PURE = source("execution/reconciliation.py")
END = source("execution/end_of_watch.py")
HOLDINGS = source("execution/holdings.py")
FOREIGN = source("execution/foreign.py")
DISPATCHER = source("execution/dispatcher.py")
WINDOWS = source("venue/windows.py")
GATEWAY = source("venue/gateway.py")
CANCELLING = source("execution/cancelling.py")

ABSENT: Final = Chapter(
    "Absence: an inference, made late and twice",
    (
        rule(
            "absence_waits",
            "A round counts only if it was begun after the header's time, the exchange's tolerance and its lag.",
            "test_absence:no_round_counts_that_was_begun_before_the_delay",
            ABSENCE("if age < self._times.delay_seconds:", "if False:"),
        ),
        rule(
            "begun_not_ended",
            "It counts from the moment at which it was begun, not at which its last answer came.",
            "test_absence:a_round_counts_from_the_moment_at_which_it_was_begun",
            RECONCILER(
                "            return Glance(begun, now, gateway.open_orders())\n",
                "            listed = gateway.open_orders()\n"
                "            return Glance(self._clock.boot_seconds(), self._stores.intents.now(), listed)\n",
            ),
        ),
        rule(
            "twice_and_apart",
            "Two rounds are needed, ten seconds apart.",
            "test_absence:two_rounds_closer_than_their_distance_are_one "
            "test_absence:two_rounds_after_the_delay_prove_that_it_was_never_accepted",
            ABSENCE(
                "if doubt.rounds and glance.begun - doubt.last < self._times.apart_seconds:", "if False:"
            ),
            ABSENCE("    rounds: int = 2\n", "    rounds: int = 1\n"),
        ),
        rule(
            "every_read_succeeds",
            "A round of which one read failed proves nothing: by id, open orders, trades, and a control read.",
            "test_absence:a_round_of_which_any_read_failed_proves_nothing",
            ABSENCE("            self._gateway.control_read()\n", ""),
            ABSENCE("if glance.open_orders is None:", "if False:"),
        ),
        rule(
            "its_own_credential",
            "Absence is proven only with the credential that placed the order.",
            "test_absence:other_credentials_see_nothing_and_prove_nothing",
            ABSENCE("if order.credential_id != self._gateway.credential_id:", "if False:"),
        ),
        rule(
            "boot_clock",
            "A wall clock that is set hurries no proof.",
            "test_absence:a_clock_that_was_set_forward_hurries_nothing",
            ABSENCE(
                "age = doubt.first_age + glance.begun - doubt.first_boot",
                "age = glance.now.timestamp() - 1e9 + doubt.first_age * 0",
            ),
        ),
        rule(
            "positive_beats_negative",
            "Anything positive in a round beats what is not found by id.",
            "test_absence:anything_positive_in_a_round_beats_not_found_by_id",
            ABSENCE("        if listed is not None:", "        if False:"),
            ABSENCE("            return Round(fills=fills)\n", "            pass\n"),
        ),
        rule(
            "evidence_beats_absence",
            "Later evidence of life takes an inferred absence back, loudly, and on a FAILED intent as well.",
            "test_absence:later_evidence_beats_a_proof_of_absence_and_everybody_hears_of_it "
            "contracts/test_orders:later_evidence_of_life_beats_a_proof_of_absence",
            RECONCILER("for order in (*watched, *absent):", "for order in watched:"),
            source("execution/orders.py")(
                "_O.ABSENT: frozenset({_O.LIVE, _O.MATCHED}) | _ENDS,", "_O.ABSENT: frozenset(),"
            ),
            source("db/order_store.py")(
                "return present in (IntentStatus.EXECUTING, IntentStatus.FAILED)",
                "return present is IntentStatus.EXECUTING",
            ),
        ),
        rule(
            "watched_to_the_end",
            "An identity that was never proven is watched until its market has resolved, and some time longer.",
            "test_absence:an_absent_identity_is_watched_until_its_market_has_resolved "
            "test_absence:when_its_market_has_resolved_an_unproven_identity_ends_loudly_and_frees_its_money",
            END("if since is None or self.clock.boot_seconds() - since < LATE_SECONDS:", "if since is None:"),
            END(
                "        self._write(order, notes, OrderStatus.ABSENT",
                "        return\n        self._write(order, notes, OrderStatus.ABSENT",
            ),
        ),
        rule(
            "vanished",
            "LIVE, then not found: VANISHED. It is never placed again, and its money stays reserved until rounds "
            "prove its end.",
            "test_absence:a_vanished_order_keeps_its_money_until_rounds_prove_its_end "
            "test_reconciliation:an_order_that_vanished_is_never_placed_again_and_may_come_back",
            PURE(
                '                OrderStatus.VANISHED,\n                "vanished",',
                '                OrderStatus.CANCELLED,\n                "vanished",',
            ),
        ),
        rule(
            "matched_and_forgotten",
            "MATCHED, then not found: its trades are read from its market, the money of its rest stays reserved, "
            "and after the market's resolution rounds have to prove that there is nothing more of it.",
            "test_absence:what_matched_and_was_forgotten_keeps_the_money_of_its_rest_while_its_market_may_be_open "
            "test_absence:when_its_market_has_resolved_what_matched_and_was_forgotten_ends_by_proof_and_frees_its_rest "
            "test_absence:a_forgotten_match_is_not_ended_by_rounds_of_which_a_read_failed "
            "test_absence:the_trades_of_an_order_that_matched_and_was_forgotten_are_found_in_its_market",
            END("proven = proof is not None and proof >= late and", "proven = proof is not None and"),
            RECONCILER("OrderStatus.VANISHED, OrderStatus.MATCHED})\n_SURE", "OrderStatus.VANISHED})\n_SURE"),
            TRUTH("            if self._traded_unseen(order, known, notes):\n                return\n", ""),
            END(
                "        status = OrderStatus.FILLED if traded else OrderStatus.CANCELLED\n",
                "        status = order.status\n",
            ),
        ),
    ),
)

RECONCILE: Final = Chapter(
    "Reconciliation",
    (
        rule(
            "a_failed_read_is_nothing",
            "A read that failed proves nothing and stops trading; it is not an empty account.",
            "test_reconciliation:a_read_that_failed_proves_nothing_and_stops_trading "
            "test_reconciliation:a_failed_read_is_a_reason_not_to_trade "
            "test_reconciliation:held_shares_that_cannot_be_read_are_a_reason_not_to_trade",
            PURE(
                'return Correction(detail=f"It could not be asked about: {reason}", problem=Problem.UNREADABLE)',
                "return _not_found(order, fills, now)",
            ),
            RECONCILER('notes.problems.append(f"The open orders could not be read. {error}")', "pass"),
            HOLDINGS('unreadable.append(f"The shares held of asset {asset_id} could not be read.")', "pass"),
        ),
        rule(
            "before_anything_else",
            "Before the records agree with the exchange nothing is begun but cancels.",
            "test_live_executor:while_records_do_not_agree_only_cancels_are_begun "
            "test_cycle:nothing_is_proposed_before_our_records_agree_with_the_exchanges",
            DISPATCHER("or (trading and _ours(record)", "or (_ours(record)"),
            source("runtime/cycle.py")(
                "if openings is None or not self._parts.agreement.agreed or not self._parts.takes_orders():",
                "if openings is None or not self._parts.takes_orders():",
            ),
        ),
        rule(
            "only_legal_moves",
            "No correction makes a move that the table does not have; what the exchange says is shown instead.",
            "test_reconciliation:no_correction_makes_a_move_that_the_table_does_not_have "
            "contracts/test_orders:only_the_arrows_of_the_table_are_taken",
            PURE(
                "if not moves(order, correction) or correction.status in", "if True or correction.status in"
            ),
            source("db/order_store.py")(
                "if status is not before.status and status not in ORDER_TRANSITIONS[before.status]:",
                "if False:",
            ),
        ),
        rule(
            "the_models_tables",
            "The tables of legal moves are those that the model of the protocol explores.",
            "model/test_model:the_codes_tables_are_the_models",
            source("execution/orders.py")(
                "_O.LIVE: frozenset({_O.MATCHED, _O.VANISHED}) | _ENDS,",
                "_O.LIVE: frozenset({_O.MATCHED, _O.VANISHED, _O.ABSENT}) | _ENDS,",
            ),
        ),
        rule(
            "unknown_words",
            "A status that is not known is not fine, and another order under our id is a contradiction.",
            "test_reconciliation:an_unknown_status_is_not_fine "
            "test_reconciliation:another_order_under_our_id_is_a_contradiction",
            PURE(
                '    return Correction(\n        detail=f"The exchange gives it a status that is not known: {seen.status!r:.60}",\n'
                "        problem=Problem.UNREADABLE,\n    )",
                '    return Correction(OrderStatus.LIVE, "accepted")',
            ),
            PURE("    if ours == theirs:\n", "    if True:\n"),
        ),
        rule(
            "idempotent",
            "Twice the same reading is one correction and one journal entry.",
            "test_reconciliation:a_difference_is_journalled_once",
            TRUTH("if (order.id, detail) in self.noted:", "if False:"),
        ),
        rule(
            "a_reading_that_was_overtaken",
            "A reading that our own writing overtook is dropped.",
            "test_reconciliation:a_reading_that_was_overtaken_is_dropped",
            TRUTH(
                "            return  # it moved while we asked; the next pass sees both sides anew",
                "            pass",
            ),
        ),
        rule(
            "differences_that_last",
            "Shares or cash that are missing trip only when they are missing by more than half a share or one pUSD, "
            "on three reads over five minutes, with no order of ours in flight.",
            "test_reconciliation:shares_that_are_missing_again_and_again_halt_trading "
            "test_reconciliation:shares_that_are_missing_for_less_than_five_minutes_halt_nothing "
            "test_reconciliation:dust_and_somebodys_own_purchases_are_no_difference "
            "test_reconciliation:holdings_are_not_compared_while_an_order_on_them_is_open "
            "test_absence:cash_is_not_judged_while_an_order_is_in_flight "
            "test_absence:cash_that_is_missing_again_and_again_halts_trading",
            HOLDINGS('SHARES_APART: Final = Decimal("0.5")', 'SHARES_APART: Final = Decimal("0.0")'),
            HOLDINGS("READS_APART: Final = 3", "READS_APART: Final = 300"),
            HOLDINGS("SECONDS_APART: Final = 300.0", "SECONDS_APART: Final = 0.0"),
            HOLDINGS("if ours <= 0 or asset_id in in_flight:", "if ours <= 0:"),
            HOLDINGS("if self._cash is not None and not in_flight:", "if self._cash is not None:"),
        ),
        rule(
            "unexplained_cash_is_no_equity",
            "Cash that moved without a fill of ours is no bankroll until the wallet's activity explains it.",
            "test_cycle:cash_that_nothing_explains_is_no_bankroll "
            "test_holdings_watch:one_that_nothing_tells_of_is_missing",
            HOLDINGS("if not self._differs(CASH, abs(apart) > PUSD_APART):", "if True:"),
        ),
    ),
)

OTHERS: Final = Chapter(
    "What is not ours",
    (
        rule(
            "never_touched",
            "Orders and positions of others on the wallet are shown, counted as exposure, and never touched.",
            "test_reconciliation:foreign_orders_are_shown_counted_and_never_touched "
            "cli/test_cancel_all:all_of_ours_and_nothing_else "
            "test_foreign:it_counts_as_exposure_and_under_the_claims_locks",
            CANCELLING("    if not everything:\n", "    if False:\n"),
            RECONCILER("return tuple(order for order in others if order.order_id not in ended)", "return ()"),
            FOREIGN("        return [*buys, *held]", "        return []"),
        ),
        rule(
            "not_foreign_while_ours_is_open",
            "On an asset where an order of ours has no proven end nothing is foreign.",
            "test_foreign:nothing_is_on_an_asset_where_an_order_of_ours_has_no_proven_end",
            FOREIGN(
                "if order.order_id not in ours and order.asset_id not in unresolved",
                "if order.order_id not in ours",
            ),
        ),
        rule(
            "read_before_our_rows",
            "The exchange is read before our own rows, so that an order sent meanwhile is not taken for foreign.",
            "test_reconciliation:an_order_that_is_sent_while_we_read_is_not_foreign",
            (
                RECONCILER(
                    "        glance = self._glance(self._gateway, notes)\n"
                    "        watched, absent = self._orders.watched(), self._orders.absent()\n",
                    "        watched, absent = self._orders.watched(), self._orders.absent()\n"
                    "        glance = self._glance(self._gateway, notes)\n",
                ),
                RECONCILER(
                    "ended = self._orders.ours([order.order_id for order in others])",
                    "ended = frozenset[OrderId]()",
                ),
            ),
        ),
        rule(
            "everything_is_announced",
            "A cancel of everything says first what else hangs on the key, and hits exactly what it read.",
            "cli/test_cancel_all:everything_says_first_what_else_it_hits "
            "cli/test_cancel_all:everything_with_yes_hits_exactly_what_it_read",
            source("cli/orders_cancel.py")(
                '    return terminal.ask("Cancel all of them? [y/N] ")', "    return True"
            ),
        ),
        rule(
            "by_maker",
            "One key may serve several wallets: reads are filtered by the maker's address.",
            "venue/test_gateway:orders_of_another_wallet_of_the_same_key_are_not_ours",
            GATEWAY(" if maker_address(row) == ours)", ")"),
        ),
        rule(
            "a_cancel_of_ours_only",
            "A cancel that was proposed is of an order of ours, or it is not sent; without proof of the target's end "
            "it is sent again, also after a crash.",
            "test_live_executor:a_cancel_of_somebody_elses_order_is_not_sent "
            "test_reconciliation:a_cancel_that_a_crash_left_is_not_ended_but_sent_again",
            source("execution/live_executor.py")(
                "if target is None or not self._orders.ours([target]):", "if target is None:"
            ),
            source("execution/interrupted.py")(
                "return intent.intent_type is IntentType.CANCEL_ORDER", "return False"
            ),
        ),
        rule(
            "no_heartbeat",
            "No heartbeat is sent to the exchange: it would cancel everything on the key, other people's too.",
            "venue/test_gateway:nothing_of_ours_keeps_a_heartbeat_alive",
            source("venue/gateway.py")('"/data/order/{order_id}"', '"/heartbeats/{order_id}"'),
        ),
    ),
)

WINDOW: Final = Chapter(
    "Windows of the exchange",
    (
        rule(
            "windows_are_states",
            "Restart, post-only, cancel-only and disabled are states: nothing is proposed, and what is approved is "
            "not sent into one.",
            "test_windows:nothing_is_proposed_while_the_exchange_takes_no_orders "
            "test_windows:what_is_approved_is_not_sent_into_a_window_and_goes_when_it_is_over",
            source("runtime/cycle.py")(" or not self._parts.takes_orders():", ":"),
            DISPATCHER(
                "_ours(record) and window.takes(post_only=record.intent.post_only))", "_ours(record))"
            ),
        ),
        rule(
            "windows_stretch_nothing",
            "What is approved expires on time, window or not.",
            "test_windows:a_window_does_not_stretch_the_life_of_an_approval",
            source("db/carrying_out.py")("if expire_if_due(unit, record) is not None:", "if False:"),
            source("db/decisions.py")("if end is None or unit.now < end:", "if True:"),
        ),
        rule(
            "425_on_a_read",
            "A 425 to an order is a window; a 425 to a read is evidence of nothing.",
            "venue/test_windows:a_425_to_an_order_is_a_window_and_a_425_to_a_read_is_evidence_of_nothing",
            WINDOWS("    if status == 425:\n", "    if False:\n"),
        ),
    ),
)
