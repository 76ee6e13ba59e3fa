"""`signalbot`, `plugin_bots` and `plugins`: what trades for somebody outside, or was brought along.

All of them may be left out: then there is nothing of the kind.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, ValidationInfo, field_validator, model_validator

from hydra.settings.bot_names import BotId, Ticker, each_once
from hydra.settings.bot_parts import Execution, Exits, StockWindow
from hydra.settings.kinds import Choice, FilePath, Parameter, ParameterValue, WholeNumber, Word
from hydra.settings.safer import Safer
from hydra.settings.section import OnOff, Section, Usd, VenueName, surroundings

PLUGIN_NAME = Word(re.compile(r"[a-z][a-z0-9_]{0,63}"), "the name of an entry point in lower case")


class SignalLimits(Section):
    """What the bridge holds an outside strategy to. Orders and notional are of its entries."""

    max_orders_per_day: Annotated[int, WholeNumber(1, 1000, "entries a day"), Safer.LOWER]
    max_notional_per_day_usd: Annotated[Usd, Safer.LOWER]
    max_signal_age_seconds: Annotated[int, WholeNumber(1, 3600, "seconds"), Safer.LOWER]


class SignalBotSettings(Section):
    """Executes the signals that an outside strategy writes into a file, line by line."""

    enabled: Annotated[OnOff, Safer.OFF]
    bot_id: Annotated[BotId, Safer.NEITHER]
    signals_file: Annotated[Path, FilePath(), Safer.NEITHER]
    symbols: Annotated[tuple[Ticker, ...], AfterValidator(each_once), Safer.FEWER]
    session: StockWindow
    limits: SignalLimits
    exits: Exits


SIGNAL_BOT_OFF = SignalBotSettings.model_validate(
    {
        "enabled": False,
        "bot_id": "signal_bot",
        "signals_file": "signals.jsonl",
        "symbols": ("NVDA", "MSFT", "QQQ"),
        "session": {"trade_start": "06:35", "trade_end": "12:30", "manage_until": "12:55"},
        "limits": {
            "max_orders_per_day": 10,
            "max_notional_per_day_usd": Decimal(5_000),
            "max_signal_age_seconds": 60,
        },
        "exits": {
            "stop_loss_pct": Decimal("0.5"),
            "take_profit_pct": Decimal(1),
            "time_stop_minutes": 120,
        },
    }
)
"""What holds without the section: nothing is read, and nothing is traded."""


class Bucket(Enum):
    """Whose share of the day's risk a bot is paid from."""

    MOMENTUM = "momentum"
    OPTIONS = "options"
    CRYPTO = "crypto"


class PluginBotSettings(Section):
    """A bot that another distribution brought; `kind` is its entry point in `hydra.bots`."""

    bot_id: Annotated[BotId, Safer.NEITHER]
    enabled: Annotated[OnOff, Safer.OFF]
    kind: Annotated[str, PLUGIN_NAME, Safer.NEITHER]
    bucket: Annotated[Bucket, Choice(tuple(Bucket)), Safer.NEITHER]
    symbols: Annotated[tuple[Ticker, ...], AfterValidator(each_once), Safer.FEWER]
    session: StockWindow
    execution: Execution
    params: Annotated[
        Mapping[str, Annotated[ParameterValue, Parameter()]],
        AfterValidator(MappingProxyType),
        Safer.NEITHER,
    ]

    @model_validator(mode="after")
    def _suits_the_plugin(self, info: ValidationInfo) -> Self:
        check = surroundings(info).plugin_check
        wrong = None if check is None else check("hydra.bots", self.kind, self.params)
        if wrong is not None:
            raise ValueError(wrong)
        return self


def _is_there(name: str, info: ValidationInfo) -> str:
    check = surroundings(info).plugin_check
    wrong = None if check is None else check("hydra.risk_checks", name, {})
    if wrong is not None:
        raise ValueError(wrong)
    return name


def _no_name_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    return each_once(names) if names else names


class PluginSettings(Section):
    """What was brought along and holds for every entry: checks that can only deny."""

    # Another order is another first reason, so it is never changed while running.
    risk_checks: Annotated[
        tuple[Annotated[str, PLUGIN_NAME, AfterValidator(_is_there)], ...],
        AfterValidator(_no_name_twice),
        Safer.NEITHER,
    ]
    # A default, because what is not said is demanded.
    require_certificate: Annotated[OnOff, Safer.ON] = True
    """Whether a bot of `plugin_bots` enters nothing on paper or live without its certificate."""

    @field_validator("require_certificate")
    @classmethod
    def _needs_a_certificate_on_live(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and surroundings(info).venue is VenueName.LIVE:
            raise ValueError("found false, wanted true; on live a bot needs its certificate")
        return value


NO_PLUGINS = PluginSettings(risk_checks=())
