"""What is in config/ is wrong, hostile, half saved or changed while it is in force."""

from tests.docs.faults.catalogue import Fault, FaultSection

CONFIGURATION = FaultSection(
    "Configuration",
    (
        Fault(
            "F120",
            "A file is missing, empty, no text, or more than one document.",
            tests=(
                "tests/settings/test_strict_yaml.py::test_a_file_that_is_no_settings_is_refused_with_one_line_i78_i80",
                "tests/settings/test_strict_yaml.py::test_a_missing_file_is_refused_and_the_other_one_still_checked_i78",
                "tests/settings/test_strict_yaml.py::test_a_damaged_file_is_refused_with_its_name_i78_i80",
                "tests/settings/test_process_refusals.py::test_the_engine_does_not_start_with_a_bad_configuration_i78",
                "tests/ops/test_reload.py::test_a_bad_file_changes_nothing_and_closes_entries_until_it_is_mended_i79",
            ),
        ),
        Fault(
            "F121",
            "A key is unknown, misspelt, in the wrong place or there twice.",
            tests=(
                "tests/settings/test_refusals.py::test_a_bad_edit_is_refused_with_these_lines_i78_i80",
                "tests/settings/test_process_refusals.py::test_the_engine_does_not_start_with_a_bad_configuration_i78",
                "tests/settings/test_strict_yaml.py::test_no_piece_of_yaml_put_anywhere_raises_anything_but_a_refusal_i80",
            ),
        ),
        Fault(
            "F122",
            "A word or number that other readers of YAML take for something else.",
            tests=(
                "tests/settings/test_strict_yaml.py::test_a_word_that_other_readers_turn_into_something_else_stays_a_ticker_i80",
                "tests/settings/test_settings.py::test_times_mean_the_same_with_quotes_and_without_i80",
                "tests/settings/test_refusals.py::test_a_bad_edit_is_refused_with_these_lines_i78_i80",
                "tests/trading/test_sessions.py::test_an_unquoted_time_of_yaml_is_refused_with_the_way_to_write_it",
            ),
        ),
        Fault(
            "F123",
            "A limit is no number, infinite, zero, negative, huge, a switch or missing.",
            tests=(
                "tests/settings/test_refusals.py::test_limits_that_are_zero_or_nothing_are_refused_by_name_and_no_other_i40",
                "tests/settings/test_refusals.py::test_a_limit_that_is_not_there_is_refused_by_name_i40",
                "tests/settings/test_refusals.py::test_a_bad_edit_is_refused_with_these_lines_i78_i80",
                "tests/trading/test_sane_numbers.py::test_no_limit_is_none_zero_or_beyond_all_sense_i40",
            ),
        ),
        Fault(
            "F124",
            "A file that expands without end, is 100 MB long, very deep, or has a million keys.",
            tests=(
                "tests/settings/test_strict_yaml.py::test_a_hostile_file_is_refused_within_a_second_and_64_mib_i78_i80",
                "tests/settings/test_strict_yaml.py::test_a_file_up_to_the_largest_size_is_read_and_a_larger_one_is_not_i80",
                "tests/settings/test_strict_yaml.py::test_values_up_to_the_greatest_depth_are_read_and_deeper_ones_are_not_i80",
                "tests/settings/test_strict_yaml.py::test_as_many_values_as_allowed_are_read_and_one_more_is_not_i80",
            ),
        ),
        Fault(
            "F125",
            "A tag that would build an object.",
            tests=(
                "tests/settings/test_strict_yaml.py::test_a_damaged_file_is_refused_with_its_name_i78_i80",
                "tests/settings/test_process_refusals.py::test_the_engine_does_not_start_with_a_bad_configuration_i78",
            ),
        ),
        Fault(
            "F126",
            "A file is half saved, swapped, a link, a folder or a pipe, or cannot be read.",
            tests=(
                "tests/settings/test_strict_yaml.py::test_a_file_cut_short_after_any_line_is_refused_or_says_the_same_i79_i80",
                "tests/settings/test_strict_yaml.py::test_bots_cut_short_anywhere_are_refused_i79_i80",
                "tests/settings/test_strict_yaml.py::test_what_is_not_a_readable_file_is_refused_without_waiting_for_it_i78",
                "tests/ops/test_reload.py::test_a_bad_file_changes_nothing_and_closes_entries_until_it_is_mended_i79",
                "tests/ops/test_reload.py::test_a_file_that_is_only_half_saved_at_one_look_is_no_news_i79",
            ),
        ),
        Fault(
            "F127",
            "An edit leaves size and time as they were, or edits come very fast.",
            tests=(
                "tests/ops/test_reload.py::test_content_decides_and_not_the_time_or_size_of_a_file_i81",
                "tests/ops/test_reload_unfinished.py::test_what_somebody_may_have_taken_is_finished_before_anything_else_i79_i81",
            ),
            not_tested=(
                "No test edits a hundred times a second: the files are looked at in a rhythm of the"
                " engine's own, and taken only when two looks agree."
            ),
        ),
        Fault(
            "F128",
            "Values contradict one another, or a change would loosen a limit.",
            tests=(
                "tests/settings/test_refusals.py::test_all_errors_of_both_files_are_told_at_once_in_the_order_of_their_lines_i78",
                "tests/settings/test_refusals.py::test_a_bad_edit_is_refused_with_these_lines_i78_i80",
                "tests/settings/test_changes.py::test_a_limit_made_looser_is_refused_by_a_reload_and_made_tighter_is_taken_i41_i79",
                "tests/ops/test_reload.py::test_a_limit_made_looser_waits_for_a_restart_and_is_told_i41",
                "tests/ops/test_reload_of_each_setting.py::test_no_reload_ever_loosens_a_limit_in_force_i41_i79",
            ),
        ),
        Fault(
            "F129",
            "A bot that holds something is taken out, renamed, or switched off.",
            tests=(
                "tests/ops/test_reload.py::test_a_bot_that_is_switched_off_enters_nothing_and_keeps_its_exits_i30_i79",
                "tests/ops/test_reload.py::test_what_no_running_engine_takes_asks_for_a_restart_once_nothing_is_held",
                "tests/settings/test_changes.py::test_a_bot_that_is_renamed_goes_and_comes_i41",
                "tests/engine/test_exit_bot.py::test_a_position_of_a_bot_that_is_gone_from_the_configuration_is_closed_at_once_i30",
                "tests/engine/test_exit_bot.py::test_a_position_of_a_bot_that_is_switched_off_is_closed_by_its_rules_i30",
            ),
        ),
        Fault(
            "F130",
            "Live keys with paper, paper keys with live, or another account.",
            tests=(
                "tests/venues/alpaca/test_identity.py::test_of_all_32_combinations_only_the_two_that_agree_pass_i82",
                "tests/venues/alpaca/test_identity.py::test_another_account_of_the_same_kind_is_another_account_i82",
                "tests/ops/test_run_broker.py::test_an_account_of_another_kind_is_refused_before_anything_is_traded_i82",
                "tests/ops/test_run.py::test_paper_and_live_need_their_keys_and_are_not_mixed_up_i82",
                "tests/settings/test_mode.py::test_only_what_agrees_in_everything_may_start_i82",
            ),
        ),
    ),
)
