"""Which way is safer: what a reload may take, and what only a restart brings."""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import Settings, load_settings
from hydra.settings.bot_parts import ProtectiveOrder, TradingWindow
from hydra.settings.changes import (
    READ_AT_START,
    Change,
    Effect,
    changes_between,
    reload_verdict,
)
from hydra.settings.entries import Entry, entries_of
from hydra.settings.safer import Safer
from hydra.settings.schema import FILES, places
from hydra.settings.section import ResumePolicy, Section
from hydra.trading.sessions import Window
from hydra.trading.strategy_modes import StrategyMode
from tests.settings.fine import BOTS, ENGINE, load, spoilt

CONFIG = Path(__file__).resolve().parents[2] / "config"
SHIPPED = load_settings(CONFIG)
ENTRIES = {entry.key: entry for entry in entries_of(SHIPPED)}

SAFER_WAY = {
    "system.timezone": Safer.NEITHER,
    "system.log_path": Safer.NEITHER,
    "system.state_db_path": Safer.NEITHER,
    "runner.loop_interval_seconds": Safer.NEITHER,
    "safety.fail_closed": Safer.ON,
    "safety.allow_budget_fallback": Safer.OFF,
    "safety.global_cooldown_minutes": Safer.HIGHER,
    "safety.resume": Safer.LAST,
    "broker.venue": Safer.NEITHER,
    "broker.corporate_actions": Safer.ON,
    "live.profile": Safer.LAST,
    "live.min_clean_sessions": Safer.HIGHER,
    "live.newest_within_sessions": Safer.LOWER,
    "live.paper_ledger": Safer.NEITHER,
    "live.micro_limits.order_notional_usd": Safer.LOWER,
    "live.micro_limits.entries_per_day": Safer.LOWER,
    "live.micro_limits.notional_per_day_usd": Safer.LOWER,
    "live.micro_limits.daily_loss_pct": Safer.LOWER,
    "risk.global_max_daily_loss_pct": Safer.LOWER,
    "risk.max_orders_per_minute": Safer.LOWER,
    "risk.max_order_notional_usd": Safer.LOWER,
    "guards.order.max_quantity": Safer.LOWER,
    "guards.order.price_collar_pct": Safer.LOWER,
    "guards.order.similar_order_seconds": Safer.HIGHER,
    "guards.exposure.max_symbol_usd": Safer.LOWER,
    "guards.exposure.max_bot_usd": Safer.LOWER,
    "guards.exposure.max_gross_pct": Safer.LOWER,
    "guards.exposure.max_open_risk_pct": Safer.LOWER,
    "guards.exposure.gap_factor": Safer.HIGHER,
    "guards.pace.max_entries_per_minute_per_symbol": Safer.LOWER,
    "guards.pace.max_exits_per_minute": Safer.NEITHER,
    "guards.pace.max_cancels_per_minute": Safer.NEITHER,
    "guards.pace.min_entry_gap_seconds": Safer.HIGHER,
    "guards.pace.notional_window_minutes": Safer.HIGHER,
    "guards.pace.max_notional_per_window_usd": Safer.LOWER,
    "guards.pace.max_entries_per_day": Safer.LOWER,
    "guards.pace.max_notional_per_day_usd": Safer.LOWER,
    "guards.pace.max_consecutive_rejects": Safer.LOWER,
    "guards.pace.max_round_trips_per_bot_per_day": Safer.LOWER,
    "guards.equity.max_session_drawdown_pct": Safer.LOWER,
    "guards.equity.drawdown_begins_pct": Safer.LOWER,
    "guards.equity.recovery_begins_pct": Safer.LOWER,
    "guards.equity.recovery_ends_pct": Safer.LOWER,
    "guards.equity.drawdown_flap_count": Safer.LOWER,
    "guards.equity.drawdown_flap_window_minutes": Safer.HIGHER,
    "guards.equity.max_nav_jump_pct": Safer.LOWER,
    "guards.deadlines.unknown_outcome_seconds": Safer.LOWER,
    "guards.deadlines.reconcile_every_seconds": Safer.LOWER,
    "guards.deadlines.protection_confirm_seconds": Safer.LOWER,
    "plugins.risk_checks": Safer.NEITHER,
    "plugins.require_certificate": Safer.ON,
    "recorder.enabled": Safer.NEITHER,
    "recorder.max_mb_per_session": Safer.NEITHER,
    "monitoring.quality.orders_remembered": Safer.NEITHER,
    "monitoring.quality.minutes_remembered": Safer.NEITHER,
    "monitoring.quality.min_orders": Safer.NEITHER,
    "monitoring.quality.half_slippage_bps": Safer.NEITHER,
    "monitoring.quality.half_latency_ms": Safer.NEITHER,
    "monitoring.quality.idle_seconds": Safer.NEITHER,
    "monitoring.regimes.window_bars": Safer.NEITHER,
    "monitoring.regimes.history_bars": Safer.NEITHER,
    "monitoring.regimes.min_history_bars": Safer.NEITHER,
    "monitoring.regimes.normal_from_pct": Safer.NEITHER,
    "monitoring.regimes.elevated_from_pct": Safer.NEITHER,
    "monitoring.regimes.high_from_pct": Safer.NEITHER,
    "monitoring.regimes.margin_pct": Safer.NEITHER,
    "monitoring.regimes.calm_bars": Safer.NEITHER,
    "monitoring.regimes.risk_pct.low": Safer.LOWER,
    "monitoring.regimes.risk_pct.normal": Safer.LOWER,
    "monitoring.regimes.risk_pct.elevated": Safer.LOWER,
    "monitoring.regimes.risk_pct.high": Safer.LOWER,
    "monitoring.regimes.risk_pct.unknown": Safer.LOWER,
    "monitoring.anomaly_halt.nav_jump": Safer.ON,
    "monitoring.anomaly_halt.drawdown_flapping": Safer.ON,
    "monitoring.anomaly_halt.equity_missing": Safer.ON,
    "monitoring.anomaly_halt.unprotected": Safer.ON,
    "monitoring.anomaly_halt.router_degraded": Safer.ON,
    "monitoring.anomaly_halt.router_idle": Safer.ON,
    "monitoring.anomaly_halt.monitor_missing": Safer.ON,
    "health.max_price_staleness_seconds": Safer.LOWER,
    "health.max_api_failures_in_window": Safer.LOWER,
    "health.api_failure_window_seconds": Safer.HIGHER,
    "exitbot.enabled": Safer.NEITHER,
    "exitbot.cooloff_minutes": Safer.HIGHER,
    "exitbot.kill_conditions.api_failure_halt": Safer.ON,
    "exitbot.kill_conditions.data_stale_halt": Safer.ON,
    "exitbot.kill_conditions.max_daily_loss_halt": Safer.ON,
    "exitbot.kill_conditions.anomaly_halt": Safer.ON,
    "portfoliobot.enabled": Safer.NEITHER,
    "portfoliobot.cash_reserve_pct": Safer.HIGHER,
    "portfoliobot.buckets.momentum_bucket_pct_of_daily_risk": Safer.LOWER,
    "portfoliobot.buckets.options_bucket_pct_of_daily_risk": Safer.LOWER,
    "portfoliobot.buckets.crypto_bucket_pct_of_daily_risk": Safer.LOWER,
    "portfoliobot.guardrails.per_bot_min_pct_of_daily_risk": Safer.LOWER,
    "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk": Safer.LOWER,
    "momentum_bots[].bot_id": Safer.NEITHER,
    "momentum_bots[].enabled": Safer.OFF,
    "momentum_bots[].ticker": Safer.NEITHER,
    "momentum_bots[].session.trade_start": Safer.NARROWER,
    "momentum_bots[].session.trade_end": Safer.NARROWER,
    "momentum_bots[].session.manage_until": Safer.NARROWER,
    "momentum_bots[].execution.default_notional_usd": Safer.LOWER,
    "momentum_bots[].execution.protective_order": Safer.LAST,
    "momentum_bots[].risk.max_trades_per_day": Safer.LOWER,
    "momentum_bots[].risk.max_concurrent_positions": Safer.LOWER,
    "momentum_bots[].exits.stop_loss_pct": Safer.LOWER,
    "momentum_bots[].exits.take_profit_pct": Safer.LOWER,
    "momentum_bots[].exits.time_stop_minutes": Safer.LOWER,
    "momentum_bots[].exits.trailing_stop_pct": Safer.LOWER,
    "momentum_bots[].signal.mode": Safer.NEITHER,
    "momentum_bots[].signal.params": Safer.NEITHER,
    "momentum_bots[].signal.bar_minutes": Safer.NEITHER,
    "momentum_bots[].signal.entry_minutes": Safer.NEITHER,
    "optionsbot.enabled": Safer.OFF,
    "optionsbot.bot_id": Safer.NEITHER,
    "optionsbot.tickers": Safer.FEWER,
    "optionsbot.session.trade_start": Safer.NARROWER,
    "optionsbot.session.trade_end": Safer.NARROWER,
    "optionsbot.session.manage_until": Safer.NARROWER,
    "optionsbot.risk.max_trades_per_day": Safer.LOWER,
    "optionsbot.risk.max_concurrent_positions": Safer.LOWER,
    "optionsbot.exits.take_profit_pct": Safer.LOWER,
    "optionsbot.exits.stop_loss_pct": Safer.LOWER,
    "optionsbot.exits.time_stop_minutes": Safer.LOWER,
    "optionsbot.exits.flatten_before_close_minutes": Safer.HIGHER,
    "optionsbot.chain_rules.dte_min": Safer.HIGHER,
    "optionsbot.chain_rules.dte_max": Safer.LOWER,
    "optionsbot.chain_rules.delta_min": Safer.HIGHER,
    "optionsbot.chain_rules.delta_max": Safer.LOWER,
    "optionsbot.chain_rules.max_spread_pct": Safer.LOWER,
    "optionsbot.chain_rules.min_open_interest": Safer.HIGHER,
    "optionsbot.chain_rules.max_quote_age_seconds": Safer.LOWER,
    "optionsbot.execution.default_premium_usd": Safer.LOWER,
    "optionsbot.execution.cancel_unfilled_seconds": Safer.LOWER,
    "optionsbot.signal.mode": Safer.NEITHER,
    "optionsbot.signal.params": Safer.NEITHER,
    "optionsbot.signal.bar_minutes": Safer.NEITHER,
    "optionsbot.signal.entry_minutes": Safer.NEITHER,
    "signalbot.enabled": Safer.OFF,
    "signalbot.bot_id": Safer.NEITHER,
    "signalbot.signals_file": Safer.NEITHER,
    "signalbot.symbols": Safer.FEWER,
    "signalbot.session.trade_start": Safer.NARROWER,
    "signalbot.session.trade_end": Safer.NARROWER,
    "signalbot.session.manage_until": Safer.NARROWER,
    "signalbot.limits.max_orders_per_day": Safer.LOWER,
    "signalbot.limits.max_notional_per_day_usd": Safer.LOWER,
    "signalbot.limits.max_signal_age_seconds": Safer.LOWER,
    "signalbot.exits.stop_loss_pct": Safer.LOWER,
    "signalbot.exits.take_profit_pct": Safer.LOWER,
    "signalbot.exits.time_stop_minutes": Safer.LOWER,
    "plugin_bots[].bot_id": Safer.NEITHER,
    "plugin_bots[].enabled": Safer.OFF,
    "plugin_bots[].kind": Safer.NEITHER,
    "plugin_bots[].bucket": Safer.NEITHER,
    "plugin_bots[].symbols": Safer.FEWER,
    "plugin_bots[].session.trade_start": Safer.NARROWER,
    "plugin_bots[].session.trade_end": Safer.NARROWER,
    "plugin_bots[].session.manage_until": Safer.NARROWER,
    "plugin_bots[].execution.default_notional_usd": Safer.LOWER,
    "plugin_bots[].params": Safer.NEITHER,
    "cryptobot.enabled": Safer.OFF,
    "cryptobot.bot_id": Safer.NEITHER,
    "cryptobot.pairs": Safer.FEWER,
    "cryptobot.session.trade_start": Safer.NARROWER,
    "cryptobot.session.trade_end": Safer.NARROWER,
    "cryptobot.session.manage_until": Safer.NARROWER,
    "cryptobot.execution.default_notional_usd": Safer.LOWER,
    "cryptobot.execution.order_type": Safer.NEITHER,
    "cryptobot.execution.tif": Safer.NEITHER,
    "cryptobot.execution.use_notional": Safer.NEITHER,
    "cryptobot.risk.max_trades_per_day": Safer.LOWER,
    "cryptobot.risk.max_concurrent_positions": Safer.LOWER,
    "cryptobot.exits.stop_loss_pct": Safer.LOWER,
    "cryptobot.exits.take_profit_pct": Safer.LOWER,
    "cryptobot.exits.time_stop_minutes": Safer.LOWER,
    "cryptobot.signal.mode": Safer.NEITHER,
    "cryptobot.signal.params": Safer.NEITHER,
    "cryptobot.signal.bar_minutes": Safer.NEITHER,
    "cryptobot.signal.entry_minutes": Safer.NEITHER,
    "modes.selected": Safer.LAST,
    "modes.step_down": Safer.ON,
    "modes.primary.bar_minutes": Safer.NEITHER,
    "modes.primary.entry_minutes": Safer.NEITHER,
    "modes.primary.notional_pct": Safer.LOWER,
    "modes.primary.max_trades_per_day": Safer.LOWER,
    "modes.primary.bots_off": Safer.MORE,
    "modes.fallback.bar_minutes": Safer.NEITHER,
    "modes.fallback.entry_minutes": Safer.NEITHER,
    "modes.fallback.notional_pct": Safer.LOWER,
    "modes.fallback.max_trades_per_day": Safer.LOWER,
    "modes.fallback.bots_off": Safer.MORE,
    "modes.conservative.bar_minutes": Safer.NEITHER,
    "modes.conservative.entry_minutes": Safer.NEITHER,
    "modes.conservative.notional_pct": Safer.LOWER,
    "modes.conservative.max_trades_per_day": Safer.LOWER,
    "modes.conservative.bots_off": Safer.MORE,
}


