"""The lines of the local venue's log, from which a restart builds it again.

As in the log of the in-process face, what is asked for is on record before it takes effect, and
what somebody was told because of the market is on record before it is told.
"""

from typing import TypeAlias

import msgspec

from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.brokerage.requests import BrokerRequest
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.market.tape import MarketTerms
from hydra.venues.simulated.sealed_lines import LineFormat

LOG_VERSION = 1
"""One more whenever the same requests and market would not give the same account any more."""


class VenueBegan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="began"):
    """The first line: which venue this is. A restart must be of the same terms and market.

    `data_digest` names the market's data; `data_origin` says to people where they are from.
    """

    version: int = LOG_VERSION
    terms: BrokerageTerms
    market: MarketTerms
    data_origin: str
    data_digest: str


class VenueOpened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """A process took the venue up at market time `at`, which was `wall_ns` (UTC ns) by its clock.

    `events` is how many events of the market had happened by then, here and in every other line.
    `speed` is that of the clock, 0 in virtual time; `skips_nights`: pauses are not waited for.
    """

    at: int
    wall_ns: int
    events: int
    speed: float
    skips_nights: bool


class RequestReceived(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="request"):
    """A client's request arrived. `number` counts from 1."""

    number: int
    at: int
    wall_ns: int
    events: int
    request: BrokerRequest


class ActDone(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="act"):
    """Somebody with the admin token had the venue do what no honest one does."""

    at: int
    wall_ns: int
    events: int
    act: Act


class MarketMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="market"):
    """The market or the hour did something to an order, and somebody is going to be told.

    So a restart must come at least this far. `executions` counts all there were.
    """

    at: int
    wall_ns: int
    events: int
    executions: int


class ClockMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="clock"):
    """Somebody moved the clock here, or changed its speed; the market has come this far."""

    at: int
    wall_ns: int
    events: int
    speed: float


VenueLine: TypeAlias = (
    VenueBegan | VenueOpened | RequestReceived | ActDone | MarketMoved | ClockMoved
)

FORMAT: LineFormat[VenueLine] = LineFormat(VenueLine, VenueBegan, LOG_VERSION)
