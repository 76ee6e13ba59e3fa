"""`live` in `settings.yaml`: what has to be there before real money is traded, and how much of it.

The whole section may be left out; then what is built in holds, which is also what is shipped: live
is closed.
"""

from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated

from hydra.settings.kinds import Choice, FilePath, Number, WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.section import Section


class LiveProfile(Enum):
    """With how much real money live trades. The last is the safest."""

    FULL = "full"
    """As everything is configured, once paper has shown it."""
    MICRO = "micro"
    """Within `micro_limits`, which need no days on paper."""
    OFF = "off"
    """Not at all: nothing is entered, and what is held is managed until it is closed."""


class MicroLimits(Section):
    """What the profile micro is held to, wherever a limit of the other settings is not lower.

    Each has a bound of its own, so that the profile stays what its name says.
    """

    order_notional_usd: Annotated[Decimal, Number(Decimal(2_000), "USD", 2), Safer.LOWER]
    entries_per_day: Annotated[int, WholeNumber(1, 20, "entries a day"), Safer.LOWER]
    notional_per_day_usd: Annotated[Decimal, Number(Decimal(10_000), "USD", 2), Safer.LOWER]
    daily_loss_pct: Annotated[
        Decimal, Number(Decimal(1), "percent of the account's equity"), Safer.LOWER
    ]


class LiveSettings(Section):
    """What live asks for. It has no say on any other venue."""

    profile: Annotated[LiveProfile, Choice(tuple(LiveProfile)), Safer.LAST]
    min_clean_sessions: Annotated[int, WholeNumber(14, 250, "sessions in a row"), Safer.HIGHER]
    newest_within_sessions: Annotated[int, WholeNumber(1, 20, "sessions"), Safer.LOWER]
    paper_ledger: Annotated[Path, FilePath(), Safer.NEITHER]
    """Of the paper engine; its track record lies beside it."""
    micro_limits: MicroLimits


CLOSED = LiveSettings(
    profile=LiveProfile.OFF,
    min_clean_sessions=14,
    newest_within_sessions=5,
    paper_ledger=Path("state/trading_state.db"),
    micro_limits=MicroLimits(
        order_notional_usd=Decimal(1_000),
        entries_per_day=4,
        notional_per_day_usd=Decimal(2_000),
        daily_loss_pct=Decimal("0.5"),
    ),
)
"""What holds without the section."""
