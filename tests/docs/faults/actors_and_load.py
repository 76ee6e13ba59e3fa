"""Actors raise, hang, die or drown, and the machine is short of everything."""

from tests.docs.faults.catalogue import Fault, FaultSection

ACTORS_AND_LOAD = FaultSection(
    "Actors and load",
    (
        Fault(
            "F138",
            "Something raises: a handler, a question, a start, a stop, a timer, a thread.",
            tests=(
                "tests/engine/test_failures.py::test_a_crash_in_the_safety_chain_halts_and_a_restart_does_not_resume_i68_i69_i72_i74",
                "tests/runtime/test_pykka_pitfalls.py::test_the_failure_of_an_asked_message_is_a_failure_i69",
                "tests/contracts/runtimes/test_supervision.py::test_a_failing_constructor_counts_as_a_failure",
                "tests/contracts/runtimes/test_timers.py::test_a_timer_whose_message_is_none_fails_its_actor_and_nobody_else",
                "tests/venues/alpaca/test_venue.py::test_a_thread_that_dies_is_not_lost_in_silence_i69",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F139",
            "An actor is told to exit, runs out of memory or out of stack.",
            tests=(
                "tests/contracts/runtimes/test_supervision.py::test_what_cannot_be_trusted_after_fails_closed",
                "tests/runtime/test_pykka_pitfalls.py::test_an_error_that_unwinds_everything_stops_order_flow_and_stalls_nobody_i69",
                "tests/runtime/test_thread_runtime.py::test_waiting_ends_when_the_engine_fails_closed",
            ),
        ),
        Fault(
            "F140",
            "An actor hangs: in a loop, a lock, on a disk, on a name that is not resolved.",
            tests=(
                "tests/contracts/runtimes/test_starts_and_stops.py::test_a_critical_actor_that_hangs_shuts_the_gate_and_is_replaced_i70",
                "tests/runtime/test_lease.py::test_a_member_that_proves_no_progress_shuts_the_gate_once_i08_i70",
                "tests/runtime/test_pykka_pitfalls.py::test_a_stuck_actor_does_not_keep_the_process_alive_i70",
                "tests/venues/alpaca/test_network.py::test_a_name_that_is_not_resolved_in_time_is_given_up_i21_i70",
                "tests/deploy/test_supervisord.py::test_one_that_hangs_is_killed_by_the_watchdog_and_started_again_halted_i77",
            ),
        ),
        Fault(
            "F141",
            "Two actors wait for one another.",
            tests=(
                "tests/runtime/test_pykka_pitfalls.py::test_an_actor_cannot_wait_for_itself_or_in_a_circle_i73",
                "tests/contracts/runtimes/test_asks.py::test_an_actor_that_waits_for_another_is_refused",
                "tests/runtime/test_pykka_pitfalls.py::test_an_asker_always_names_how_long_it_waits_i73",
            ),
        ),
        Fault(
            "F142",
            "A message is for an actor that has just died.",
            tests=(
                "tests/stress/test_threads.py::test_what_comes_while_a_mailbox_closes_is_accounted_for_once",
                "tests/runtime/test_pykka_pitfalls.py::test_a_question_that_races_a_stop_is_always_answered",
                "tests/contracts/runtimes/test_dead_letters.py::test_what_waits_when_an_actor_stops_is_dead",
                "tests/engine/test_crashes.py::test_a_death_in_the_safety_chain_with_orders_in_flight_halts_and_loses_nothing_i68_i69_i74",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F143",
            "A message is of a wrong type, lacks something, or is changed after it was sent.",
            tests=(
                "tests/contracts/runtimes/test_dead_letters.py::test_a_message_that_is_not_in_the_inbox_fails_the_actor_and_is_unhandled",
                "tests/contracts/runtimes/test_dead_letters.py::test_the_message_that_crashed_its_receiver_is_poison",
                "tests/contracts/runtimes/test_supervision.py::test_a_message_may_crash_its_receiver_as_often_as_its_spec_says_and_is_dead_then",
                "tests/runtime/test_pykka_pitfalls.py::test_what_threads_share_cannot_be_changed",
                "tests/engine/test_failures.py::test_a_crash_in_the_safety_chain_halts_and_a_restart_does_not_resume_i68_i69_i72_i74",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F144",
            "A mailbox is flooded, or who takes from it is a hundred times too slow.",
            tests=(
                "tests/runtime/test_pykka_pitfalls.py::test_a_mailbox_has_a_bound_and_what_does_not_fit_is_seen_i71",
                "tests/contracts/runtimes/test_mailboxes.py::test_an_actor_that_must_lose_nothing_fails_when_its_mailbox_overflows",
                "tests/contracts/runtimes/test_mailboxes.py::test_a_control_message_goes_ahead_of_all_that_wait_in_the_user_lane",
                "tests/contracts/runtimes/test_mailboxes.py::test_a_full_control_lane_fails_closed",
                "tests/ops/bench/test_measurements.py::test_a_busy_engine_is_halted_and_sends_nothing_afterwards_i01",
            ),
        ),
        Fault(
            "F145",
            "Memory runs short, or a bot leaks it.",
            tests=(
                "tests/contracts/runtimes/test_supervision.py::test_what_cannot_be_trusted_after_fails_closed",
                "tests/crash/test_installed_memory.py::test_with_next_to_no_memory_left_it_halts_and_sends_nothing_until_it_is_resumed_i01",
                "tests/ops/test_memory_watch.py::test_before_it_is_gone_it_halts_once_and_may_not_be_cleared_until_there_is_more",
                "tests/ops/test_memory_watch.py::test_when_it_runs_short_it_is_told_once_and_again_when_it_was_better",
                "tests/ops/test_memory_room.py::test_a_group_has_what_its_limit_leaves_and_what_can_be_taken_back",
                "tests/runtime/test_mailbox.py::test_the_bound_is_the_most_that_ever_waits_i71",
                "tests/trading/test_execution_quality.py::test_memory_is_bounded_by_orders_and_symbols_the_oldest_go_first_i71",
                "tests/runtime/test_recorder.py::test_a_recorder_that_falls_behind_ends_before_it_takes_the_memory",
                "tests/crash/test_killed_live.py::test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61",
            ),
            not_tested=(
                "A limit is put on a process that runs; no bot is made to leak for hours, and what"
                " takes more than is left within a second is killed before anybody looks."
            ),
        ),
        Fault(
            "F146",
            "No file can be opened any more, and no thread begun.",
            tests=(
                "tests/store/test_record.py::test_where_no_file_can_be_opened_a_halt_is_on_record_and_the_kill_file_counts_i03_i07_i64",
                "tests/store/test_halt_marker.py::test_a_halt_needs_no_new_space_and_no_new_descriptor_i03_i65",
                "tests/runtime/test_thread_runtime.py::test_where_no_thread_can_be_begun_in_the_place_of_one_that_hangs_it_fails_closed_i69_i70",
                "tests/ops/test_kill_watch.py::test_a_watch_that_cannot_go_on_halts_i07_i12",
            ),
        ),
        Fault(
            "F147",
            "Others take the processor, or the process is stopped for seconds.",
            tests=(
                "tests/ops/test_clock_watch.py::test_a_process_that_is_stopped_and_goes_on_halts_i08_i48",
                "tests/ops/test_clock_watch.py::test_a_stop_that_outlasts_the_lease_always_shows_i08_i48",
                "tests/runtime/test_gate.py::test_orders_need_a_lease_that_has_not_run_out_and_cancels_do_not_i08",
                "tests/runtime/test_pykka_pitfalls.py::test_a_late_renewal_is_no_false_alarm",
                "tests/engine/test_loops.py::test_a_busy_machine_enters_nothing_and_is_not_halted_by_that_alone",
            ),
            proof=("ProcessFrozen",),
            not_tested=(
                "How often a week a busy machine halts for nothing is not counted: virtual time has"
                " no such machine."
            ),
        ),
        Fault(
            "F148",
            "The interpreter or a library stands still for long.",
            tests=(
                "tests/ops/test_clock_watch.py::test_a_time_in_which_nobody_looked_halts_i08_i48",
                "tests/contracts/venues/test_gate.py::test_without_the_guardians_lease_nothing_goes_out_i08",
                "tests/ops/test_clock_watch.py::test_a_process_that_is_stopped_and_goes_on_halts_i08_i48",
            ),
            proof=("ProcessFrozen",),
            not_tested="It is shown of a stop by signal, which looks the same from inside.",
        ),
        Fault(
            "F149",
            "The guardian dies, alone or with others, with orders queued or while it halts.",
            tests=(
                "tests/engine/test_crashes.py::test_a_death_in_the_safety_chain_with_orders_in_flight_halts_and_loses_nothing_i68_i69_i74",
                "tests/engine/test_failures.py::test_a_second_crash_in_the_safety_chain_within_a_minute_is_a_fail_closed_stop_i75",
                "tests/engine/test_flattening.py::test_a_flatten_goes_on_when_a_part_of_the_engine_dies_under_it_i68_i74",
                "tests/runtime/test_lease.py::test_a_member_that_is_down_ends_the_lease_i08",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F150",
            "The gateway dies with orders queued, and starts again.",
            tests=(
                "tests/engine/test_crashes.py::test_a_gateway_that_dies_with_20_orders_queued_sends_none_of_them_later_i74",
                "tests/crash/test_killed_live.py::test_what_queues_before_a_gateway_that_is_stuck_is_withheld_when_it_goes_on_i01_i74",
                "tests/crash/test_killed_live.py::test_what_queues_before_a_gateway_that_is_stuck_when_the_process_dies_is_never_sent_i74",
                "tests/runtime/test_gate.py::test_a_restarted_gateway_shuts_out_the_incarnation_before_it_i74",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F151",
            "The persister dies between a reservation and its intent.",
            tests=(
                "tests/engine/test_crashes.py::test_a_death_in_the_safety_chain_with_orders_in_flight_halts_and_loses_nothing_i68_i69_i74",
                "tests/engine/test_failures.py::test_an_intent_that_cannot_be_stored_is_not_sent_and_stops_the_engine_i13_i56",
                "tests/actors/test_state_persister.py::test_nobody_hears_of_what_could_not_be_committed_i13_i56",
                "tests/engine/test_limits.py::test_what_is_reserved_and_lost_is_counted_to_the_cent_after_a_restart_i33_i38",
            ),
            proof=("ActorFails",),
        ),
        Fault(
            "F152",
            "A bot raises, hangs, decides a thousand times a second, or wants no number.",
            tests=(
                "tests/engine/test_failures.py::test_a_bot_that_keeps_crashing_is_quarantined_and_what_it_holds_stops_entries_i69",
                "tests/engine/test_limits.py::test_a_bot_that_decides_a_thousand_times_a_second_sends_no_more_than_its_rate_i16_i36",
                "tests/engine/test_limits.py::test_a_bot_that_buys_and_sells_in_a_loop_is_stopped_and_stays_so_after_a_restart_i38_i39",
                "tests/contracts/runtimes/test_starts_and_stops.py::test_a_handler_that_hangs_is_a_failure_and_its_successor_goes_on",
                "tests/trading/test_sane_numbers.py::test_what_is_no_exact_decimal_in_range_is_refused_in_every_field_i34",
            ),
        ),
        Fault(
            "F153",
            "Whatever can run in another order does.",
            tests=(
                "tests/engine/test_storms.py::test_whatever_happens_nothing_is_sent_twice_or_beyond_its_limit_and_books_agree_i16_i20_i31_i61",
                "tests/engine/test_crashes.py::test_a_swarm_of_faults_never_makes_two_orders_of_one_or_loses_a_share_i17_i20_i22_i23_i61",
                "tests/engine/test_trading.py::test_random_delays_shorter_than_a_bar_do_not_change_the_trades",
                "tests/runtime/test_explore.py::test_a_planted_race_is_found_within_a_few_seeds_and_not_by_the_canonical_schedule",
                "tests/proving/test_days.py::test_nor_in_many_more",
            ),
            not_tested=(
                "Orders are drawn and not enumerated: a tenth of the days of the proof are played"
                " so, a thousand of the ten thousand of `make prove`."
            ),
        ),
    ),
)
