"""Rules of a replay: what it knows, when, who decides, what it costs, and what its result may say."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

BACKTESTS = source("runtime/replay/backtests.py")
FUNNEL = source("runtime/replay/funnel.py")
HAND = source("runtime/replay/hand.py")
LOOP = source("runtime/replay/loop.py")
PAST = source("runtime/replay/past_markets.py")
RUNNING = source("runtime/replay/running.py")
SETTINGS = source("runtime/replay/settings.py")
TIMELINE = source("runtime/replay/timeline.py")
WIRING = source("runtime/replay/wiring.py")
FEES = source("research/replay/fees_by_date.py")
HUMAN = source("research/replay/human.py")
OVERLAP = source("research/replay/overlap.py")
RECORDED = source("research/replay/recorder_tape.py")
REFITS = source("research/replay/refits.py")
VIEWS = source("research/replay/recorded_views.py")
_EARLY = "event.at_us <= to_us + 240_000_000:"

KNOWS: Final = Chapter(
    "What a replay knows",
    (
        rule(
            "nothing_before_its_instant",
            "Nothing of a history is known before its instant: whatever comes after it, what was decided by then stays "
            "the same bytes.",
            "test_replay:what_comes_after_an_instant_changes_nothing_before_it "
            "test_replay:the_end_is_not_known_before_it_comes",
            TIMELINE("event.at_us <= to_us:", _EARLY),
        ),
        rule(
            "views_from_when_they_were_known",
            "What others thought is heard from when it was made and had been read, whatever lets it through: the "
            "recording, the timeline and the filter of the market's views each hold it back.",
            "test_replay:a_view_is_heard_from_when_it_was_known_and_not_before "
            "test_replay:one_that_is_too_old_is_not_heard_any_more "
            "research/test_more_tapes:what_others_thought_is_told_at_the_instant_from_which_it_was_known",
            (
                TIMELINE("event.at_us <= to_us:", _EARLY),
                PAST(
                    "if view.known_at <= now and view.observed_at >= oldest", "if view.observed_at >= oldest"
                ),
            ),
            PAST("if view.known_at <= now and view.observed_at >= oldest", "if view.known_at <= now"),
            VIEWS("yield ViewTold(known_us, view)", "yield ViewTold(observed_us, view)"),
        ),
        rule(
            "where_nobody_looked",
            "Where the recording stopped, no book is known until it is shown again, and nothing is traded.",
            "research/test_more_tapes:where_the_recording_stopped_every_book_is_lost_until_it_is_shown_again "
            "research/test_more_tapes:a_book_that_nobody_looks_at_any_more_is_lost "
            "test_replay:a_book_that_nobody_looks_at_any_more_is_not_traded",
            RECORDED("if last_us is not None and item.at_us - last_us > _SILENCE_US:", "if False:"),
            RECORDED("            yield from (BookLost(item.at_us, asset) for asset in gone)\n", ""),
            TIMELINE(
                "            self._books.pop(event.asset, None)\n        elif",
                "            pass\n        elif",
            ),
        ),
        rule(
            "no_model_of_the_same_days",
            "A model that was fitted on days that are replayed is refused; weights that were earned on them count for "
            "nothing, and that is said.",
            "test_replay_choices:a_model_that_has_learnt_from_what_is_replayed_is_refused "
            "test_replay_choices:what_was_earned_later_counts_for_nothing_and_that_is_said",
            OVERLAP("    if data.until > since:\n        raise", "    if False:\n        raise"),
            OVERLAP("    elif data.until > since:\n", "    elif False:\n"),
            OVERLAP("    if data is None:\n        known", "    if False:\n        known"),
        ),
        rule(
            "the_model_of_its_month",
            "The model of a month was fitted, and licensed, on what had ended by then: what ended later changes nothing "
            "of it.",
            "research/test_refits:what_ended_later_changes_nothing_of_it "
            "research/test_refits:before_the_price_was_beaten_the_price_is_right "
            "research/test_refits:a_month_has_one_model_and_the_next_another",
            REFITS("standings(self._forecasts, start,", "standings(self._forecasts, 2 * start,"),
            REFITS("(rows.known_us < start - EMBARGO_US) &", "(rows.known_us < 2 * start) &"),
        ),
    ),
)

DECIDES: Final = Chapter(
    "What a replay does",
    (
        rule(
            "as_the_paper_run",
            "A recorded paper run replays to the same intents, every field of them, the same fills and the same cash.",
            "test_paper_replayed:a_paper_run_replays_to_the_same_intents_the_same_fills_and_the_same_cash",
            WIRING("        propose_exits=proposals.exits.propose,\n", ""),
            RECORDED(
                "until = min(until, self.about.ends)", "until = min(until, self.about.ends) - _DAY / 24"
            ),
        ),
        rule(
            "every_stage_is_replayed",
            "A stage that is added to the engine's cycle is replayed, or named as one that is not.",
            "test_replay:a_stage_of_the_cycle_is_replayed_or_named_here",
            WIRING("            watch_switches=switches.look,\n", ""),
        ),
        rule(
            "in_the_persons_time",
            "A decision is carried out when the person gives it, between the cycles as well, and the order meets the "
            "book of its arrival.",
            "test_replay:an_order_meets_the_book_of_its_arrival_and_not_that_of_the_decision "
            "test_replay:what_moved_away_while_the_person_thought_is_not_bought",
            HAND("due_us = asked_us + round(word.after_seconds * _MILLION)", "due_us = asked_us"),
            LOOP(
                "return self._tick_us if word is None else min(word, self._tick_us)", "return self._tick_us"
            ),
        ),
        rule(
            "each_word_by_itself",
            "What the person does with one proposal depends on the seed, its asset and its instant, and on no other.",
            "test_replay:the_same_seed_gives_the_same_bytes_and_another_seed_others "
            "research/test_human:what_he_says_to_one_proposal_does_not_depend_on_any_other "
            "research/test_human:he_approves_and_rejects_as_often_as_was_said",
            HUMAN('f"{seed}|{asset}|{asked_us}|{what}"', 'f"{asset}|{asked_us}|{what}"'),
            HUMAN('f"{seed}|{asset}|{asked_us}|{what}"', 'f"{seed}|{what}"'),
        ),
        rule(
            "nothing_in_the_last_instant",
            "In its last instant nothing is proposed that nobody could decide any more; what is held is worth the prices "
            "of then.",
            "test_replay:in_the_last_instant_nothing_is_begun_and_what_is_held_is_worth_what_it_shows",
            LOOP(
                "while (due_us := self._next_us()) < self.until_us:",
                "while (due_us := self._next_us()) <= self.until_us:",
            ),
            LOOP("            self.engine.watch.read_books()\n", "            pass\n"),
        ),
        rule(
            "limits_and_switches_are_the_engines",
            "Limits and kill switches are the engine's own, and what trips stays tripped.",
            "test_replay:the_prompts_of_an_hour_hold "
            "test_replay:a_loss_trips_the_drawdown_and_nothing_is_opened_any_more",
            WIRING("            watch_switches=switches.look,\n", ""),
            WIRING("            refresh_books=books.refresh,\n", ""),
        ),
        rule(
            "rests_until_its_end",
            "An order that rests is filled by what trades through it after it came to rest, and is taken back by nothing "
            "but what was approved, a halt or an end.",
            "test_replay:it_is_filled_by_what_trades_through_it_and_pays_no_fee "
            "test_replay:what_traded_before_it_rested_does_not_fill_it "
            "test_replay:it_rests_as_long_as_was_approved_and_nothing_else_takes_it_back",
            WIRING("    past.timeline.heard = partial(_heard, paper)\n", ""),
            source("execution/paper_account.py")(
                "if self.cancel_on_halt and self._halted():", "if self.cancel_on_halt:"
            ),
        ),
        rule(
            "money_is_locked_until_it_is_paid",
            "What a market that is over pays comes when it is paid and not before; until then nothing of it trades.",
            "test_replay:money_is_locked_until_it_is_paid "
            "test_replay:a_market_that_is_over_is_not_proposed_although_its_money_is_not_paid "
            "test_replay:what_is_due_after_the_end_of_the_history_is_paid_and_nothing_else_is_done "
            "research/test_tapes:money_is_locked_until_the_challenge_period_is_over",
            PAST("if found is not None and found[1].paid_us <= self.clock.now_us", "if found is not None"),
            source("research/replay/assumptions.py")("return resolved_us + wait", "return resolved_us"),
            TIMELINE("            self._books.pop(outcome.asset_id, None)\n", "            pass\n"),
            LOOP(
                "for paid_us in [self.clock.now_us, *self._unpaid()]:", "for paid_us in [self.clock.now_us]:"
            ),
        ),
        rule(
            "what_it_pays",
            "The winner pays one, the loser nothing, and a void half a pUSD for each share.",
            "test_replay:a_void_pays_half test_replay:what_lost_pays_nothing "
            "research/test_tapes:a_void_pays_half_to_both",
            PAST("end.pays_e6[0 if first else 1]", "end.pays_e6[1 if first else 0]"),
            PAST(
                "return Price(from_e6(end.pays_e6[0 if first else 1]))",
                "return Price(from_e6(end.pays_e6[0 if first else 1] * 2))",
            ),
        ),
        rule(
            "taken_is_gone",
            "What an order took from a book is not there again while nobody refills it.",
            "test_replay:what_was_taken_is_not_there_again",
            source("execution/paper_exchange.py")(
                "            self._taken = taken\n        return self._taken\n",
                "            self._taken = taken\n        return Taken()\n",
            ),
        ),
        rule(
            "fees_of_the_day",
            "Where a history tells no fee, it is that of the market's category on that day; where that is not known, "
            "the dearest that could apply.",
            "research/test_fees_by_date:the_fee_is_that_of_the_category_on_that_day "
            "research/test_fees_by_date:an_unknown_category_pays_the_dearest_of_the_day "
            "research/test_fees_by_date:after_the_last_day_that_was_read_a_category_pays_its_dearest "
            "research/test_fees_by_date:a_fee_for_new_markets_leaves_older_ones_alone",
            FEES("        and change.since <= at\n", ""),
            FEES(
                "return max((_of_one(each, at, opened) for each in asked), key=_peak)",
                "return min((_of_one(each, at, opened) for each in asked), key=_peak)",
            ),
            FEES("    if at >= KNOWN_UNTIL:\n", "    if False:\n"),
            FEES("change.new_markets_only and opened is not None and opened < change.since", "False"),
        ),
        rule(
            "nothing_real",
            "A replay is on paper in a database of its own: no setting, key or socket makes it anything else.",
            "test_replay:what_would_make_it_real_cannot_be_set "
            "test_replay:its_orders_are_of_paper_and_carry_no_signature "
            "test_replay:a_replay_reads_no_key_and_opens_no_socket",
            SETTINGS(
                'if name in ("mode", "dry_run", "database_url") or name.startswith', "if name.startswith"
            ),
        ),
    ),
)

SAYS: Final = Chapter(
    "What the result of a replay says",
    (
        rule(
            "the_same_again",
            "The same replay writes the same bytes under the same id, and a run that finds its id there says whether it "
            "was; a setting, an assumption or another past to learn from is another id.",
            "test_replay:a_run_that_is_made_again_says_whether_it_is_the_same "
            "cli/test_backtest:another_setting_is_another_run_and_another_trial "
            "cli/test_backtest_look:a_replay_with_other_assumptions_is_another_run "
            "cli/test_backtest_walk_forward:another_past_to_learn_from_is_another_run",
            RUNNING(
                "same = (target / DECISIONS).read_bytes() == (scratch / DECISIONS).read_bytes()",
                "same = True",
            ),
            RUNNING(
                '            "settings": deciding(self.settings),\n            "files"', '            "files"'
            ),
            RUNNING('            "assume": dict(self.request.assume),\n', ""),
            (
                RUNNING(
                    '        found.append(("walk_forward", None if learnt_from is None else Path(learnt_from)))\n',
                    "",
                ),
                REFITS('return sha256_hex(" ".join(self._parts()))[:10]', 'return ""'),
            ),
        ),
        rule(
            "as_good_as_its_worst_fill",
            "A result has the grade of the worst book that it was filled from; without a fill, of the history's worst.",
            "test_replay:the_grade_is_the_worst_of_what_was_filled_and_the_historys_is_told_too "
            "test_replay:one_fill_at_prices_alone_makes_it_a_d test_replay:without_a_fill_it_is_the_historys_worst",
            RUNNING("max((grade or worst for grade in loop.grades), default=worst)", "worst"),
            RUNNING(
                "max((grade or worst for grade in loop.grades), default=worst)",
                "min((grade or worst for grade in loop.grades), default='A')",
            ),
        ),
        rule(
            "every_decision_ends_somewhere",
            "Every decision is counted once: worth proposing, too little edge, or passed over for a reason.",
            "test_replay:every_decision_ends_somewhere_and_they_add_up "
            "test_replay:a_reason_in_many_wordings_is_one_reason "
            "test_replay:the_nearest_misses_are_told_with_what_they_lacked",
            FUNNEL("self.worth += len(openings.proposals)", "self.worth = len(openings.proposals)"),
            FUNNEL("self.missed += openings.missed", "self.missed = openings.missed"),
            FUNNEL("self._left_out.update(universe.counts())", "self._left_out = Counter(universe.counts())"),
            FUNNEL('"count": wordings.total(),', '"count": len(wordings),'),
            FUNNEL("if before is None or _short(miss) < _short(before):", "if before is None:"),
        ),
        rule(
            "trouble_is_told",
            "A stage that fails is told with the result; an order that cannot be carried out ends the replay, and "
            "nothing is left behind.",
            "test_replay:a_stage_that_fails_is_told_with_the_result "
            "test_replay:an_order_that_cannot_be_carried_out_ends_the_replay "
            "test_replay:a_run_that_fails_leaves_nothing_behind",
            LOOP('            self.failed[f"{stage}: {why}"] += 1\n', "            pass\n"),
            LOOP("        if self.engine.crashes.errors:\n", "        if False:\n"),
            RUNNING(
                "    except BaseException:\n        shutil.rmtree(scratch, ignore_errors=True)\n",
                "    except BaseException:\n",
            ),
        ),
        rule(
            "a_sweep_is_whole_or_not_begun",
            "A setting that cannot be used in one run of a sweep is found before any of them runs.",
            "cli/test_backtest:a_sweep_with_one_impossible_value_is_refused_before_anything_runs",
            BACKTESTS(
                "            replay_settings(self.flags, request.settings)\n        if jobs",
                "            pass\n        if jobs",
            ),
        ),
        rule(
            "the_parts_sum",
            "The parts of a result sum to it: in the report, by fate with the closes in a row, and where two runs are "
            "compared.",
            "research/analytics/test_attribution:the_parts_sum_to_the_net_result_of_the_books_to_the_last_digit "
            "research/analytics/test_reading:the_table_by_fate_has_the_closes_and_sums_to_the_net_result "
            "cli/test_backtest_report:the_parts_that_a_comparison_shows_sum_to_its_net_result "
            "research/analytics/test_comparing:the_gaps_add_up_to_the_difference_of_the_two_results",
            source("research/analytics/attribution.py")("        fee=-fill.fee,\n    )\n", "    )\n"),
            source("research/analytics/money_words.py")('    ("fee", "fees"),\n', ""),
            source("research/analytics/analysis.py")(
                'rows = [fate_row("closes", closes)] if closes else []', "rows: list[FateRow] = []"
            ),
            source("research/analytics/tables.py")("if by is not By.FATE or not made.beside:", "if True:"),
            source("research/analytics/line_by_line.py")(
                "return Pusd((made[1] or ZERO) - (made[0] or ZERO))", "return Pusd(made[1] or ZERO)"
            ),
        ),
    ),
)