def test_each_key_of_the_schema_says_which_way_is_safer_i41() -> None:
    said = {
        place: [each for each in field.metadata if isinstance(each, Safer)]
        for _, model in FILES
        for place, field in places(model)
    }

    assert said == {place: [way] for place, way in SAFER_WAY.items()}


def replaced(section: Any, key: str, value: object) -> Any:
    """The section with one setting of another value, unchecked. A bot is named by its id."""
    name, _, rest = key.partition(".")
    if "[" in name:
        name, bot_id = name.removesuffix("]").split("[")
        bots = tuple(
            replaced(bot, rest, value) if bot.bot_id == bot_id else bot
            for bot in getattr(section, name)
        )
        return section.model_copy(update={name: bots})
    inner = replaced(getattr(section, name), rest, value) if rest else value
    return section.model_copy(update={name: inner})


def with_value(settings: Settings, key: str, value: object) -> Settings:
    # A copy keeps what was computed before, here the digest of another content.
    copy: Settings = replaced(settings, key, value)
    return Settings.model_construct(**dict(copy))


def effects(old: Settings, new: Settings) -> dict[str, str]:
    return {change.key: change.effect.value for change in changes_between(old, new)}


LIMITS = {
    key: entry
    for key, entry in ENTRIES.items()
    if isinstance(entry.value, int | Decimal)
    and not isinstance(entry.value, bool)
    and entry.safer is not Safer.NEITHER
}


