"""Rules of fills, of what may still be spent or sold, and of bad input."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

BOOK = source("db/fill_book.py")
STORE = source("db/order_store.py")
RESERVE = source("db/reservations.py")
PURE = source("execution/reconciliation.py")
TRUTH = source("execution/order_truth.py")
INTAKE = source("execution/fill_intake.py")
PARSING = source("venue/trade_parsing.py")

FILLS: Final = Chapter(
    "Orders and fills",
    (
        rule(
            "keyed",
            "A fill is keyed by trade, bucket and order: hearing it again changes nothing, and two buckets are two.",
            "contracts/test_orders:buckets_of_one_trade_are_fills_of_their_own "
            "contracts/test_orders:seeing_a_fill_again_changes_nothing",
            BOOK(
                "return fill.trade_id, fill.bucket_index, fill.order_id\n",
                "return fill.trade_id, 0, fill.order_id\n",
            ),
        ),
        rule(
            "forward_only",
            "It moves forward only: MATCHED, MINED, CONFIRMED, or RETRYING, or FAILED.",
            "contracts/test_orders:a_fill_never_moves_back",
            BOOK("return fill.status in FILL_TRANSITIONS[before.status]", "return True"),
        ),
        rule(
            "failed_takes_back",
            "FAILED takes the fill back and reserves its money again.",
            "contracts/test_orders:a_failed_trade_takes_its_fill_back_and_its_money_is_reserved_again "
            "test_reconciliation:a_trade_that_fails_on_chain_takes_its_fill_back",
            BOOK(
                "counted = [fill for fill in of if fill.status is not FillStatus.FAILED]",
                "counted = list(of)",
            ),
        ),
        rule(
            "failed_then_confirmed",
            "FAILED and then CONFIRMED is a contradiction: RECONCILIATION trips.",
            "contracts/test_orders:failed_then_confirmed_is_a_contradiction_and_changes_nothing "
            "test_reconciliation:a_trade_that_had_failed_and_is_confirmed_halts_trading",
            BOOK(
                "if before.status is FillStatus.FAILED and fill.status is FillStatus.CONFIRMED:", "if False:"
            ),
        ),
        rule(
            "content_of_a_fill",
            "Price, shares and role of a fill never change.",
            "contracts/test_orders:a_fill_whose_content_changed_is_a_contradiction",
            BOOK(
                "if (before.price, before.shares, before.role) != (fill.price, fill.shares, fill.role):",
                "if False:",
            ),
        ),
        rule(
            "polled_until_final",
            "A fill that is not final is read by id until it is, also after its order has ended.",
            "contracts/test_orders:watched_is_what_has_no_proven_end_or_a_fill_that_is_not_final "
            "test_reconciliation:an_order_cancelled_elsewhere_frees_its_money_and_keeps_its_fills "
            "test_fill_intake:what_reading_says_of_the_same_trade_goes_on_from_what_was_told "
            "test_absence:a_trade_that_failed_on_chain_is_taken_back_and_told_once "
            "test_reconciliation:a_fill_of_an_order_that_is_not_found_any_more_is_read_by_its_own_id",
            STORE(
                "or_(orders.c.status.in_(UNRESOLVED_ORDER), _UNSETTLED.exists())",
                "orders.c.status.in_(UNRESOLVED_ORDER)",
            ),
            TRUTH(
                "wanted = sorted((named | {fill.trade_id for fill in stored.values()}) - sure)",
                "wanted = sorted(named - sure)",
            ),
        ),
        rule(
            "sums_meet",
            "Where the fills do not sum up to what the exchange says was matched, it is told.",
            "test_reconciliation:fills_that_sum_up_to_something_else_are_shown",
            PURE("if any(abs(total - seen.matched_shares) <= dust for total in sums):", "if True:"),
        ),
        rule(
            "ends_accept_fills",
            "CANCELLED, FILLED and EXPIRED still accept a fill.",
            "contracts/test_orders:a_cancelled_order_still_accepts_a_fill",
            STORE(
                "    sums = record(unit, order, new)\n",
                "    sums = None if order.status in TERMINAL_ORDER else record(unit, order, new)\n",
            ),
        ),
        rule(
            "a_fill_proves_acceptance",
            "A fill proves that the exchange took the order, whatever was believed before.",
            "contracts/test_orders:a_fill_proves_that_an_order_was_accepted",
            STORE("if sums.shares > ZERO and order.status in MOVED_BY_A_FILL:", "if False:"),
        ),
        rule(
            "own_part_as_maker",
            "As maker only the entry with our order's id counts, with its asset, side, price and size, and no fee.",
            "venue/test_gateway:as_maker_only_our_own_part_of_a_trade_counts "
            "venue/test_account_parsing:as_maker_the_assets_side_price_and_size_are_our_entrys",
            PARSING("            shares=maker.shares,\n            fee", "            fee"),
            PARSING("            asset_id=maker.asset_id,\n            side=maker.side,\n", ""),
        ),
        rule(
            "taker_and_maker",
            "Our taker and our maker in one trade are two fills.",
            "venue/test_user_stream:our_taker_and_our_maker_in_one_trade_are_two_fills",
            source("venue/user_stream.py")(
                "(trade.taker_order_id, *(one.order_id for one in trade.makers))", "(trade.taker_order_id,)"
            ),
        ),
        rule(
            "bounds",
            "A taker BUY is bounded by money, more shares are a gift; a SELL and a resting order by shares. More than "
            "was signed is an alarm.",
            "test_reconciliation:more_than_was_signed_is_an_alarm_and_a_better_price_is_a_gift "
            "test_absence:more_collateral_than_signed_halts_and_is_told_with_both_numbers",
            PURE("if spent > order.amount + E6:", "if False:"),
            PURE("elif traded > order.shares + E6:", "elif False:"),
            PURE("if order.amount is not None and order.side is Side.BUY:", "if False:"),
        ),
        rule(
            "open_takers",
            "A FAK that is answered live or delayed is an open order: reserved, polled, cancelled.",
            "test_live_executor:an_order_that_the_exchange_holds_keeps_its_money_reserved",
            RESERVE(
                "    if order.status in TERMINAL_ORDER:\n        return NOTHING",
                "    if order.status in TERMINAL_ORDER or order.order_type.takes:\n        return NOTHING",
            ),
        ),
        rule(
            "sold_until_final",
            "Sold shares stay reserved until the sale is final; closable is what is confirmed and free.",
            "contracts/test_orders:sold_shares_stay_reserved_until_the_sale_is_final",
            RESERVE("Shares(unsold + order.provisional_shares)", "Shares(unsold)"),
        ),
        rule(
            "delayed_says_so",
            "A DELAYED order cannot be cancelled, and that is said.",
            "cli/test_cancel_all:a_delayed_order_cannot_be_cancelled_and_says_so",
            source("cli/orders_cancel.py")(
                "    if order.status is OrderStatus.DELAYED:\n", "    if False:\n"
            ),
        ),
        rule(
            "halted_takes_back",
            "HALTED cancels our identities that may be alive by id, again and again until they are proven dead.",
            "test_absence:halted_an_open_order_is_taken_back "
            "test_absence:halted_an_unknown_identity_is_cancelled_again_and_again_until_it_is_proven_dead",
            source("execution/reconciler.py")(
                "if not self._cancel_on_halt or not self._halted():", "if True:"
            ),
            source("execution/cancelling.py")(
                "(OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.LIVE, OrderStatus.VANISHED)",
                "(OrderStatus.LIVE,)",
            ),
        ),
        rule(
            "taken_back_as_approved",
            "The engine cancels a resting purchase by itself for what was approved with it, and for nothing "
            "else but a halt; its money stays reserved until its end is known.",
            "test_withdrawing:nobody_is_asked_and_no_other_order_is_touched "
            "test_withdrawing:while_the_exchange_does_not_answer_it_is_asked_again_and_the_money_stays_reserved",
            source("runtime/withdrawing.py")(
                "        if intent.taken_back is None:\n            return False",
                "        if intent.taken_back is None:\n            self.cancel(order.id, '')",
            ),
            source("runtime/withdrawing.py")(
                "except VenueUnreachableError as error:  # the next look asks again",
                "except ArithmeticError as error:",
            ),
        ),
        rule(
            "fee_charged",
            "A fee that was charged otherwise than predicted is told.",
            "test_fee_check:a_fee_that_is_higher_than_predicted_is_told_once",
            source("execution/fee_check.py")(
                "if abs(found.charged - found.predicted) <= TOLERANCE_PUSD:", "if True:"
            ),
        ),
    ),
)

SOCKET: Final = Chapter(
    "The account's socket",
    (
        rule(
            "an_end_is_read",
            "An end is never taken from the socket: it is read by id before it is believed.",
            "test_fill_intake:a_confirmation_is_read_before_it_is_believed "
            "test_fill_intake:a_failure_is_read_before_it_takes_a_fill_back "
            "test_fill_intake:a_failure_of_what_was_never_told_stores_nothing",
            INTAKE(
                "return replace(fill, status=FillStatus.MATCHED) if fill.status in FINAL_FILL else fill",
                "return fill",
            ),
            INTAKE("if fill.status is not FillStatus.FAILED:", "if True:"),
        ),
        rule(
            "waits_for_the_answer",
            "Fills of an order that is being sent wait for its answer.",
            "test_fill_intake:fills_of_an_order_that_is_being_sent_wait_for_its_answer",
            INTAKE("if order.intent_id in self.in_flight:", "if False:"),
        ),
        rule(
            "a_gap_is_read",
            "Every gap of the socket is followed by a comparison over HTTP.",
            "test_user_feed:a_gap_has_everything_compared_anew "
            "test_user_feed:what_happened_while_the_socket_was_cut_is_read_after_it_opened_again "
            "venue/test_user_stream:a_lost_connection_is_a_gap_and_so_is_the_opening_of_the_next",
            source("runtime/user_feed.py")("self._agreement.compare()  # it asks", "pass  # it asks"),
        ),
    ),
)

BAD_INPUT: Final = Chapter(
    "Bad input is recorded and alerted, and never applied silently",
    (
        rule(
            "absurd_fills",
            "Fills of another order, market, asset or side, of no or negative size, or at a price outside (0, 1) are "
            "refused and halt trading.",
            "test_absence:a_fill_that_cannot_be_is_recorded_and_halts_and_is_not_applied "
            "test_fill_intake:what_can_not_be_is_recorded_and_asked_about_and_never_applied",
            PURE(
                "absurd = next(filter(None, (absurd_fill(order, fill) for fill in new)), None)",
                "absurd = None",
            ),
        ),
        rule(
            "absurd_orders",
            "An order that is shown with absurd numbers, or under other content than ours, halts trading.",
            "test_absence:an_order_shown_with_absurd_numbers_halts",
            PURE("if seen.matched_shares < ZERO or not ZERO < seen.price < 1:", "if False:"),
        ),
        rule(
            "beyond_what_was_signed",
            "A fill that would take an order beyond what was signed is refused from either source.",
            "test_reconciliation:a_trade_read_far_too_large_is_never_in_our_books "
            "test_fill_intake:together_fills_may_not_be_more_than_was_signed",
            PURE("    return beyond_signed(order, traded, spent)\n", "    return None\n"),
        ),
        rule(
            "fills_of_unknown_orders",
            "A fill of an order that nobody here knows is journalled once and applied nowhere.",
            "test_fill_intake:a_fill_of_an_unknown_order_is_journalled_once_and_applied_nowhere",
            INTAKE("            self.foreign(fill.trade_id, fill.condition_id)\n", ""),
        ),
        rule(
            "answers_about_others",
            "An answer about another order than the one that was asked about is not believed.",
            "venue/test_gateway:an_answer_about_another_order_is_not_believed",
            source("venue/gateway.py")("    if order.order_id != order_id:\n", "    if False:\n"),
        ),
        rule(
            "allowance",
            "A missing allowance is refused by name: token, spender and what to do.",
            "test_allowance:it_names_token_spender_and_what_to_do test_allowance:what_was_not_read_does_not_pass",
            source("models/money_controls.py")("    if known.pusd >= trade.max_cost:\n", "    if True:\n"),
            source("models/money_controls.py")(
                '    if known is None or known.pusd is None:\n        return unknown("The allowance of pUSD is")\n',
                '    if known is None or known.pusd is None:\n        return Verdict(True, "-")\n',
            ),
        ),
    ),
)
