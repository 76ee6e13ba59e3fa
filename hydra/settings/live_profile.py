"""The settings as live trades on them: in the profile micro the same ones, within its limits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from hydra.settings.bot_parts import Execution, OptionExecution
from hydra.settings.live_section import LiveProfile, MicroLimits
from hydra.settings.outside_sections import SignalLimits
from hydra.settings.section import Section, VenueName
from hydra.settings.whole import Settings

S = TypeVar("S", bound=Section)


def as_on_live(settings: Settings) -> Settings:
    """What holds on the venue that these settings name. It only ever takes away: the lower of two
    limits holds. On any venue but live, and in any profile but micro, it is what was given.
    """
    live = settings.live
    if settings.broker.venue is not VenueName.LIVE or live.profile is not LiveProfile.MICRO:
        return settings
    return within(settings, live.micro_limits)


def with_entries_closed(settings: Settings) -> Settings:
    """The same in the profile off: on live nothing is entered, and what is held is managed."""
    live = settings.live.model_copy(update={"profile": LiveProfile.OFF})
    return settings.model_copy(update={"live": live})


def within(settings: Settings, limits: MicroLimits) -> Settings:
    """The settings with no limit of the account above these, and no bot that wants more."""
    risk, guards = settings.risk, settings.guards
    order, day = limits.order_notional_usd, limits.notional_per_day_usd
    loss = limits.daily_loss_pct
    pace = _at_most(
        guards.pace,
        {
            "max_entries_per_day": limits.entries_per_day,
            "max_notional_per_window_usd": day,
            "max_notional_per_day_usd": day,
        },
    )
    exposure = _at_most(
        guards.exposure, {"max_symbol_usd": day, "max_bot_usd": day, "max_open_risk_pct": loss}
    )
    sections: dict[str, Any] = {
        "risk": _at_most(
            risk, {"max_order_notional_usd": order, "global_max_daily_loss_pct": loss}
        ),
        "guards": guards.model_copy(update={"pace": pace, "exposure": exposure}),
    }
    for name, section in settings:
        if isinstance(section, tuple):
            sections[name] = tuple(_bot_within(bot, limits) for bot in section)
        elif isinstance(section, Section) and "bot_id" in type(section).model_fields:
            sections[name] = _bot_within(section, limits)
    return settings.model_copy(update=sections)


def _bot_within(bot: Section, limits: MicroLimits) -> Section:
    """The guardian denies what is too much; a bot that wants less in the first place can trade."""
    parts = {name: _part_within(part, limits) for name, part in bot if isinstance(part, Section)}
    return bot.model_copy(update=parts)


def _part_within(part: Section, limits: MicroLimits) -> Section:
    order = limits.order_notional_usd
    match part:
        case Execution():
            return _at_most(part, {"default_notional_usd": order})
        case OptionExecution():
            return _at_most(part, {"default_premium_usd": order})
        case SignalLimits():
            return _at_most(
                part,
                {
                    "max_orders_per_day": limits.entries_per_day,
                    "max_notional_per_day_usd": limits.notional_per_day_usd,
                },
            )
        case _:
            return part


def _at_most(section: S, limits: Mapping[str, Decimal | int]) -> S:
    lower = {name: most for name, most in limits.items() if getattr(section, name) > most}
    return section.model_copy(update=lower) if lower else section
