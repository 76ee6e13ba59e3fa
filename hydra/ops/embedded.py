"""The embedded venue of a run: the one that a run before it left, gone on meanwhile, or a new one.

The venue is the broker's stand-in and has files of its own, which the engine's record knows nothing
of. As long as its market goes on, every run is the same account's: what happened while no engine
ran, the next one finds by comparing. Once the market is over, or another one is to be played, that
account is over too, and its record is set aside.
"""

from collections.abc import Callable

import msgspec

from hydra.actor import MINUTE
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.log_lines import VenueBegan
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.rebuild import open_exchange, present
from hydra.venues.simulated.request_log import FileLog

MARKET = "embedded_market"
"""Under this key the ledger keeps that the market is over: "over", or nothing."""
OVER = "over"
LEAD = MINUTE
"""Market time begins this long before the first bar, so that preflight passes before it."""


class EmbeddedVenue(msgspec.Struct, frozen=True, kw_only=True):
    """The venue as this run finds it. `at` is market time now; `resumed`: it was there before."""

    exchange: SimulatedExchange
    log: FileLog
    at: int
    resumed: bool


def market_goes_on(files: EngineFiles, data: MarketData) -> Callable[[Ledger], bool]:
    """Whether the account of this ledger goes on in this market. To be asked under the lock."""

    def goes_on(ledger: Ledger) -> bool:
        if ledger.get(MARKET) == OVER:
            return False
        if not files.venue_log.exists():
            # Killed before the venue began: nothing was traded, but how it ended counts (I75). The
            # journal goes first when a record is set aside, so with it all of this one is there.
            is_begun = ledger.engine is not None and files.journal.exists()
            return is_begun and ledger.opening_cash is None
        log = FileLog.open(files.venue_log)
        try:
            first = log.found[0] if log.found else None
        finally:
            log.close()
        return isinstance(first, VenueBegan) and first.data_digest == data.digest

    return goes_on


def open_venue(
    files: EngineFiles,
    data: MarketData,
    *,
    seed: int,
    speed: float | None,
    wall_clock: Callable[[], int],
) -> EmbeddedVenue:
    """The venue at its present: a run before it that was killed left it where it was asked last.

    Raises `VenueLogRefused` and OSError.
    """
    log = FileLog.open(files.venue_log)
    begins_at = data.begins_at - LEAD
    now = present(log.found, data, wall_clock())
    at = begins_at if now is None else now
    exchange = open_exchange(log, data, until=at, seed=seed, speed=speed, wall_clock=wall_clock)
    return EmbeddedVenue(exchange=exchange, log=log, at=at, resumed=now is not None)
