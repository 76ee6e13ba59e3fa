"""Bots that the guards never let enter are told of at the start, and limits that do nothing."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import load_settings
from hydra.settings.guard_traps import ORDINARY_EQUITY_USD, guard_warnings_of
from tests.settings.test_changes import with_value
from tests.settings.test_traps import CONFIG, warnings

SHIPPED = load_settings(CONFIG)


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        (
            [
                ("max_symbol_usd: 30000", "max_symbol_usd: 999.99"),
                ("max_order_notional_usd: 25000", "max_order_notional_usd: 999.99"),
                ("default_notional_usd: 1000", "default_notional_usd: 999.99"),
                ("default_notional_usd: 2000", "default_notional_usd: 999.98"),
                ("max_bot_usd: 31000", "max_bot_usd: 999.98"),
            ],
            [
                (
                    "momentum_bots[mom_AAPL].execution.default_notional_usd: 999.99 USD, but "
                    "guards.exposure.max_bot_usd is 999.98, so this bot never enters; lower the "
                    "one or raise the other"
                ),
                (
                    "risk.max_order_notional_usd: 999.99, but the lower limit binds: "
                    "guards.exposure.max_bot_usd is 999.98; lower the first, or raise that limit"
                ),
            ],
        ),
        (
            [("max_notional_per_window_usd: 40000", "max_notional_per_window_usd: 49")],
            [
                *(
                    (
                        f"{bot}.execution.default_notional_usd: {notional} USD, but "
                        "guards.pace.max_notional_per_window_usd is 49, so this bot never enters; "
                        "lower the one or raise the other"
                    )
                    for bot, notional in (("momentum_bots[mom_AAPL]", 1000), ("cryptobot", 50))
                ),
                (
                    "risk.max_order_notional_usd: 25000, but the lower limit binds: "
                    "guards.pace.max_notional_per_window_usd is 49; lower the first, or raise that "
                    "limit"
                ),
            ],
        ),
        (
            [
                ("max_gross_pct: 60", "max_gross_pct: 0.07"),
                ("max_open_risk_pct: 0.6", "max_open_risk_pct: 0.0001"),
                ("enabled: true # cryptobot", "enabled: false"),
            ],
            [
                (
                    "momentum_bots[mom_AAPL].execution.default_notional_usd: 1000 USD, which "
                    "guards.exposure.max_gross_pct allows from 1428572 USD of equity on; with less "
                    "this bot never enters"
                ),
                (
                    "momentum_bots[mom_AAPL].exits.stop_loss_pct: with guards.exposure.gap_factor "
                    "an entry loses 8 USD at its stop, which guards.exposure.max_open_risk_pct "
                    "allows from 8000000 USD of equity on; with less this bot never enters"
                ),
            ],
        ),
        (
            [
                ("default_notional_usd: 50", "default_notional_usd: 9000"),
                ("stop_loss_pct: 0.75", "stop_loss_pct: 3.9"),
            ],
            [
                (
                    "cryptobot.exits.stop_loss_pct: with guards.exposure.gap_factor an entry loses "
                    "561.6 USD at its stop, which its 30 percent of the day's risk budget allows "
                    "from 187200 USD of equity on; with less this bot never enters"
                ),
            ],
        ),
        (
            [
                ("price_collar_pct: 4", "price_collar_pct: 0.4"),
                ("time_stop_minutes: 25", "time_stop_minutes: 25\n      trailing_stop_pct: 2.5"),
            ],
            [
                (
                    f"momentum_bots[mom_AAPL].exits.{stop} percent, but an order's price may lie "
                    "0.4 percent from the market (guards.order.price_collar_pct), so a stop order "
                    "there is denied; lower the one or raise the other"
                )
                for stop in ("stop_loss_pct: 0.5", "trailing_stop_pct: 2.5")
            ],
        ),
        (
            [("max_round_trips_per_bot_per_day: 12", "max_round_trips_per_bot_per_day: 5")],
            [
                (
                    f"{bot}.risk.max_trades_per_day: {trades}, but after 5 round trips in a day "
                    "(guards.pace.max_round_trips_per_bot_per_day) the bot waits for a person; "
                    "lower the one or raise the other"
                )
                for bot, trades in (("optionsbot", 5), ("cryptobot", 6))
            ],
        ),
        (
            [("max_orders_per_minute: 10", "max_orders_per_minute: 6")],
            [
                (
                    "guards.pace.max_entries_per_minute_per_symbol: 7, but the lower limit binds: "
                    "risk.max_orders_per_minute is 6; lower the first, or raise that limit"
                ),
            ],
        ),
        (
            [("max_notional_per_day_usd: 90000", "max_notional_per_day_usd: 39999.50")],
            [
                (
                    "guards.pace.max_notional_per_window_usd: 40000, but the lower limit binds: "
                    "guards.pace.max_notional_per_day_usd is 39999.5; lower the first, or raise "
                    "that limit"
                ),
            ],
        ),
        (
            [("global_max_daily_loss_pct: 1.0", "global_max_daily_loss_pct: 0.5")],
            [
                (
                    "guards.exposure.max_open_risk_pct: 0.6, but the lower limit binds: "
                    "risk.global_max_daily_loss_pct is 0.5; lower the first, or raise that limit"
                ),
            ],
        ),
    ],
)
def test_each_trap_of_the_guards_is_told_with_what_binds_and_what_to_do(
    tmp_path: Path, edits: list[tuple[str, str]], told: list[str]
) -> None:
    assert warnings(tmp_path, *edits) == told


@pytest.mark.parametrize(
    "edits",
    [
        # Each at its limit.
        [("max_orders_per_minute: 10", "max_orders_per_minute: 7")],
        [("max_round_trips_per_bot_per_day: 12", "max_round_trips_per_bot_per_day: 7")],
        [("price_collar_pct: 4", "price_collar_pct: 0.5")],
        # No stop order of theirs rests: coins have none, and here the engine alone looks.
        [
            ("price_collar_pct: 4", "price_collar_pct: 0.4"),
            (
                "default_notional_usd: 1000",
                "default_notional_usd: 1000\n      protective_order: engine",
            ),
        ],
        [("max_session_drawdown_pct: 1.4", "max_session_drawdown_pct: 0.70")],
        [("global_max_daily_loss_pct: 1.0", "global_max_daily_loss_pct: 0.6")],
        [("max_gross_pct: 60", "max_gross_pct: 1")],
        [("max_symbol_usd: 30000", "max_symbol_usd: 25000")],
        # Bots that do not trade need nothing.
        [
            ("default_notional_usd: 2000", "default_notional_usd: 25000"),
            ("stop_loss_pct: 0.60", "stop_loss_pct: 99"),
            ("max_trades_per_day: 4", "max_trades_per_day: 1000"),
        ],
        [
            ("enabled: true # cryptobot", "enabled: false"),
            ("max_concurrent_positions: 4", "max_concurrent_positions: 5"),
            ("max_trades_per_day: 6", "max_trades_per_day: 1000"),
            ("stop_loss_pct: 0.75", "stop_loss_pct: 99"),
        ],
    ],
)
def test_what_is_just_within_the_guards_is_not_told(
    tmp_path: Path, edits: list[tuple[str, str]]
) -> None:
    assert warnings(tmp_path, *edits) == []


@pytest.mark.parametrize(("orders", "is_told"), [(19, False), (20, True), (21, True)])
def test_the_signal_bot_is_told_that_it_would_wait_for_a_person(orders: int, is_told: bool) -> None:
    bridge = with_value(SHIPPED, "signalbot.limits.max_orders_per_day", orders)
    line = (
        f"signalbot.limits.max_orders_per_day: {orders}, but after 20 round trips in a day "
        "(guards.pace.max_round_trips_per_bot_per_day) the bot waits for a person; lower the one "
        "or raise the other"
    )

    assert list(guard_warnings_of(bridge)) == []
    enabled = with_value(bridge, "signalbot.enabled", True)
    assert list(guard_warnings_of(enabled)) == ([line] if is_told else [])


USD_LIMITS = [
    "guards.exposure.max_symbol_usd",
    "guards.exposure.max_bot_usd",
    "guards.pace.max_notional_per_window_usd",
    "guards.pace.max_notional_per_day_usd",
]


@pytest.mark.parametrize("limit", USD_LIMITS)
def test_a_bot_whose_entry_is_above_any_limit_in_usd_is_told_which(limit: str) -> None:
    def told(usd: str) -> list[str]:
        settings = with_value(SHIPPED, limit, Decimal(usd))
        return [line for line in guard_warnings_of(settings) if "never enters" in line]

    # As shipped, each momentum bot's entry buys 1000 USD.
    assert told("1000") == []
    assert told("999.99") == [
        (
            f"momentum_bots[{bot}].execution.default_notional_usd: 1000 USD, but {limit} is "
            "999.99, so this bot never enters; lower the one or raise the other"
        )
        for bot in ("mom_AAPL", "mom_AAPL_cross")
    ]


@given(
    notional_usd=st.integers(1, 60_000).map(Decimal),
    stop_loss_pct=st.integers(1, 120).map(lambda tenths: Decimal(tenths) / 10),
)
def test_a_bot_is_told_exactly_if_the_ordinary_account_would_never_let_it_enter(
    notional_usd: Decimal, stop_loss_pct: Decimal
) -> None:
    bot = "momentum_bots[mom_AAPL]"
    settings = with_value(SHIPPED, f"{bot}.execution.default_notional_usd", notional_usd)
    settings = with_value(settings, f"{bot}.exits.stop_loss_pct", stop_loss_pct)

    told = [line for line in guard_warnings_of(settings) if "this bot never enters" in line]

    # As shipped: 25,000 USD a symbol, 25 of 1.0 percent a bot, a gap of 1.5.
    loss_usd = notional_usd * stop_loss_pct / 100 * Decimal("1.5")
    may_lose_usd = ORDINARY_EQUITY_USD / 100 * Decimal("0.25")
    assert bool(told) == (notional_usd > 25_000 or loss_usd > may_lose_usd)
    assert all(line.startswith(bot) for line in told)
