"""The stream of trade updates repeats, loses or garbles."""

from tests.docs.faults.catalogue import Fault, FaultSection

TRADE_UPDATES = FaultSection(
    "Trade updates",
    (
        Fault(
            "F89",
            "Each update comes up to five times.",
            tests=(
                "tests/engine/test_reconciling.py::test_reports_that_come_several_times_leave_the_same_state_to_the_last_digit_i23_i24",
                "tests/trading/test_order_life.py::test_neither_order_nor_repetition_changes_what_reports_say_i23_i24",
                "tests/trading/test_inventory.py::test_an_execution_counts_once_however_often_it_is_told",
            ),
            proof=("Repeat",),
        ),
        Fault(
            "F90",
            "Updates come in another order: a fill before its acceptance, or after the cancel.",
            tests=(
                "tests/engine/test_reconciling.py::test_reports_out_of_order_and_late_leave_the_same_book_i22_i23_i24",
                "tests/trading/test_order_life.py::test_every_few_reports_say_the_same_in_every_order_or_are_impossible_in_every_order_i24",
                "tests/trading/test_order_life_machine.py::test_orders_end_as_the_venue_says_however_its_word_arrives_i22_i23_i24_i25",
                "tests/venues/alpaca/test_trading_stream.py::test_a_partial_execution_that_comes_late_is_told_and_leaves_no_doubt_afterwards_i24",
            ),
            proof=("Overtake", "Delay"),
        ),
        Fault(
            "F91",
            "An update is lost, and the socket stays up.",
            tests=(
                "tests/engine/test_reconciling.py::test_a_report_that_is_lost_is_taken_up_within_the_minute_and_nothing_is_invented_i47_i61",
                "tests/engine/test_reconciling.py::test_no_entry_is_made_before_a_lost_fill_was_found_if_it_would_break_a_limit_i31_i47",
                "tests/engine/test_reconciling.py::test_record_and_venue_are_compared_at_least_every_30_s_while_orders_work_i47_i60",
                "tests/venues/alpaca/test_trading_stream.py::test_more_filled_than_was_told_is_a_gap_i47",
            ),
            proof=("Lose",),
        ),
        Fault(
            "F92",
            "The stream is connected and says nothing.",
            tests=(
                "tests/venues/alpaca/test_stream.py::test_a_socket_that_is_open_and_mute_is_noticed_in_time_i45",
                "tests/engine/test_reconciling.py::test_record_and_venue_are_compared_at_least_every_30_s_while_orders_work_i47_i60",
                "tests/engine/test_hazards.py::test_record_and_venue_are_compared_after_the_session_and_all_night_i60",
                "tests/ops/test_stream_watch.py::test_one_that_does_not_go_on_halts_and_is_named_i45",
            ),
            proof=("Lose",),
        ),
        Fault(
            "F93",
            "A message cannot be read, or says something that nobody knows.",
            tests=(
                "tests/venues/alpaca/test_trading_stream.py::test_an_unknown_event_is_a_gap_and_its_execution_is_booked_all_the_same",
                "tests/venues/alpaca/test_trading_stream.py::test_an_unknown_word_about_the_order_is_a_gap_and_its_execution_is_booked",
                "tests/venues/alpaca/test_trading_stream.py::test_nothing_that_is_said_raises_anything",
                "tests/venues/alpaca/test_trading_stream.py::test_no_field_raises_anything_and_none_is_passed_over",
                "tests/engine/test_stream.py::test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean_i47",
            ),
        ),
        Fault(
            "F94",
            "What takes the updates in raises once.",
            tests=(
                "tests/venues/alpaca/test_stream.py::test_a_thread_that_is_dead_grows_idle",
                "tests/ops/test_stream_watch.py::test_a_thread_that_dies_is_noticed_by_its_silence_i45",
                "tests/ops/test_stream_watch.py::test_one_that_does_not_go_on_halts_and_is_named_i45",
                "tests/engine/test_failures.py::test_a_crash_in_the_safety_chain_halts_and_a_restart_does_not_resume_i68_i69_i72_i74",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F95",
            "The connection is cut again and again, or the venue says that there are too many.",
            tests=(
                "tests/venues/alpaca/test_stream.py::test_a_connection_that_ends_is_told_and_made_again_with_a_new_number_i47",
                "tests/venues/alpaca/test_stream.py::test_whatever_becomes_of_them_no_more_than_six_attempts_begin_in_a_minute_i47",
                "tests/venues/alpaca/test_stream.py::test_pauses_grow_to_a_limit_and_the_first_is_short",
                "tests/engine/test_stream.py::test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean_i47",
                "tests/engine/test_stream.py::test_a_loss_that_lasts_halts_and_a_short_one_does_not_i45_i47",
            ),
        ),
        Fault(
            "F96",
            "Ten thousand updates come within a second, or whoever takes them is slow.",
            tests=(
                "tests/contracts/runtimes/test_mailboxes.py::test_an_actor_that_must_lose_nothing_fails_when_its_mailbox_overflows",
                "tests/runtime/test_mailbox.py::test_the_bound_is_the_most_that_ever_waits_i71",
                "tests/stress/test_threads.py::test_no_message_is_lost_and_none_ends_twice",
                "tests/engine/test_reconciling.py::test_ten_thousand_reports_in_one_moment_leave_the_same_state_i23_i71",
                "tests/engine/test_reconciling.py::test_more_reports_than_may_wait_halt_and_what_they_said_is_found_again_i60_i71",
            ),
            not_tested="It is shown in virtual time; no such burst is sent over a socket.",
        ),
        Fault(
            "F97",
            "An update is of an order that we did not make.",
            tests=(
                "tests/engine/test_reconciling.py::test_an_order_that_is_not_ours_halts_until_a_person_decides_i29_i60",
                "tests/engine/test_hazards.py::test_an_order_by_hand_is_left_alone_and_halts_also_when_it_trades_i29_i60",
                "tests/engine/test_hazards.py::test_an_order_under_a_name_of_ours_that_is_not_on_record_is_another_engines_and_halts_i29_i57",
                "tests/venues/alpaca/test_trading_stream.py::test_an_order_that_is_not_ours_is_a_gap_and_no_report_i29",
            ),
            proof=("PlantOrder",),
            not_tested="A stream is of the account of its keys, and its messages name no account.",
        ),
        Fault(
            "F98",
            "An order fills in a thousand parts, or in the smallest fractions.",
            tests=(
                "tests/trading/test_order_life.py::test_a_thousand_parts_of_a_billionth_are_a_millionth_exactly_i23",
                "tests/trading/test_order_life.py::test_quantities_are_added_to_the_last_digit_i23",
                "tests/engine/test_reconciling.py::test_what_fills_in_parts_is_held_in_parts_and_left_in_parts_i23",
                "tests/trading/test_inventory.py::test_a_coarse_context_of_the_thread_loses_nothing",
                "tests/venues/alpaca/test_wire.py::test_amounts_are_exact_as_strings_and_as_numbers",
            ),
            proof=("FillPart",),
        ),
        Fault(
            "F99",
            "For a while stream and REST disagree.",
            tests=(
                "tests/trading/test_comparison.py::test_a_difference_is_looked_at_again_and_is_one_if_it_is_still_the_same_i60",
                "tests/trading/test_comparison.py::test_what_was_on_its_way_is_no_difference",
                "tests/engine/test_reconciling.py::test_no_entry_is_made_before_a_lost_fill_was_found_if_it_would_break_a_limit_i31_i47",
                "tests/engine/test_stream.py::test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean_i47",
                "tests/engine/test_late_lists.py::test_lists_that_are_late_halt_nothing_i60",
                "tests/engine/test_late_lists.py::test_while_a_list_may_be_late_nothing_is_entered_there_and_exits_go_i60",
                "tests/engine/test_late_lists.py::test_what_is_still_so_when_no_list_may_be_late_any_more_halts_i60",
                "tests/trading/test_late_lists.py::test_each_list_may_be_late_by_itself_i60",
            ),
            proof=("Delay", "Hide"),
            not_tested=(
                "What is late on the stream shows at the next comparison, and until then the order"
                " counts with all that it may still fill."
            ),
        ),
    ),
)
