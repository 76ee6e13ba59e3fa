"""A stop that was hit stays hit, until all that was held then is closed.

Bots look at each bar, and the next may be above the stop again. Where a stop order rests, the venue
has sold by then; what is guarded in the engine has to end as surely. So an exit that was denied,
that ended without an execution or was for a part only is wished for again, wherever the price is.

It belongs to the lots that were open then, as a trail does: of the next position it says nothing.
It is told with the guard (`Guard.hit`) and goes on record, so that it outlives its bot.
"""

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from hydra.trading.exit_rules import ExitReason
from hydra.trading.inventory import FifoInventory

HIT_STOPS = "hit_stops"
"""Under this key the ledger keeps them."""
SIGNALS_STOP = "signal_stop"
"""The stop that came with a signal was touched."""
BOTS_STOP = "stop of its bot"
"""So was that which a bot had told of, when nobody but the exit bot looked."""
STOPS = frozenset(
    (
        ExitReason.STOP_LOSS.value,
        ExitReason.TRAILING_STOP.value,
        SIGNALS_STOP,
        BOTS_STOP,
    )
)
"""Reasons to close that a better price does not take back. (Others end with what they are for, as a
gain that is gone, or last by themselves, as the time does.)
"""


class UnreadableHitStops(ValueError):
    """What is on record of stops that were hit is nothing: a bot must not guess what it was."""


class HitStop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop of what a bot held in these lots (the executions that opened them) was hit."""

    bot: str
    symbol: str
    reason: str
    lots: tuple[str, ...]

    def is_of(self, bot: str, held: FifoInventory) -> bool:
        """Whether something of it is held yet."""
        return (bot, held.symbol) == (self.bot, self.symbol) and not set(self.lots).isdisjoint(
            lot.execution_id for lot in held.lots
        )


def hit_now(
    before: HitStop | None, reason: str | None, bot: str, held: FifoInventory
) -> HitStop | None:
    """What is known of a stop of what is held, after a look that found this reason to close it.

    `before` is what was known until then. None: none was hit.
    """
    if before is not None and before.is_of(bot, held):
        return before
    if reason not in STOPS or not held.lots:
        return None
    lots = tuple(lot.execution_id for lot in held.lots)
    return HitStop(bot=bot, symbol=held.symbol, reason=reason, lots=lots)


def hit_among(hits: Iterable[HitStop], bot: str, held: FifoInventory) -> HitStop | None:
    """That of what is held, None if there is none."""
    return next((hit for hit in hits if hit.is_of(bot, held)), None)


def text_of(hits: Iterable[HitStop]) -> str:
    """As they go on record."""
    return msgspec.json.encode(tuple(hits)).decode()


def hit_stops_of(text: str) -> tuple[HitStop, ...]:
    """What is on record; none if that is nothing (""). Raises `UnreadableHitStops`."""
    if not text:
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[HitStop, ...])
    except msgspec.MsgspecError as error:
        raise UnreadableHitStops(
            f"found {text!r} on record, wanted a list of stops that were hit: {error}"
        ) from error


def readable_hit_stops(text: str) -> tuple[HitStop, ...]:
    """The same, for whoever looks after what others hold: none where it cannot be read, since what
    else guards the positions does so without it.
    """
    with suppress(UnreadableHitStops):
        return hit_stops_of(text)
    return ()
