"""What all sections of `config/` share.

Every limit is present and above zero; absent never means unlimited. A section is frozen, refuses
unknown keys, and is what an actor is given: the part it needs, never the whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationInfo

from hydra.settings.kinds import Number, Switch, WholeNumber

SignalCheck: TypeAlias = Callable[[str, Mapping[str, object]], str | None]
"""Says what is wrong with a strategy's name and parameters, or None."""

PluginCheck: TypeAlias = Callable[[str, str, Mapping[str, object]], str | None]
"""Says what is wrong with a plug-in (group, name and parameters), or None."""

OnOff = Annotated[bool, Switch()]
Minutes = Annotated[int, WholeNumber(1, 7 * 24 * 60, "minutes")]
Usd = Annotated[Decimal, Number(Decimal(10_000_000), "USD", places=2)]


def percent_of(what: str) -> Number:
    """A share above 0 and up to 100 percent, with what it is a share of."""
    return Number(Decimal(100), f"percent of {what}")


class Section(BaseModel):
    """A part of the configuration: immutable, and without room for anything unknown.

    Every field says of what kind it is (`kinds`) and which way it is safer (`safer`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class VenueName(Enum):
    """Where orders go: the venue in a child process, Alpaca's paper account, or real money."""

    EMBEDDED = "embedded"
    PAPER = "paper"
    LIVE = "live"


class ResumePolicy(Enum):
    """Who clears a limit halt once its cool-off is over: clean checks alone, or a person."""

    PREFLIGHT = "preflight"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a section is held against that stands outside it. None: not known, not checked.

    Given as pydantic's validation context, so that such a finding is reported with the others,
    at its own key, whatever else is wrong.
    """

    venue: VenueName | None = None
    timezone: str | None = None
    order_notional_usd_max: Decimal | None = None
    bot_ids: frozenset[str] | None = None
    signal_check: SignalCheck | None = None
    plugin_check: PluginCheck | None = None


def surroundings(info: ValidationInfo) -> Surroundings:
    """Those given for this validation."""
    return info.context if isinstance(info.context, Surroundings) else Surroundings()
