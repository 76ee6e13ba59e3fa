"""The settings as they are in a strategy mode: the same ones, with what the mode takes away."""

from typing import Any

from hydra.settings.bot_parts import Execution, OptionExecution, Signal, TradeLimits
from hydra.settings.closed_bots import bot_id_of
from hydra.settings.mode_sections import ModeOverlay
from hydra.settings.outside_sections import SignalLimits
from hydra.settings.section import Section
from hydra.settings.whole import Settings
from hydra.trading.strategy_modes import StrategyMode


def in_mode(
    settings: Settings, mode: StrategyMode, before: StrategyMode = StrategyMode.NONE
) -> Settings:
    """What the bots are held to in this mode; `modes.selected` then says it.

    Flat takes away every entry and nothing else: what is held is managed as in the mode `before`.
    """
    selected = settings.modes.model_copy(update={"selected": mode})
    sections: dict[str, Any] = {"modes": selected}
    overlay = settings.modes.overlay(before if mode is StrategyMode.FLAT else mode)
    if overlay is not None:
        for name, section in settings:
            if isinstance(section, tuple):
                sections[name] = tuple(_overlaid(bot, overlay) for bot in section)
            elif isinstance(section, Section) and "bot_id" in type(section).model_fields:
                sections[name] = _overlaid(section, overlay)
    return settings.model_copy(update=sections)


def as_selected(settings: Settings) -> Settings:
    """What the files say as an engine starts with it: in the mode that they select. Only to be
    asked of settings as they are in files, since what a mode takes away it takes away each time.
    """
    mode = settings.modes.selected
    return settings if mode is StrategyMode.NONE else in_mode(settings, mode)


def _overlaid(bot: Section, overlay: ModeOverlay) -> Section:
    update = dict[str, object]()
    if bot_id_of(bot) in overlay.bots_off:
        update["enabled"] = False
    for name, part in bot:
        if isinstance(part, Section):
            update[name] = part.model_copy(update=_taken_away(part, overlay))
    return bot.model_copy(update=update)


def _taken_away(part: Section, overlay: ModeOverlay) -> dict[str, object]:
    match part:
        case Execution():
            return {"default_notional_usd": overlay.notional_of(part.default_notional_usd)}
        case OptionExecution():
            return {"default_premium_usd": overlay.notional_of(part.default_premium_usd)}
        case TradeLimits():
            return {"max_trades_per_day": min(part.max_trades_per_day, overlay.max_trades_per_day)}
        case SignalLimits():
            return {
                "max_orders_per_day": min(part.max_orders_per_day, overlay.max_trades_per_day),
                "max_notional_per_day_usd": overlay.notional_of(part.max_notional_per_day_usd),
            }
        case Signal():
            return {"bar_minutes": overlay.bar_minutes, "entry_minutes": overlay.entry_minutes}
        case _:
            return {}
