"""Every key that Hydra's configuration was asked for with does something, and a test shows what.

`SHOWN_BY` names that test. What of it is in `test_settings_keys` is taken over from there. A key
without an entry is red, and so is an entry whose test is gone.
"""

import re
from collections.abc import Callable
from datetime import time
from operator import attrgetter
from pathlib import Path

import pytest

from actors.momentum_bot import MomentumPlan
from hydra.settings import Settings
from hydra.terms import plans_of
from hydra.trading.sessions import Window
from tests.engine.harness import bars_of, market_of, settings_with
from tests.engine.test_settings_keys import SHOWN_BY as SHOWN_ELSEWHERE

TESTS = Path(__file__).resolve().parents[1]
SEED = TESTS / "settings/seed.txt"

HERE = "engine/test_every_seed_key.py"
BY_THE_PLAN = f"{HERE}::test_a_momentum_bot_is_what_its_settings_say"
EXITS, KILLS = "engine/test_exit_bot.py", "engine/test_kill_conditions.py"
COINS, PAIRS = "engine/test_crypto_bot.py", "trading/test_coin_pair.py"
STOPS, TRADING = "actors/test_resting_stops.py", "engine/test_trading.py"
ENTRIES = "actors/test_entries_of_a_day.py"
OPTIONS = "actors/test_options_bot.py"
IN_ITS_WINDOW = f"{TRADING}::test_nothing_is_bought_after_the_bot_s_own_window_and_the_count_of_a_"
IN_ITS_WINDOW += "day_holds_i43"
AS_CONFIGURED = f"{COINS}::test_an_entry_goes_as_it_is_configured_and_an_exit_at_the_market_until_"
AS_CONFIGURED += "it_is_filled"
COIN_IS_THERE = (
    f"{COINS}::test_one_that_is_off_or_whose_pairs_the_market_does_not_have_is_not_there"
)
COIN_WINDOW = f"{COINS}::test_it_enters_only_in_its_window_and_leaves_at_its_end_i43"
COIN_EXITS = f"{PAIRS}::test_what_it_holds_is_closed_whole_by_its_rules_or_held_i30"
COIN_STRATEGY = f"{COINS}::test_it_follows_the_strategy_that_is_named"
OPTION_PLAN = f"{OPTIONS}::test_only_an_enabled_bot_on_what_the_market_has_gets_a_plan"
OPTION_EXITS = f"{OPTIONS}::test_each_exit_closes_by_its_own_key"
OPTION_CHAIN = f"{OPTIONS}::test_each_chain_rule_keeps_a_contract_out"
OPTION_WINDOW = f"{OPTIONS}::test_it_enters_only_inside_its_trade_window"
A_PLACE = (
    "ops/test_places.py::test_each_venue_has_folders_of_its_own_and_paper_has_the_settings_i82"
)

SHOWN_BY = {
    **SHOWN_ELSEWHERE,
    "system.timezone": f"{HERE}::test_windows_are_in_the_time_zone_that_the_settings_name",
    "system.log_path": A_PLACE,
    "system.state_db_path": A_PLACE,
    "exitbot.enabled": f"{EXITS}::test_while_the_exit_bot_is_switched_off_nobody_enters_anything",
    "exitbot.cooloff_minutes": f"{KILLS}::test_a_halt_of_a_kill_condition_lasts_for_the_longer_"
    "cool_off_i04",
    "exitbot.kill_conditions.api_failure_halt": f"{KILLS}::test_failures_of_the_venues_interface_"
    "halt_or_only_alarm",
    "exitbot.kill_conditions.data_stale_halt": f"{KILLS}::test_prices_that_stay_away_halt_or_only_"
    "alarm_while_entries_are_denied",
    "exitbot.kill_conditions.max_daily_loss_halt": f"{KILLS}::test_a_lost_day_only_alarms_while_"
    "its_switch_is_off_and_nothing_is_entered_i37",
    "exitbot.kill_conditions.anomaly_halt": f"{KILLS}::test_a_jump_of_the_equity_is_an_anomaly_"
    "that_halts_or_only_alarms",
    "momentum_bots[].bot_id": BY_THE_PLAN,
    "momentum_bots[].enabled": f"{HERE}::test_a_momentum_bot_that_is_off_is_not_there",
    "momentum_bots[].ticker": BY_THE_PLAN,
    "momentum_bots[].session.trade_start": BY_THE_PLAN,
    "momentum_bots[].session.trade_end": IN_ITS_WINDOW,
    "momentum_bots[].session.manage_until": f"{STOPS}::test_past_manage_until_the_stop_gives_way_"
    "to_an_exit",
    "momentum_bots[].risk.max_trades_per_day": f"{ENTRIES}::test_no_more_entries_than_the_day_"
    "allows",
    "momentum_bots[].risk.max_concurrent_positions": f"{ENTRIES}::test_so_many_entries_are_open_at_"
    "once_as_are_allowed",
    "momentum_bots[].exits.stop_loss_pct": f"{TRADING}::test_a_fall_after_the_entry_is_cut_at_the_"
    "stop",
    "momentum_bots[].exits.take_profit_pct": f"{TRADING}::test_a_rise_is_bought_and_sold_at_the_"
    "target",
    "momentum_bots[].exits.time_stop_minutes": f"{TRADING}::test_a_position_that_goes_nowhere_is_"
    "closed_when_its_time_is_up",
    "momentum_bots[].signal.mode": BY_THE_PLAN,
    "momentum_bots[].signal.params": BY_THE_PLAN,
    "optionsbot.enabled": OPTION_PLAN,
    "optionsbot.bot_id": f"{OPTIONS}::test_it_trades_under_its_name",
    "optionsbot.tickers[]": OPTION_PLAN,
    "optionsbot.session.trade_start": OPTION_WINDOW,
    "optionsbot.session.trade_end": OPTION_WINDOW,
    "optionsbot.session.manage_until": OPTION_EXITS,
    "optionsbot.risk.max_trades_per_day": f"{OPTIONS}::test_entries_of_the_day_are_counted_over_"
    "all_underlyings",
    "optionsbot.risk.max_concurrent_positions": f"{OPTIONS}::test_positions_are_counted_over_all_"
    "underlyings",
    "optionsbot.exits.take_profit_pct": OPTION_EXITS,
    "optionsbot.exits.stop_loss_pct": OPTION_EXITS,
    "optionsbot.exits.time_stop_minutes": OPTION_EXITS,
    "optionsbot.exits.flatten_before_close_minutes": OPTION_EXITS,
    "optionsbot.chain_rules.dte_min": OPTION_CHAIN,
    "optionsbot.chain_rules.dte_max": OPTION_CHAIN,
    "optionsbot.chain_rules.delta_min": OPTION_CHAIN,
    "optionsbot.chain_rules.delta_max": OPTION_CHAIN,
    "cryptobot.enabled": COIN_IS_THERE,
    "cryptobot.bot_id": f"{COINS}::test_one_bot_trades_all_its_pairs_at_night_in_the_day_that_the_"
    "account_is_in_i23_i43",
    "cryptobot.pairs[]": COIN_IS_THERE,
    "cryptobot.session.trade_start": COIN_WINDOW,
    "cryptobot.session.trade_end": COIN_WINDOW,
    "cryptobot.session.manage_until": COIN_WINDOW,
    "cryptobot.execution.order_type": AS_CONFIGURED,
    "cryptobot.execution.tif": AS_CONFIGURED,
    "cryptobot.execution.use_notional": "trading/test_coin_orders.py::test_a_notional_is_the_most_"
    "it_costs_and_otherwise_what_it_is_worth_as_it_was_seen",
    "cryptobot.execution.default_notional_usd": AS_CONFIGURED,
    "cryptobot.risk.max_trades_per_day": f"{COINS}::test_the_limits_count_over_all_pairs_together",
    "cryptobot.risk.max_concurrent_positions": f"{COINS}::test_no_more_positions_at_once_than_"
    "allowed_whatever_the_pair",
    "cryptobot.exits.stop_loss_pct": COIN_EXITS,
    "cryptobot.exits.take_profit_pct": COIN_EXITS,
    "cryptobot.exits.time_stop_minutes": COIN_EXITS,
    "cryptobot.signal.mode": COIN_STRATEGY,
    "cryptobot.signal.params": COIN_STRATEGY,
}