def test_every_number_but_these_is_a_limit_i41() -> None:
    numbers = [
        key
        for key, entry in ENTRIES.items()
        if isinstance(entry.value, int | Decimal) and not isinstance(entry.value, bool)
    ]

    assert len(LIMITS) == 102
    # How something is measured is no limit, but for what a regime lets entries risk.
    measured = ("monitoring.quality.", "monitoring.regimes.")
    others = [key for key in numbers if key not in LIMITS and not key.startswith(measured)]
    intervals = ("bar_minutes", "entry_minutes")
    assert [key for key in others if not key.endswith(intervals)] == [
        "runner.loop_interval_seconds",
        "guards.pace.max_exits_per_minute",
        "guards.pace.max_cancels_per_minute",
        "recorder.max_mb_per_session",
    ]


@pytest.mark.parametrize("key", LIMITS)
def test_a_limit_made_looser_is_refused_by_a_reload_and_made_tighter_is_taken_i41_i79(
    key: str,
) -> None:
    entry = LIMITS[key]
    assert isinstance(entry.value, int | Decimal)
    doubled = with_value(SHIPPED, key, entry.value * 2)
    halved = with_value(SHIPPED, key, entry.value / Decimal(2))
    tighter, looser = (halved, doubled) if entry.safer is Safer.LOWER else (doubled, halved)

    assert effects(SHIPPED, tighter) == {key: "tighter"}
    assert effects(SHIPPED, looser) == {key: "looser"}
    is_read_at_start = key.startswith(tuple(READ_AT_START))
    assert reload_verdict(changes_between(SHIPPED, tighter)).is_taken is not is_read_at_start
    assert not reload_verdict(changes_between(SHIPPED, looser)).is_taken


