"""Several processes, another machine, another version."""

from tests.docs.faults.catalogue import Fault, FaultSection

DEPLOYMENT = FaultSection(
    "Several processes and deployment",
    (
        Fault(
            "F154",
            "Twenty engines start at once on one folder.",
            tests=(
                "tests/store/test_engine_lock.py::test_of_twenty_that_start_at_once_exactly_one_runs_i57",
                "tests/ops/test_run.py::test_a_second_engine_on_the_same_folder_is_refused_i57",
                "tests/store/test_record.py::test_no_two_have_one_journal_i57",
            ),
        ),
        Fault(
            "F155",
            "An engine is frozen, another is started, and the first one wakes.",
            tests=(
                "tests/store/test_engine_lock.py::test_a_frozen_engine_holds_its_lock_i57",
                "tests/ops/test_clock_watch.py::test_a_process_that_is_stopped_and_goes_on_halts_i08_i48",
                "tests/deploy/test_supervisord.py::test_one_that_hangs_is_killed_by_the_watchdog_and_started_again_halted_i77",
            ),
            proof=("ProcessFrozen",),
        ),
        Fault(
            "F156",
            "A lock file is left over, its process number belongs to another, or a child has it.",
            tests=(
                "tests/store/test_engine_lock.py::test_a_killed_engine_leaves_its_file_but_not_its_lock_i57",
                "tests/store/test_engine_lock.py::test_a_holder_that_has_ended_is_not_blamed_i57",
                "tests/store/test_engine_lock.py::test_a_child_that_outlives_us_does_not_hold_the_lock_i57",
                "tests/store/test_engine_lock.py::test_a_lock_whose_file_is_removed_is_not_taken_for_held_i57",
                "tests/store/test_engine_lock.py::test_the_file_says_who_holds_it_and_for_which_account_i57",
            ),
        ),
        Fault(
            "F157",
            "Another engine of ours trades the account from another folder.",
            tests=(
                "tests/engine/test_hazards.py::test_an_order_under_a_name_of_ours_that_is_not_on_record_is_another_engines_and_halts_i29_i57",
                "tests/trading/test_reconciliation.py::test_each_planted_difference_is_named_and_nothing_else_i27_i29_i60_i62",
                "tests/engine/test_reconciling.py::test_what_changed_by_another_hand_while_the_engine_was_down_keeps_it_shut_i06_i29_i60_i61",
            ),
            proof=("PlantOrder",),
        ),
        Fault(
            "F158",
            "New code finds old state, old code finds new state, or a release is half copied.",
            tests=(
                "tests/crash/test_killed_migration.py::test_a_ledger_of_version_1_survives_the_way_to_this_one_i52_i59_i67",
                "tests/crash/test_killed_migration.py::test_a_hydra_that_does_not_know_the_new_schema_refuses_it_i67",
                "tests/store/test_ledger_faults.py::test_an_older_engine_is_refused_on_the_ledger_of_a_newer_one_i67",
                "tests/store/test_ledger_faults.py::test_a_record_that_this_hydra_cannot_read_is_refused_i67",
                "tests/store/test_migrations.py::test_it_is_what_it_was_to_the_last_row_i55_i67",
            ),
            not_tested=(
                "A release that was copied by half is not recognised as such; a module that is"
                " missing ends the start, one that is older does not."
            ),
        ),
        Fault(
            "F159",
            "The service manager kills, gives up, or starts with nothing around.",
            tests=(
                "tests/deploy/test_supervisord.py::test_it_runs_is_started_again_after_kill_9_and_stops_in_order_i01_i75",
                "tests/deploy/test_supervisord.py::test_settings_that_are_refused_are_not_tried_again",
                "tests/deploy/test_units.py::test_systemd_gives_up_where_the_engine_would_halt_i75",
                "tests/crash/test_killed_live.py::test_after_too_many_starts_that_were_killed_a_person_comes_first_i75",
                "tests/ops/test_bare_surroundings.py::test_it_trades_with_nothing_around_it_and_what_it_leaves_is_its_own_i84",
            ),
            not_tested="No systemd runs in the tests: its units are checked as they are written.",
        ),
        Fault(
            "F160",
            "A folder cannot be written, the locale is plain, the umask is odd.",
            tests=(
                "tests/ops/test_bare_surroundings.py::test_it_trades_with_nothing_around_it_and_what_it_leaves_is_its_own_i84",
                "tests/ops/test_run.py::test_a_folder_that_cannot_be_made_gives_one_line",
                "tests/store/test_ledger_faults.py::test_a_ledger_that_can_only_be_read_fails_i56",
                "tests/store/test_journal.py::test_the_folder_and_the_file_are_private_whatever_the_umask_i84",
                "tests/store/test_halt_marker.py::test_a_marker_that_cannot_be_made_refuses_the_start_i03",
            ),
        ),
    ),
)
