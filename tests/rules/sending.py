"""Rules from the permit to the answer."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

CARRYING = source("db/carrying_out.py")
UNIT = source("db/unit.py")
EXECUTOR = source("execution/live_executor.py")
SENDING = source("execution/sending.py")
SHOT = source("venue/one_shot.py")
GATEWAY = source("venue/gateway.py")
ANSWERS = source("venue/answers.py")
AMOUNTS = source("venue/amounts.py")
SIGNING = source("venue/signing.py")

PERMIT: Final = Chapter(
    "Permit: the order is stored, and that is the permission to send",
    (
        rule(
            "stored_before_sent",
            "The signed order is committed before a byte of it leaves.",
            "test_live_executor:a_trip_between_claim_and_permit_stops_it_too "
            "contracts/test_intents:the_signed_order_is_stored_before_anything_leaves",
            EXECUTOR(
                "            permitted = self._intents.permit(",
                "            self._gateway.send(prepared)\n            permitted = self._intents.permit(",
            ),
        ),
        rule(
            "one_order_an_intent",
            "An intent has one order, ever: the permit refuses a second one, and so does the database.",
            "contracts/test_intents:a_second_permit_is_refused_and_leaves_the_first_alone "
            "contracts/test_intents:the_database_itself_refuses_a_second_order_of_an_intent",
            CARRYING("    if record.order_id is not None:\n", "    if False:\n"),
            source("db/migrations/versions/0001_first.py")(
                'sa.UniqueConstraint("intent_id", name=op.f("uq_orders_intent_id")),', ""
            ),
        ),
        rule(
            "permit_in_time",
            "The permit judges the time to send again.",
            "contracts/test_intents:after_execute_by_there_is_no_permit",
            CARRYING("_late(unit, record) or ", ""),
        ),
        rule(
            "permit_by_the_switches",
            "The permit judges the switches and their epoch again.",
            "contracts/test_intents:a_trip_between_claim_and_permit_stops_it "
            "contracts/test_intents:a_trip_that_was_cleared_again_still_stops_it",
            CARRYING("denied = _stopped(unit, record, row) or _late(", "denied = _late("),
        ),
        rule(
            "permit_by_the_claim",
            "Only the engine that claimed an intent has it permitted, in the regime of both.",
            "contracts/test_intents:what_an_earlier_engine_claimed_is_not_permitted_by_the_next "
            "contracts/test_intents:a_dry_run_is_never_permitted",
            CARRYING('if row["claim_token"] != lease.token:', "if False:"),
            (
                CARRYING(
                    "if not record.intent.intent_type.places_order or record.intent.regime is Regime.DRY_RUN:",
                    "if False:",
                ),
                CARRYING(
                    'return _regime(record.intent, Regime(unit.require_lease(lease)["regime"]))',
                    "return None",
                ),
            ),
        ),
        rule(
            "lease_covers_the_send",
            "The lease lasts for the whole POST budget and five seconds more.",
            "contracts/test_intents:a_lease_that_would_end_during_the_send_permits_nothing "
            "test_safe_times:a_permit_has_to_fit_into_what_is_left_of_the_lease",
            CARRYING("if denied is None and lasts_until < needed:", "if False:"),
        ),
        rule(
            "schema_version",
            "A database of another schema version permits nothing.",
            "contracts/test_intents:a_database_of_another_schema_version_permits_nothing",
            UNIT('if gate["schema_version"] != SCHEMA_VERSION:', "if False:"),
        ),
        rule(
            "controls_again",
            "Every control is judged again on a book of at most two seconds; what does not pass fails the intent "
            "with the control's code.",
            "test_live_executor:a_control_that_does_not_pass_fails_the_intent_with_its_code",
            source("execution/executor.py")("        if broken:", "        if False:"),
        ),
        rule(
            "interrupted",
            "EXECUTING without an order proves that nothing was sent: it is FAILED, unless a thread of this "
            "process holds it.",
            "test_reconciliation:what_a_crash_left_before_the_permit_is_ended_and_its_money_freed "
            "test_reconciliation:what_is_on_its_way_in_this_process_is_not_interrupted",
            source("execution/interrupted.py")(
                "if _goes_on(record.intent) or record.id in in_flight:", "if True:"
            ),
            source("execution/interrupted.py")(" or record.id in in_flight:", ":"),
        ),
        rule(
            "signed_is_unknown",
            "SIGNED, seen by another than the thread that sends it, is UNKNOWN; that thread is left alone.",
            "test_live_executor:a_crash_at_any_call_leaves_one_order_at_most_and_never_a_wrong_belief "
            "test_live_executor:reconciliation_leaves_an_order_to_the_thread_that_sends_it",
            source("execution/reconciliation.py")(
                'return Correction(OrderStatus.UNKNOWN, "unknown", asked)',
                'return Correction(OrderStatus.REFUSED, "interrupted", asked)',
            ),
            source("execution/order_truth.py")(
                "        if order.intent_id in self._in_flight:", "        if False:"
            ),
        ),
        rule(
            "dry_run_never_becomes_an_order",
            "What was approved in a dry run never becomes an order, whatever is configured later.",
            "test_live_executor:a_dry_run_row_never_becomes_an_order_whatever_is_configured_later "
            "venue/test_gateway:only_a_live_intent_is_ever_signed",
            GATEWAY("if intent.regime is not Regime.LIVE:", "if False:"),
        ),
    ),
)

IDENTITY: Final = Chapter(
    "Identity: a pure function of the intent",
    (
        rule(
            "salt",
            "The salt is 53 bits of the SHA-256 of the intent's digest.",
            "test_identity:the_salt_is_fixed_forever",
            source("execution/orders.py")(
                "return whole >> (64 - SALT_BITS)", "return (whole >> (64 - SALT_BITS)) ^ 1"
            ),
        ),
        rule(
            "same_bytes_at_any_time",
            "Timestamp and amounts come from the intent: signing again, at another time or on another machine, "
            "gives the same order.",
            "venue/test_gateway:preparing_again_at_another_time_gives_the_same_signed_order "
            "venue/test_amounts:the_identity_is_a_pure_function_of_the_intent",
            AMOUNTS("milliseconds(intent.created_at)", '__import__("time").time_ns() // 1_000_000'),
        ),
        rule(
            "gtd_expiry",
            "A GTD's wire expiration is the permit's time, 60 s and its life, of 120 s at least.",
            "venue/test_amounts:only_a_gtd_expires_and_a_minute_later_on_the_wire",
            AMOUNTS(
                "return permit_seconds + 60 + intent.life_seconds",
                "return permit_seconds + intent.life_seconds",
            ),
            AMOUNTS("intent.life_seconds < 120", "intent.life_seconds < 0"),
        ),
        rule(
            "byte_exact",
            "Hash and signature are byte for byte those of both official signers, for every kind of wallet and "
            "every exchange contract.",
            "venue/test_signing:six_orders_are_byte_exact_and_both_vendor_signers_and_the_sandbox_agree "
            "venue/test_signing:a_deposit_wallets_order_keeps_the_plain_orders_id_and_says_what_was_signed",
            SIGNING('keccak(b"Polymarket CTF Exchange")', 'keccak(b"Polymarket CTF Exchang")'),
            SIGNING('keccak(b"DepositWallet")', 'keccak(b"DepositWalle")'),
        ),
        rule(
            "signed_for_its_scope",
            "An intent of another account, venue or world is never signed.",
            "venue/test_gateway:an_intent_of_another_scope_is_never_signed",
            GATEWAY("if intent.scope != self._scope:", "if False:"),
        ),
        rule(
            "worst_price_on_the_tick",
            "The worst price lies on the tick, a BUY's floored and a SELL's ceiled, and no worse price on the grid "
            "satisfies the signed ratio.",
            "venue/test_amounts:a_worst_price_is_put_on_the_grid_in_our_favour "
            "venue/test_amounts:no_price_on_the_grid_that_is_worse_satisfies_the_signed_ratio "
            "venue/test_amounts:a_buy_too_small_to_bound_its_price_is_refused",
            AMOUNTS(
                "floor_to(price, tick) if side is Side.BUY else ceil_to(price, tick)", "ceil_to(price, tick)"
            ),
            AMOUNTS("if from_e6(buy.maker_e6) >= next_worse * from_e6(buy.taker_e6):", "if False:"),
        ),
        rule(
            "greatest_fee",
            "The greatest possible fee is known before anybody is asked; a schedule without a ceiling is refused.",
            "test_fees:no_price_costs_more_than_the_worst_case test_fees:a_fee_without_a_ceiling_is_refused",
            source("models/fees.py")("    if fee.rate and fee.exponent < ONE:", "    if False:"),
        ),
        rule(
            "identity_is_proven_first",
            "With real money nothing is opened before a test order has proved the identity rule for this kind of "
            "wallet and this contract.",
            "test_cycle:with_money_the_identity_rule_has_to_be_proven "
            "test_identity_proof:it_counts_for_this_kind_of_wallet_and_this_contract_only "
            "test_identity_proof:one_that_was_filled_after_all_proves_nothing",
            source("models/market_controls.py")("    if context.identity_proven:", "    if True:"),
            source("execution/identity_proof.py")(
                "cancelled = order.status is OrderStatus.CANCELLED and not order.filled_shares",
                "cancelled = order.status is OrderStatus.CANCELLED",
            ),
        ),
    ),
)

SEND: Final = Chapter(
    "Send: one copy",
    (
        rule(
            "one_copy",
            "Once a byte may have left, nothing is sent again.",
            "test_live_executor:after_any_byte_may_have_left_nothing_is_sent_again",
            SENDING("if not isinstance(outcome, NotSent):", "if not isinstance(outcome, NotSent | Unknown):"),
        ),
        rule(
            "never_left",
            "Only a connection that never came about proves that nothing left; then the same bytes are tried again.",
            "venue/test_answers:a_broken_answer_is_unknown_and_nothing_is_sent_again "
            "test_live_executor:a_connection_that_never_came_about_is_tried_again_with_the_same_bytes",
            SHOT(
                "raise (NoAnswer if attempt.left else NeverLeft)(reason) from error",
                "raise NeverLeft(reason) from error",
            ),
            SENDING("if not isinstance(outcome, NotSent):", "if True:"),
        ),
        rule(
            "within_the_budget",
            "A send ends within its budget, also against silence and a server that drips; the close is abortive.",
            "venue/test_answers:silence_ends_at_the_budget_with_an_abortive_close",
            SHOT('struct.pack("ii", 1, 0)', 'struct.pack("ii", 0, 0)'),
        ),
        rule(
            "not_past_execute_by",
            "It is not tried past the time to send.",
            "test_live_executor:it_is_not_tried_past_execute_by",
            SENDING("return min(self._budget_seconds, max(0.0, left))", "return self._budget_seconds"),
        ),
        rule(
            "suspended_sends_nothing",
            "A process that was suspended after its headers were made sends nothing when it wakes up.",
            "test_live_executor:a_process_that_was_suspended_after_signing_sends_nothing "
            "venue/test_answers:a_process_that_was_suspended_before_the_first_byte_sends_nothing",
            SENDING("if self._clock.boot_seconds() > until:", "if False:"),
            SHOT("if self._aborted or self._clock.boot_seconds() >= self._deadline:", "if False:"),
        ),
        rule(
            "switches_between_tries",
            "Between two tries the switches are read again.",
            "test_live_executor:a_trip_between_two_tries_ends_them",
            SENDING(
                "if self._halt_file() or not (first or self._still_permitted(intent)):",
                "if self._halt_file():",
            ),
        ),
        rule(
            "no_proxy",
            "No proxy of the environment sees an order.",
            "venue/test_answers:no_proxy_from_the_environment_sees_an_order",
            SHOT("trust_env=False,", "trust_env=True,"),
        ),
        rule(
            "anchor_first",
            "After the permit's commit and before the POST the anchor is written; without it nothing leaves.",
            "test_anchor:without_an_anchor_nothing_leaves "
            "test_anchor:the_anchor_knows_the_permit_before_anything_leaves",
            SENDING("unanchored = self._set_anchor()", "unanchored = None"),
        ),
        rule(
            "spool",
            "An answer that the database does not take waits in a file, nothing more is permitted or sent, and it "
            "is imported before anything else.",
            "test_spool:the_answer_waits_in_a_file_and_nothing_more_is_permitted "
            "test_spool:it_is_imported_before_the_exchange_is_asked_and_sends_go_on "
            "test_live_executor:a_stop_reaches_what_was_permitted_and_has_not_left",
            SENDING("self._keep(SpooledAnswer(order.id, status, code, detail, venue_status))", "pass"),
            source("execution/reconciler.py")("self._spool.import_into(self._stores, self._lease)", "pass"),
            SENDING("            stopped = self.stopped\n", "            stopped = None\n"),
        ),
        rule(
            "own_rate_limits",
            "Our own limits lie below the published ones: what they hold back has not left and may go later.",
            "venue/test_buckets:an_order_beyond_our_limit_never_leaves_and_may_be_sent_a_moment_later "
            "venue/test_buckets:our_limits_stand_at_half_of_the_published_ones_or_lower",
            GATEWAY("if self._throttle is not None and self._throttle.take(ORDERS):", "if False:"),
        ),
    ),
)

SETTLE: Final = Chapter(
    "Settle: what an answer proves",
    (
        rule(
            "accepted",
            "Accepted is success, no error text, our id and a status that is known; nothing less.",
            "venue/test_answers:any_other_success_is_unknown "
            "venue/test_answers:no_answer_whatever_is_an_acceptance_without_our_id_or_an_error",
            ANSWERS("if not answer.success or answer.error:", "if not answer.success:"),
            ANSWERS("if answer.order_id.lower() != ours:", "if False:"),
            ANSWERS(
                'return Unknown(f"HTTP 200 with the status {_clean(answer.status)!r}")',
                "return Accepted(AcceptedStatus.LIVE, answer.trade_ids)",
            ),
        ),
        rule(
            "no_fill",
            "A kill order that found nothing is normal life: CANCELLED, and the intent FAILED with `no_fill`.",
            "venue/test_answers:a_kill_order_that_found_nothing_is_no_fill "
            "test_live_executor:no_fill_is_normal_life",
            ANSWERS("if status == 400 and _NO_FILL.search(words):", "if False:"),
            SENDING(
                'return OrderStatus.CANCELLED, "no_fill", text', 'return OrderStatus.UNKNOWN, "no_fill", text'
            ),
        ),
        rule(
            "refused",
            "Refused is the exchange's own JSON with a refusing status and a text that is on the list.",
            "venue/test_answers:everything_else_is_unknown venue/test_answers:a_text_on_the_list_is_a_refusal",
            ANSWERS(
                'return Unknown(f"HTTP {status} with a text that is not known: {words}")',
                'return Refused("bad_order", words)',
            ),
            ANSWERS(
                'return Unknown(f"HTTP {status} that is not the exchange\'s JSON: {_short(body)}")',
                'return Refused("bad_order", _short(body))',
            ),
            ANSWERS("if status not in _REFUSING_STATUSES:", "if False:"),
        ),
        rule(
            "rate_limited",
            "429 is a refusal with the exchange's own headers only.",
            "venue/test_answers:the_exchanges_own_limiter_refuses_and_anything_in_front_of_it_does_not",
            ANSWERS('if any(name.startswith("poly-ratelimit-") for name in headers):', "if True:"),
        ),
        rule(
            "duplicated_proves_nothing",
            "'Duplicated' says only that the id was seen.",
            "venue/test_gateway:the_same_bytes_twice_leave_one_order_and_prove_nothing",
            ANSWERS('return Unknown(f"HTTP {status}: {words}")', 'return Refused("bad_order", words)'),
        ),
        rule(
            "unknown_keeps_its_money",
            "What proves nothing is UNKNOWN: the intent stays EXECUTING and its money reserved.",
            "test_live_executor:no_answer_is_not_a_refusal",
            SENDING(
                'return OrderStatus.UNKNOWN, FOREIGN_ID if foreign else "unknown", reason',
                'return OrderStatus.REFUSED, "unknown", reason',
            ),
        ),
        rule(
            "unknown_close_alerts",
            "An order of unknown fate is an alarm in the log that names its kind, a close's as an opening's.",
            "test_live_executor:a_close_of_unknown_fate_raises_an_alarm",
            SENDING(
                "        if isinstance(outcome, Unknown):\n",
                "        if isinstance(outcome, Unknown) and record.intent.amount:\n",
            ),
        ),
        rule(
            "foreign_id_stops_everything",
            "An answer with another id than ours is UNKNOWN, ends all sends and trips RECONCILIATION.",
            "test_live_executor:an_answer_about_another_order_stops_everything "
            "venue/test_answers:an_answer_that_names_another_order_is_foreign",
            SENDING('self._stop("The exchange named another order than the one that was sent.")', "pass"),
            ANSWERS("    if foreign:\n", "    if False:\n"),
            SENDING(
                "            self._stores.switches.trip(\n                KillSwitchType.RECONCILIATION,",
                "            self._stores.switches.trip(\n                KillSwitchType.STALE_DATA,",
            ),
        ),
        rule(
            "signature_is_erased",
            "When the end of an order is proven its signed bytes are erased: they are a bearer instrument.",
            "contracts/test_orders:a_proven_end_frees_the_money_and_erases_the_signature",
            source("db/order_store.py")('        values["signed_order"] = None\n', "        pass\n"),
        ),
    ),
)
