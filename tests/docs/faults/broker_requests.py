"""The broker answers late, wrongly or never, or does what it should not."""

from tests.docs.faults.catalogue import Fault, FaultSection

BROKER_REQUESTS = FaultSection(
    "Requests to the broker",
    (
        Fault(
            "F61",
            "An order is accepted and the answer is lost.",
            tests=(
                "tests/contracts/venues/test_request_counts.py::test_an_order_that_was_accepted_and_answered_504_is_one_order_and_is_found_i18_i19_i20",
                "tests/contracts/venues/test_request_counts.py::test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20",
                "tests/engine/test_unknown_outcomes.py::test_an_order_not_answered_for_15_s_is_unknown_and_is_looked_up_not_resent_i17_i21",
                "tests/engine/test_crashes.py::test_a_swarm_of_faults_never_makes_two_orders_of_one_or_loses_a_share_i17_i20_i22_i23_i61",
            ),
            proof=("Lose",),
        ),
        Fault(
            "F62",
            "An order does not arrive, and no answer comes.",
            tests=(
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_never_arrived_is_given_up_and_reported_after_the_settle_window_i19",
                "tests/contracts/venues/test_request_counts.py::test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20",
                "tests/trading/test_unknown_outcomes.py::test_an_order_that_nobody_finds_is_given_up_once_a_snapshot_lacks_it_too_i19",
                "tests/trading/test_unknown_outcomes_machine.py::test_no_order_that_shows_itself_is_given_up_and_none_is_forgotten_i17_i19",
            ),
            proof=("Ignore",),
        ),
        Fault(
            "F63",
            "The answer comes after 14 s, 16 s or 120 s.",
            tests=(
                "tests/engine/test_outages.py::test_an_answer_counts_whenever_it_comes_and_makes_no_second_order_i19_i20_i21_i33",
                "tests/contracts/venues/test_request_counts.py::test_an_order_that_lands_after_it_was_given_up_is_one_order_i19_i20",
                "tests/venues/alpaca/test_http.py::test_a_late_answer_is_never_taken_for_the_next_one",
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_shows_itself_within_the_settle_window_is_as_if_answered_i19",
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_shows_itself_after_it_was_given_up_halts_and_is_taken_out_i10_i19",
            ),
            proof=(
                "Delay",
                "Hide",
            ),
        ),
        Fault(
            "F64",
            "500, 502, 503 or 504, whether the order was accepted or not.",
            tests=(
                "tests/contracts/venues/test_request_counts.py::test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20",
                "tests/venues/alpaca/test_venue.py::test_what_proves_nothing_leaves_the_order_unknown_after_one_request_i17_i19_i20_i21",
                "tests/venues/alpaca/test_http.py::test_no_answer_makes_a_second_request_i20",
                "tests/venues/alpaca/test_outcomes.py::test_what_decides_nothing_leaves_everything_open_i19",
                "tests/contracts/venues/test_request_counts.py::test_over_a_stormy_session_requests_are_attempts_that_passed_the_gate_i01_i15_i20",
            ),
            proof=(
                "Ignore",
                "Lose",
            ),
        ),
        Fault(
            "F65",
            "Too many requests (429), once or for minutes.",
            tests=(
                "tests/contracts/venues/test_request_counts.py::test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20",
                "tests/venues/alpaca/test_budget.py::test_a_429_holds_back_all_but_the_urgent_until_its_reset",
                "tests/venues/alpaca/test_budget.py::test_a_429_that_does_not_say_for_how_long_holds_for_half_a_minute",
                "tests/venues/alpaca/test_budget.py::test_entries_and_polls_never_take_what_the_last_thirty_are_kept_for",
                "tests/venues/alpaca/test_venue.py::test_through_ten_minutes_of_429_one_entry_a_minute_is_tried_and_cancels_leave_i10_k15",
            ),
        ),
        Fault(
            "F66",
            "The name of an order is taken (422).",
            tests=(
                "tests/venues/alpaca/test_venue.py::test_a_name_that_may_be_taken_is_no_rejection_whatever_the_words_i18",
                "tests/engine/test_unknown_outcomes.py::test_that_its_name_is_taken_means_that_the_order_exists_not_that_it_is_rejected_i18",
                "tests/venues/alpaca/test_outcomes.py::test_a_422_may_mean_that_the_order_exists_unless_its_code_says_otherwise_i18",
                "tests/contracts/venues/test_orders.py::test_the_same_name_twice_is_one_order_and_to_be_looked_up_i15_i18",
            ),
        ),
        Fault(
            "F67",
            "A definite refusal: buying power, wash trade, not tradable, no short.",
            tests=(
                "tests/venues/alpaca/test_venue.py::test_a_refusal_is_a_rejection_with_the_brokers_reason",
                "tests/engine/test_limits.py::test_three_rejections_in_a_row_stop_the_symbol_until_a_person_has_looked_i39",
                "tests/contracts/venues/test_orders.py::test_what_the_account_cannot_bear_is_refused_with_a_reason_i22",
                "tests/engine/test_limits.py::test_a_reservation_ends_with_the_order_and_what_is_left_is_that_of_the_position_i33",
                "tests/venues/alpaca/test_venue.py::test_refusals_are_no_failures_of_the_broker",
            ),
            proof=("BlockAccount",),
            not_tested=(
                "After so many refusals in a row the symbol is closed for every bot, not "
                "the bot alone."
            ),
        ),
        Fault(
            "F68",
            "The key is refused, once or for ever; the account is blocked.",
            tests=(
                "tests/venues/alpaca/test_venue.py::test_a_key_that_is_refused_halts_at_once_i44",
                "tests/venues/alpaca/test_venue.py::test_a_key_that_is_refused_for_good_is_shown_now_and_then_and_by_cancels_i44",
                "tests/venues/alpaca/test_stream.py::test_keys_that_are_refused_are_shown_once_a_minute_at_most_i44",
                "tests/engine/test_stream.py::test_keys_that_are_refused_halt_at_once",
                "tests/engine/test_reconciling.py::test_a_blocked_account_halts_within_the_minute_and_needs_a_word_when_it_is_over_i44",
            ),
            proof=("BlockAccount",),
            not_tested="Cancels are asked for all the same, as often as ever.",
        ),
        Fault(
            "F69",
            ("200 with nothing, HTML, half of it, another type, megabytes; or a redirect."),
            tests=(
                "tests/venues/alpaca/test_outcomes.py::test_a_success_that_cannot_be_read_proves_nothing_i19",
                "tests/venues/alpaca/test_outcomes.py::test_a_success_that_is_not_documented_proves_nothing_i19",
                "tests/venues/alpaca/test_venue.py::test_what_proves_nothing_leaves_the_order_unknown_after_one_request_i17_i19_i20_i21",
                "tests/venues/alpaca/test_http.py::test_no_answer_is_so_long_that_all_of_it_is_taken",
                "tests/venues/alpaca/test_wire.py::test_whatever_the_broker_sends_is_read_or_is_a_bad_answer",
            ),
        ),
        Fault(
            "F70",
            "The broker shows an order that is not what was sent.",
            tests=(
                "tests/engine/test_reconciling.py::test_an_answer_that_is_not_what_was_sent_halts_at_once_i27",
                "tests/engine/test_reconciling.py::test_an_order_that_was_found_by_a_look_is_held_against_what_was_sent_i19_i27",
                "tests/venues/alpaca/test_wire.py::test_each_field_that_comes_back_otherwise_is_seen_in_the_echo_i27",
                "tests/venues/alpaca/test_venue.py::test_an_echo_that_was_altered_is_told_as_the_broker_has_it_i27",
            ),
            proof=("AlterEcho",),
        ),
        Fault(
            "F71",
            "An accepted order is rejected later.",
            tests=(
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_ended_unseen_is_found_by_a_snapshot_that_reaches_back_i19_i62",
                "tests/engine/test_limits.py::test_an_acceptance_that_is_followed_by_a_late_rejection_does_not_begin_the_count_anew_i39",
                "tests/venues/alpaca/test_trading_stream.py::test_ends_are_told",
                "tests/engine/test_protection.py::test_an_exit_that_comes_to_nothing_is_decided_anew_and_none_is_made_twice_i17_i30",
                "tests/trading/test_working_orders.py::test_what_is_over_claims_nothing_i33",
            ),
            proof=("RejectLater",),
        ),
        Fault(
            "F72",
            ("A look-up does not find an order that was accepted, for up to two minutes."),
            tests=(
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_shows_itself_within_the_settle_window_is_as_if_answered_i19",
                "tests/engine/test_unknown_outcomes.py::test_an_order_that_shows_itself_after_it_was_given_up_halts_and_is_taken_out_i10_i19",
                "tests/engine/test_unknown_outcomes.py::test_the_budget_of_an_order_is_not_freed_while_it_lives_unseen_i19_i33",
                "tests/venues/alpaca/test_outcomes.py::test_absence_is_the_brokers_own_word_alone",
                "tests/trading/test_unknown_outcomes.py::test_no_number_of_looks_gives_an_order_up_without_a_snapshot_i19",
            ),
            proof=("Hide",),
        ),
        Fault(
            "F73",
            "Lists come in short, repeated, failing or changing pages.",
            tests=(
                "tests/venues/alpaca/test_snapshot.py::test_all_pages_are_read_however_short_the_broker_makes_them_i62",
                "tests/venues/alpaca/test_snapshot.py::test_a_page_that_is_repeated_is_a_failure_and_no_end_i62",
                "tests/venues/alpaca/test_snapshot.py::test_a_page_that_fails_fails_the_whole_i62",
                "tests/venues/alpaca/test_snapshot.py::test_what_trades_while_the_account_is_read_makes_it_be_read_again",
                "tests/venues/alpaca/test_venue.py::test_a_snapshot_that_lacks_anything_fails_i62",
            ),
            proof=("FailLook",),
        ),
        Fault(
            "F74",
            "Positions and orders are of different moments.",
            tests=(
                "tests/trading/test_comparison.py::test_a_difference_is_looked_at_again_and_is_one_if_it_is_still_the_same_i60",
                "tests/trading/test_comparison.py::test_what_was_on_its_way_is_no_difference",
                "tests/venues/alpaca/test_snapshot.py::test_an_account_that_does_not_hold_still_is_given_up_after_three_tries",
                "tests/venues/alpaca/test_snapshot.py::test_what_trades_while_the_account_is_read_makes_it_be_read_again",
                "tests/contracts/venues/test_snapshots.py::test_one_that_is_taken_while_an_order_trades_is_of_one_instant_i61",
            ),
            proof=(
                "FillPart",
                "Hide",
            ),
        ),
        Fault(
            "F75",
            "A cancel stays pending, is refused, or is overtaken by a fill.",
            tests=(
                "tests/engine/test_hazards.py::test_a_cancel_that_is_pending_for_30_s_is_told_and_shuts_its_symbol_i10_i25",
                "tests/engine/test_hazards.py::test_a_fill_while_the_cancel_is_pending_is_booked_and_ends_the_waiting_i25",
                "tests/venues/alpaca/test_venue.py::test_a_cancel_that_was_not_taken_is_looked_into_i25",
                "tests/engine/test_halts.py::test_a_cancel_that_stays_pending_leaves_the_order_counted_as_live_and_is_listed_i10_i25",
                "tests/engine/test_halts.py::test_a_fill_that_overtakes_the_cancel_counts_and_belongs_to_its_bot_i10_i25",
            ),
            proof=(
                "HoldCancel",
                "Overtake",
            ),
        ),
        Fault(
            "F76",
            "A replacement is accepted and the old order fills; its answer is lost.",
            tests=(
                "tests/contracts/venues/test_request_counts.py::test_a_replacement_is_asked_for_once_and_unknown_then_i20",
                "tests/contracts/venues/test_replacements.py::test_of_an_order_that_has_traded_no_more_than_was_meant_is_traded_i23_i26",
                "tests/venues/alpaca/test_venue.py::test_what_cannot_be_replaced_is_withheld_and_stays_as_it_was",
                "tests/engine/test_limits.py::test_a_replacement_counts_beside_what_it_replaces_until_one_of_them_is_over_i26_i31",
                "tests/trading/test_coverage.py::test_of_an_order_and_its_replacement_one_lives_and_the_smaller_counts_i26",
            ),
        ),
        Fault(
            "F77",
            "No connection: refused, no name, no TLS, a wrong certificate, a proxy.",
            tests=(
                "tests/venues/alpaca/test_call_watch.py::test_a_host_that_does_not_prove_to_be_the_broker_halts_at_once",
                "tests/venues/alpaca/test_http.py::test_nothing_is_sent_to_a_host_whose_certificate_does_not_hold",
                "tests/venues/alpaca/test_venue.py::test_a_broker_that_fails_again_and_again_halts",
                "tests/venues/alpaca/test_http.py::test_a_peer_that_does_not_shake_hands_is_given_up_in_time_and_nothing_was_sent_i21",
                "tests/venues/alpaca/test_network.py::test_a_name_that_is_not_resolved_in_time_is_given_up_i21_i70",
            ),
        ),
        Fault(
            "F78",
            ("It accepts and never answers, or a byte at a time; the connection is half open."),
            tests=(
                "tests/venues/alpaca/test_http.py::test_a_call_without_a_whole_answer_ends_in_time_and_was_one_request_i20_i21",
                "tests/venues/alpaca/test_http.py::test_a_peer_that_falls_silent_half_way_gets_no_more_time_for_what_it_has_said_i21",
                "tests/venues/alpaca/test_http.py::test_an_encrypted_answer_a_byte_at_a_time_ends_in_time_too_i21",
                "tests/contracts/venues/test_request_counts.py::test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20",
                "tests/engine/test_reconciling.py::test_a_venue_that_does_not_answer_for_the_account_has_failed_after_15_s_i21_i73",
            ),
        ),
        Fault(
            "F79",
            "More is executed than was ordered, or a fraction.",
            tests=(
                "tests/engine/test_reconciling.py::test_more_executed_than_was_ordered_is_recorded_and_halts_i22_i23",
                "tests/store/test_ledger.py::test_a_fill_beyond_the_order_is_refused_and_not_counted_i23",
                "tests/engine/test_crashes.py::test_grave_faults_halt_or_leave_the_books_in_agreement_i22_i27_i29_i60_i61",
            ),
            proof=("Overfill",),
            not_tested="A fraction that is within the order is booked as any part is.",
        ),
        Fault(
            "F80",
            (
                "An execution is taken back or corrected hours later; an order that was "
                "over lives again."
            ),
            tests=(
                "tests/venues/alpaca/test_history_that_changes.py::test_what_changes_afterwards_is_a_difference_and_the_record_stays_i22_i23_i60_i61",
                "tests/venues/alpaca/test_trading_stream.py::test_what_changes_the_past_is_read_and_not_guessed_i23",
                "tests/trading/test_reconciliation.py::test_each_planted_difference_is_named_and_nothing_else_i27_i29_i60_i62",
                "tests/engine/test_reconciling.py::test_positions_and_cash_that_drift_halt_within_the_minute_and_are_not_mended_i60_i61",
                "tests/engine/test_reconciling.py::test_a_fill_of_an_order_that_was_rejected_is_recorded_and_halts_i22",
            ),
            proof=(
                "DriftPosition",
                "DriftCash",
                "FillRefused",
            ),
        ),
        Fault(
            "F81",
            ("The broker's clock is wrong; times come without a zone or in nanoseconds."),
            tests=(
                "tests/ops/test_run_broker.py::test_a_broker_whose_clock_is_another_is_refused_before_anything_is_traded_i48",
                "tests/venues/alpaca/test_identity.py::test_clocks_that_may_disagree_too_much_are_a_fault_i48",
                "tests/venues/alpaca/test_times.py::test_any_number_of_digits_is_read_exactly",
                "tests/venues/alpaca/test_times.py::test_what_names_no_instant_is_refused",
                "tests/engine/test_live_prices.py::test_a_feed_whose_clock_is_a_little_ahead_is_traded_on_and_no_other_i46_i48",
            ),
            not_tested=(
                "The clocks are compared when it starts; while it runs, what shows a "
                "difference are prices of our future and prices that are too old."
            ),
        ),
        Fault(
            "F82",
            ("A status, an event or a field that nobody knows, or one that is missing."),
            tests=(
                "tests/venues/alpaca/test_wire.py::test_what_we_have_no_word_for_counts_as_open_and_says_so",
                "tests/venues/alpaca/test_trading_stream.py::test_an_unknown_event_is_a_gap_and_its_execution_is_booked_all_the_same",
                "tests/venues/alpaca/test_trading_stream.py::test_an_unknown_word_about_the_order_is_a_gap_and_its_execution_is_booked",
                "tests/venues/alpaca/test_wire.py::test_absent_and_null_mean_the_same_and_unknown_fields_are_left_alone",
                "tests/engine/test_stream.py::test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean_i47",
            ),
        ),
        Fault(
            "F83",
            "The account must not trade, or has no equity.",
            tests=(
                "tests/venues/alpaca/test_wire.py::test_an_account_says_what_keeps_it_from_trading_i44",
                "tests/engine/test_reconciling.py::test_a_blocked_account_halts_within_the_minute_and_needs_a_word_when_it_is_over_i44",
                "tests/engine/test_reconciling.py::test_an_account_without_its_equity_goes_by_our_own_figures_i37_i60",
                "tests/engine/test_daily_loss.py::test_equity_that_nobody_knows_is_a_breach_once_it_is_too_old_i37",
                "tests/trading/test_money_checks.py::test_an_account_of_unknown_or_no_worth_enters_nothing_i37",
            ),
            proof=(
                "BlockAccount",
                "HideEquity",
            ),
        ),
        Fault(
            "F84",
            ("A symbol is halted, delisted, renamed or split; a resting order is repriced."),
            tests=(
                "tests/engine/test_live_prices.py::test_a_symbol_that_the_exchange_halts_is_closed_until_it_is_resumed_and_priced_i46",
                "tests/engine/test_reconciling.py::test_positions_and_cash_that_drift_halt_within_the_minute_and_are_not_mended_i60_i61",
                "tests/venues/alpaca/test_history_that_changes.py::test_what_changes_afterwards_is_a_difference_and_the_record_stays_i22_i23_i60_i61",
                "tests/trading/test_coverage.py::test_an_order_of_before_a_split_protects_nothing_after_it",
                "tests/engine/test_corporate_actions.py::test_nothing_is_entered_on_the_day_before_a_split_and_what_is_held_can_be_sold",
                "tests/engine/test_corporate_actions.py::test_contracts_are_sold_before_the_close_of_the_day_before_a_split_i30",
                "tests/engine/test_corporate_actions.py::test_on_the_ex_date_bots_begin_anew_without_the_bars_of_before_i46",
                "tests/trading/test_reconciliation.py::test_each_planted_difference_is_named_and_nothing_else_i27_i29_i60_i62",
            ),
            proof=(
                "DriftPosition",
                "DriftCash",
            ),
            not_tested=(
                "A delisting and a new name that were not told of before are shown as what they "
                "leave: another position than on record."
            ),
        ),
        Fault(
            "F85",
            ("The broker queues orders for half an hour and then fills all of them at once."),
            tests=(
                "tests/engine/test_outages.py::test_orders_that_all_fill_at_once_half_an_hour_later_were_counted_all_along_i23_i31",
                "tests/engine/test_hazards.py::test_an_order_that_the_market_does_not_come_to_have_is_taken_out_i25",
                "tests/engine/test_limits.py::test_the_worst_case_exposure_is_never_above_its_limit_at_the_venue_i31",
                "tests/venues/alpaca/test_wire.py::test_only_what_the_market_does_not_have_yet_is_queued",
                "tests/engine/test_hazards.py::test_what_waits_for_the_opening_and_what_is_not_ours_is_left_alone_i29",
            ),
            proof=("Delay",),
        ),
        Fault(
            "F86",
            ("Child orders of a bracket, named by the broker; one is missing or never told of."),
            tests=(
                "tests/venues/alpaca/test_snapshot.py::test_legs_are_orders_of_their_own",
                "tests/trading/test_coverage.py::test_the_legs_of_a_group_cover_once_and_are_no_excess",
                "tests/trading/test_coverage.py::test_a_leg_that_waits_for_its_entry_protects_nothing_yet_i30",
                "tests/engine/test_exit_bot.py::test_a_stop_that_the_venue_has_lost_protects_nothing_i30",
                "tests/trading/test_account_picture.py::test_an_order_that_the_reading_should_have_shown_and_did_not_is_lost_i30",
            ),
            not_tested=(
                "Hydra sends no brackets: a stop is an order of its own, under its own "
                "name. Groups are only read."
            ),
        ),
        Fault(
            "F87",
            "Somebody else trades in the account.",
            tests=(
                "tests/engine/test_reconciling.py::test_an_order_that_is_not_ours_halts_until_a_person_decides_i29_i60",
                "tests/engine/test_hazards.py::test_an_order_by_hand_is_left_alone_and_halts_also_when_it_trades_i29_i60",
                "tests/engine/test_reconciling.py::test_positions_and_cash_that_drift_halt_within_the_minute_and_are_not_mended_i60_i61",
                "tests/engine/test_reconciling.py::test_what_changed_by_another_hand_while_the_engine_was_down_keeps_it_shut_i06_i29_i60_i61",
                "tests/venues/alpaca/test_fees_on_local_venue.py::test_what_is_gone_beyond_the_fee_is_a_difference_whatever_it_is_called_i29",
            ),
            proof=(
                "PlantOrder",
                "DriftPosition",
                "DriftCash",
            ),
        ),
        Fault(
            "F88",
            "The broker is down for two hours, in a session or at a start.",
            tests=(
                "tests/engine/test_outages.py::test_a_broker_that_is_down_for_two_hours_halts_and_a_person_goes_on_i04_i60",
                "tests/engine/test_reconciling.py::test_a_venue_that_cannot_be_read_whole_three_times_is_not_well_and_halts_i60_i62",
                "tests/engine/test_reconciling.py::test_a_start_does_not_pass_while_the_venue_cannot_be_read_i06_i60_i62",
                "tests/ops/test_embedded_market.py::test_a_killed_venue_halts_comes_again_and_is_clearable_i05_i44",
                "tests/ops/test_run_broker.py::test_a_broker_that_cannot_be_reached_is_waited_for_until_a_signal",
            ),
            proof=(
                "FailLook",
                "Ignore",
            ),
            not_tested=(
                "Where `safety.resume` is `preflight`, as it is shipped, trading opens "
                "again by itself after the cool-off and a clean pass."
            ),
        ),
    ),
)