@pytest.mark.parametrize(
    ("key", "value", "effect"),
    [
        ("safety.allow_budget_fallback", True, "looser"),
        ("safety.resume", ResumePolicy.OPERATOR, "tighter"),
        ("exitbot.kill_conditions.anomaly_halt", False, "looser"),
        ("exitbot.enabled", False, "other"),
        ("portfoliobot.enabled", False, "other"),
        ("momentum_bots[mom_AAPL].enabled", False, "tighter"),
        ("momentum_bots[mom_TSLA].enabled", True, "looser"),
        ("momentum_bots[mom_AAPL].ticker", "MSFT", "other"),
        ("momentum_bots[mom_AAPL].execution.protective_order", ProtectiveOrder.ENGINE, "looser"),
        ("momentum_bots[mom_AAPL].exits.trailing_stop_pct", Decimal(1), "tighter"),
        ("momentum_bots[mom_AAPL].signal.mode", "moving_average_cross", "other"),
        ("momentum_bots[mom_AAPL].signal.params", {"fast_bars": 3}, "other"),
        ("optionsbot.bot_id", "opt_other", "other"),
        ("optionsbot.tickers", ("SPY",), "tighter"),
        ("optionsbot.tickers", ("SPY", "QQQ", "IWM"), "looser"),
        ("optionsbot.tickers", ("SPY", "IWM"), "looser"),
        ("optionsbot.tickers", ("QQQ", "SPY"), "other"),
        ("cryptobot.pairs", ("ETH/USD",), "tighter"),
        ("modes.selected", StrategyMode.FLAT, "tighter"),
        ("modes.step_down", True, "tighter"),
        ("modes.primary.bots_off", ("mom_AAPL",), "tighter"),
        ("modes.primary.bar_minutes", 60, "other"),
        ("cryptobot.signal.bar_minutes", 60, "other"),
        ("system.timezone", "UTC", "other"),
        ("system.state_db_path", Path("state/other.db"), "other"),
        ("runner.loop_interval_seconds", 1, "other"),
        ("guards.pace.max_exits_per_minute", 119, "other"),
        ("guards.pace.max_cancels_per_minute", 121, "other"),
    ],
)
def test_what_is_no_number_has_its_safer_side_too_i41(key: str, value: object, effect: str) -> None:
    changed = with_value(SHIPPED, key, value)

    assert effects(SHIPPED, changed) == {key: effect}
    assert reload_verdict(changes_between(SHIPPED, changed)).is_taken == (effect == "tighter")


