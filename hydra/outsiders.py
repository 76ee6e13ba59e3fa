"""The bots that trade for somebody outside: the signal bot, and those that were brought along."""

from __future__ import annotations

from actors.foreign_bot import behind_border
from actors.momentum_bot import FLAT_BEFORE_CLOSE
from actors.signal_bot import SignalBot, SignalPlan
from hydra.actor import SECOND, ChildSpec
from hydra.bot_terms import exit_rules_of, windows_of
from hydra.plugins import BotPlan, bot_kind
from hydra.ports import Signals
from hydra.settings import Settings
from hydra.settings.outside_sections import PluginBotSettings, SignalBotSettings
from hydra.trading.bars import late_after
from hydra.trading.sessions import SessionTable
from hydra.trading.strategies.strategy import parameters_from
from hydra.trading.trade_signals import SignalLimits
from messages.signals import SignalNote
from supervisors import paths
from supervisors.bots import NOTHING_LOST
from supervisors.outsiders import Outsider


class NoSignals:
    """Where nobody brings any: what the signal bot is given then. See `Signals`."""

    def report(self) -> None:
        """There is nothing to tell."""

    def note(self, note: SignalNote) -> None:
        """Nobody keeps it."""

    def why_closed(self) -> str | None:
        """Closed, because nobody looks at its kill file."""
        return "nobody reads its signals here"


NO_SIGNALS = NoSignals()


def outsiders_of(
    settings: Settings,
    symbols: tuple[str, ...],
    sessions: SessionTable,
    bar_interval: int,
    signals: Signals,
) -> tuple[tuple[Outsider, ...], tuple[str, ...]]:
    """Those that can trade a market of these symbols, sessions and bars (ns), and the names of the
    enabled ones that cannot. `signals` are what the signal bot is told.
    """
    taken, left_out = list[Outsider](), list[str]()
    bridge = settings.signalbot
    if bridge.enabled:
        there = tuple(symbol for symbol in bridge.symbols if symbol in symbols)
        if there:
            zone = settings.system.timezone
            taken.append(_signal_bot(bridge, there, zone, sessions, bar_interval, signals))
        else:
            left_out.append(bridge.bot_id)
    for bot in settings.plugin_bots:
        if not bot.enabled:
            continue
        there = tuple(symbol for symbol in bot.symbols if symbol in symbols)
        if there:
            taken.append(_plugin_bot(bot, there, settings.system.timezone, sessions))
        else:
            left_out.append(bot.bot_id)
    return tuple(taken), tuple(left_out)


def _signal_bot(
    bot: SignalBotSettings,
    symbols: tuple[str, ...],
    timezone: str,
    sessions: SessionTable,
    bar_interval: int,
    signals: Signals,
) -> Outsider:
    trade_window, manage_window = windows_of(bot.session, timezone)
    plan = SignalPlan(
        bot_id=bot.bot_id,
        limits=SignalLimits(
            symbols=frozenset(symbols),
            orders_per_day_max=bot.limits.max_orders_per_day,
            notional_per_day_usd_max=bot.limits.max_notional_per_day_usd,
            age_ns_max=bot.limits.max_signal_age_seconds * SECOND,
        ),
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=sessions,
        exits=exit_rules_of(bot.exits),
        price_age_max=late_after(bar_interval),
        flat_before_close=FLAT_BEFORE_CLOSE,
    )
    spec = ChildSpec(
        name=bot.bot_id,
        actor=SignalBot,
        args={
            "plan": plan,
            "guardian": paths.RISK_GUARDIAN,
            "persister": paths.STATE_PERSISTER,
            "signals": signals,
        },
        mailbox=NOTHING_LOST,
    )
    return Outsider(
        spec=spec,
        trade_window=trade_window,
        bucket="momentum",
        warm_ups=dict.fromkeys(symbols, 0),
    )


def _plugin_bot(
    bot: PluginBotSettings, symbols: tuple[str, ...], timezone: str, sessions: SessionTable
) -> Outsider:
    kind = bot_kind(bot.kind)
    trade_window, manage_window = windows_of(bot.session, timezone)
    plan = BotPlan(
        bot_id=bot.bot_id,
        symbols=symbols,
        trade_window=trade_window,
        manage_window=manage_window,
        sessions=sessions,
        order_notional_usd=bot.execution.default_notional_usd,
        parameters=parameters_from(bot.params, kind.parameters, strategy=bot.kind),
    )
    spec = ChildSpec(
        name=bot.bot_id,
        actor=kind.actor,
        args={"plan": plan, "guardian": paths.RISK_GUARDIAN, "feed": paths.DATA_FEED},
        mailbox=NOTHING_LOST,
    )
    return Outsider(
        spec=behind_border(spec),
        trade_window=trade_window,
        bucket=bot.bucket.value,
        warm_ups=dict.fromkeys(symbols, kind.history_bars),
        is_foreign=True,
        entry_notional_usd=bot.execution.default_notional_usd,
    )
