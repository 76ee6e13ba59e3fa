"""Clocks, days and zones are not what they should be."""

from tests.docs.faults.catalogue import Fault, FaultSection

TIME_AND_CALENDAR = FaultSection(
    "Time and calendar",
    (
        Fault(
            "F112",
            "The wall clock is set, by less than a second or by years.",
            tests=(
                "tests/ops/test_clock_watch.py::test_a_clock_that_is_set_halts_at_the_next_look_in_whatever_phase_i48",
                "tests/ops/test_clock_watch.py::test_a_fault_of_the_clocks_stops_orders_in_a_session_i01_i48",
                "tests/trading/test_clock_faults.py::test_a_jump_is_a_fault_exactly_beyond_the_skew_at_whatever_moment_i48",
                "tests/trading/test_clock_faults.py::test_a_date_that_cannot_be_is_a_fault_by_itself_i48",
                "tests/venues/alpaca/test_identity.py::test_clocks_that_may_disagree_too_much_are_a_fault_i48",
            ),
        ),
        Fault(
            "F113",
            "The clock is slewed for days.",
            tests=(
                "tests/trading/test_clock_faults.py::test_a_clock_that_is_slewed_for_ten_days_is_no_fault_i48",
                "tests/trading/test_clock_faults.py::test_a_clock_that_drifts_faster_than_it_can_be_slewed_is_a_fault_i48",
                "tests/trading/test_clock_faults.py::test_a_jump_in_small_pieces_is_noticed_i48",
            ),
        ),
        Fault(
            "F114",
            "The nights in which clocks are put forward and back, in New York and here.",
            tests=(
                "tests/trading/test_sessions.py::test_on_the_nights_of_the_change_an_hour_is_missing_or_comes_twice_i50",
                "tests/trading/test_sessions.py::test_the_real_sessions_of_new_york",
                "tests/settings/test_local_times.py::test_a_window_that_begins_in_such_an_hour_is_refused_with_the_date_i50",
                "tests/settings/test_local_times.py::test_what_is_accepted_is_once_on_every_day_i50",
                "tests/settings/test_local_times.py::test_every_clock_change_skips_or_repeats_what_it_says_i50",
            ),
        ),
        Fault(
            "F115",
            "A half day, a holiday, a market that stays shut, coins over the same weekend.",
            tests=(
                "tests/venues/test_exchange_calendar.py::test_the_sessions_of_a_year_are_the_real_ones",
                "tests/trading/test_order_checks.py::test_nothing_is_sent_outside_the_exchanges_session_i43",
                "tests/trading/test_sessions.py::test_a_symbol_has_the_hours_of_its_kind_whatever_else_is_traded_i43",
                "tests/actors/test_options_bot.py::test_it_is_flat_before_the_close_also_of_a_half_day",
                "tests/engine/test_trading.py::test_everything_is_sold_before_the_close_i43",
                "tests/ops/test_calendar_watch.py::test_a_day_that_the_broker_keeps_otherwise_is_told_before_and_closed_when_it_comes_i43",
            ),
            not_tested=(
                "A closure that no calendar knows of is seen only by what it does: prices stop, and"
                " the feed halts."
            ),
        ),
        Fault(
            "F116",
            "It starts just before the bell, at the close, at midnight, on a leap day.",
            tests=(
                "tests/engine/test_daily_loss.py::test_whenever_a_process_begins_an_order_counts_in_its_own_day_and_once_i37_i38",
                "tests/trading/test_account_day.py::test_a_loss_on_either_side_of_midnight_is_one_loss_i37",
                "tests/trading/test_account_day.py::test_a_trading_day_lasts_until_the_next_session_opens_i37",
                "tests/engine/test_daily_loss.py::test_midnight_and_a_weekend_begin_no_new_day_and_a_gap_over_it_is_a_loss_i37",
                "tests/trading/test_sessions.py::test_a_table_answers_as_looking_at_every_session_would",
            ),
            not_tested=(
                "No engine is started on a leap day or on the last of a year; the sessions of such"
                " years are held against the real ones."
            ),
        ),
        Fault(
            "F117",
            "The calendar is not there, or ends soon.",
            tests=(
                "tests/venues/test_exchange_calendar.py::test_a_year_beyond_the_calendar_is_refused",
                "tests/venues/test_exchange_calendar.py::test_a_damaged_cache_is_computed_anew",
                "tests/trading/test_clearing.py::test_a_daily_loss_after_which_no_session_is_known_stays_i04_i37",
                "tests/trading/test_order_checks.py::test_nothing_is_sent_outside_the_exchanges_session_i43",
            ),
            not_tested=(
                "No alarm comes 30 days ahead: at each start the sessions of a whole year are"
                " worked out, and a day that is not among them is one on which nothing is open."
            ),
        ),
        Fault(
            "F118",
            "The time zones of the machine are missing or have changed.",
            tests=(
                "tests/settings/test_process_refusals.py::test_a_machine_without_time_zones_is_refused_in_one_line_i50",
                "tests/trading/test_sessions.py::test_an_unknown_zone_is_refused",
            ),
            not_tested=(
                "Zones that have changed are not noticed: there is nothing to hold them against."
                " Sessions are instants and do not go by them; a bot's window does."
            ),
        ),
        Fault(
            "F119",
            "A cool-off comes to its end while the clock is wrong.",
            tests=(
                "tests/runtime/test_clock.py::test_market_time_of_the_wall_goes_with_machine_time",
                "tests/trading/test_clearing.py::test_a_clock_that_was_wrong_does_not_keep_a_cause_for_ever_i04_i48",
                "tests/ops/test_clock_watch.py::test_each_fault_is_told_and_undoes_what_was_decided_before_it_i04_i48",
                "tests/venues/alpaca/test_identity.py::test_clocks_that_may_disagree_too_much_are_a_fault_i48",
            ),
        ),
    ),
)