def test_a_change_back_from_operator_or_of_a_switch_is_the_other_way_i41() -> None:
    careful = with_value(SHIPPED, "safety.resume", ResumePolicy.OPERATOR)
    careless = with_value(SHIPPED, "exitbot.kill_conditions.anomaly_halt", False)

    assert effects(careful, SHIPPED) == {"safety.resume": "looser"}
    assert effects(careless, SHIPPED) == {"exitbot.kill_conditions.anomaly_halt": "tighter"}


def test_a_limit_that_is_switched_off_is_looser_than_any_i41() -> None:
    key = "momentum_bots[mom_AAPL].exits.trailing_stop_pct"
    widest = with_value(SHIPPED, key, Decimal(99))

    assert effects(widest, SHIPPED) == {key: "looser"}
    assert [change.new for change in changes_between(widest, SHIPPED)] == ["off"]


def test_a_reload_takes_all_or_nothing_and_says_why_i79() -> None:
    mixed = with_value(SHIPPED, "risk.max_orders_per_minute", 5)
    mixed = with_value(mixed, "risk.max_order_notional_usd", Decimal(50_000))
    mixed = with_value(mixed, "system.timezone", "UTC")

    verdict = reload_verdict(changes_between(SHIPPED, mixed))

    assert not verdict.is_taken
    assert verdict.reasons == (
        (
            "system.timezone: America/Los_Angeles -> UTC (other): it cannot change while the "
            "engine runs; restart it"
        ),
        (
            "risk.max_order_notional_usd: 25000 -> 50000 (looser): a looser setting needs a "
            "restart, and a reason for the record"
        ),
    )


