"""What the exit bot is held to, out of the settings: every bot's own exit rules among it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from actors.momentum_bot import FLAT_BEFORE_CLOSE
from hydra.actor import MINUTE, SECOND
from hydra.bot_terms import exit_rules_of, windows_of
from hydra.settings import Settings
from hydra.settings.bot_sections import CryptoBotSettings, MomentumBotSettings
from hydra.settings.outside_sections import SignalBotSettings
from hydra.trading.bars import late_after
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exit_plans import ExitPlan, ExitTerms
from hydra.trading.sessions import SessionTable

READINGS_MISSED_MAX = 3
REPAIR_INTERVALS = 4
"""So many bars may pass until something that is not protected is, or is closed."""
REPAIR_AT_LEAST = MINUTE


class Market(Protocol):
    """What has to be known of a market."""

    @property
    def sessions(self) -> SessionTable:
        """The account's days."""

    @property
    def bar_interval(self) -> int:
        """How long its bars last, in ns of market time."""

    @property
    def option_calendar(self) -> SessionTable | None:
        """The same up to the last expiration; None: options are not traded there."""

    @property
    def coin_terms(self) -> Mapping[str, CoinTerms]:
        """In which steps each pair is traded there."""


def exit_terms(settings: Settings, market: Market, bots: Iterable[str]) -> ExitTerms | None:
    """`bots` are those that run. None: the exit bot is switched off."""
    if not settings.exitbot.enabled:
        return None
    deadlines = settings.guards.deadlines
    loop_seconds = settings.runner.loop_interval_seconds
    readings = READINGS_MISSED_MAX * deadlines.reconcile_every_seconds
    return ExitTerms(
        sessions=market.sessions,
        option_calendar=market.option_calendar,
        bots=frozenset(bots),
        plans=tuple(_plans(settings)),
        coins=market.coin_terms,
        guard_age_max=late_after(market.bar_interval),
        reading_loops_max=2 + -(-readings // loop_seconds),
        confirm_within=deadlines.protection_confirm_seconds * SECOND,
        repair_within=max(REPAIR_AT_LEAST, REPAIR_INTERVALS * market.bar_interval),
    )


def _plans(settings: Settings) -> Iterator[ExitPlan]:
    """Of every bot that is configured, also of those that are switched off.

    Of contracts no bars come, by which the options bot's rules could be asked; and what a plug-in
    goes by nobody knows. What they hold is closed at once.
    """
    zone = settings.system.timezone
    for bot in settings.momentum_bots:
        yield _plan(bot, (bot.ticker,), zone)
    coins, bridge = settings.cryptobot, settings.signalbot
    yield _plan(coins, coins.pairs, zone, flat_before_close=None)
    yield _plan(bridge, bridge.symbols, zone)


def _plan(
    bot: MomentumBotSettings | CryptoBotSettings | SignalBotSettings,
    symbols: tuple[str, ...],
    zone: str,
    flat_before_close: int | None = FLAT_BEFORE_CLOSE,
) -> ExitPlan:
    return ExitPlan(
        bot=bot.bot_id,
        symbols=symbols,
        rules=exit_rules_of(bot.exits),
        manage_window=windows_of(bot.session, zone)[1],
        flat_before_close=flat_before_close,
    )
