"""The settings in the engine's own terms: what bots are to do, what the guardian is held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

import msgspec

from actors.crypto_bot import CryptoPlan
from actors.guardian_terms import GuardianTerms
from actors.momentum_bot import FLAT_BEFORE_CLOSE, MomentumPlan
from actors.options_bot import OptionsPlan
from hydra.actor import MINUTE, SECOND
from hydra.bot_terms import exit_rules_of, windows_of
from hydra.monitor_terms import quiet_anomalies, regime_shares
from hydra.outsiders import NO_SIGNALS, outsiders_of
from hydra.plugins import risk_check, strategy_factory
from hydra.ports import Signals
from hydra.settings import Settings, VenueName
from hydra.settings.bot_parts import ProtectiveOrder, Signal
from hydra.settings.bot_sections import MomentumBotSettings
from hydra.settings.live_section import LiveProfile
from hydra.settings.section import ResumePolicy
from hydra.trading.account_day import DayLimits
from hydra.trading.bars import late_after
from hydra.trading.budgets import BudgetTerms
from hydra.trading.causes import BOT_CLOSED, BOT_UNCERTIFIED, LIVE_CLOSED, CauseKind
from hydra.trading.clearing import ClearingPolicy
from hydra.trading.coin_orders import CoinTerms, EntryTerms
from hydra.trading.coin_pair import PairRules
from hydra.trading.desk_terms import DeskTerms
from hydra.trading.exact import add, percent_of
from hydra.trading.fees import ALPACA_FEES, FeeSchedule
from hydra.trading.kill_conditions import KillConditions
from hydra.trading.option_exits import PremiumExits
from hydra.trading.option_rules import ChainRules
from hydra.trading.orders import TimeInForce
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.situation import US_EQUITY_PRICE_STEPS, Limits
from hydra.trading.strategies.longer_bars import OnLongerBars
from hydra.trading.strategies.strategy import StrategyFactory
from hydra.trading.strategy_modes import StrategyMode
from hydra.trading.trading_state import Cause
from supervisors import paths
from supervisors.outsiders import Outsider

COIN_ENTRY_LASTS_INTERVALS = 2
"""So many bars after the one that it was decided on an entry of coins may work."""
EQUITY_AGE_INTERVALS = 5
"""An equity that is older than so many bars counts as missing."""


class MarketFacts(Protocol):
    """What the engine has to know of a market before the first price comes."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded there."""

    @property
    def sessions(self) -> SessionTable:
        """The account's days: the exchange's sessions, or days of UTC where only coins trade.

        When a symbol trades is what `hours_of` says of it and of these.
        """

    @property
    def bar_interval(self) -> int:
        """How long its bars last, in ns of market time."""

    @property
    def coin_terms(self) -> Mapping[str, CoinTerms]:
        """In which steps each pair is traded there; one that is not named is not traded."""

    @property
    def option_calendar(self) -> SessionTable | None:
        """The exchange's sessions up to the last expiration; None: options are not traded there."""

    @property
    def origin(self) -> str:
        """For people: whose prices these are."""


