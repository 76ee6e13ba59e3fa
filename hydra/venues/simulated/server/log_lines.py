"""The lines of the local venue's log, from which a restart builds it again.

As in the log of the in-process face, what is asked for is on record before it takes effect, and
what somebody was told because of the market is on record before it is told.
"""

from typing import TypeAlias

import msgspec

from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.brokerage.requests import BrokerRequest
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.dated_lines import DatedLine, MarketMoved
from hydra.venues.simulated.market.tape import MarketTerms
from hydra.venues.simulated.sealed_lines import LineFormat

ACCOUNT_LOG = "account.jsonl"
"""The log's name in the venue's folder. The in-process face has one of another name beside it."""
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


class VenueOpened(DatedLine, frozen=True, kw_only=True, tag="opened"):
    """A process took the venue up.

    `speed` is that of the clock, 0 in virtual time; `skips_nights`: pauses are not waited for.
    """

    speed: float
    skips_nights: bool


class RequestArrived(DatedLine, frozen=True, kw_only=True, tag="arrived"):
    """A client asks over HTTP that something be done: as it came, before anybody looked at it.

    `number` counts from 1. `body` is cut to a length, and may be what was never JSON; `is_whole`
    says that it is all there. `names` is the client order id of the order whose id the target
    ends with, "" if there is none. Nothing is rebuilt from it: what takes effect is received too.
    """

    number: int
    method: str
    target: str
    body: str
    is_whole: bool
    names: str = ""


class RequestAnswered(DatedLine, frozen=True, kw_only=True, tag="answered"):
    """The request of this number is being answered. Without this line nobody had an answer."""

    number: int
    status: int


class RequestReceived(DatedLine, frozen=True, kw_only=True, tag="request"):
    """A client's request came to the brokerage. `number` counts from 1."""

    number: int
    request: BrokerRequest


class ActDone(DatedLine, frozen=True, kw_only=True, tag="act"):
    """Somebody with the admin token had the venue do what no honest one does."""

    act: Act


class ClockMoved(DatedLine, frozen=True, kw_only=True, tag="clock"):
    """Somebody moved the clock here, or changed its speed; the market has come this far."""

    speed: float


VenueLine: TypeAlias = (
    VenueBegan
    | VenueOpened
    | RequestArrived
    | RequestAnswered
    | RequestReceived
    | ActDone
    | MarketMoved
    | ClockMoved
)

FORMAT: LineFormat[VenueLine] = LineFormat(VenueLine, VenueBegan, LOG_VERSION)
