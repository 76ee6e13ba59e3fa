"""Which bots a replay plays: those of the configuration, some of them, or one strategy alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias, TypeVar

from hydra.plugins import fault_in_signal
from hydra.settings import Settings
from hydra.settings.bot_sections import (
    CryptoBotSettings,
    MomentumBotSettings,
    OptionsBotSettings,
)
from hydra.settings.mode_sections import ModeOverlay, ModeSettings
from hydra.settings.outside_sections import PluginBotSettings, SignalBotSettings
from hydra.trading.instruments import is_crypto

AnyBot: TypeAlias = (
    MomentumBotSettings
    | OptionsBotSettings
    | CryptoBotSettings
    | SignalBotSettings
    | PluginBotSettings
)
Bot = TypeVar(
    "Bot",
    MomentumBotSettings,
    OptionsBotSettings,
    CryptoBotSettings,
    SignalBotSettings,
    PluginBotSettings,
)


class BadSelection(ValueError):
    """Nothing, or not this, can be played. The message is one line."""


def bots_in(settings: Settings) -> tuple[AnyBot, ...]:
    """Every bot of the configuration that makes entries, enabled or not."""
    return (
        *settings.momentum_bots,
        settings.optionsbot,
        settings.cryptobot,
        settings.signalbot,
        *settings.plugin_bots,
    )


def with_bots(settings: Settings, wanted: Collection[str]) -> Settings:
    """The same with these bots alone enabled, by id. Raises `BadSelection` for one that is not."""
    known = {bot.bot_id: bot.enabled for bot in bots_in(settings)}
    for bot in wanted:
        if not known.get(bot, False):
            why = "which is not enabled" if bot in known else "which is no bot"
            enabled = ", ".join(name for name, is_enabled in known.items() if is_enabled)
            raise BadSelection(
                f"found --bot {bot}, {why}; wanted one that is enabled: {enabled}; correct it, or"
                " enable the bot in bots.yaml"
            )

    def with_it(bot: Bot) -> Bot:
        return bot.model_copy(update={"enabled": known[bot.bot_id] and bot.bot_id in wanted})

    return _changed(
        settings,
        momentum_bots=tuple(map(with_it, settings.momentum_bots)),
        optionsbot=with_it(settings.optionsbot),
        cryptobot=with_it(settings.cryptobot),
        signalbot=with_it(settings.signalbot),
        plugin_bots=tuple(map(with_it, settings.plugin_bots)),
    )


def with_strategy(
    settings: Settings,
    strategy: str,
    parameters: Mapping[str, object],
    symbols: Collection[str],
) -> Settings:
    """One momentum bot a symbol that follows this strategy, and no other bot that enters.

    In everything else each is as the first momentum bot of the configuration. Raises
    `BadSelection`.
    """
    coins = [symbol for symbol in symbols if is_crypto(symbol)]
    if coins:
        raise BadSelection(
            f"found --strategy with {coins[0]}; wanted shares, as coins are the crypto bot's;"
            " set cryptobot.signal.mode, or leave the pair out with --symbol"
        )
    if not settings.momentum_bots:
        raise BadSelection(
            "found --strategy, and no momentum bot in bots.yaml; wanted one, whose window, exits"
            " and limits it takes; add one"
        )
    first = settings.momentum_bots[0]
    fault = fault_in_signal(strategy, parameters)
    if fault is not None:
        raise BadSelection(f"found --strategy {strategy}: {fault}; correct it or its --param")
    signal = first.signal.model_copy(update={"mode": strategy, "params": dict(parameters)})
    return _changed(
        settings,
        momentum_bots=tuple(
            first.model_copy(
                update={
                    "bot_id": f"replay_{symbol.replace('.', '_')}",
                    "ticker": symbol,
                    "enabled": True,
                    "signal": signal,
                }
            )
            for symbol in symbols
        ),
        optionsbot=settings.optionsbot.model_copy(update={"enabled": False}),
        cryptobot=settings.cryptobot.model_copy(update={"enabled": False}),
        signalbot=settings.signalbot.model_copy(update={"enabled": False}),
        plugin_bots=(),
        modes=_without_names(settings.modes),
    )


def _without_names(modes: ModeSettings) -> ModeSettings:
    """The bots that a mode switches off by name are not played anyway, and some are not there."""
    overlays = {
        name: overlay.model_copy(update={"bots_off": ()})
        for name, overlay in modes
        if isinstance(overlay, ModeOverlay)
    }
    return modes.model_copy(update=overlays)


def _changed(settings: Settings, **sections: object) -> Settings:
    """Settings of their own, with a digest of their own, also where that was asked for before."""
    fields = {name: getattr(settings, name) for name in Settings.model_fields}
    return Settings(**{**fields, **sections})
