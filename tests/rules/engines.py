"""Rules of the lease, of journal, anchor and restore, of storage and of secrets."""

from typing import Final

from tests.rules.rule import Chapter, rule, source

UNIT = source("db/unit.py")
ENGINES = source("db/engine_store.py")
LEASE = source("runtime/lease.py")
JOURNAL = source("db/journal.py")
ANCHOR = source("execution/anchor.py")
ADOPTING = source("db/adopting.py")
DATABASE = source("db/engine.py")
GATEWAY = source("venue/gateway.py")

ONE_ENGINE: Final = Chapter(
    "One engine",
    (
        rule(
            "fenced",
            "Every write of an engine compares the lease's token: one that was taken over from writes nothing more, "
            "however it was paused.",
            "contracts/test_races:the_engine_that_was_taken_over_from_writes_nothing_more "
            "test_standby:a_paused_engine_that_wakes_up_can_write_nothing "
            "contracts/test_intents:a_stale_lease_claims_nothing_and_touches_nothing",
            UNIT(
                'if row is None or row["released"] or not lease.token == row["token"] == current:',
                'if row is None or row["released"]:',
            ),
        ),
        rule(
            "the_token_grows",
            "The token only grows: with each takeover and each new start.",
            "contracts/test_engine:a_released_lease_is_given_with_a_larger_token",
            ENGINES("token = unit.token(role) + 1", "token = unit.token(role)"),
        ),
        rule(
            "takeover_after_silence",
            "A standby takes over when token and beat have not changed for the lease time by its own boot clock.",
            "test_standby:it_takes_over_after_the_whole_lease_time_of_silence "
            "test_standby:a_renewal_in_the_last_moment_keeps_the_lease",
            LEASE(
                "silent = seen if clock.boot_seconds() - since >= lease_seconds else None", "silent = seen"
            ),
            ENGINES('renewed = last_beat is not None and held["beat_at"] != last_beat', "renewed = False"),
        ),
        rule(
            "takeover_at_once",
            "It takes over at once when the holder's process is gone on the same boot of this machine.",
            "test_standby:a_holder_whose_process_is_gone_is_taken_over_at_once",
            LEASE("if isinstance(answer, LeaseInfo) and holder_is_gone(answer):", "if False:"),
        ),
        rule(
            "stops_itself",
            "The holder stops itself after half the lease time without a renewal.",
            "test_lease:half_the_lease_time_without_a_renewal_ends_it",
            LEASE("renewed > self.lease_seconds / 2:", "renewed > self.lease_seconds * 99:"),
        ),
        rule(
            "second_database",
            "A second database on the same wallet is warned of, on one machine.",
            "test_standby:a_second_database_on_the_wallet_is_warned_of",
            source("runtime/wallet_lock.py")(
                "            if other != self._database:\n", "            if False:\n"
            ),
        ),
    ),
)

