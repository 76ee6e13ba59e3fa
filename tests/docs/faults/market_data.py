"""Prices are late, wrong, missing or too many."""

from tests.docs.faults.catalogue import Fault, FaultSection

MARKET_DATA = FaultSection(
    "Market data",
    (
        Fault(
            "F100",
            "No price comes any more, of one symbol or of all.",
            tests=(
                "tests/engine/test_live_prices.py::test_a_feed_that_is_connected_and_mute_halts_i45",
                "tests/engine/test_live_prices.py::test_a_mute_stream_is_connected_anew_once_a_minute_until_prices_come_i45",
                "tests/engine/test_live_prices.py::test_bars_alone_are_too_old_between_two_of_them_i45",
                "tests/trading/test_price_watch.py::test_a_symbol_that_is_silent_is_stale_by_itself_and_the_feed_is_well_i45",
                "tests/engine/test_failures.py::test_a_silent_feed_halts_i45",
                "tests/engine/test_kill_conditions.py::test_prices_that_stay_away_halt_or_only_alarm_while_entries_are_denied",
            ),
            proof=("FeedSilent",),
        ),
        Fault(
            "F101",
            "Only signs of life come, or one price again and again with new times.",
            tests=(
                "tests/engine/test_live_prices.py::test_a_price_that_is_frozen_under_fresh_timestamps_stops_entries_i45",
                "tests/trading/test_price_watch.py::test_a_price_that_comes_again_and_again_is_frozen_i45",
                "tests/trading/test_price_watch.py::test_a_stream_that_is_connected_and_mute_makes_the_feed_unwell_i45",
            ),
        ),
        Fault(
            "F102",
            "A price is no number, infinite, zero, negative, absurd, of another type or missing.",
            tests=(
                "tests/actors/test_data_feed_fuzzed.py::test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46",
                "tests/trading/test_quote_checks.py::test_numbers_that_are_none_are_nonsense_i46",
                "tests/actors/test_data_feed.py::test_an_odd_bar_is_dropped_i46",
                "tests/actors/test_data_feed.py::test_odd_quotes_are_counted_and_told_now_and_then_i46",
                "tests/venues/alpaca/test_data_stream.py::test_an_element_that_cannot_be_read_is_a_gap_and_the_others_are_told_i46_i47",
            ),
            proof=("FeedLies",),
        ),
        Fault(
            "F103",
            "A quote is crossed, locked or without size.",
            tests=(
                "tests/trading/test_quote_checks.py::test_a_quote_that_is_no_price_says_why_i46",
                "tests/actors/test_data_feed_fuzzed.py::test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46",
                "tests/actors/test_followed_contracts.py::test_a_crossed_quote_of_a_contract_reaches_nobody_i46",
            ),
            proof=("FeedLies",),
            not_tested=(
                "Of a share a size of zero is let pass, since nothing is decided by it; a contract"
                " that nobody offers is not bought."
            ),
        ),
        Fault(
            "F104",
            "A price jumps tenfold, for one tick or for good.",
            tests=(
                "tests/trading/test_price_level.py::test_a_jump_is_not_believed_and_leaves_the_level_where_it_was_i46",
                "tests/trading/test_price_level.py::test_a_burst_confirms_nothing_i46",
                "tests/trading/test_price_level.py::test_a_jump_that_others_confirm_over_a_second_is_believed_i46",
                "tests/trading/test_price_watch.py::test_where_quotes_alone_have_jumped_to_nobody_enters_until_something_trades_there_i35_i46",
                "tests/trading/test_price_watch.py::test_where_trades_alone_have_jumped_to_nobody_enters_until_a_quote_lies_there_i35_i46",
                "tests/trading/test_price_watch.py::test_quotes_that_come_back_are_entered_on_again_once_something_trades_there_i46",
                "tests/trading/test_price_watch.py::test_trades_where_it_was_confirm_no_jump_i46",
                "tests/trading/test_order_checks.py::test_a_price_is_held_to_the_collar_to_the_last_step_i35",
                "tests/engine/test_kill_conditions.py::test_a_jump_of_the_equity_is_an_anomaly_that_halts_or_only_alarms",
            ),
            not_tested=(
                "The two sources that have to agree are quotes and trades, and both come from one"
                " feed: where it has both wrong in the same way, a minute later they are believed."
                " Of a contract there are only quotes."
            ),
        ),
        Fault(
            "F105",
            "A time lies in the future or the past, goes back, or lacks its zone.",
            tests=(
                "tests/engine/test_live_prices.py::test_a_feed_whose_clock_is_a_little_ahead_is_traded_on_and_no_other_i46_i48",
                "tests/engine/test_live_prices.py::test_a_bot_decides_on_bars_that_are_a_little_ahead_and_on_no_others_i46_i48",
                "tests/actors/test_data_feed_fuzzed.py::test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46",
                "tests/venues/alpaca/test_times.py::test_what_names_no_instant_is_refused",
                "tests/engine/test_live_prices.py::test_a_feed_of_nonsense_halts_i46",
            ),
            proof=("FeedLies",),
        ),
        Fault(
            "F106",
            "Bars come twice, out of order, corrected, unfinished, or not at all.",
            tests=(
                "tests/venues/alpaca/test_bar_line.py::test_whatever_happens_bars_are_told_in_order_and_none_twice_i46_i47",
                "tests/venues/alpaca/test_bar_line.py::test_behind_a_hole_bars_wait_until_it_has_been_looked_into_i47",
                "tests/venues/alpaca/test_feed.py::test_a_live_bar_waits_for_those_before_it_and_the_fetched_content_counts_i47",
                "tests/venues/alpaca/test_feed.py::test_the_bar_that_has_not_ended_is_not_told",
                "tests/venues/alpaca/test_data_stream.py::test_bars_of_the_recorded_session_are_told_and_later_ones_left_alone",
            ),
            proof=("FeedLies",),
        ),
        Fault(
            "F107",
            "A price is of a symbol that is not ours, or only looks like it.",
            tests=(
                "tests/actors/test_data_feed_fuzzed.py::test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46",
                "tests/actors/test_data_feed.py::test_an_odd_bar_is_dropped_i46",
                "tests/actors/test_data_feed.py::test_a_status_of_a_strange_symbol_is_told_and_left_alone_i46",
                "tests/trading/test_order_checks.py::test_a_symbol_that_is_not_on_the_list_can_be_left_but_not_entered_i42",
            ),
            proof=("FeedLies",),
        ),
        Fault(
            "F108",
            "Fifty thousand messages a second, for minutes, and then silence.",
            tests=(
                "tests/runtime/test_mailbox.py::test_a_conflating_mailbox_gives_each_keys_newest_once_in_the_order_the_keys_came_i71",
                "tests/actors/test_data_feed.py::test_a_feed_that_falls_behind_sees_the_newest_quote_and_every_bar_i46",
                "tests/stress/test_threads.py::test_a_conflating_mailbox_ends_with_the_newest_of_each_key",
                "tests/ops/bench/test_quotes_absorbed.py::test_every_quote_of_a_flood_is_taken_in_later_than_it_was_due",
                "tests/engine/test_live_prices.py::test_a_feed_that_is_connected_and_mute_halts_i45",
            ),
            not_tested=(
                "How many a second are taken in depends on the machine: `hydra-trader bench`"
                " measures it there. No flood lasts ten minutes here."
            ),
        ),
        Fault(
            "F109",
            "A price a minute of a symbol that usually has many.",
            tests=(
                "tests/engine/test_live_prices.py::test_bars_alone_are_too_old_between_two_of_them_i45",
                "tests/trading/test_feed_age.py::test_a_price_counts_for_so_long_and_no_longer_i45",
                "tests/trading/test_feed_age.py::test_how_long_is_usual_is_learned_within_bounds_i45",
            ),
        ),
        Fault(
            "F110",
            "The feed comes back with minutes missing.",
            tests=(
                "tests/engine/test_live_prices.py::test_while_bars_are_missing_nothing_is_entered_i47",
                "tests/venues/alpaca/test_feed.py::test_what_was_missed_while_it_was_away_is_told_in_order_before_what_is_new_i47",
                "tests/venues/alpaca/test_feed.py::test_a_symbol_that_has_missed_too_much_stays_as_it_is_and_says_so_once_i47",
                "tests/actors/test_momentum_bot.py::test_history_feeds_its_strategy_and_nothing_is_decided_before_a_bar_that_is_news_i46_i47",
                "tests/engine/test_live_prices.py::test_after_a_reconnect_nothing_is_entered_before_a_price_of_later_i47",
            ),
        ),
        Fault(
            "F111",
            "The feed is another one than meant: delayed, for tests, of other exchanges.",
            tests=(
                "tests/venues/alpaca/test_data_endpoints.py::test_paths_and_channels_are_those_of_the_wire",
                "tests/engine/test_live_prices.py::test_a_feed_whose_clock_is_a_little_ahead_is_traded_on_and_no_other_i46_i48",
                "tests/actors/test_data_feed_fuzzed.py::test_of_fuzzed_prices_only_the_good_ones_get_on_and_nothing_crashes_i46",
            ),
            not_tested=(
                "There is no setting for it: the feed is one constant of the adapter, and prices"
                " that come a quarter of an hour late are too old to be traded on. Preflight does"
                " not look for it."
            ),
        ),
    ),
)
