"""What is known of a replay when it has ended: all that its figures and its page are made of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from hydra.research.regret import GuardRegret
from hydra.research.replaying import BotFill
from hydra.research.window import ReplayWindow
from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from messages.summary import Trade


class ReplayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One replay, plain. Times are UTC ns, money is USD; everything starts with cash alone.

    `bars` ascend by their end. `fills` are in the order in which they were booked, and say what was
    traded; `told` are the engine's own words on its trades, of which the reasons are taken.
    `data` names the content of each file by its digest. `denials` counts
    intents by the check that refused them. `terms` are further conditions, by name, for people:
    slippage and fees, say. `regret` is what
    the refused entries would have come to.
    """

    bars: tuple[Bar, ...]
    fills: tuple[BotFill, ...]
    starting_cash: Decimal
    window: ReplayWindow
    configuration: str
    """The digest of the settings."""
    data: Mapping[str, str]
    origin: str
    version: str
    seed: int
    label: str
    orders: int
    bots: tuple[str, ...] = ()
    """Those that there were, whatever they did."""
    told: tuple[Trade, ...] = ()
    denials: tuple[tuple[str, int], ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    regret: tuple[GuardRegret, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """What there were bars of."""
        return tuple(sorted({bar.symbol for bar in self.bars}))

    @property
    def bot_names(self) -> tuple[str, ...]:
        """All of them, and who else has traded."""
        return tuple(sorted({*self.bots, *(each.bot for each in self.fills)}))


def utc(at: int) -> str:
    """An instant to the second, as the window contract writes it: 2024-03-25T00:00:00+00:00."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()
