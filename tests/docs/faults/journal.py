"""The journal is torn, damaged, full, slow or gone."""

from tests.docs.faults.catalogue import Fault, FaultSection

JOURNAL = FaultSection(
    "The journal",
    (
        Fault(
            "F53",
            "The last lines are torn, at any byte.",
            tests=(
                "tests/store/test_journal_faults.py::test_the_last_3_lines_torn_at_every_byte_are_cut_also_behind_full_files_i63",
                "tests/store/test_journal.py::test_a_torn_last_line_is_cut_wherever_it_was_torn_i63",
                "tests/store/test_journal_rotation.py::test_kill_9_while_a_torn_line_is_cut_leaves_one_to_cut_or_none_i63",
                "tests/store/test_record.py::test_a_torn_line_that_the_ledger_saw_is_not_made_good_by_another_one_i54",
                "tests/store/test_verification.py::test_a_torn_last_line_is_said_and_is_well_i63",
            ),
        ),
        Fault(
            "F54",
            "Damage in the middle, lines glued together, zeros.",
            tests=(
                "tests/store/test_journal.py::test_damage_that_is_no_torn_line_refuses_with_its_place_i63",
                "tests/store/test_journal_faults.py::test_any_byte_changed_in_any_file_is_noticed_i63",
                "tests/store/test_journal.py::test_the_zeros_that_a_power_cut_leaves_are_cut_i63",
                "tests/store/test_journal_reading.py::test_damage_is_found_and_named_with_its_place_and_the_rest_is_read_i63",
                "tests/store/test_verification.py::test_damage_in_the_middle_of_the_journal_is_named_with_its_place_i63",
            ),
        ),
        Fault(
            "F55",
            "A line is missing, twice there or out of order.",
            tests=(
                "tests/store/test_journal.py::test_lines_taken_away_moved_or_doubled_are_noticed_i63",
                "tests/store/test_journal_reading.py::test_files_taken_away_are_found_wherever_they_lay_i54",
                "tests/store/test_journal_faults.py::test_any_bytes_taken_away_are_noticed_or_were_the_end_i63",
                "tests/store/test_journal_rotation.py::test_files_that_do_not_belong_together_are_refused_i54_i63",
            ),
        ),
        Fault(
            "F56",
            ("Data holds line ends, half characters, megabytes, no numbers, or names of our own."),
            tests=(
                "tests/store/test_journal_line.py::test_every_line_is_one_whole_strict_json_object_i63",
                "tests/store/test_journal_faults.py::test_odd_fields_leave_the_journal_whole_i63",
                "tests/store/test_journal_line.py::test_data_cannot_take_the_place_of_our_own_keys_i63",
                "tests/store/test_journal_line.py::test_fields_too_long_for_a_line_become_their_size_i63",
                "tests/store/test_journal_line.py::test_what_contains_itself_ends_somewhere_i63",
            ),
            not_tested="Some hundreds of records are drawn in each run, not a million.",
        ),
        Fault(
            "F57",
            "Writing fails at the n-th line, or only at the sync.",
            tests=(
                "tests/store/test_journal_faults.py::test_a_disk_full_at_the_nth_line_fails_for_good_and_all_before_it_is_there_i64",
                "tests/store/test_journal_faults.py::test_a_descriptor_closed_before_the_nth_line_fails_for_good_i64",
                "tests/store/test_journal_faults.py::test_a_descriptor_that_can_only_read_fails_i64",
                "tests/store/test_journal_faults.py::test_a_sync_that_failed_is_never_tried_again_i64",
                "tests/engine/test_failures.py::test_a_journal_that_cannot_be_written_is_a_fail_closed_stop_i64",
            ),
            proof=("JournalFails",),
        ),
        Fault(
            "F58",
            "Somebody removes or moves the journal.",
            tests=(
                "tests/store/test_watch.py::test_a_real_journal_is_synced_and_missed_when_it_is_moved_i54_i58",
                "tests/store/test_journal_faults.py::test_a_file_that_is_not_ours_any_more_is_noticed_i54_i58",
                "tests/store/test_journal_faults.py::test_a_file_put_in_our_place_is_not_set_aside_as_ours_i58",
                "tests/store/test_journal_marks.py::test_each_new_file_begins_with_the_mark_i54",
                "tests/store/test_record.py::test_a_journal_that_was_taken_away_is_noticed_i54",
            ),
        ),
        Fault(
            "F59",
            "The journal is slow while much is said.",
            tests=(
                "tests/engine/test_slow_disks.py::test_more_lines_than_a_slow_journal_may_owe_halt_and_none_is_dropped_before_i64_i71",
                "tests/contracts/runtimes/test_mailboxes.py::test_an_actor_that_must_lose_nothing_fails_when_its_mailbox_overflows",
                "tests/runtime/test_mailbox.py::test_the_bound_is_the_most_that_ever_waits_i71",
            ),
            not_tested=("Lines that still wait when the engine gives up are lost to the journal."),
        ),
        Fault(
            "F60",
            "After a restart, ledger and journal disagree.",
            tests=(
                "tests/store/test_record.py::test_each_side_tells_what_the_other_one_lost_i54",
                "tests/store/test_record.py::test_a_journal_that_was_cut_is_noticed_i54",
                "tests/store/test_record.py::test_yesterday_s_ledger_is_noticed_i54",
                "tests/store/test_verification.py::test_the_first_mark_that_differs_is_named_even_if_newer_ones_fit_i54",
                "tests/ops/test_halt.py::test_a_ledger_that_its_journal_does_not_go_with_is_left_as_it_is_i54",
            ),
            not_tested="It refuses to start, which is more than a halt.",
        ),
    ),
)