def keys_of_the_seed() -> set[str]:
    """Places in a list left out: what holds for one bot, or ticker, holds for each."""
    lines = [line for line in SEED.read_text().splitlines() if line and not line.startswith("#")]
    return {re.sub(r"\[\d+\]", "[]", line.partition(" = ")[0]) for line in lines}


def test_for_every_key_of_the_seed_there_is_a_test_that_shows_what_it_does() -> None:
    assert keys_of_the_seed() - SHOWN_BY.keys() == set()


@pytest.mark.parametrize("where", sorted(set(SHOWN_BY.values())))
def test_the_tests_that_are_named_are_there(where: str) -> None:
    file, _, name = where.partition("::")

    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE)


FIRST = settings_with({}).momentum_bots[0]


def with_first(**changes: object) -> Settings:
    """The shipped settings, with another first bot and no others."""
    first = FIRST.model_copy(update=changes)
    return settings_with({}).model_copy(update={"momentum_bots": (first,)})


def plan_with(**changes: object) -> MomentumPlan:
    bars = [*bars_of([100.0] * 3), *bars_of([100.0] * 3, symbol="TSLA")]
    (plan,) = plans_of(with_first(**changes), market_of(tuple(bars))).momentum
    return plan


CROSS = {"mode": "moving_average_cross", "params": {"fast_bars": 3, "slow_bars": 9}}


@pytest.mark.parametrize(
    ("changes", "of_plan", "before", "after"),
    [
        ({"bot_id": "other"}, attrgetter("bot_id"), "mom_AAPL", "other"),
        ({"ticker": "TSLA"}, attrgetter("symbol"), "AAPL", "TSLA"),
        (
            {"session": FIRST.session.model_copy(update={"trade_start": time(8)})},
            attrgetter("trade_window.start_minute"),
            395,
            480,
        ),
        (
            {"signal": FIRST.signal.model_copy(update=CROSS)},
            attrgetter("strategy", "parameters"),
            ("placeholder_momentum_v1", {}),
            ("moving_average_cross", {"fast_bars": 3, "slow_bars": 9}),
        ),
    ],
)
def test_a_momentum_bot_is_what_its_settings_say(
    changes: dict[str, object],
    of_plan: Callable[[MomentumPlan], object],
    before: object,
    after: object,
) -> None:
    assert (of_plan(plan_with()), of_plan(plan_with(**changes))) == (before, after)


def test_a_momentum_bot_that_is_off_is_not_there() -> None:
    settings = with_first(enabled=False)

    assert plans_of(settings, market_of(bars_of([100.0] * 3))).momentum == ()


def test_windows_are_in_the_time_zone_that_the_settings_name() -> None:
    market = market_of(bars_of([100.0] * 3))
    for zone in ("America/Los_Angeles", "America/New_York"):
        (plan, *_) = plans_of(settings_with({"system.timezone": zone}), market).momentum

        assert plan.trade_window == Window.parse("06:35", "09:30", zone)
