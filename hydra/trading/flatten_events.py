"""What an emergency flatten is told, and what it wants done; see `flatten`.

Times are machine time (monotonic ns).
"""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.closing import Close, Holding
from hydra.trading.trading_state import TradingState


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An operator wants everything closed. `pause` stays latched after it."""

    reason: str
    operator: str
    pause: TradingState
    now: int


class Paused(msgspec.Struct, frozen=True):
    """The pause is latched and on record, and no send from before it is in flight."""

    now: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The account as just read, in answer to the reading of this number.

    `open_orders` are all that may trade, by name: pending and held ones, those that are unknown
    on record, and those on their way. Left out are only those that an operator excluded, and
    `kept`: what protects a position whose market is closed, and stays, since nothing could follow.
    `holdings` has every symbol that the venue or a bot holds.
    """

    number: int
    open_orders: tuple[str, ...]
    holdings: tuple[Holding, ...]
    now: int
    kept: tuple[str, ...] = ()


class ReadingFailed(msgspec.Struct, frozen=True):
    """The account could not be read."""

    number: int
    now: int


class CloseEnded(msgspec.Struct, frozen=True):
    """A closing order is over, whatever became of it; its fills are on record. One that was denied
    or never sent is over too. `refused`: by whom and why, in words, if it was.
    """

    bot: str
    symbol: str
    number: int
    now: int
    refused: str = ""


class Tick(msgspec.Struct, frozen=True):
    """Time has passed. Wanted at least once a second while it is under way."""

    now: int


class Opened(msgspec.Struct, frozen=True):
    """A market that was waited for has opened."""

    now: int


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """An operator does not want it any more."""

    reason: str
    operator: str


class Restarted(msgspec.Struct, frozen=True):
    """The process, or whoever carries this out, has begun anew: what was asked for may be lost."""

    now: int


Event: TypeAlias = (
    Asked | Paused | Snapshot | ReadingFailed | CloseEnded | Tick | Opened | Withdrawn | Restarted
)


class LatchPause(msgspec.Struct, frozen=True):
    """Latch this state, durably; the answer is `Paused`."""

    state: TradingState
    reason: str
    operator: str


class ReadAccount(msgspec.Struct, frozen=True):
    """Read the account; the answer is `Snapshot` or `ReadingFailed` with this number."""

    number: int


class CancelAll(msgspec.Struct, frozen=True):
    """Ask for all these orders to be taken out, whatever they are for."""

    names: tuple[str, ...]


class Done(msgspec.Struct, frozen=True):
    """The account is flat. `on_record` are positions (bot, symbol, quantity) that bots have all the
    same: they offset one another, an operator excluded them, or the record is wrong.
    """

    on_record: tuple[tuple[str, str, Decimal], ...]


class Waits(msgspec.Struct, frozen=True):
    """All that is left is held in closed markets, and this is what, in words. `Opened` is wanted
    as soon as one of them is open.
    """

    detail: str


class Failed(msgspec.Struct, frozen=True):
    """It is given up, and this is why, and what is left. The pause stays."""

    reason: str


Effect: TypeAlias = LatchPause | ReadAccount | CancelAll | Close | Done | Waits | Failed
