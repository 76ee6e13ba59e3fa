"""`bots.yaml`: the bots."""

from decimal import Decimal
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from hydra.settings.bot_names import BotId, Pair, Ticker, each_once
from hydra.settings.bot_parts import (
    Buckets,
    ChainRules,
    CryptoExecution,
    Exits,
    Guardrails,
    KillConditions,
    MomentumExecution,
    MomentumExits,
    OptionExecution,
    OptionExits,
    Signal,
    StockWindow,
    TradeLimits,
    TradingWindow,
)
from hydra.settings.mode_sections import NO_MODE, ModeSettings
from hydra.settings.outside_sections import (
    SIGNAL_BOT_OFF,
    PluginBotSettings,
    SignalBotSettings,
)
from hydra.settings.safer import Safer
from hydra.settings.section import Minutes, OnOff, Section, percent_of


class ExitBotSettings(Section):
    """Closes positions and reports what must halt trading."""

    # Off, open positions lose their guard; on, entries are possible again: never while running.
    enabled: Annotated[OnOff, Safer.NEITHER]
    cooloff_minutes: Annotated[Minutes, Safer.HIGHER]
    kill_conditions: KillConditions


class PortfolioBotSettings(Section):
    """Grants every bot its share of the day's risk budget."""

    # Off, nobody guards the shares; on, entries are possible again: never while running.
    enabled: Annotated[OnOff, Safer.NEITHER]
    cash_reserve_pct: Annotated[Decimal, percent_of("the account"), Safer.HIGHER]
    buckets: Buckets
    guardrails: Guardrails


class MomentumBotSettings(Section):
    """One bot on one stock. Several may trade the same one."""

    bot_id: Annotated[BotId, Safer.NEITHER]
    enabled: Annotated[OnOff, Safer.OFF]
    ticker: Annotated[Ticker, Safer.NEITHER]
    session: StockWindow
    execution: MomentumExecution
    risk: TradeLimits
    exits: MomentumExits
    signal: Signal


def _placeholder_options() -> Signal:
    return Signal(mode="placeholder_options_v1", params=MappingProxyType({}))


class OptionsBotSettings(Section):
    """The options bot, over some underlyings.

    `execution` and `signal` may be left out; then they are as they are shipped.
    """

    enabled: Annotated[OnOff, Safer.OFF]
    bot_id: Annotated[BotId, Safer.NEITHER]
    tickers: Annotated[tuple[Ticker, ...], AfterValidator(each_once), Safer.FEWER]
    session: StockWindow
    risk: TradeLimits
    exits: OptionExits
    chain_rules: ChainRules
    execution: OptionExecution = OptionExecution(
        default_premium_usd=Decimal(500), cancel_unfilled_seconds=60
    )
    # A factory, because a mapping that cannot change cannot be copied either.
    signal: Annotated[Signal, Field(default_factory=_placeholder_options)]


class CryptoBotSettings(Section):
    """The crypto bot, over some pairs."""

    enabled: Annotated[OnOff, Safer.OFF]
    bot_id: Annotated[BotId, Safer.NEITHER]
    pairs: Annotated[tuple[Pair, ...], AfterValidator(each_once), Safer.FEWER]
    session: TradingWindow
    execution: CryptoExecution
    risk: TradeLimits
    exits: Exits
    signal: Signal


class BotSections(Section):
    """`bots.yaml`."""

    exitbot: ExitBotSettings
    portfoliobot: PortfolioBotSettings
    momentum_bots: tuple[MomentumBotSettings, ...]
    optionsbot: OptionsBotSettings
    # Defaults, because what is not there trades nothing.
    signalbot: SignalBotSettings = SIGNAL_BOT_OFF
    plugin_bots: tuple[PluginBotSettings, ...] = ()
    # A default, because without a mode the bots are as they are configured.
    modes: ModeSettings = NO_MODE
    cryptobot: CryptoBotSettings

    @property
    def bot_ids(self) -> frozenset[str]:
        """The names of all bots that trade, also of those that are switched off."""
        return frozenset(
            bot.bot_id
            for _, section in self
            for bot in (section if isinstance(section, tuple) else (section,))
            if hasattr(bot, "bot_id")
        )