HISTORY: Final = Chapter(
    "Journal, anchor, restore",
    (
        rule(
            "with_the_change",
            "Every change of state writes who, when, from and to into the journal, in the same transaction.",
            "contracts/test_intents:every_step_is_in_the_journal_with_actor_from_and_to",
            source("db/moves.py")(
                "    unit.note(_KINDS[status], present.id, {**entry, **(note or {})}, actor=actor)\n", ""
            ),
        ),
        rule(
            "chained",
            "Entries are numbered without a gap, in the order of their commits, each with the hash of the one before.",
            "contracts/test_engine:whoever_gets_past_the_triggers_is_found_out "
            "contracts/test_engine:the_chain_is_verified "
            "contracts/test_races:the_journal_has_no_gap_and_no_fork_after_a_crowd",
            JOURNAL(
                'return "" if entry_hash(scope, entry) == entry.hash else "its content was altered"',
                'return ""',
            ),
            JOURNAL("entry = JournalEntry(head.sequence + 1,", "entry = JournalEntry(head.sequence + 2,"),
        ),
        rule(
            "audited",
            "`audit verify` recomputes digests, replays every move against the tables and compares the head.",
            "contracts/test_audit:what_somebody_else_did_is_found "
            "contracts/test_audit:a_move_that_is_not_legal_is_found_even_where_the_chain_holds",
            source("db/audit.py")("    findings += _intents(connection, scope, told)\n", ""),
            source("db/audit.py")('"" if after in moves[before] else', '"" if True else'),
        ),
        rule(
            "restored_is_known",
            "A database behind its anchor, another one, another server, or one that went on differently is restored: "
            "live refuses to start.",
            "test_anchor:a_database_behind_its_anchor_was_restored "
            "test_anchor:a_restored_database_that_went_on_differently_is_known_too "
            "test_anchor:another_database_is_not_the_one_that_traded_last "
            "test_anchor:a_server_or_timeline_that_changed_is_a_restore "
            "test_anchor:live_decisions_without_an_anchor_came_from_elsewhere "
            "test_anchor:an_anchor_that_cannot_be_read_is_no_permission",
            (
                ANCHOR("if here.sequence < last.sequence:", "if False:"),
                ANCHOR("if _hash_at(stores, last) != last.head:", "if False:"),
            ),
            ANCHOR("if _hash_at(stores, last) != last.head:", "if False:"),
            ANCHOR("if last.database_id != here.database_id:", "if False:"),
            ANCHOR("if last.server != here.server:", "if False:"),
            ANCHOR(" if known else None", " if False else None"),
            ANCHOR('return Restored("The anchor beside it cannot be read.")', "return None"),
        ),
        rule(
            "adopted",
            "Taking it over expires what waited, revokes standing approvals, trips every switch, raises the token "
            "above the anchor's, and looks up every identity that its intents could have.",
            "contracts/test_adopting:found_and_doubtful_become_unknown_and_the_rest_expires "
            "contracts/test_standing:a_restored_database_has_none_in_force "
            "test_anchor:taking_over_trips_every_switch_raises_tokens_and_makes_a_new_database_of_it "
            "test_anchor:what_was_executed_after_the_backup_is_found_and_not_executed_again",
            ADOPTING("expired = _expire(unit, actor)", "expired = ()"),
            ADOPTING('    revoke_all(unit, actor=actor, reason="the database was restored")\n', ""),
            ADOPTING("for switch in KillSwitchType:", "for switch in ():"),
            ADOPTING("max(unit.token(role), above_token) + 1", "unit.token(role)"),
            source("runtime/adopting.py")("        if _exists(gateway, order, record):", "        if False:"),
        ),
        rule(
            "a_person_adopts",
            "Only a person with a reason takes over, and not from under a running engine.",
            "contracts/test_adopting:only_a_person_with_a_reason_takes_over "
            "contracts/test_adopting:a_running_engine_is_not_pulled_from_under",
            ADOPTING("    _require_person(actor, reason)\n", ""),
            ADOPTING("    _require_no_engine(unit, gone)\n", ""),
        ),
        rule(
            "other_canonical_versions",
            "An intent whose text is of another version is not used.",
            "contracts/test_schema:an_intent_of_another_canonical_version_is_not_used",
            source("db/rows.py")('if content.get("version") != CANONICAL_VERSION:', "if False:"),
        ),
        rule(
            "no_migration_under_an_engine",
            "Nothing is migrated while an engine's lease lives.",
            "contracts/test_schema:nothing_is_migrated_under_a_running_engine",
            source("db/migrate.py")("    refuse_running(database, connection, before)\n", ""),
        ),
    ),
)

STORAGE: Final = Chapter(
    "Storage and secrets",
    (
        rule(
            "durable",
            "SQLite: WAL, `synchronous=FULL`, foreign keys; a write takes its lock before it reads.",
            "db/test_sqlite:every_connection_is_durable_and_strict db/test_sqlite:a_write_takes_its_lock_before_it_reads",
            DATABASE('"synchronous=FULL",', '"synchronous=NORMAL",'),
            DATABASE('connection.exec_driver_sql("BEGIN IMMEDIATE")', 'connection.exec_driver_sql("BEGIN")'),
        ),
        rule(
            "no_lock_for_ever",
            "PostgreSQL: a stopped process does not keep the kill switch's locks.",
            "contracts/test_postgres:every_session_has_its_limits",
            DATABASE("idle_in_transaction_session_timeout=1000", "idle_in_transaction_session_timeout=0"),
            DATABASE("lock_timeout=500", "lock_timeout=0"),
        ),
        rule(
            "no_key_to_cancel",
            "Cancelling and asking need no signing key; without credentials a command says so and names the website.",
            "venue/test_gateway:cancelling_and_asking_need_no_signing_key "
            "cli/test_cancel_all:without_credentials_it_names_the_website",
            GATEWAY(
                "        return self._api.cancel(order_ids)\n",
                "        self._signing_key()\n        return self._api.cancel(order_ids)\n",
            ),
        ),
        rule(
            "credentials_are_private",
            "Credentials lie in a file that only its owner reads.",
            "venue/test_credentials:a_file_that_others_can_read_is_refused",
            source("venue/credentials.py")("os.fstat(file.fileno()).st_mode & 0o077", "False"),
        ),
        rule(
            "nothing_secret_is_stored",
            "The owner's API key and the headers are added at the send and never stored.",
            "venue/test_gateway:no_secret_is_stored_logged_or_shown",
            GATEWAY("signed_order=_compact(signed).decode(),", "signed_order=body.decode(),"),
        ),
        rule(
            "resume_removes_the_file",
            "`resume` clears the switch and removes the HALT file, and needs a reason.",
            "cli/test_decisions:halt_works_and_resume_needs_a_reason",
            source("cli/halting.py")("    opened.halt_file.remove()\n", ""),
        ),
    ),
)
