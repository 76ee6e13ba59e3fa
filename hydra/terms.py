"""The settings in the engine's own terms: what bots are to do, what the guardian is held to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from actors.momentum_bot import FLAT_BEFORE_CLOSE, MomentumPlan
from actors.risk_guardian import GuardianTerms
from hydra.actor import MINUTE, SECOND
from hydra.settings import Settings, VenueName
from hydra.settings.bot_parts import Exits, TradingWindow
from hydra.settings.bot_sections import CryptoBotSettings, MomentumBotSettings
from hydra.settings.section import ResumePolicy
from hydra.trading.account_day import DayLimits
from hydra.trading.clearing import ClearingPolicy
from hydra.trading.exit_rules import ExitRules
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import TimeInForce
from hydra.trading.risk_desk import BudgetTerms, DeskTerms
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.situation import US_EQUITY_PRICE_STEPS, Limits
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import BadParameters

COIN_STEP = Decimal("0.000000001")
EQUITY_AGE_INTERVALS = 5
"""An equity that is older than so many bars counts as missing."""


class MarketFacts(Protocol):
    """What the engine has to know of a market before the first price comes."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded there."""

    @property
    def sessions(self) -> SessionTable:
        """When; of coins, a session is a UTC day."""

    @property
    def bar_interval(self) -> int:
        """How long its bars last, in ns of market time."""

    @property
    def origin(self) -> str:
        """For people: whose prices these are."""


def plans_of(
    settings: Settings, market: MarketFacts
) -> tuple[tuple[MomentumPlan, ...], tuple[str, ...]]:
    """The bots that can trade this market, and the names of those enabled ones that cannot."""
    zone, plans, left_out = settings.system.timezone, list[MomentumPlan](), list[str]()
    for bot in settings.momentum_bots:
        if not bot.enabled:
            continue
        if bot.ticker in market.symbols:
            plans.append(momentum_plan(bot, zone, market.sessions))
        else:
            left_out.append(bot.bot_id)
    coins = settings.cryptobot
    if coins.enabled:
        pairs = [pair for pair in coins.pairs if pair in market.symbols]
        plans += [crypto_plan(coins, pair, zone, market.sessions) for pair in pairs]
    return tuple(plans), tuple(left_out)


def traded_symbols(settings: Settings) -> tuple[str, ...]:
    """What the enabled bots would trade, if a market has it."""
    symbols = {bot.ticker for bot in settings.momentum_bots if bot.enabled}
    coins = settings.cryptobot
    return tuple(sorted(symbols.union(coins.pairs if coins.enabled else ())))


def history_of(plans: tuple[MomentumPlan, ...]) -> Mapping[str, int]:
    """How many bars of each symbol a bot may ask for when it starts."""
    bars: dict[str, int] = {}
    for plan in plans:
        bars[plan.symbol] = max(bars.get(plan.symbol, 0), plan.new_strategy().warm_up)
    return bars


def guardian_terms(
    settings: Settings, market: MarketFacts, account: str, plans: tuple[MomentumPlan, ...]
) -> GuardianTerms:
    """What the guardian is held to, in the engine's own terms."""
    guards, risk = settings.guards, settings.risk
    order, exposure, pace, equity = guards.order, guards.exposure, guards.pace, guards.equity
    symbols = {plan.symbol for plan in plans}
    limits = Limits(
        symbols=frozenset(symbols),
        order_notional_usd_max=risk.max_order_notional_usd,
        order_quantity_max=order.max_quantity,
        price_collar_pct=order.price_collar_pct,
        symbol_exposure_usd_max=exposure.max_symbol_usd,
        bot_exposure_usd_max=exposure.max_bot_usd,
        gross_exposure_pct_max=exposure.max_gross_pct,
        heat_pct_max=exposure.max_open_risk_pct,
        gap_factor=exposure.gap_factor,
        daily_loss_pct_max=risk.global_max_daily_loss_pct,
        drawdown_pct_max=equity.max_session_drawdown_pct,
        entries_per_minute_max=risk.max_orders_per_minute,
        entries_per_minute_symbol_max=pace.max_entries_per_minute_per_symbol,
        exits_per_minute_max=pace.max_exits_per_minute,
        cancels_per_minute_max=pace.max_cancels_per_minute,
        entry_gap_ns_min=pace.min_entry_gap_seconds * SECOND,
        notional_window_ns=pace.notional_window_minutes * MINUTE,
        notional_per_window_usd_max=pace.max_notional_per_window_usd,
        entries_per_day_max=pace.max_entries_per_day,
        notional_per_day_usd_max=pace.max_notional_per_day_usd,
        rejections_in_a_row_max=pace.max_consecutive_rejects,
        round_trips_per_day_max=pace.max_round_trips_per_bot_per_day,
        # A decision is made on a closed bar, and is history when the next one has closed. The same
        # holds for a price where bars are all there is.
        decision_age_ns_max=market.bar_interval,
        price_age_ns_max=market.bar_interval * 5 // 2,
        similar_order_ns=order.similar_order_seconds * SECOND,
    )
    day_limits = DayLimits(
        daily_loss_pct_max=risk.global_max_daily_loss_pct,
        drawdown_pct_max=equity.max_session_drawdown_pct,
        nav_jump_pct_max=equity.max_nav_jump_pct,
        drawdown_begins_pct=equity.drawdown_begins_pct,
        recovery_begins_pct=equity.recovery_begins_pct,
        recovery_ends_pct=equity.recovery_ends_pct,
        flaps_max=equity.drawdown_flap_count,
        flap_window_ns=equity.drawdown_flap_window_minutes * MINUTE,
        equity_age_ns_max=EQUITY_AGE_INTERVALS * market.bar_interval,
    )
    portfolio = settings.portfoliobot
    coins = tuple(plan.bot_id for plan in plans if is_crypto(plan.symbol))
    shares = tuple(plan.bot_id for plan in plans if not is_crypto(plan.symbol))
    budgets = BudgetTerms(
        bucket_pct={
            "momentum": portfolio.buckets.momentum_bucket_pct_of_daily_risk,
            "options": portfolio.buckets.options_bucket_pct_of_daily_risk,
            "crypto": portfolio.buckets.crypto_bucket_pct_of_daily_risk,
        },
        bots={"momentum": shares, "crypto": coins},
        bot_min_pct=portfolio.guardrails.per_bot_min_pct_of_daily_risk,
        bot_max_pct=portfolio.guardrails.per_bot_max_pct_of_daily_risk,
    )
    return GuardianTerms(
        account=account,
        desk=DeskTerms(
            limits=limits,
            day_limits=day_limits,
            budgets=budgets,
            sessions=market.sessions,
            windows={plan.bot_id: plan.trade_window for plan in plans},
            price_steps=dict.fromkeys(symbols, US_EQUITY_PRICE_STEPS),
        ),
        clearing=clearing_policy(settings),
    )


