"""The lines of the venue's log: one whole JSON object each, numbered and sealed.

They are what a restart rebuilds the venue from, and what a judge reads: what is not in here did not
reach the venue.
"""

from typing import TypeAlias

import msgspec

from hydra.venues.simulated.dated_lines import DatedLine, MarketMoved
from hydra.venues.simulated.requests import Request
from hydra.venues.simulated.sealed_lines import LineFormat
from hydra.venues.simulated.terms import VenueTerms

LOG_VERSION = 2
"""One more whenever the same requests and bars would not give the same reports any more."""


class VenueBegan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="began"):
    """The first line: which venue this is. A restart must be of the same in all of it.

    `data_digest` names the bars and sessions; `data_origin` says to people where they are from.
    `misbehaviour` names the faults that it was told to have, "" of an honest venue.
    """

    version: int = LOG_VERSION
    terms: VenueTerms
    data_origin: str
    data_digest: str
    seed: int
    misbehaviour: str = ""


class VenueOpened(DatedLine, frozen=True, kw_only=True, tag="opened"):
    """A process took the venue up. `speed` of market time from here on; None: it is virtual."""

    speed: float | None


class RequestReceived(DatedLine, frozen=True, kw_only=True, tag="request"):
    """A request arrived. It is on record before it takes effect; `number` counts from 1."""

    number: int
    request: Request


LogLine: TypeAlias = VenueBegan | VenueOpened | RequestReceived | MarketMoved


FORMAT: LineFormat[LogLine] = LineFormat(LogLine, VenueBegan, LOG_VERSION)


def encoded(line: LogLine, number: int) -> bytes:
    """The line with its number in the file (from 1), its seal and its end."""
    return FORMAT.encoded(line, number)
