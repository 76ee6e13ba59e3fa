"""What can go wrong at the broker, what Hydra does about it, and the tests that show it.

The rows are those of the protocol notes that the adapter was built from. `docs/hazards.md` shows
them; a test that does not exist is a fault.
"""

import re
from pathlib import Path

import msgspec


class Proof(msgspec.Struct, frozen=True):
    """A test: its file, and its name without the invariants that it serves."""

    path: str
    name: str

    def is_in(self, root: Path) -> bool:
        """Whether there is such a test."""
        file = root / self.path
        wanted = rf"def {self.name}(_[ik]\d\d)*\("
        return file.exists() and re.search(wanted, file.read_text(encoding="utf-8")) is not None


class Hazard(msgspec.Struct, frozen=True):
    """`shows`: how it is noticed."""

    name: str
    shows: str
    reaction: str
    tests: tuple[Proof, ...]


HAZARDS = (
    Hazard(
        "The outcome of an order is unknown",
        "time-out, reset, 5xx, no JSON",
        "unknown with its whole risk, looked up on a plan, never sent again",
        (
            Proof(
                "tests/contracts/venues/test_request_counts.py",
                "test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up",
            ),
            Proof(
                "tests/engine/test_unknown_outcomes.py",
                "test_an_order_not_answered_for_15_s_is_unknown_and_is_looked_up_not_resent",
            ),
        ),
    ),
    Hazard(
        "A retry doubles an order",
        "two orders",
        "nothing is retried, and one decision has one name",
        (
            Proof(
                "tests/contracts/venues/test_request_counts.py",
                "test_an_order_that_was_accepted_and_answered_504_is_one_order_and_is_found",
            ),
            Proof(
                "tests/contracts/venues/test_engine_request_counts.py",
                "test_in_a_storm_order_requests_are_attempts_in_the_ledger",
            ),
        ),
    ),
    Hazard(
        "A fill in parts",
        "less is filled than ordered, for minutes",
        "what is filled and what may still be, both count",
        (
            Proof(
                "tests/engine/test_reconciling.py",
                "test_what_fills_in_parts_is_held_in_parts_and_left_in_parts",
            ),
            Proof(
                "tests/trading/test_risk_book_machine.py",
                "test_no_fills_lead_above_the_limits_that_the_book_was_held_to",
            ),
        ),
    ),
    Hazard(
        "A fill after the cancel",
        "an execution while the cancel is pending",
        "booked: first the position, then the plan",
        (
            Proof(
                "tests/engine/test_halts.py",
                "test_a_fill_that_overtakes_the_cancel_counts_and_belongs_to_its_bot",
            ),
            Proof(
                "tests/engine/test_hazards.py",
                "test_a_fill_while_the_cancel_is_pending_is_booked_and_ends_the_waiting",
            ),
        ),
    ),
    Hazard(
        "An update is lost",
        "REST says something else than the stream did",
        "compared every 30 s while orders work, and after each reconnect",
        (
            Proof(
                "tests/engine/test_reconciling.py",
                "test_a_report_that_is_lost_is_taken_up_within_the_minute_and_nothing_is_invented",
            ),
            Proof(
                "tests/engine/test_stream.py",
                "test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean",
            ),
        ),
    ),
    Hazard(
        "An update comes twice, or out of order",
        "an execution id that was there, a lower filled quantity",
        "one table of what can follow what; an execution counts once",
        (
            Proof(
                "tests/engine/test_reconciling.py",
                "test_reports_out_of_order_and_late_leave_the_same_book",
            ),
            Proof(
                "tests/engine/test_reconciling.py",
                "test_reports_that_come_several_times_leave_the_same_state_to_the_last_digit",
            ),
        ),
    ),
    Hazard(
        "An order is accepted and never lives",
        "accepted, in a session, for a minute",
        "it is taken out",
        (
            Proof(
                "tests/engine/test_hazards.py",
                "test_an_order_that_the_market_does_not_come_to_have_is_taken_out",
            ),
        ),
    ),
    Hazard(
        "A late rejection",
        "rejected after it was accepted",
        "its risk is released and it is counted; three in a row stop the symbol",
        (
            Proof(
                "tests/engine/test_limits.py",
                "test_an_acceptance_that_is_followed_by_a_late_rejection_does_not_begin_the_count_anew",
            ),
        ),
    ),
    Hazard(
        "A cancel stays pending",
        "for over 30 s",
        "told, the symbol is closed to entries, the account is read every 10 s",
        (
            Proof(
                "tests/engine/test_hazards.py",
                "test_a_cancel_that_is_pending_for_30_s_is_told_and_shuts_its_symbol",
            ),
        ),
    ),
    Hazard(
        "The exchange halts a symbol",
        "a status message",
        "no entry until it trades again and was priced; working entries are taken out",
        (
            Proof(
                "tests/engine/test_live_prices.py",
                "test_a_symbol_that_the_exchange_halts_is_closed_until_it_is_resumed_and_priced",
            ),
        ),
    ),
    Hazard(
        "The market is closed",
        "the calendar",
        "no order outside of a session; what is held is sold before the close",
        (
            Proof(
                "tests/trading/test_risk_checks.py",
                "test_nothing_is_approved_for_what_is_missing_closed_or_unknown",
            ),
            Proof("tests/engine/test_trading.py", "test_everything_is_sold_before_the_close"),
        ),
    ),
    Hazard(
        "An early close",
        "the calendar",
        "sessions end when the calendar says; a day that the broker keeps otherwise is not entered",
        (
            Proof(
                "tests/venues/server/rest/test_answers.py",
                "test_the_calendar_knows_half_days_and_when_trades_are_settled",
            ),
            Proof(
                "tests/trading/strategies/test_opening_range_breakout.py",
                "test_each_session_has_its_own_range_on_half_days_too",
            ),
            Proof(
                "tests/ops/test_calendar_watch.py",
                "test_a_day_that_the_broker_keeps_otherwise_is_told_before_and_closed_when_it_comes",
            ),
        ),
    ),
    Hazard(
        "A quote is stale, crossed, zero or one-sided",
        "its time, its numbers",
        "it counts as none; a feed of them halts",
        (
            Proof(
                "tests/engine/test_live_prices.py",
                "test_a_price_that_is_frozen_under_fresh_timestamps_stops_entries",
            ),
            Proof(
                "tests/trading/test_quote_checks.py",
                "test_what_passes_is_finite_positive_and_not_crossed",
            ),
            Proof("tests/engine/test_live_prices.py", "test_a_feed_of_nonsense_halts"),
        ),
    ),
    Hazard(
        "A split, a symbol change, a delisting",
        "a list of what is to come; else the position differs",
        "no entry near it, and nothing held over it; what came untold halts until a person has"
        " settled it",
        (
            Proof(
                "tests/engine/test_corporate_actions.py",
                "test_nothing_is_entered_on_the_day_before_a_split_and_what_is_held_can_be_sold",
            ),
            Proof(
                "tests/engine/test_corporate_actions.py",
                "test_contracts_are_sold_before_the_close_of_the_day_before_a_split",
            ),
            Proof(
                "tests/engine/test_reconciling.py",
                "test_positions_and_cash_that_drift_halt_within_the_minute_and_are_not_mended",
            ),
        ),
    ),
    Hazard(
        "The clocks differ",
        "the venue's clock at the start, its times later, the machine's clock being set",
        "no start over 2 s; halts",
        (
            Proof(
                "tests/venues/alpaca/test_identity.py",
                "test_clocks_that_may_disagree_too_much_are_a_fault",
            ),
            Proof(
                "tests/ops/test_clock_watch.py",
                "test_a_fault_of_the_clocks_stops_orders_in_a_session",
            ),
        ),
    ),
    Hazard(
        "An assignment, an expiry",
        "a position changes without an order",
        "found by a comparison, at night too, and halts",
        (
            Proof(
                "tests/engine/test_hazards.py",
                "test_what_an_exercise_takes_is_found_outside_of_a_session_too",
            ),
            Proof(
                "tests/engine/test_hazards.py",
                "test_record_and_venue_are_compared_after_the_session_and_all_night",
            ),
        ),
    ),
    Hazard(
        "The account is blocked or restricted",
        "its flags, 403",
        "halts until a person says a word",
        (
            Proof(
                "tests/engine/test_reconciling.py",
                "test_a_blocked_account_halts_within_the_minute_and_needs_a_word_when_it_is_over",
            ),
        ),
    ),
    Hazard(
        "Too many requests",
        "429",
        "polls and entries wait, cancels and exits go on",
        (
            Proof(
                "tests/venues/alpaca/test_budget.py",
                "test_a_429_holds_back_all_but_the_urgent_until_its_reset",
            ),
            Proof(
                "tests/venues/alpaca/test_venue.py",
                "test_entries_stop_at_their_share_of_the_budget_and_exits_go_on",
            ),
        ),
    ),
    Hazard(
        "A second engine",
        "the lock, orders of a stranger",
        "it does not start; an order that is not ours halts",
        (
            Proof("tests/ops/test_run.py", "test_a_second_engine_on_the_same_folder_is_refused"),
            Proof(
                "tests/engine/test_reconciling.py",
                "test_an_order_that_is_not_ours_halts_until_a_person_decides",
            ),
        ),
    ),
    Hazard(
        "Trading by hand",
        "an order without our prefix",
        "left alone, and halts",
        (
            Proof(
                "tests/engine/test_hazards.py",
                "test_an_order_by_hand_is_left_alone_and_halts_also_when_it_trades",
            ),
        ),
    ),
    Hazard(
        "The key is revoked",
        "401, a stream that refuses",
        "halts at once, and says which",
        (
            Proof("tests/venues/alpaca/test_venue.py", "test_a_key_that_is_refused_halts_at_once"),
            Proof("tests/engine/test_stream.py", "test_keys_that_are_refused_halt_at_once"),
            Proof(
                "tests/ops/test_broker_account.py",
                "test_keys_that_are_refused_are_said_in_one_line_with_what_to_do",
            ),
        ),
    ),
    Hazard(
        "The venue is down",
        "503, closed connections, a stream that is mute or gone",
        "halts; its return makes that clearable, and opens nothing where a person has to",
        (
            Proof(
                "tests/ops/test_embedded_market.py",
                "test_a_killed_venue_halts_comes_again_and_is_clearable",
            ),
            Proof(
                "tests/venues/alpaca/test_venue.py",
                "test_a_broker_that_fails_again_and_again_halts",
            ),
            Proof(
                "tests/engine/test_live_prices.py", "test_a_feed_that_is_connected_and_mute_halts"
            ),
            Proof(
                "tests/engine/test_stream.py",
                "test_a_loss_that_lasts_halts_and_a_short_one_does_not",
            ),
        ),
    ),
)