class BotPlan(Protocol):
    """What the engine has to know of a bot, whatever its kind."""

    @property
    def bot_id(self) -> str:
        """Its name."""

    @property
    def trade_window(self) -> Window:
        """When it may enter."""

    @property
    def warm_ups(self) -> Mapping[str, int]:
        """What it trades, and of how many bars its strategy wants to be shown at the start."""


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """What the bots are to do that can trade this market."""

    momentum: tuple[MomentumPlan, ...] = ()
    options: OptionsPlan | None = None
    crypto: CryptoPlan | None = None
    outsiders: tuple[Outsider, ...] = ()
    left_out: tuple[str, ...] = ()
    """The names of those enabled bots that cannot."""

    @property
    def all(self) -> tuple[BotPlan, ...]:
        """Every bot, in the order in which they start."""
        options = () if self.options is None else (self.options,)
        coins = () if self.crypto is None else (self.crypto,)
        return (*self.momentum, *options, *coins, *self.outsiders)

    @property
    def bots(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(plan.bot_id for plan in self.all)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What they trade, each once, in order."""
        return tuple(sorted({symbol for plan in self.all for symbol in plan.warm_ups}))

    @property
    def entered_symbols(self) -> frozenset[tuple[str, str]]:
        """Which bot may enter which symbol: an underlying of options is not among it."""
        trading = (plan for plan in self.all if plan is not self.options)
        return frozenset((plan.bot_id, symbol) for plan in trading for symbol in plan.warm_ups)


def plans_of(settings: Settings, market: MarketFacts, signals: Signals = NO_SIGNALS) -> Plans:
    """The bots that can trade this market, and the names of those enabled ones that cannot.

    `signals` are what the signal bot is told.
    """
    zone, plans, left_out = settings.system.timezone, list[MomentumPlan](), list[str]()
    for bot in settings.momentum_bots:
        if not bot.enabled:
            continue
        if bot.ticker in market.symbols:
            plans.append(momentum_plan(bot, zone, market, settings.guards.order.price_collar_pct))
        else:
            left_out.append(bot.bot_id)
    options = options_plan(settings, market)
    if settings.optionsbot.enabled and options is None:
        left_out.append(settings.optionsbot.bot_id)
    outsiders, strangers = outsiders_of(
        settings, market.symbols, market.sessions, market.bar_interval, signals
    )
    return Plans(
        momentum=tuple(plans),
        options=options,
        crypto=crypto_plan(settings, market),
        outsiders=outsiders,
        left_out=(*left_out, *strangers),
    )


def traded_symbols(settings: Settings, *, with_options: bool = True) -> tuple[str, ...]:
    """What the enabled bots would trade, if a market has it: of options the underlyings."""
    symbols = {bot.ticker for bot in settings.momentum_bots if bot.enabled}
    for bot in settings.plugin_bots:
        symbols.update(bot.symbols if bot.enabled else ())
    bridge = settings.signalbot
    symbols.update(bridge.symbols if bridge.enabled else ())
    options = settings.optionsbot
    symbols.update(options.tickers if options.enabled and with_options else ())
    coins = settings.cryptobot
    return tuple(sorted(symbols.union(coins.pairs if coins.enabled else ())))


def history_of(plans: Iterable[BotPlan]) -> Mapping[str, int]:
    """How many bars of each symbol a bot may ask for when it starts."""
    bars: dict[str, int] = {}
    for plan in plans:
        for symbol, warm_up in plan.warm_ups.items():
            bars[symbol] = max(bars.get(symbol, 0), warm_up)
    return bars


def guardian_terms(
    settings: Settings,
    market: MarketFacts,
    account: str,
    plans: Plans,
    fees: FeeSchedule,
    uncertified: Mapping[str, str] = MappingProxyType({}),
    *,
    asks_of_actions: bool = False,
) -> GuardianTerms:
    """What the guardian is held to, in the engine's own terms; `fees` are the venue's.

    `uncertified`: bots without a certificate that they need, and why that is. `asks_of_actions`:
    there is somebody who tells of splits and the like.
    """
    guards, risk = settings.guards, settings.risk
    order, exposure, pace, equity = guards.order, guards.exposure, guards.pace, guards.equity
    symbols = plans.symbols
    limits = Limits(
        symbols=plans.entered_symbols,
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
        cash_reserve_pct=settings.portfoliobot.cash_reserve_pct,
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
        price_age_ns_max=late_after(market.bar_interval),
        protection_confirm_ns=guards.deadlines.protection_confirm_seconds * SECOND,
        similar_order_ns=order.similar_order_seconds * SECOND,
        option_roots=frozenset() if plans.options is None else plans.options.option_roots,
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
    budgets = BudgetTerms(
        bucket_pct={
            "momentum": portfolio.buckets.momentum_bucket_pct_of_daily_risk,
            "options": portfolio.buckets.options_bucket_pct_of_daily_risk,
            "crypto": portfolio.buckets.crypto_bucket_pct_of_daily_risk,
        },
        bots={
            "momentum": (
                *(plan.bot_id for plan in plans.momentum),
                *_in_bucket("momentum", plans.outsiders),
            ),
            "options": (
                *(() if plans.options is None else (plans.options.bot_id,)),
                *_in_bucket("options", plans.outsiders),
            ),
            "crypto": (
                *(() if plans.crypto is None else (plans.crypto.bot_id,)),
                *_in_bucket("crypto", plans.outsiders),
            ),
        },
        bot_min_pct=portfolio.guardrails.per_bot_min_pct_of_daily_risk,
        bot_max_pct=portfolio.guardrails.per_bot_max_pct_of_daily_risk,
        is_proposed=portfolio.enabled,
        falls_back=settings.safety.allow_budget_fallback,
    )
    return GuardianTerms(
        account=account,
        desk=DeskTerms(
            limits=limits,
            day_limits=day_limits,
            budgets=budgets,
            sessions=market.sessions,
            windows={plan.bot_id: plan.trade_window for plan in plans.all},
            price_steps={
                **dict.fromkeys(symbols, US_EQUITY_PRICE_STEPS),
                **{pair: coin.price_steps for pair, coin in market.coin_terms.items()},
            },
            coins=market.coin_terms,
            fees=fees,
            regime_shares=regime_shares(settings),
            entry_notional_usd=_entries_of_foreign(plans.outsiders, order.price_collar_pct),
            entries_per_day=_entries_a_day_in_mode(settings, plans.outsiders),
            asks_of_actions=asks_of_actions,
        ),
        clearing=clearing_policy(settings),
        kill=kill_conditions(settings),
        configuration=settings.digest,
        brought=tuple(risk_check(name) for name in settings.plugins.risk_checks),
        foreign={
            paths.bot(each.bot_id).path: each.bot_id for each in plans.outsiders if each.is_foreign
        },
        closed=(
            *_closed(settings, plans.bots),
            *_closed_without_certificate(settings, plans.bots, uncertified),
        ),
        loop_interval=settings.runner.loop_interval_seconds * SECOND,
    )


def kill_conditions(settings: Settings) -> KillConditions:
    """Which of them halt; the others only alarm."""
    switches = settings.exitbot.kill_conditions
    return KillConditions(
        api_failure=switches.api_failure_halt,
        data_stale=switches.data_stale_halt,
        daily_loss=switches.max_daily_loss_halt,
        anomaly=switches.anomaly_halt,
        quiet_anomalies=quiet_anomalies(settings),
    )


def clearing_policy(settings: Settings) -> ClearingPolicy:
    """How halts end."""
    return ClearingPolicy(
        operator_only=settings.broker.venue is VenueName.LIVE,
        limit_resumes_itself=settings.safety.resume is ResumePolicy.PREFLIGHT,
        cool_off_ns=settings.safety.global_cooldown_minutes * MINUTE,
        exit_bot_cool_off_ns=settings.exitbot.cooloff_minutes * MINUTE,
    )


def momentum_plan(
    bot: MomentumBotSettings, timezone: str, market: MarketFacts, price_collar_pct: Decimal
) -> MomentumPlan:
    """A bot on shares: whole ones, for the day, and none held at the close."""
    rests = bot.execution.protective_order is ProtectiveOrder.RESTING
    trade_window, manage_window = windows_of(bot.session, timezone)
    return MomentumPlan(
        bot_id=bot.bot_id,
        symbol=bot.ticker,
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=market.sessions,
        bar_interval=market.bar_interval,
        order_notional_usd=bot.execution.default_notional_usd,
        quantity_step=Decimal(1),
        time_in_force=TimeInForce.DAY,
        flat_before_close=FLAT_BEFORE_CLOSE,
        max_trades_per_day=bot.risk.max_trades_per_day,
        max_concurrent_positions=bot.risk.max_concurrent_positions,
        price_steps=US_EQUITY_PRICE_STEPS if rests else (),
        price_collar_pct=price_collar_pct if rests else None,
        exits=exit_rules_of(bot.exits),
        strategy=bot.signal.mode,
        strategy_factory=factory_of(bot.signal),
        parameters=dict(bot.signal.params),
    )


def options_plan(settings: Settings, market: MarketFacts) -> OptionsPlan | None:
    """The bot on options: on those of its underlyings that the market has; None: it has none."""
    options, calendar = settings.optionsbot, market.option_calendar
    tickers = tuple(ticker for ticker in options.tickers if ticker in market.symbols)
    if not (options.enabled and tickers) or calendar is None:
        return None
    trade_window, manage_window = windows_of(options.session, settings.system.timezone)
    exits, chain, execution = options.exits, options.chain_rules, options.execution
    return OptionsPlan(
        bot_id=options.bot_id,
        tickers=tickers,
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=market.sessions,
        calendar=calendar,
        bar_interval=market.bar_interval,
        premium_usd=execution.default_premium_usd,
        entry_lasts=execution.cancel_unfilled_seconds * SECOND,
        max_trades_per_day=options.risk.max_trades_per_day,
        max_positions=options.risk.max_concurrent_positions,
        exits=PremiumExits(
            stop_loss=exits.stop_loss_pct,
            take_profit=exits.take_profit_pct,
            time_stop_ns=exits.time_stop_minutes * MINUTE,
            flatten_before_close_ns=exits.flatten_before_close_minutes * MINUTE,
        ),
        rules=ChainRules(
            dte_min=chain.dte_min,
            dte_max=chain.dte_max,
            delta_min=chain.delta_min,
            delta_max=chain.delta_max,
            spread_pct_max=chain.max_spread_pct,
            open_interest_min=Decimal(chain.min_open_interest),
            quote_age_ns_max=chain.max_quote_age_seconds * SECOND,
        ),
        strategy=options.signal.mode,
        strategy_factory=factory_of(options.signal),
        parameters=dict(options.signal.params),
    )


def crypto_plan(settings: Settings, market: MarketFacts) -> CryptoPlan | None:
    """The bot on coins: those of its pairs that the market has, by one set of rules; None: none."""
    coins = settings.cryptobot
    pairs = {
        pair: market.coin_terms[pair]
        for pair in coins.pairs
        if pair in market.symbols and pair in market.coin_terms
    }
    if not (coins.enabled and pairs):
        return None
    trade_window, manage_window = windows_of(coins.session, settings.system.timezone)
    execution = coins.execution
    return CryptoPlan(
        bot_id=coins.bot_id,
        pairs=pairs,
        sessions=market.sessions,
        rules=PairRules(
            trade_window=trade_window,
            manage_window=manage_window,
            entry=EntryTerms(
                order_type=execution.order_type,
                time_in_force=execution.tif,
                notional_usd=execution.default_notional_usd,
                is_notional=execution.use_notional,
            ),
            entry_lasts=COIN_ENTRY_LASTS_INTERVALS * market.bar_interval,
            entry_gap=settings.guards.pace.min_entry_gap_seconds * SECOND,
            exits=exit_rules_of(coins.exits),
            fees=ALPACA_FEES,
            max_trades_per_day=coins.risk.max_trades_per_day,
            max_positions=coins.risk.max_concurrent_positions,
        ),
        strategy=coins.signal.mode,
        strategy_factory=factory_of(coins.signal),
        parameters=dict(coins.signal.params),
    )


def _entries_of_foreign(
    outsiders: Iterable[Outsider], price_collar_pct: Decimal
) -> Mapping[str, Decimal]:
    """What an entry of theirs may be worth: the price may have moved since it was decided."""
    return {
        each.bot_id: add(wanted, percent_of(wanted, price_collar_pct))
        for each in outsiders
        if (wanted := each.entry_notional_usd) is not None
    }


def _entries_a_day_in_mode(settings: Settings, outsiders: Iterable[Outsider]) -> Mapping[str, int]:
    """Of bots that were brought along: their sections say nothing of it."""
    overlay = settings.modes.overlay(settings.modes.selected)
    if overlay is None:
        return {}
    return {each.bot_id: overlay.max_trades_per_day for each in outsiders if each.is_foreign}


def _in_bucket(bucket: str, outsiders: Iterable[Outsider]) -> tuple[str, ...]:
    return tuple(each.bot_id for each in outsiders if each.bucket == bucket)


def _closed(settings: Settings, bots: Sequence[str]) -> tuple[Cause, ...]:
    """In the strategy mode flat, and on live in the profile off, no bot enters, and each manages
    what it holds.
    """
    found = list[tuple[CauseKind, str]]()
    if settings.modes.selected is StrategyMode.FLAT:
        found.append((BOT_CLOSED, "strategy mode flat"))
    if settings.broker.venue is VenueName.LIVE and settings.live.profile is LiveProfile.OFF:
        found.append((LIVE_CLOSED, "live is not open: nothing is entered"))
    return tuple(
        kind.cause(subject=bot, since=0, detail=why) for kind, why in found for bot in bots
    )


def _closed_without_certificate(
    settings: Settings, bots: Iterable[str], uncertified: Mapping[str, str]
) -> tuple[Cause, ...]:
    """They manage what they hold, as nobody else knows by which rules, and enter nothing."""
    if not settings.plugins.require_certificate:
        return ()
    return tuple(
        BOT_UNCERTIFIED.cause(subject=bot, since=0, detail=uncertified[bot])
        for bot in bots
        if bot in uncertified
    )


def factory_of(signal: Signal) -> StrategyFactory:
    """The strategy that is meant, on bars as long as they are meant to be."""
    factory = strategy_factory(signal.mode)
    if signal.bar_minutes == 1:
        return factory
    return OnLongerBars(factory, signal.bar_minutes, signal.entry_minutes)
