"""Settings -> ports -> supervision tree: the system's parts list, on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from actors.momentum_bot import MomentumPlan
from actors.risk_guardian import GuardianLimits
from hydra.actor import MILLISECOND, MINUTE, SECOND, ChildSpec
from hydra.ports import Journal, Ledger, Service, Venue
from hydra.runtime.runtime import Runtime
from hydra.settings import Settings
from hydra.settings.bot_sections import MomentumBotSettings
from hydra.trading.exit_rules import ExitRules
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import BadParameters
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.in_process import DryRunVenue, InProcessVenue
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.playback import Market
from messages.control import GateDrained, GateTripped
from messages.orders import client_order_id_of
from supervisors import paths
from supervisors.bots import bots
from supervisors.core import core
from supervisors.ops import ops
from supervisors.root import root

EMBEDDED_ACCOUNT = "PA-HYDRA-EMBEDDED"
DRAIN_WITHIN = 200 * MILLISECOND
"""T_DRAIN: sends in flight at a halt may finish within this; then their outcome is unknown."""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be started: the tree, and the market that it will trade on."""

    tree: ChildSpec
    market: Market
    bots: tuple[str, ...]
    left_out: tuple[str, ...]
    """Enabled bots whose symbol the market does not have."""


def assemble(
    settings: Settings,
    data: MarketData,
    *,
    runtime: Runtime,
    market_time: Callable[[], int],
    ledger: Ledger,
    journal: Journal,
    debug_server: Service | None = None,
    dry_run: bool = False,
) -> Engine:
    """Put the embedded engine together on a runtime; nothing is started."""
    enabled = [bot for bot in settings.momentum_bots if bot.enabled]
    trading = [bot for bot in enabled if bot.ticker in data.symbols]
    plans = tuple(momentum_plan(bot, settings.system.timezone, data.sessions) for bot in trading)

    reports = runtime.outside("venue")
    in_process = InProcessVenue(
        MatchingEngine(),
        runtime.gate,
        market_time,
        lambda report: reports.tell(paths.BROKER_GATEWAY, report, corr=client_order_id_of(report)),
    )
    venue: Venue = DryRunVenue() if dry_run else in_process
    prices = runtime.outside("market")
    market = Market(in_process, lambda message: prices.tell(paths.DATA_FEED, message))
    connect_gate(runtime)

    limits = GuardianLimits(
        account=EMBEDDED_ACCOUNT,
        symbols=frozenset(plan.symbol for plan in plans),
        order_notional_usd_max=settings.risk.max_order_notional_usd,
        # A decision is made on a closed bar, and is history when the next one has closed.
        decision_age_max=data.bar_interval,
        sessions=data.sessions,
        windows={plan.bot_id: plan.trade_window for plan in plans},
    )
    tree = root(
        core(
            ledger=ledger,
            journal=journal,
            venue=venue,
            gate=runtime.gate,
            limits=limits,
            sessions=data.sessions,
            bar_interval=data.bar_interval,
            loop_interval=settings.runner.loop_interval_seconds * SECOND,
        ),
        bots(plans),
        ops(debug_server),
    )
    return Engine(
        tree=tree,
        market=market,
        bots=tuple(plan.bot_id for plan in plans),
        left_out=tuple(bot.bot_id for bot in enabled if bot not in trading),
    )


def connect_gate(runtime: Runtime) -> None:
    """The guardian hears of every trip, and then that all sends in flight have ended."""
    gate, voice = runtime.gate, runtime.outside("gate")

    def tripped(cause: Cause, epoch: int) -> None:
        voice.tell(paths.RISK_GUARDIAN, GateTripped(cause=cause, epoch=epoch))
        gate.when_drained(lambda at: voice.tell(paths.RISK_GUARDIAN, GateDrained(epoch=at)))
        runtime.call_later(DRAIN_WITHIN, lambda: give_up_on(epoch))

    def give_up_on(epoch: int) -> None:
        abandoned = gate.abandon_older_than(epoch)
        if abandoned:
            voice.tell(paths.RISK_GUARDIAN, GateDrained(epoch=epoch, abandoned=abandoned))

    gate.on_trip(tripped)


def momentum_plan(bot: MomentumBotSettings, timezone: str, sessions: SessionTable) -> MomentumPlan:
    """One bot's configuration in the engine's own terms."""
    start, end, until = (
        f"{time:%H:%M}"
        for time in (bot.session.trade_start, bot.session.trade_end, bot.session.manage_until)
    )
    return MomentumPlan(
        bot_id=bot.bot_id,
        symbol=bot.ticker,
        trade_window=Window.parse(start, end, timezone),
        manage_window=Window.parse(start, until, timezone),
        sessions=sessions,
        order_notional_usd=Decimal(bot.execution.default_notional_usd),
        max_trades_per_day=bot.risk.max_trades_per_day,
        exits=ExitRules(
            stop_loss_pct=bot.exits.stop_loss_pct,
            take_profit_pct=bot.exits.take_profit_pct,
            time_stop_ns=bot.exits.time_stop_minutes * MINUTE,
        ),
        strategy=bot.signal.mode,
        parameters=dict(bot.signal.params),
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
