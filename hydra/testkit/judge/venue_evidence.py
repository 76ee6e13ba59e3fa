"""What a venue says of a life, in the judge's words: the same ones, whichever venue it was.

There are two venues, and each has a log of its own and a reader of it here: `in_process_venue` and
`served_venue`. What is judged is judged by what stands in this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol

import msgspec

from hydra.trading.orders import Order
from hydra.trading.venue_view import VenueSnapshot
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaviour import Misbehaviour


class Verb(Enum):
    """What a request asks for."""

    PLACE = "place"
    REPLACE = "replace"
    CLOSE = "close"
    """Anything else that can make an order; no engine of ours asks like that."""
    CANCEL = "cancel"
    CANCEL_ALL = "cancel all"
    OTHER = "other"

    @property
    def makes_an_order(self) -> bool:
        """Whether it would change what is held, now or later."""
        return self in (Verb.PLACE, Verb.REPLACE, Verb.CLOSE)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that came to the venue, whatever became of it.

    `place` is that of the line of the log before which it had not taken effect; `at` is market
    time, `wall_ns` the machine's UTC time. `name` is the client order id of the order that it
    makes or names; of what has none, the request itself. `order` is None if it makes none, or one
    that an engine of ours has no words for. `speed` is how fast market time ran; None: it was
    virtual. `is_refused` says that the venue answered no; a log that has no answers never does.
    """

    place: int
    at: int
    wall_ns: int = 0
    verb: Verb
    name: str
    order: Order | None = None
    speed: float | None = None
    is_refused: bool = False


class Played(msgspec.Struct, frozen=True):
    """The account after everything in a log, or in a part of it.

    `told_at` has for each of its executions the market time at which the venue told of it, which
    may be later than the time of its price; infinity: it never did.
    """

    snapshot: VenueSnapshot
    told_at: tuple[float, ...]


class Markets(msgspec.Struct, frozen=True, kw_only=True):
    """What a log is played again with: it does not have the market in it.

    `misbehaviour` is what an in-process venue was told to have. `cache` is of the exchange's
    sessions; None: they are computed.
    """

    data: Sequence[MarketData]
    misbehaviour: Misbehaviour = Misbehaviour()
    cache: Path | None = None

    def of(self, digest: str, place: str, origin: str) -> MarketData:
        """The one of this digest. Raises LookupError, in words about `place` and `origin`."""
        for data in self.data:
            if data.digest == digest:
                return data
        raise LookupError(f"{place}: its market is not at hand: {origin}")


class VenueEvidence(Protocol):
    """One log, read."""

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Everything that was asked of the venue, reads apart, in the order in which it came."""

    def played(self, markets: Markets, lines: int | None = None) -> Played:
        """The account as the log leaves it, or as it was after so many lines.

        Raises LookupError if its market is none of these, and `VenueLogRefused`.
        """