def clearing_policy(settings: Settings) -> ClearingPolicy:
    """How halts end."""
    return ClearingPolicy(
        operator_only=settings.broker.venue is VenueName.LIVE,
        limit_resumes_itself=settings.safety.resume is ResumePolicy.PREFLIGHT,
        cool_off_ns=settings.safety.global_cooldown_minutes * MINUTE,
        exit_bot_cool_off_ns=settings.exitbot.cooloff_minutes * MINUTE,
    )


def momentum_plan(bot: MomentumBotSettings, timezone: str, sessions: SessionTable) -> MomentumPlan:
    """A bot on shares: whole ones, for the day, and none held at the close."""
    trade_window, manage_window = _windows(bot.session, timezone)
    return MomentumPlan(
        bot_id=bot.bot_id,
        symbol=bot.ticker,
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=sessions,
        order_notional_usd=bot.execution.default_notional_usd,
        quantity_step=Decimal(1),
        time_in_force=TimeInForce.DAY,
        flat_before_close=FLAT_BEFORE_CLOSE,
        max_trades_per_day=bot.risk.max_trades_per_day,
        exits=_exit_rules(bot.exits),
        strategy=bot.signal.mode,
        parameters=dict(bot.signal.params),
    )


def crypto_plan(
    coins: CryptoBotSettings, pair: str, timezone: str, sessions: SessionTable
) -> MomentumPlan:
    """A bot on one pair: fractions of a coin, round the clock. Each pair has its own books."""
    trade_window, manage_window = _windows(coins.session, timezone)
    return MomentumPlan(
        bot_id=f"{coins.bot_id}_{pair.replace('/', '')}",
        symbol=pair,
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=sessions,
        order_notional_usd=coins.execution.default_notional_usd,
        quantity_step=COIN_STEP,
        time_in_force=coins.execution.tif,
        flat_before_close=None,
        max_trades_per_day=coins.risk.max_trades_per_day,
        exits=_exit_rules(coins.exits),
        strategy=coins.signal.mode,
        parameters=dict(coins.signal.params),
    )


def _windows(session: TradingWindow, timezone: str) -> tuple[Window, Window]:
    """When the bot may enter, and until when it looks after what it holds."""
    start, end, until = (
        f"{time:%H:%M}" for time in (session.trade_start, session.trade_end, session.manage_until)
    )
    return Window.parse(start, end, timezone), Window.parse(start, until, timezone)


def _exit_rules(exits: Exits) -> ExitRules:
    return ExitRules(
        stop_loss_pct=exits.stop_loss_pct,
        take_profit_pct=exits.take_profit_pct,
        time_stop_ns=exits.time_stop_minutes * MINUTE,
    )


def fault_in_signal(mode: str, parameters: Mapping[str, object]) -> str | None:
    """What is wrong with a strategy's name or parameters, for the settings to report."""
    factory = STRATEGIES.get(mode)
    if factory is None:
        return f"found {mode}, no such strategy; there are {', '.join(STRATEGIES)}"
    try:
        factory(parameters)
    except BadParameters as error:
        return str(error)
    return None
