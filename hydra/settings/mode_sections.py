"""`modes` in `bots.yaml`: what each strategy mode takes away from the bots as they are configured.

The section may be left out; then what is built in holds, which is also what is shipped: no mode.
"""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from hydra.settings.bot_names import BotId
from hydra.settings.errors import shown
from hydra.settings.kinds import Choice, WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.section import OnOff, Section, percent_of, surroundings
from hydra.trading.strategy_modes import StrategyMode

BarMinutes = Annotated[int, WholeNumber(1, 390, "minutes"), Safer.NEITHER]
_CENT = Decimal("0.01")


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{shown(value)} is in the list twice")
    return values


def _that_are_there(bots: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    known = surroundings(info).bot_ids
    if known is None:
        return bots
    for bot in bots:
        if bot not in known:
            there_are = ", ".join(sorted(known))
            raise ValueError(f"found {shown(bot)}, wanted one of {there_are}{_meant(bot, known)}")
    return bots


def _meant(bot: str, known: Iterable[str]) -> str:
    """A slip of case is none: names that differ in nothing else are the nearest."""
    names = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(bot.casefold(), names, n=1)
    return f"; did you mean {names[near[0]]}?" if near else ""


class ModeOverlay(Section):
    """One mode. It only takes away: where a bot's own setting is tighter, that one holds."""

    bar_minutes: BarMinutes
    """How long the bars are that strategies decide on."""
    entry_minutes: BarMinutes
    """How often, within such a bar, an entry may be made on what the last one said."""
    notional_pct: Annotated[Decimal, percent_of("the bot's own default_notional_usd"), Safer.LOWER]
    max_trades_per_day: Annotated[int, WholeNumber(1, 1000, "entries a day"), Safer.LOWER]
    bots_off: Annotated[
        tuple[BotId, ...], AfterValidator(_each_once), AfterValidator(_that_are_there), Safer.MORE
    ]

    @field_validator("entry_minutes")
    @classmethod
    def _divides_the_bar(cls, value: int, info: ValidationInfo) -> int:
        bar = info.data.get("bar_minutes")
        if bar is not None and bar % value:
            raise ValueError(f"found {value}, wanted a divisor of bar_minutes ({bar})")
        return value

    def notional_of(self, usd: Decimal) -> Decimal:
        """What one entry buys in this mode, in whole cents, at least one."""
        return max(_CENT, (usd * self.notional_pct / 100).quantize(_CENT, ROUND_FLOOR))


class ModeSettings(Section):
    """The ladder from primary down to flat, and who goes down it.

    Each step takes away at least what the one before does, so that a step down never loosens.
    """

    selected: Annotated[StrategyMode, Choice(tuple(StrategyMode)), Safer.LAST]
    step_down: Annotated[OnOff, Safer.ON]
    primary: ModeOverlay
    fallback: ModeOverlay
    conservative: ModeOverlay

    @field_validator("fallback", "conservative")
    @classmethod
    def _takes_away_no_less(cls, overlay: ModeOverlay, info: ValidationInfo) -> ModeOverlay:
        above = "primary" if info.field_name == "fallback" else "fallback"
        bolder = info.data.get(above)
        if not isinstance(bolder, ModeOverlay):
            return overlay
        for name in ("notional_pct", "max_trades_per_day"):
            here, there = getattr(overlay, name), getattr(bolder, name)
            if here > there:
                raise ValueError(f"{name}: found {here}, wanted at most that of {above} ({there})")
        missing = [bot for bot in bolder.bots_off if bot not in overlay.bots_off]
        if missing:
            raise ValueError(f"bots_off: {shown(missing[0])} is off in {above}, wanted here too")
        return overlay

    def overlay(self, mode: StrategyMode) -> ModeOverlay | None:
        """What the mode takes away; None: nothing but what it is for by itself."""
        match mode:
            case StrategyMode.PRIMARY:
                return self.primary
            case StrategyMode.FALLBACK:
                return self.fallback
            case StrategyMode.CONSERVATIVE:
                return self.conservative
            case StrategyMode.NONE | StrategyMode.FLAT:
                return None


def _overlay(bar_minutes: int, entry_minutes: int, pct: int, trades: int) -> ModeOverlay:
    return ModeOverlay(
        bar_minutes=bar_minutes,
        entry_minutes=entry_minutes,
        notional_pct=Decimal(pct),
        max_trades_per_day=trades,
        bots_off=(),
    )


NO_MODE = ModeSettings(
    selected=StrategyMode.NONE,
    step_down=False,
    primary=_overlay(30, 5, 100, 6),
    fallback=_overlay(60, 5, 50, 4),
    conservative=_overlay(60, 15, 25, 2),
)
