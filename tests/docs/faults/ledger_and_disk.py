"""The disk is full, slow, broken or lies; the ledger is damaged, replaced or not ours."""

from tests.docs.faults.catalogue import Fault, FaultSection

LEDGER_AND_DISK = FaultSection(
    "The ledger and the disk",
    (
        Fault(
            "F29",
            "The disk is full at the n-th write.",
            tests=(
                "tests/store/test_disk_faults.py::test_an_error_at_any_call_is_final_and_loses_nothing_i56",
                "tests/store/test_disk_faults.py::test_an_error_at_any_call_and_ever_after_is_final_and_loses_nothing_i56",
                "tests/store/test_ledger_faults.py::test_a_full_disk_fails_and_leaves_no_part_i56",
                "tests/engine/test_failures.py::test_an_intent_that_cannot_be_stored_is_not_sent_and_stops_the_engine_i13_i56",
                "tests/store/test_watch.py::test_little_room_alarms_and_too_little_halts_i65",
            ),
            proof=("DiskFails",),
        ),
        Fault(
            "F30",
            "A quota is used up, no inode is left, or a file may grow no more.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_used_up_quota_fails_and_leaves_no_part_i56",
                "tests/store/test_disk_faults.py::test_an_error_while_sqlite_tidies_its_log_is_a_failure_i56",
                "tests/store/test_journal_faults.py::test_a_write_that_went_in_only_in_part_is_a_failure_and_is_cut_later_i64",
                "tests/store/test_journal_faults.py::test_a_disk_that_is_full_at_the_first_line_of_a_new_file_i64",
                "tests/store/test_halt_marker.py::test_a_halt_needs_no_new_space_and_no_new_descriptor_i03_i65",
            ),
            proof=("DiskFails",),
            not_tested=(
                "The limit is that of a file's size; a table of inodes is not filled, but "
                "each opening of a file is made to fail."
            ),
        ),
        Fault(
            "F31",
            "Reading or writing fails at the n-th call.",
            tests=(
                "tests/store/test_disk_faults.py::test_an_error_at_any_call_is_final_and_loses_nothing_i56",
                "tests/store/test_disk_faults.py::test_an_error_at_any_call_and_ever_after_is_final_and_loses_nothing_i56",
                "tests/engine/test_failures.py::test_an_intent_that_cannot_be_stored_is_not_sent_and_stops_the_engine_i13_i56",
                "tests/ops/at_rest/test_flattening.py::test_an_engine_that_fails_at_rest_shuts_itself_and_says_so_with_exit_code_20_i56",
            ),
            proof=("DiskFails",),
        ),
        Fault(
            "F32",
            "A sync fails once and then succeeds.",
            tests=(
                "tests/store/test_disk_faults.py::test_a_sync_that_failed_and_then_succeeds_is_not_believed_i53_i56",
                "tests/faults/test_power_cut_model.py::test_a_failed_sync_is_not_made_good_by_the_next_one",
                "tests/store/test_ledger_faults.py::test_a_failure_is_final_i56",
                "tests/store/test_journal_faults.py::test_a_sync_that_failed_is_never_tried_again_i64",
            ),
            proof=("DiskFails",),
        ),
        Fault(
            "F33",
            "A sync does not come to its end.",
            tests=(
                "tests/engine/test_slow_disks.py::test_while_a_commit_does_not_end_nothing_is_sent_and_trading_halts_i08_i13_i70",
                "tests/store/test_ledger_faults.py::test_who_comes_while_another_thread_commits_is_refused_i13_i56",
                "tests/store/test_watch.py::test_a_disk_that_does_not_answer_is_a_fault_and_the_files_are_looked_at_meanwhile_i58",
                "tests/ops/test_notify.py::test_an_actor_that_hangs_on_its_thread_ends_the_pings_i70_i77",
                "tests/deploy/test_supervisord.py::test_one_that_hangs_is_killed_by_the_watchdog_and_started_again_halted_i77",
            ),
            not_tested=(
                "The disk does not answer for as long as the test lasts, not for ten minutes."
            ),
        ),
        Fault(
            "F34",
            "A read is short, gives zeros or an older page.",
            tests=(
                "tests/store/test_disk_faults.py::test_a_read_that_lies_at_the_start_is_noticed_or_makes_no_difference_i54",
                "tests/store/test_disk_faults.py::test_a_page_that_is_not_itself_is_noticed_i54",
            ),
        ),
        Fault(
            "F35",
            "A bit is flipped in the write-ahead log.",
            tests=(
                "tests/store/test_disk_faults.py::test_a_flipped_bit_in_the_log_is_noticed_in_whichever_frame_i54",
                "tests/store/test_verification.py::test_a_bit_flipped_in_the_log_is_named_i54",
            ),
        ),
        Fault(
            "F36",
            "The write-ahead log is gone, cut, or that of another database.",
            tests=(
                "tests/store/test_disk_faults.py::test_a_log_that_is_gone_is_noticed_i54",
                "tests/store/test_disk_faults.py::test_a_log_that_became_shorter_is_noticed_i54",
                "tests/store/test_disk_faults.py::test_the_log_of_another_database_is_noticed_i54",
                "tests/store/test_record.py::test_a_ledger_without_its_wal_is_noticed_i54",
                "tests/store/test_verification.py::test_a_log_taken_away_is_named_i54",
            ),
        ),
        Fault(
            "F37",
            "A byte is changed in a table, and SQLite's own check finds nothing.",
            tests=(
                "tests/store/test_disk_faults.py::test_a_byte_that_changed_in_any_table_is_noticed_i54",
                "tests/store/test_verification.py::test_a_byte_changed_in_a_table_is_named_where_sqlite_finds_nothing_i54",
                "tests/store/test_verification.py::test_a_byte_changed_in_an_event_is_named_where_sqlite_finds_nothing_i54",
                "tests/store/test_record.py::test_a_change_behind_sqlite_s_back_is_noticed_at_start_i54",
                "tests/store/test_ledger_faults.py::test_a_ledger_that_somebody_changed_is_refused_i54",
            ),
        ),
        Fault(
            "F38",
            "The header or a page of an index is damaged.",
            tests=(
                "tests/store/test_record.py::test_a_start_on_a_damaged_ledger_names_the_newest_backup_i51_i66",
                "tests/store/test_verification.py::test_a_damaged_header_is_named_with_the_newest_proven_backup_i51_i66",
                "tests/store/test_verification.py::test_a_damaged_page_of_an_index_is_named_i51",
                "tests/store/test_disk_faults.py::test_a_byte_that_changed_in_an_index_is_noticed_i54",
                "tests/store/test_disk_faults.py::test_a_damaged_ledger_is_left_as_it_was_found_i54",
            ),
        ),
        Fault(
            "F39",
            "The ledger is an empty file.",
            tests=(
                "tests/store/test_engine_files.py::test_a_ledger_that_is_gone_is_not_begun_anew_i54_i58",
                "tests/store/test_verification.py::test_an_emptied_ledger_beside_its_journal_is_named_i54",
                "tests/store/test_backup.py::test_a_ledger_that_is_gone_is_not_backed_up_as_a_new_one_i58",
            ),
        ),
        Fault(
            "F40",
            "There is no ledger: the first start, or one that lost it.",
            tests=(
                "tests/store/test_engine_files.py::test_a_ledger_that_is_gone_is_not_begun_anew_i54_i58",
                "tests/store/test_engine_files.py::test_a_first_start_needs_nothing_and_can_be_tried_again_i59",
                "tests/store/test_engine_files.py::test_all_that_speaks_of_a_ledger_is_named_at_once_i54",
                "tests/store/test_record.py::test_a_ledger_that_was_taken_away_is_not_begun_anew_i54",
                "tests/store/test_verification.py::test_a_ledger_that_is_not_there_any_more_is_named_i54_i58",
            ),
            not_tested=(
                "There is no command to begin a ledger: a start begins one where no lock, "
                "journal, marker, log or backup speaks of one."
            ),
        ),
        Fault(
            "F41",
            "The ledger is removed, renamed or replaced while it is in use.",
            tests=(
                "tests/store/test_watch.py::test_a_file_that_is_not_ours_any_more_is_found_at_the_next_look_i57_i58",
                "tests/store/test_watch.py::test_a_copy_in_its_place_is_another_file_though_its_bytes_are_the_same_i58",
                "tests/store/test_watch.py::test_the_threads_find_by_themselves_what_is_wrong_and_stop_in_time_i58",
                "tests/ops/test_run.py::test_a_halt_is_said_at_once_to_whoever_started_it",
                "tests/store/test_engine_lock.py::test_a_lock_whose_file_is_removed_is_not_taken_for_held_i57",
            ),
        ),
        Fault(
            "F42",
            "Another process locks the ledger or writes to it.",
            tests=(
                "tests/store/test_ledger_faults.py::test_another_writer_is_waited_for_only_so_long_i56",
                "tests/store/test_ledger_faults.py::test_a_lock_that_is_held_for_a_moment_is_waited_for_i56",
                "tests/store/test_ledger_faults.py::test_a_write_by_somebody_else_is_noticed_before_the_next_commit_i56_i58",
            ),
        ),
        Fault(
            "F43",
            "Our own process opens the ledger beside SQLite.",
            tests=(
                "tests/store/test_ledger_guard.py::test_whoever_opens_the_ledger_by_hand_is_stopped_i58",
                "tests/store/test_ledger_guard.py::test_a_look_by_hand_loses_sqlites_lock_and_the_guard_keeps_it_i58",
                "tests/store/test_ledger_guard.py::test_no_code_opens_a_ledger_by_hand_i58",
                "tests/store/test_ledger_guard.py::test_another_way_to_the_same_file_is_seen_i58",
                "tests/store/test_record.py::test_the_ledger_is_not_opened_by_hand_while_it_is_in_use_i58",
            ),
        ),
        Fault(
            "F44",
            "The process forks while it has the ledger.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_child_of_this_process_cannot_use_its_ledger_i57",
                "tests/store/test_engine_lock.py::test_a_copy_of_this_process_does_not_unlock_it_i57",
                "tests/store/test_engine_lock.py::test_a_child_that_outlives_us_does_not_hold_the_lock_i57",
            ),
        ),
        Fault(
            "F45",
            "The ledger can only be read any more.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_ledger_that_can_only_be_read_fails_i56",
                "tests/store/test_ledger_faults.py::test_a_failure_is_final_i56",
                "tests/store/test_journal_faults.py::test_a_descriptor_that_can_only_read_fails_i64",
            ),
            proof=("JournalFails",),
            not_tested=(
                "The connection is made to refuse writes; no mount is changed, and rights "
                "do not bind the user of these tests."
            ),
        ),
        Fault(
            "F46",
            ("A setting of SQLite that durability rests on was not applied, or is changed."),
            tests=(
                "tests/store/test_ledger_faults.py::test_a_setting_that_was_not_applied_refuses_i51",
                "tests/store/test_ledger_faults.py::test_the_settings_are_those_that_survive_a_power_cut_i51",
                "tests/store/test_ledger_faults.py::test_nobody_takes_the_log_away_from_a_ledger_in_use_i51",
                "tests/store/test_ledger_faults.py::test_a_log_that_was_taken_away_from_a_ledger_at_rest_is_there_at_the_next_start_i51",
            ),
            not_tested=(
                "Settings of our own connection are read back when it opens and not again: "
                "nobody else can change them."
            ),
        ),
        Fault(
            "F47",
            "A SQLite that can lose commits is loaded.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_sqlite_that_can_lose_commits_is_refused_i51",
                "tests/store/test_ledger_faults.py::test_a_sqlite_without_that_fault_is_taken",
            ),
        ),
        Fault(
            "F48",
            "The write-ahead log grows because somebody reads for hours.",
            tests=(
                "tests/store/test_watch.py::test_an_alarm_is_told_when_it_begins_and_again_when_it_comes_back_i65",
                "tests/store/test_watch.py::test_little_room_alarms_and_too_little_halts_i65",
                "tests/store/test_ledger_faults.py::test_the_log_is_taken_over_again_and_again_i65",
            ),
            not_tested=(
                "The reader is not cut off: another process cannot be. It is told of, and "
                "what is left of the disk halts."
            ),
        ),
        Fault(
            "F49",
            "Yesterday's backup is put in the ledger's place.",
            tests=(
                "tests/store/test_record.py::test_yesterday_s_ledger_is_noticed_i54",
                "tests/store/test_record.py::test_yesterday_s_ledger_that_was_traded_on_is_noticed_i54",
                "tests/store/test_disk_faults.py::test_the_files_of_yesterday_are_noticed_i54",
                "tests/store/test_verification.py::test_yesterdays_backup_in_the_place_of_the_ledger_is_named_i15_i54",
                "tests/engine/test_reconciling.py::test_an_older_ledger_is_refused_by_the_orders_at_the_venue_i06_i15_i60",
            ),
        ),
        Fault(
            "F50",
            "The ledger is of another account, or paper and live are mixed up.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_ledger_of_another_venue_or_account_is_refused_i57",
                "tests/store/test_record.py::test_what_cannot_be_opened_leaves_nothing_open_i57",
                "tests/venues/alpaca/test_identity.py::test_of_all_32_combinations_only_the_two_that_agree_pass_i82",
                "tests/ops/test_broker_account.py::test_what_is_not_of_one_account_is_named_i82",
                "tests/ops/test_run.py::test_paper_and_live_need_their_keys_and_are_not_mixed_up_i82",
            ),
        ),
        Fault(
            "F51",
            "A newer version made the ledger, or two versions use one folder.",
            tests=(
                "tests/store/test_ledger_faults.py::test_a_newer_schema_is_refused_and_left_alone_i67",
                "tests/store/test_ledger_faults.py::test_an_older_engine_is_refused_on_the_ledger_of_a_newer_one_i67",
                "tests/store/test_ledger_faults.py::test_a_record_that_this_hydra_cannot_read_is_refused_i67",
                "tests/store/test_record.py::test_the_ledger_of_a_later_version_is_refused_i67",
                "tests/store/test_record.py::test_only_one_can_have_it_i57",
            ),
        ),
        Fault(
            "F52",
            "The ledger lies in memory or on a network.",
            tests=(
                "tests/store/test_medium.py::test_what_does_not_last_has_a_word_of_its_own_i51",
                "tests/store/test_record.py::test_what_goes_with_the_power_is_no_place_for_a_record_i51",
                "tests/store/test_medium.py::test_a_folder_in_memory_is_refused_in_one_line_i51",
                "tests/store/test_medium.py::test_an_overlay_lasts_as_its_upper_folder_does_i51",
            ),
            not_tested=(
                "Network file systems are known by their names in the table of mounts; none "
                "is mounted here."
            ),
        ),
    ),
)
