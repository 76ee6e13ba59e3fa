"""The kill switch is odd, and operators do what nobody expects."""

from tests.docs.faults.catalogue import Fault, FaultSection

KILL_SWITCH_AND_OPERATOR = FaultSection(
    "The kill switch and the operator",
    (
        Fault(
            "F131",
            "The kill file is there, empty, misspelt, in capitals, huge or binary.",
            tests=(
                "tests/trading/test_kill_switch.py::test_what_is_not_understood_halts_i07",
                "tests/trading/test_kill_switch.py::test_nothing_but_the_exact_word_is_less_than_a_halt_i07",
                "tests/store/test_kill_file.py::test_what_is_no_small_ordinary_file_is_not_believed_and_not_waited_for_i07",
                "tests/ops/test_kill_watch.py::test_a_change_takes_effect_in_time_though_another_disk_is_silent_i07",
                "tests/crash/test_killed_live.py::test_a_kill_file_at_any_instant_lets_nothing_out_and_its_latch_outlives_it_i01_i04_i07",
            ),
            proof=("KillSwitchThrown",),
        ),
        Fault(
            "F132",
            "The kill file cannot be read, is a link, pipe or folder, or its disk is silent.",
            tests=(
                "tests/store/test_kill_file.py::test_what_is_no_small_ordinary_file_is_not_believed_and_not_waited_for_i07",
                "tests/store/test_kill_file.py::test_that_a_folder_is_gone_does_not_mean_no_kill_i07",
                "tests/store/test_kill_file.py::test_a_folder_that_others_can_change_does_not_say_what_is_there_i07_i84",
                "tests/store/test_kill_file.py::test_a_file_that_we_may_not_read_is_not_believed_i07",
                "tests/ops/test_kill_watch.py::test_a_disk_that_does_not_answer_halts_and_holds_nobody_up_i07",
            ),
        ),
        Fault(
            "F133",
            "The kill file is taken away.",
            tests=(
                "tests/ops/test_kill_watch.py::test_a_kill_stays_when_its_file_is_gone_i04",
                "tests/ops/test_run.py::test_a_kill_file_outlives_its_removal_until_an_operator_resumes_i04",
                "tests/crash/test_killed_halts.py::test_a_kill_file_that_is_gone_after_the_kill_has_halted_if_it_was_on_record_i02_i04_i07",
            ),
            proof=("KillSwitchThrown",),
        ),
        Fault(
            "F134",
            "A kill in the middle of a send, of a reload, of another halt, or of a stop.",
            tests=(
                "tests/engine/test_halts.py::test_no_order_leaves_after_a_halt_at_any_instant_i01",
                "tests/ops/test_reload.py::test_a_halt_in_the_middle_of_a_reload_stands_and_the_reload_is_taken_i01_i04",
                "tests/contracts/venues/test_gate.py::test_whenever_the_gate_shuts_what_went_out_passed_it_and_what_did_not_is_said_i01",
                "tests/ops/test_kill_watch.py::test_a_kill_during_another_halt_and_the_other_way_round_leave_both_i04",
                "tests/crash/test_killed_live.py::test_a_kill_file_at_any_instant_lets_nothing_out_and_its_latch_outlives_it_i01_i04_i07",
            ),
            proof=("OperatorHalts", "KillSwitchThrown"),
            not_tested=(
                "A kill in the middle of a stop: the gate is shut then already, and what stands is"
                " on record by the same way as ever."
            ),
        ),
        Fault(
            "F135",
            "A kill while the broker is down or takes no more requests.",
            tests=(
                "tests/engine/test_halts.py::test_cancels_that_fail_are_asked_for_again_and_what_is_left_after_60_s_is_listed_i10_i36",
                "tests/engine/test_halts.py::test_the_next_process_goes_on_taking_out_what_the_one_before_could_not_i02_i10",
                "tests/venues/alpaca/test_budget.py::test_a_429_holds_back_all_but_the_urgent_until_its_reset",
                "tests/venues/alpaca/test_venue.py::test_a_cancel_passes_a_shut_gate_i10",
                "tests/ops/control/test_halting.py::test_a_halt_gets_through_while_every_actor_hangs_i12",
            ),
            proof=("OperatorHalts", "KillSwitchThrown", "Ignore"),
        ),
        Fault(
            "F136",
            "Somebody clears what is still so, or without a reason; two operators do so at once.",
            tests=(
                "tests/engine/test_halts.py::test_a_word_for_what_does_not_stand_or_is_still_so_is_refused_i04_i05",
                "tests/engine/test_halts.py::test_a_word_without_a_reason_clears_nothing_i04",
                "tests/engine/test_halts.py::test_what_an_operator_clears_is_on_record_with_the_reason_and_the_evidence_i04_i89",
                "tests/ops/test_kill_watch.py::test_a_kill_that_was_cleared_comes_back_as_long_as_its_file_is_there_i05",
                "tests/engine/test_halts.py::test_two_operators_at_once_each_let_go_what_they_named_and_nothing_else_i04_i05",
            ),
            proof=("OperatorResumes",),
            not_tested=(
                "A clear names no account: it goes to the engine whose socket or record lies in the"
                " folder that was meant."
            ),
        ),
        Fault(
            "F137",
            "A flatten while halted, twice, with orders unknown, or with the market shut.",
            tests=(
                "tests/engine/test_flattening.py::test_a_flatten_closes_everything_in_every_trading_state_and_leaves_the_pause_i01_i04",
                "tests/engine/test_flattening.py::test_asked_for_twice_it_is_one_flatten_and_its_pause_only_gets_worse_i16",
                "tests/engine/test_flattening.py::test_a_venue_that_misbehaves_delays_it_and_does_not_stop_it_or_make_it_sell_twice_i17_i19",
                "tests/ops/at_rest/test_flattening.py::test_in_a_pause_of_the_market_it_closes_when_the_market_is_open_again",
                "tests/ops/test_flatten.py::test_without_yes_it_says_what_it_would_do_and_does_nothing",
            ),
            proof=("OperatorFlattens",),
        ),
    ),
)
