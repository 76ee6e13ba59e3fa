"""Terms so wide that every check is asked and none refuses: what is timed is a whole judgement."""

from decimal import Decimal

from actors.guardian_terms import GuardianTerms
from hydra.actor import MINUTE
from hydra.trading.account_day import DayLimits
from hydra.trading.budgets import BudgetTerms
from hydra.trading.clearing import ClearingPolicy
from hydra.trading.desk_terms import DeskTerms
from hydra.trading.sane_numbers import (
    GROSS_PCT_MAX,
    LIMIT_COUNT_MAX,
    LIMIT_DURATION_MAX,
    MONEY_MAX,
    QUANTITY_MAX,
)
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.situation import US_EQUITY_PRICE_STEPS, Limits
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT

ALL = Decimal(100)
"""Percent."""


def wide_terms(
    bots: tuple[str, ...], symbols: tuple[str, ...], sessions: SessionTable
) -> GuardianTerms:
    """For these bots, which share all of the day's risk and may trade at any time of a session."""
    limits = Limits(
        symbols=frozenset((bot, symbol) for bot in bots for symbol in symbols),
        order_notional_usd_max=MONEY_MAX,
        order_quantity_max=QUANTITY_MAX,
        price_collar_pct=ALL,
        symbol_exposure_usd_max=MONEY_MAX,
        bot_exposure_usd_max=MONEY_MAX,
        gross_exposure_pct_max=GROSS_PCT_MAX,
        heat_pct_max=ALL,
        gap_factor=Decimal("1.5"),
        daily_loss_pct_max=ALL,
        drawdown_pct_max=ALL,
        cash_reserve_pct=Decimal("0.000000001"),
        entries_per_minute_max=LIMIT_COUNT_MAX,
        entries_per_minute_symbol_max=LIMIT_COUNT_MAX,
        exits_per_minute_max=LIMIT_COUNT_MAX,
        cancels_per_minute_max=LIMIT_COUNT_MAX,
        entry_gap_ns_min=1,
        notional_window_ns=15 * MINUTE,
        notional_per_window_usd_max=MONEY_MAX,
        entries_per_day_max=LIMIT_COUNT_MAX,
        notional_per_day_usd_max=MONEY_MAX,
        rejections_in_a_row_max=LIMIT_COUNT_MAX,
        round_trips_per_day_max=LIMIT_COUNT_MAX,
        decision_age_ns_max=LIMIT_DURATION_MAX,
        price_age_ns_max=LIMIT_DURATION_MAX,
        protection_confirm_ns=LIMIT_DURATION_MAX,
        similar_order_ns=1,
    )
    day_limits = DayLimits(
        daily_loss_pct_max=ALL,
        drawdown_pct_max=ALL,
        nav_jump_pct_max=ALL,
        drawdown_begins_pct=Decimal(90),
        recovery_begins_pct=Decimal(80),
        recovery_ends_pct=Decimal(70),
        flaps_max=LIMIT_COUNT_MAX,
        flap_window_ns=1,
        equity_age_ns_max=LIMIT_DURATION_MAX,
    )
    budgets = BudgetTerms(
        bucket_pct={"momentum": ALL},
        bots={"momentum": bots},
        bot_min_pct=Decimal("0.1"),
        bot_max_pct=ALL,
    )
    return GuardianTerms(
        account=EMBEDDED_ACCOUNT,
        desk=DeskTerms(
            limits=limits,
            day_limits=day_limits,
            budgets=budgets,
            sessions=sessions,
            windows=dict.fromkeys(bots, Window.parse("00:00", "23:59", "UTC")),
            price_steps=dict.fromkeys(symbols, US_EQUITY_PRICE_STEPS),
        ),
        loop_interval=MINUTE,
        clearing=ClearingPolicy(
            operator_only=False,
            limit_resumes_itself=True,
            cool_off_ns=0,
            exit_bot_cool_off_ns=0,
        ),
    )
