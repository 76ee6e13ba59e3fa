"""One fine configuration, for tests to spoil in one place. No two lines of it are the same."""

from collections.abc import Mapping
from pathlib import Path

from hydra.settings import Settings, SettingsRefused, VenueName, load_settings
from hydra.settings.section import SignalCheck

ENGINE = """\
system:
  timezone: America/New_York
  log_path: ./logs/app.jsonl
  state_db_path: ./state/trading_state.db
runner:
  loop_interval_seconds: 5
safety:
  fail_closed: true
  allow_budget_fallback: false
  global_cooldown_minutes: 390
  resume: preflight
broker:
  venue: embedded
risk:
  global_max_daily_loss_pct: 1.0
  max_orders_per_minute: 10
  max_order_notional_usd: 25000
guards:
  order:
    max_quantity: 9000
    price_collar_pct: 4
    similar_order_seconds: 6
  exposure:
    max_symbol_usd: 30000
    max_bot_usd: 31000
    max_gross_pct: 60
    max_open_risk_pct: 0.6
    gap_factor: 1.6
  pace:
    max_entries_per_minute_per_symbol: 7
    max_exits_per_minute: 110
    max_cancels_per_minute: 100
    min_entry_gap_seconds: 2
    notional_window_minutes: 20
    max_notional_per_window_usd: 40000
    max_entries_per_day: 40
    max_notional_per_day_usd: 90000
    max_consecutive_rejects: 2
    max_round_trips_per_bot_per_day: 12
  equity:
    max_session_drawdown_pct: 1.4
    drawdown_begins_pct: 0.70
    recovery_begins_pct: 0.45
    recovery_ends_pct: 0.35
    drawdown_flap_count: 3
    drawdown_flap_window_minutes: 45
    max_nav_jump_pct: 2.5
  deadlines:
    unknown_outcome_seconds: 50
    reconcile_every_seconds: 20
    protection_confirm_seconds: 8
health:
  max_price_staleness_seconds: 15
  max_api_failures_in_window: 4
  api_failure_window_seconds: 60
"""

BOTS = """\
exitbot:
  enabled: true # exitbot
  cooloff_minutes: 380
  kill_conditions:
    api_failure_halt: true
    data_stale_halt: true
    max_daily_loss_halt: true
    anomaly_halt: true
portfoliobot:
  enabled: true # portfoliobot
  cash_reserve_pct: 30
  buckets:
    momentum_bucket_pct_of_daily_risk: 20
    options_bucket_pct_of_daily_risk: 50
    crypto_bucket_pct_of_daily_risk: 30
  guardrails:
    per_bot_min_pct_of_daily_risk: 5
    per_bot_max_pct_of_daily_risk: 25
momentum_bots:
  - bot_id: mom_AAPL
    enabled: true # mom_AAPL
    ticker: AAPL
    session:
      trade_start: "09:35"
      trade_end: "12:30"
      manage_until: "15:55"
    execution:
      default_notional_usd: 1000
    risk:
      max_trades_per_day: 3
      max_concurrent_positions: 1
    exits:
      stop_loss_pct: 0.50
      take_profit_pct: 1.00
      time_stop_minutes: 25
    signal:
      mode: moving_average_cross
      params: {fast_bars: 10, threshold_pct: 0.5}
  - bot_id: mom_TSLA
    enabled: false # mom_TSLA
    ticker: TSLA
    session:
      trade_start: 09:36
      trade_end: 12:31
      manage_until: 15:56
    execution:
      default_notional_usd: 2000
    risk:
      max_trades_per_day: 4
      max_concurrent_positions: 2
    exits:
      stop_loss_pct: 0.60
      take_profit_pct: 1.20
      time_stop_minutes: 26
    signal:
      mode: placeholder_momentum_v1
      params: {}
optionsbot:
  enabled: true # optionsbot
  bot_id: opt_core
  tickers: [SPY, QQQ]
  session:
    trade_start: "09:40"
    trade_end: "12:50"
    manage_until: "15:50"
  risk:
    max_trades_per_day: 5
    max_concurrent_positions: 3
  exits:
    take_profit_pct: 0.40
    stop_loss_pct: 0.30
    time_stop_minutes: 180
    flatten_before_close_minutes: 10
  chain_rules:
    dte_min: 7
    dte_max: 45
    delta_min: 0.25
    delta_max: 0.65
cryptobot:
  enabled: true # cryptobot
  bot_id: crypto_core
  pairs: ["BTC/USD", "ETH/USD"]
  session:
    trade_start: "00:00"
    trade_end: "23:58"
    manage_until: "23:59"
  execution:
    order_type: limit
    tif: gtc
    use_notional: true
    default_notional_usd: 50
  risk:
    max_trades_per_day: 6
    max_concurrent_positions: 4
  exits:
    stop_loss_pct: 0.75
    take_profit_pct: 1.50
    time_stop_minutes: 240
  signal:
    mode: placeholder_crypto_momo_v1
    params: {lookback: "10"}
"""


def spoilt(text: str, old: str, new: str) -> str:
    """The text with its one `old` replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the fine text"
    return text.replace(old, new)


def load(
    folder: Path,
    *,
    engine: str | bytes = ENGINE,
    bots: str | bytes = BOTS,
    venue: VenueName | None = None,
    signal_check: SignalCheck | None = None,
) -> Settings:
    """Write both files into the folder and load them."""
    for name, content in (("settings.yaml", engine), ("bots.yaml", bots)):
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(data)
    return load_settings(folder, venue=venue, signal_check=signal_check)


def refusals(
    folder: Path,
    *,
    engine: str | bytes = ENGINE,
    bots: str | bytes = BOTS,
    venue: VenueName | None = None,
    signal_check: SignalCheck | None = None,
) -> list[str]:
    """The lines printed for this configuration, without the folder; none if it is fine."""
    try:
        load(folder, engine=engine, bots=bots, venue=venue, signal_check=signal_check)
    except SettingsRefused as refused:
        return [line.removeprefix(f"{folder}/") for line in str(refused).splitlines()]
    return []


def no_such_strategy(mode: str, params: Mapping[str, object]) -> str | None:
    """A check that finds no strategy at all."""
    return f"no strategy {mode!r}, given {dict(params)}"
