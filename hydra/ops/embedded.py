"""The embedded venue of a run: the one that a run before it left, gone on meanwhile, or a new one.

The venue is the broker's stand-in and has files of its own, which the engine's record knows nothing
of. As long as its market goes on, every run is the same account's: what happened while no engine
ran, the next one finds by comparing. Once the market is over, or another one is to be played, that
account is over too, and its record is set aside.

On threads the venue is served by a process of its own; in virtual time it is in the engine's. Each
has a log of its own kind, and an account of the one is none of the other.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from hydra.actor import MINUTE
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
from hydra.venues.simulated import log_lines
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.rebuild import open_exchange, present
from hydra.venues.simulated.request_log import FileLog, first_line
from hydra.venues.simulated.server import log_lines as served_lines
from hydra.venues.simulated.server.rebuild import Source, identity_of, is_same_venue, terms_of

MARKET = "embedded_market"
"""Under this key the ledger keeps that the market is over: "over", or nothing."""
OVER = "over"
LEAD = MINUTE
"""Market time begins this long before the first bar, so that preflight passes before it."""


class EmbeddedVenue(msgspec.Struct, frozen=True, kw_only=True):
    """The venue in virtual time. `at` is market time now; `resumed`: it was there before."""

    exchange: SimulatedExchange
    log: FileLog
    at: int
    resumed: bool


def market_goes_on(
    files: EngineFiles, data: MarketData, *, seed: int, is_virtual: bool
) -> Callable[[Ledger], bool]:
    """Whether the account of this ledger goes on in this market. To be asked under the lock."""

    def goes_on(ledger: Ledger) -> bool:
        if ledger.get(MARKET) == OVER:
            return False
        if not files.has_venue:
            # Killed before the venue began: nothing was traded, but how it ended counts (I75). The
            # journal goes first when a record is set aside, so with it all of this one is there.
            is_begun = ledger.engine is not None and files.journal.exists()
            return is_begun and ledger.opening_cash is None
        if is_virtual:
            return not files.venue_account.exists() and _is_of_market(files.venue_log, data)
        return not files.venue_log.exists() and _is_served(files.venue_account, data, seed)

    return goes_on


def open_venue(
    files: EngineFiles,
    data: MarketData,
    *,
    seed: int,
    wall_clock: Callable[[], int],
) -> EmbeddedVenue:
    """The venue in virtual time: a run before it that was killed left it where it was asked last.

    Raises `VenueLogRefused` and OSError.
    """
    log = FileLog.open(files.venue_log)
    begins_at = data.begins_at - LEAD
    now = present(log.found, data, wall_clock())
    at = begins_at if now is None else now
    exchange = open_exchange(log, data, until=at, seed=seed, speed=None, wall_clock=wall_clock)
    return EmbeddedVenue(exchange=exchange, log=log, at=at, resumed=now is not None)


def _is_of_market(path: Path, data: MarketData) -> bool:
    began = first_line(path, log_lines.FORMAT)
    return isinstance(began, log_lines.VenueBegan) and began.data_digest == data.digest


def _is_served(path: Path, data: MarketData, seed: int) -> bool:
    began = first_line(path, served_lines.FORMAT)
    source = Source(origin=data.origin, digest=data.digest)
    return isinstance(began, served_lines.VenueBegan) and is_same_venue(
        began, identity_of(source, terms_of(data, seed))
    )