def test_a_reload_of_the_same_settings_has_nothing_to_take_i79(tmp_path: Path) -> None:
    bots = spoilt(BOTS, "stop_loss_pct: 0.50", "stop_loss_pct: 0.5  # as before")

    changes = changes_between(load(tmp_path), load(tmp_path, bots=bots))

    assert changes == ()
    assert reload_verdict(changes).is_taken


def bots_of(*names: str) -> Settings:
    by_id = {bot.bot_id: bot for bot in SHIPPED.momentum_bots}
    return with_value(SHIPPED, "momentum_bots", tuple(by_id[name] for name in names))


def test_bots_that_come_go_or_change_places_are_told_by_their_names_i41() -> None:
    two = bots_of("mom_AAPL", "mom_TSLA")

    assert changes_between(two, SHIPPED) == (
        Change("momentum_bots[mom_AAPL_cross]", None, "a bot on AAPL", Effect.LOOSER),
    )
    assert changes_between(bots_of("mom_AAPL"), two) == (
        Change("momentum_bots[mom_TSLA]", None, "a disabled bot on TSLA", Effect.OTHER),
    )
    assert changes_between(SHIPPED, two) == (
        Change("momentum_bots[mom_AAPL_cross]", "a bot on AAPL", None, Effect.OTHER),
    )
    assert changes_between(two, bots_of("mom_TSLA", "mom_AAPL")) == (
        Change("momentum_bots", "mom_AAPL, mom_TSLA", "mom_TSLA, mom_AAPL", Effect.OTHER),
    )


def test_a_bot_that_is_renamed_goes_and_comes_i41() -> None:
    renamed = with_value(SHIPPED, "momentum_bots[mom_AAPL].bot_id", "mom_apple")

    assert effects(SHIPPED, renamed) == {
        "momentum_bots[mom_AAPL]": "other",
        "momentum_bots[mom_apple]": "looser",
    }


def window(text: str) -> TradingWindow:
    start, end, until = (time.fromisoformat(each) for each in text.split())
    return TradingWindow.model_construct(trade_start=start, trade_end=end, manage_until=until)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("09:00 12:00 15:00", "10:00 12:00 15:00", {"trade_start": "tighter"}),
        ("09:00 12:00 15:00", "08:59 12:00 15:00", {"trade_start": "looser"}),
        ("09:00 12:00 15:00", "09:00 11:00 15:00", {"trade_end": "tighter"}),
        ("09:00 12:00 15:00", "09:00 12:01 15:00", {"trade_end": "looser"}),
        ("09:00 12:00 15:00", "09:00 12:00 14:00", {"manage_until": "tighter"}),
        ("09:00 12:00 15:00", "09:00 12:00 16:00", {"manage_until": "looser"}),
        # Past midnight a later end has the smaller number.
        ("22:00 04:00 05:00", "22:00 23:30 05:00", {"trade_end": "tighter"}),
        ("22:00 23:30 05:00", "22:00 04:00 05:00", {"trade_end": "looser"}),
        ("22:00 04:00 05:00", "01:00 04:00 05:00", {"trade_start": "tighter"}),
        # All day long holds whatever there is.
        (
            "00:00 23:59 23:59",
            "22:00 04:00 05:00",
            dict.fromkeys(("trade_start", "trade_end", "manage_until"), "tighter"),
        ),
        (
            "09:00 12:00 15:00",
            "09:30 12:30 15:00",
            {"trade_start": "tighter", "trade_end": "looser"},
        ),
        # Each alone looks narrower, and together they run around the clock.
        (
            "09:00 12:00 12:00",
            "11:00 10:00 10:30",
            dict.fromkeys(("trade_start", "trade_end", "manage_until"), "looser"),
        ),
    ],
)
def test_a_window_that_lies_within_the_old_one_is_tighter_i41(
    old: str, new: str, expected: Mapping[str, str]
) -> None:
    before = with_value(SHIPPED, "cryptobot.session", window(old))
    after = with_value(SHIPPED, "cryptobot.session", window(new))

    assert effects(before, after) == {
        f"cryptobot.session.{name}": effect for name, effect in expected.items()
    }


