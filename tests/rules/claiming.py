"""Rules of what is paid out: results, claims and the money that the chain says came."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

STORE = source("db/claim_store.py")
PERMITTED = source("db/claim_permission.py")
CLAIMER = source("execution/settlement/claimer.py")
CHECKING = source("execution/settlement/checking.py")
FOLLOWING = source("execution/settlement/following.py")
REPLACING = source("execution/settlement/replacing.py")
RECHECKING = source("execution/settlement/rechecking.py")
RECEIPTS = source("venue/claims_receipts.py")
SETTLING = source("runtime/settling.py")

CLAIMS: Final = Chapter(
    "Results and claims",
    (
        rule(
            "only_a_result_is_a_result",
            "Money is claimed, and a loss is closed, on the chain's result alone: not on a proposal, a dispute or a "
            "price of one.",
            "test_settling:nothing_but_a_result_is_a_result test_settling:a_proposal_cannot_even_carry_payouts "
            "test_claim_costs:neither_a_proposal_nor_a_result_releases_anything",
            source("data/resolution.py")(
                '            raise ValueError(f"{self.condition_id} is',
                '            ValueError(f"{self.condition_id} is',
            ),
        ),
        rule(
            "waits_for_what_is_on_its_way",
            "While an order or a fill of ours in that market is not settled, nothing of it is closed or claimed.",
            "test_settling:what_is_still_on_its_way_is_waited_for",
            SETTLING("        if name in busy:\n", "        if False:\n"),
        ),
        rule(
            "lost_once",
            "What lost is closed in the books once, without a transaction.",
            "test_settling:lost_is_closed_in_the_books_once_and_nothing_is_proposed "
            "test_claim_costs:what_is_lost_is_settled_at_the_resolution_without_a_transaction",
            SETTLING("        if lost(position, market, resolution):", "        if False:"),
        ),
        rule(
            "a_dispute_freezes_its_event",
            "A dispute freezes openings on its event until there is a result; an answer that does not come thaws "
            "nothing.",
            "test_settling:freezes_openings_on_the_event test_settling:an_answer_that_does_not_come_thaws_nothing",
            SETTLING(
                "EventId(each) for each in frozen_events(", "EventId(each) for each in [] and frozen_events("
            ),
        ),
        rule(
            "a_claim_is_approved",
            "Only an approved claim is signed, in its time, and not while everything is halted.",
            "contracts/test_claims:what_nobody_approved_is_not_sent "
            "contracts/test_claims:another_kind_of_intent_is_not contracts/test_claims:not_after_its_time "
            "contracts/test_claims:not_while_everything_is_halted",
            PERMITTED("    if record.status is not IntentStatus.EXECUTING:\n", "    if False:\n"),
            PERMITTED(
                "    if intent.intent_type is not IntentType.CLAIM_SETTLEMENT or intent.regime is not Regime.LIVE:\n",
                "    if False:\n",
            ),
            PERMITTED("    if in_time and (", "    if False and ("),
            PERMITTED("    return halted(unit, intent)\n", "    return None\n"),
        ),
        rule(
            "the_payout_that_was_approved",
            "What would pay another amount than was approved, of another wallet, or what the chain would refuse, is "
            "not signed.",
            "test_claimer:another_payout_than_approved test_claimer:what_the_chain_would_refuse "
            "test_claimer:another_wallet",
            (
                CHECKING("    if expected != told.expected:\n", "    if False:\n"),
                CHECKING("    if simulation.pays != call.expected:\n", "    if False:\n"),
            ),
            CHECKING("    if simulation.pays is None:\n", "    if False:\n"),
            CLAIMER(
                "if (judged.terms.wallet, judged.terms.route) != (self._parts.wallet, self._parts.route):",
                "if False:",
            ),
        ),
        rule(
            "stored_before_it_leaves",
            "Nonce, deadline and bytes are stored, and the anchor knows of them, before a byte leaves; where that "
            "cannot be written nothing leaves.",
            "contracts/test_claims:it_is_stored_before_it_is_sent "
            "test_claim_evidence:it_knows_of_a_claim_before_a_byte_of_it_leaves "
            "test_claim_evidence:nothing_leaves_where_it_cannot_be_written",
            CLAIMER(
                "        stored = stores.claims.prepare(new, lease,",
                "        self._broadcast(signed)\n        stored = stores.claims.prepare(new, lease,",
            ),
            CLAIMER("        if unanchored:\n", "        if False:\n"),
        ),
        rule(
            "one_process_claims",
            "Only the process with the lease of claims moves one; another that took over stops the first.",
            "contracts/test_claims:the_engine_cannot_store_one "
            "contracts/test_claims:a_process_that_was_replaced_cannot "
            "contracts/test_claims:a_process_that_was_replaced_books_nothing",
            PERMITTED("    if lease.role != CLAIMS_ROLE:\n", "    if False:\n"),
            PERMITTED("    unit.require_lease(lease)\n", ""),
        ),
        rule(
            "one_transaction_at_a_time",
            "While a transaction of the wallet could still pay, no other is signed.",
            "contracts/test_claims:one_at_a_time "
            "contracts/test_claims:no_second_one_until_the_first_is_known_to_be_over",
            PERMITTED("        if row.status in OPEN_SEND and not replaces:\n", "        if False:\n"),
        ),
        rule(
            "no_new_signature_before_proof",
            "Nothing is signed anew until the nonce is used, or the deadline has passed by the chain's own clock.",
            "test_claimer:nothing_new_is_signed_before_the_deadline_has_passed_on_the_chain "
            "contracts/test_claims:after_proof_that_it_is_void_it_may_be_signed_anew",
            FOLLOWING(
                "        if head.at.timestamp() <= send.deadline + DEADLINE_MARGIN.total_seconds():\n",
                "        if False:\n",
            ),
        ),
        rule(
            "a_replacement_keeps_its_nonce",
            "A copy that pays more gas has the nonce and the members of what it replaces, so that one of both is mined.",
            "test_claimer:a_transaction_that_nobody_takes_is_paid_better "
            "contracts/test_claims:a_replacement_keeps_nonce_and_members "
            "contracts/test_claims:a_replacement_takes_nothing_along "
            "contracts/test_claims:of_one_nonce_the_others_are_void",
            REPLACING(
                "return chain.sign(call, send.nonce, raised)",
                "return chain.sign(call, send.nonce + 1, raised)",
            ),
            PERMITTED("            and members == set(send.members)\n        )\n", "        )\n"),
            STORE("        if same and other.id != send.id:\n", "        if False:\n"),
        ),
        rule(
            "halted_means_no_byte_more",
            "While trading is halted no further byte of a claim leaves, not even a second copy.",
            "test_claimer:nothing_while_halted test_claimer:halted_while_the_better_copy_is_signed_it_does_not_leave "
            "test_claim_evidence:while_the_halt_file_is_there_not_even_a_second_copy_leaves",
            FOLLOWING("        if self._parts.stopped():\n", "        if False:\n"),
            REPLACING("        if self._parts.stopped():\n", "        if False:\n"),
        ),
        rule(
            "paid_by_its_own_transaction",
            "A claim is EXECUTED by its own transaction only; what came by another is `already_paid`, and is no error.",
            "contracts/test_claims:its_own_payment_executes_it contracts/test_claims:somebody_elses_payment_does_not "
            "test_claimer:the_venue_is_faster_after_it_left "
            "test_settling:a_claim_whose_shares_were_paid_ends_without_an_error",
            STORE(
                "    paid = news.status is SendStatus.CONFIRMED\n",
                "    paid = news.status in (SendStatus.CONFIRMED, SendStatus.ALREADY_PAID)\n",
            ),
            FOLLOWING(
                "        if others:\n            self._already_paid(send, others, claims, receipt)\n            return\n",
                "",
            ),
            SETTLING("            if record.intent.condition_id not in ours:\n", "            if False:\n"),
        ),
        rule(
            "not_over_before_it_is_deep",
            "It is over when its block is deep enough, not when it is mined.",
            "test_claimer:it_is_not_over_before_it_is_deep_enough",
            FOLLOWING(
                "        if receipt.confirmations < self._parts.settings.confirmations:\n",
                "        if False:\n",
            ),
        ),
        rule(
            "money_is_the_chains_word",
            "Money is booked from the chain's events alone, each event of a transaction once, and what was not paid "
            "for shares of ours is none.",
            "contracts/test_claims:a_payment_counts_once contracts/test_claims:two_payments_of_one_transaction_are_two "
            "contracts/test_claims:what_was_paid_cannot_be_rewritten "
            "venue/test_claim_receipts:what_was_not_paid_for_our_shares_is_no_payout",
            STORE('return f"{payout.tx_hash.lower()}:{payout.log_index}"', "return payout.tx_hash.lower()"),
            STORE("        else:\n            continue\n        told = {", "        told = {"),
            RECEIPTS(':064x}") if ours else None', ':064x}")'),
        ),
        rule(
            "a_block_that_is_taken_back",
            "A payment whose block the chain takes back leaves the books, also after it was deep enough; then a "
            "person is told.",
            "test_claimer:a_block_that_is_taken_back "
            "contracts/test_claims:a_reorganisation_takes_it_back_and_may_bring_it_again "
            "test_claim_evidence:the_payment_leaves_the_books_a_person_is_told_and_it_is_looked_for",
            FOLLOWING("        self._take_back(send.tx_hash, send)\n", ""),
            RECHECKING(
                "        self._parts.stores.claims.take_back(tx_hash, self._parts.lease, detail=_GONE)\n", ""
            ),
            RECHECKING(
                "        if receipt is None:\n            self._alert(",
                "        if False:\n            self._alert(",
            ),
        ),
        rule(
            "a_batch_that_pays_together",
            "A batch is tried out as a whole; where its members would not pay together what they pay one by one, the "
            "first goes alone.",
            "test_claimer:a_batch_of_which_one_is_paid_meanwhile test_claimer:a_batch_that_would_not_pay_together_is_none",
            CLAIMER("ready if pays_together(ready, self._parts.chain) else ready[:1]", "ready"),
        ),
        rule(
            "what_nothing_explains_halts",
            "Where a claim brought other money than it should have, everything halts until a person has looked.",
            "test_claimer:money_that_nothing_explains_stops_everything",
            FOLLOWING("        if sentence:\n", "        if False:\n"),
        ),
    ),
)
