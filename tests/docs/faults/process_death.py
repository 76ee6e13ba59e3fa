"""The process dies: killed, stopped, frozen, starved of memory or of power."""

from tests.docs.faults.catalogue import Fault, FaultSection

PROCESS_DEATH = FaultSection(
    "The process dies",
    (
        Fault(
            "F01",
            "Killed before an intent is on record.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/crash/test_killed_record.py::test_all_that_was_acknowledged_outlives_a_kill_i52_i55_i59_i63_i66",
                "tests/store/test_ledger_faults.py::test_what_was_not_committed_is_gone_and_was_never_shown_i52",
                "tests/engine/test_crashes.py::test_a_process_killed_again_and_again_sends_nothing_twice_and_its_books_agree_i14_i16_i17_i38",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F02",
            "Killed when the intent is on record and its attempt is not.",
            tests=(
                "tests/store/test_ledger_faults.py::test_kill_9_at_any_statement_leaves_intent_with_attempt_or_neither_i14_i52",
                "tests/engine/test_unknown_outcomes.py::test_an_approval_that_waited_for_more_than_30_s_is_not_sent_and_frees_its_budget_i14_i33",
            ),
            proof=("ProcessKilled",),
            not_tested=(
                "Intent and attempt are one commit, so there is no such state; what is "
                "shown is that one is never without the other."
            ),
        ),
        Fault(
            "F03",
            "Killed when the attempt is on record and no byte was sent.",
            tests=(
                "tests/crash/test_killed_trading.py::test_an_order_that_never_left_is_given_up_and_one_that_did_is_found_i14_i19",
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/engine/test_unknown_outcomes.py::test_an_order_on_record_that_was_never_sent_is_not_sent_by_the_next_process_i14_i17_i74",
                "tests/crash/test_killed_live.py::test_what_queues_before_a_gateway_that_is_stuck_when_the_process_dies_is_never_sent_i74",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F04",
            "Killed in the middle of the bytes of a request.",
            tests=(
                "tests/crash/test_killed_venue.py::test_killed_at_random_venue_and_client_agree_on_every_order_i13_i15_i20_i23_i60_i61",
                "tests/crash/test_killed_venue.py::test_killed_again_and_again_venue_and_client_agree_i13_i15_i20_i23_i60_i61",
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
                "tests/venues/alpaca/test_request_heads.py::test_an_order_goes_out_in_one_piece",
            ),
            proof=("ProcessKilled",),
            not_tested=(
                "The instants are random, not at a byte that was chosen: a request is one "
                "write to the socket."
            ),
        ),
        Fault(
            "F05",
            "Killed when a request is out and its answer is not there.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/crash/test_killed_trading.py::test_an_order_that_never_left_is_given_up_and_one_that_did_is_found_i14_i19",
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_was_not_answered_when_the_process_died_is_looked_up_by_the_next_i14_i19",
                "tests/crash/test_killed_venue.py::test_killed_at_random_venue_and_client_agree_on_every_order_i13_i15_i20_i23_i60_i61",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F06",
            "Killed when the answer was read and is not on record.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/engine/test_unknown_outcomes.py::test_a_search_that_a_crash_cut_short_goes_on_in_the_next_process_i19_i59",
                "tests/crash/test_killed_venue.py::test_killed_again_and_again_venue_and_client_agree_i13_i15_i20_i23_i60_i61",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F07",
            "Killed when the outcome is on record and nobody was told.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F08",
            "Killed when a fill was heard and is not on record.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/store/test_taking_up.py::test_a_whole_life_is_taken_up_as_if_it_had_been_reported_i60",
                "tests/crash/test_killed_desk.py::test_a_desk_that_is_killed_at_any_instant_goes_on_where_it_was_i13_i20_i23_i61",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F09",
            "Killed when a fill is on record and nothing that follows from it is.",
            tests=(
                "tests/crash/test_killed_trading.py::test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61",
                "tests/crash/test_killed_record.py::test_all_that_was_acknowledged_outlives_a_kill_i52_i55_i59_i63_i66",
                "tests/engine/test_limits.py::test_what_is_reserved_and_lost_is_counted_to_the_cent_after_a_restart_i33_i38",
                "tests/engine/test_protection.py::test_a_process_that_is_restarted_goes_on_guarding_what_it_finds_i30",
                "tests/store/test_ledger.py::test_the_events_alone_give_the_same_state_again_i55",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F10",
            "Killed when an entry is filled and its stop is not intended yet.",
            tests=(
                "tests/engine/test_resting_protection.py::test_killed_between_a_fill_and_its_stop_nothing_is_entered_until_the_next_bar_places_it_i30",
                "tests/engine/test_resting_protection.py::test_a_bot_that_dies_without_its_stop_places_it_before_the_next_bar_i30_i69",
                "tests/actors/test_resting_stops.py::test_after_a_crash_a_stop_that_is_missing_comes_with_the_first_loop_and_not_with_a_bar_i30",
                "tests/engine/test_protection.py::test_a_stop_that_was_passed_while_the_engine_was_down_is_left_at_once_i30",
                "tests/crash/test_killed_desk.py::test_a_desk_that_is_killed_at_any_instant_goes_on_where_it_was_i13_i20_i23_i61",
            ),
            proof=("ProcessKilled",),
            not_tested=(
                "Where no price comes before the first bar after the start, the stop comes "
                "with that bar; until then nothing is entered."
            ),
        ),
        Fault(
            "F11",
            "Killed before, while or after a halt is made durable.",
            tests=(
                "tests/crash/test_killed_halts.py::test_a_halt_that_is_on_record_outlives_the_kill_and_one_before_it_was_never_told_i01_i02_i03",
                "tests/crash/test_killed_live.py::test_a_halt_that_was_acknowledged_outlives_the_kill_that_follows_at_once_i01_i02",
                "tests/crash/test_killed_live.py::test_killed_while_an_operator_halts_it_is_halted_if_he_was_told_so_i02_i03",
                "tests/store/test_halt_marker.py::test_a_halt_is_there_once_it_was_written_though_the_process_is_killed_i03_i59",
                "tests/engine/test_halts.py::test_what_was_latched_and_not_yet_durable_when_the_process_died_was_not_acknowledged_i02",
            ),
            proof=(
                "ProcessKilled",
                "OperatorHalts",
            ),
            not_tested="The loop runs some dozens of times, not 500.",
        ),
        Fault(
            "F12",
            "Killed while a halt is being cleared.",
            tests=(
                "tests/crash/test_killed_halts.py::test_a_halt_that_was_being_cleared_stands_unless_that_is_on_record_i04",
                "tests/crash/test_killed_halts.py::test_a_word_that_was_said_before_a_halt_does_not_clear_it_in_the_next_account_i04",
                "tests/store/test_halt_marker.py::test_a_torn_clearing_leaves_the_halt_that_stood_i03",
            ),
            proof=(
                "ProcessKilled",
                "OperatorResumes",
            ),
        ),
        Fault(
            "F13",
            "Killed, or power cut, during a checkpoint.",
            tests=(
                "tests/store/test_power_cut.py::test_nothing_acknowledged_is_lost_in_a_power_cut_i53_i55",
                "tests/store/test_power_cut.py::test_nothing_acknowledged_is_lost_in_thousands_of_power_cuts_i53_i55",
                "tests/store/test_disk_faults.py::test_an_error_while_sqlite_tidies_its_log_is_a_failure_i56",
            ),
            proof=("PowerFails",),
        ),
        Fault(
            "F14",
            "Killed while the journal begins a new file.",
            tests=(
                "tests/store/test_journal_rotation.py::test_kill_9_at_each_step_loses_no_line_that_was_acknowledged_i63",
                "tests/store/test_journal_rotation.py::test_a_crash_at_any_byte_of_a_rotation_loses_and_doubles_no_line_i63",
                "tests/crash/test_killed_record.py::test_all_that_was_acknowledged_outlives_a_kill_i52_i55_i59_i63_i66",
                "tests/store/test_power_cut.py::test_a_journal_goes_on_after_a_power_cut_with_all_that_was_synced_i53_i63",
            ),
        ),
        Fault(
            "F15",
            "Killed during recovery, again and again.",
            tests=(
                "tests/crash/test_killed_record.py::test_recovery_that_is_killed_again_and_again_comes_to_the_same_i59",
                "tests/crash/test_killed_trading.py::test_a_start_that_is_killed_again_and_again_comes_to_the_same_i59",
                "tests/store/test_power_cut.py::test_recovery_of_the_ledger_goes_on_however_often_power_was_cut_i59",
                "tests/crash/test_killed_session.py::test_after_killed_sessions_the_next_one_trades_as_if_nothing_had_been_i52_i59",
            ),
            proof=("ProcessKilled",),
        ),
        Fault(
            "F16",
            "Killed at each statement of a migration.",
            tests=(
                "tests/crash/test_killed_migration.py::test_a_migration_that_is_killed_leaves_the_old_schema_or_the_new_one_i52_i67",
                "tests/crash/test_killed_migration.py::test_a_migration_that_is_killed_again_and_again_comes_to_the_same_i59_i67",
                "tests/crash/test_killed_migration.py::test_a_ledger_of_version_1_survives_the_way_to_this_one_i52_i59_i67",
                "tests/crash/test_killed_migration.py::test_where_a_migration_was_killed_the_older_hydra_goes_on_i59_i67",
            ),
        ),
        Fault(
            "F17",
            "Killed while a changed configuration is taken.",
            tests=(
                "tests/crash/test_killed_live.py::test_killed_while_it_takes_changed_settings_the_next_process_has_all_of_them_i52_i79_i81",
                "tests/ops/test_reload_unfinished.py::test_what_somebody_may_have_taken_is_finished_before_anything_else_i79_i81",
                "tests/ops/test_config_history.py::test_one_that_was_cut_short_is_not_there_and_is_in_nobodys_way",
                "tests/ops/test_reload.py::test_what_waits_is_in_force_after_a_restart",
                "tests/settings/test_strict_yaml.py::test_a_file_cut_short_after_any_line_is_refused_or_says_the_same_i79_i80",
            ),
        ),
        Fault(
            "F18",
            "Killed during a backup.",
            tests=(
                "tests/store/test_backup.py::test_a_backup_that_is_killed_leaves_the_ledger_as_it_was_and_nothing_unproven_i66",
                "tests/ops/test_backup.py::test_a_killed_run_leaves_no_backup_and_the_next_one_clears_up_i66",
                "tests/crash/test_killed_record.py::test_all_that_was_acknowledged_outlives_a_kill_i52_i55_i59_i63_i66",
            ),
        ),
        Fault(
            "F19",
            "Killed at a random instant while the market moves.",
            tests=(
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
                "tests/crash/test_killed_desk.py::test_a_desk_that_is_killed_at_any_instant_goes_on_where_it_was_i13_i20_i23_i61",
                "tests/engine/test_crashes.py::test_a_process_killed_again_and_again_sends_nothing_twice_and_its_books_agree_i14_i16_i17_i38",
                "tests/engine/test_storms.py::test_whatever_happens_nothing_is_sent_twice_or_beyond_its_limit_and_books_agree_i16_i20_i31_i61",
                "tests/proving/test_days.py::test_in_a_day_under_faults_no_invariant_is_broken_i01_i09_i13_i16_i20_i31_i61",
            ),
            proof=("ProcessKilled",),
            not_tested=(
                "Real processes are killed some hundreds of times; the many thousands are "
                "of virtual time (`make prove`)."
            ),
        ),
        Fault(
            "F20",
            "Ended by the kernel because memory is short.",
            tests=(
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
                "tests/crash/test_killed_live.py::test_a_storm_of_kills_while_it_trades_halts_too_i75",
            ),
            not_tested="No memory-limited group is made here; the signal is the same SIGKILL.",
        ),
        Fault(
            "F21",
            "Every start crashes.",
            tests=(
                "tests/crash/test_killed_live.py::test_after_too_many_starts_that_were_killed_a_person_comes_first_i75",
                "tests/trading/test_restarts.py::test_the_fourth_start_within_ten_minutes_of_unclean_ends_waits_for_a_person_i75",
                "tests/deploy/test_units.py::test_systemd_gives_up_where_the_engine_would_halt_i75",
                "tests/store/test_ledger.py::test_starts_after_an_unclean_end_are_counted_by_the_machine_s_clock_i75",
            ),
        ),
        Fault(
            "F22",
            ("Asked to stop (SIGTERM) in each phase, with orders queued and in flight."),
            tests=(
                "tests/crash/test_killed_live.py::test_asked_to_stop_in_any_phase_it_sends_nothing_more_and_is_gone_in_time_i76",
                "tests/ops/test_live_session.py::test_the_venue_answers_until_the_actors_have_stopped_i76",
                "tests/ops/test_run.py::test_a_stop_signal_ends_a_session_in_order_i76",
                "tests/deploy/test_supervisord.py::test_it_runs_is_started_again_after_kill_9_and_stops_in_order_i01_i75",
            ),
            proof=("ProcessStopped",),
        ),
        Fault(
            "F23",
            "Asked to stop, again, and then killed.",
            tests=(
                "tests/crash/test_killed_live.py::test_asked_to_stop_at_any_instant_and_again_or_killed_it_loses_nothing_i52_i76",
                "tests/crash/test_killed_session.py::test_a_session_that_is_asked_to_stop_and_then_killed_leaves_a_whole_record_i52_i76",
            ),
            proof=("ProcessStopped",),
        ),
        Fault(
            "F24",
            "Other signals: the terminal is gone, a broken pipe, SIGUSR1, SIGQUIT.",
            tests=(
                "tests/crash/test_killed_live.py::test_each_other_signal_stops_it_in_order_or_at_once_and_nothing_is_lost_i52_i76_i83",
                "tests/crash/test_killed_live.py::test_a_broken_pipe_is_nothing_to_it",
                "tests/crash/test_killed_live.py::test_asked_to_stop_in_any_phase_it_sends_nothing_more_and_is_gone_in_time_i76",
                "tests/ops/test_live_view_of_a_run.py::test_a_terminal_that_is_closed_asks_for_a_stop_in_order_i76",
                "tests/ops/test_run.py::test_that_nobody_reads_what_it_says_does_not_disturb_it",
            ),
        ),
        Fault(
            "F25",
            ("Stopped (SIGSTOP) for a while, and then goes on, with an order about to be sent."),
            tests=(
                "tests/crash/test_installed_stopped.py::test_frozen_past_the_lease_at_any_instant_it_sends_nothing_more_until_it_is_resumed_i01_i08",
                "tests/ops/test_clock_watch.py::test_a_stop_that_outlasts_the_lease_always_shows_i08_i48",
                "tests/contracts/venues/test_gate.py::test_without_the_guardians_lease_nothing_goes_out_i08",
                "tests/runtime/test_lease.py::test_a_member_that_proves_no_progress_shuts_the_gate_once_i08_i70",
                "tests/store/test_engine_lock.py::test_a_frozen_engine_holds_its_lock_i57",
            ),
            proof=("ProcessFrozen",),
            not_tested=(
                "A real process is stopped for three seconds; up to ten minutes, of virtual time."
            ),
        ),
        Fault(
            "F26",
            "The machine was suspended with an order at the venue and an old price.",
            tests=(
                "tests/ops/test_clock_watch.py::test_a_time_in_which_nobody_looked_halts_i08_i48",
                "tests/trading/test_clock_faults.py::test_a_time_in_which_nobody_looked_is_a_fault_i48",
                "tests/engine/test_live_prices.py::test_bars_alone_are_too_old_between_two_of_them_i45",
                "tests/runtime/test_pykka_pitfalls.py::test_a_periodic_timer_does_not_make_up_for_a_sleep_of_the_machine",
            ),
            proof=(
                "ProcessFrozen",
                "FeedSilent",
            ),
            not_tested=(
                "No machine is suspended here; its clocks are shown to the watch as a "
                "suspended one shows them."
            ),
        ),
        Fault(
            "F27",
            "Power goes, and unsynced writes are lost, reordered or torn.",
            tests=(
                "tests/store/test_power_cut.py::test_nothing_acknowledged_is_lost_in_a_power_cut_i53_i55",
                "tests/store/test_power_cut.py::test_nothing_acknowledged_is_lost_in_thousands_of_power_cuts_i53_i55",
                "tests/store/test_power_cut.py::test_the_same_power_cuts_lose_what_was_not_synced",
                "tests/store/test_power_cut.py::test_a_journal_goes_on_after_a_power_cut_with_all_that_was_synced_i53_i63",
                "tests/faults/test_power_cut_model.py::test_a_write_is_torn_where_sectors_end_and_nothing_beside_it_changes",
            ),
            proof=("PowerFails",),
            not_tested=(
                "Disks are modelled: some 20,000 images of them in the slow suite, not a "
                "million, and no real power cut."
            ),
        ),
        Fault(
            "F28",
            "A library crashes the process (segmentation fault).",
            tests=(
                "tests/crash/test_killed_live.py::test_each_other_signal_stops_it_in_order_or_at_once_and_nothing_is_lost_i52_i76_i83",
                "tests/ops/test_no_core.py::test_from_its_first_line_on_it_writes_no_core_i83",
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
            ),
            not_tested=(
                "The signal of a crash comes from outside; no library is made to fail in "
                "its own code."
            ),
        ),
    ),
)