TIMES = st.integers(0, 47).map(lambda half: time(half // 2, 29 + half % 2 * 30))
WINDOWS = st.tuples(
    st.just(time(0, 0)) | TIMES, st.just(time(23, 59)) | TIMES, st.just(time(23, 59)) | TIMES
).filter(lambda times: times[0] not in times[1:])


def minutes_open(start: time, end: time) -> set[int]:
    """When the engine's own window is open, minute by minute, on a day without a clock change."""
    opened = Window.parse(f"{start:%H:%M}", f"{end:%H:%M}", "UTC")
    return {minute for minute in range(24 * 60) if opened.contains(minute * 60 * 1_000_000_000)}


@given(WINDOWS, WINDOWS)
def test_a_reload_never_opens_a_window_at_a_minute_when_it_was_shut_i41(
    old: tuple[time, time, time], new: tuple[time, time, time]
) -> None:
    before, after = (
        with_value(
            SHIPPED, "cryptobot.session", window(" ".join(f"{each:%H:%M}" for each in times))
        )
        for times in (old, new)
    )

    taken = reload_verdict(changes_between(before, after)).is_taken

    is_part = all(
        minutes_open(new[0], new[end]) <= minutes_open(old[0], old[end]) for end in (1, 2)
    )
    assert taken == is_part


VARIED = [
    ("cooloff_minutes: 380", "cooloff_minutes: 381"),
    ("stop_loss_pct: 0.50", "stop_loss_pct: 0.5"),
    ("bot_id: mom_TSLA", "bot_id: mom_tsla"),
    ("enabled: false # mom_TSLA", "enabled: true"),
    ("tickers: [SPY, QQQ]", "tickers: [QQQ, SPY]"),
    ("threshold_pct: 0.5}", "threshold_pct: '0.5'}"),
    ("fast_bars: 10,", "fast_bars: 10.0,"),
    ('lookback: "10"', "lookback: 10"),
]


@given(st.sets(st.sampled_from(VARIED)), st.sets(st.sampled_from(VARIED)))
def test_there_are_changes_exactly_when_the_digests_differ_i41_i81(
    tmp_path_factory: pytest.TempPathFactory,
    some: set[tuple[str, str]],
    others: set[tuple[str, str]],
) -> None:
    def varied(edits: set[tuple[str, str]]) -> Settings:
        bots = BOTS
        for old, new in edits:
            bots = spoilt(bots, old, new)
        return load(tmp_path_factory.getbasetemp(), engine=ENGINE, bots=bots)

    old, new = varied(some), varied(others)

    assert (changes_between(old, new) == ()) == (old.digest == new.digest)


def test_each_setting_is_written_as_in_the_file_with_its_unit() -> None:
    def told(key: str) -> tuple[str, str, str]:
        entry: Entry = ENTRIES[key]
        return entry.text, entry.unit, entry.safer_text

    assert told("optionsbot.exits.take_profit_pct") == (
        "0.4",
        "fraction of the premium, 0.40 is 40 %",
        "lower",
    )
    assert told("cryptobot.exits.stop_loss_pct") == ("0.75", "percent of the entry price", "lower")
    assert told("safety.resume") == ("preflight", "", "operator")
    assert told("optionsbot.tickers") == ("[SPY, QQQ]", "", "fewer")
    assert told("cryptobot.session.trade_end") == ("23:59", "local time", "narrower")
    assert told("momentum_bots[mom_AAPL_cross].signal.params") == (
        "{fast_bars: 10, slow_bars: 30}",
        "",
        "neither",
    )


def test_every_setting_there_is_is_told_once() -> None:
    def leaves(section: Section) -> int:
        return sum(
            leaves(part) if isinstance(part, Section) else 1
            for name in type(section).model_fields
            for value in [getattr(section, name)]
            for part in (value if name in ("momentum_bots", "plugin_bots") else [value])
        )

    assert len(list(entries_of(SHIPPED))) == len(ENTRIES) == leaves(SHIPPED)
