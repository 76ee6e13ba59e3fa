"""`run`: one session of the embedded engine, in machine time or in virtual time."""

from __future__ import annotations

import time
from typing import TextIO

from hydra import __version__
from hydra.crash_points import reached
from hydra.ops.embedded import LEAD, MARKET, OVER, EmbeddedVenue, market_goes_on, open_venue
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import play_live
from hydra.ops.played_market import PlayedMarket
from hydra.ops.session import RunMarket, RunOptions, Session
from hydra.ops.virtual_session import play_virtual
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT


def run_session(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    out: TextIO,
    redactor: Redactor | None = None,
) -> ExitCode:
    """Open the record, play the session to its end or to a signal, and say what was traded.

    Raises what `EngineRecord.open` raises; then nothing was started.
    """
    owner = Owner(
        venue=settings.broker.venue.value,
        account=EMBEDDED_ACCOUNT,
        version=__version__,
        configuration=settings.digest,
        at=data.begins_at - LEAD,
        # In virtual time nothing may depend on when it was run.
        wall_at=0 if options.speed is None else time.time_ns(),
    )
    record = EngineRecord.open(files, owner, redactor, goes_on=market_goes_on(files, data))
    return play_session(settings, data, files, options, record, out)


def play_session(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    record: EngineRecord,
    out: TextIO,
) -> ExitCode:
    """The session itself, on a record that is open and is closed at its end."""
    last_resort = LastResort()
    try:
        wall_clock = time.time_ns if options.speed is not None else lambda: 0
        venue = open_venue(
            files, data, seed=options.seed, speed=options.speed, wall_clock=wall_clock
        )
        try:
            market = _market(data, venue)
            session = Session(settings, files, options, record, market, out, last_resort)
            if options.speed is None:
                code = play_virtual(session, data, venue)
            else:
                code = play_live(session, PlayedMarket(data, venue, options.speed))
            last_resort.arm()  # a disk that does not answer must not keep the process either
            reached("run.played")
            if code is not ExitCode.FAIL_CLOSED:
                if session.market_over:
                    record.ledger.put(MARKET, OVER, session.ended_at)
                record.end(f"exit code {int(code)}", session.ended_at)
            return code
        finally:
            venue.log.close()
    finally:
        record.close()
        last_resort.disarm()


def _market(data: MarketData, venue: EmbeddedVenue) -> RunMarket:
    return RunMarket(
        mode="embedded",
        account=EMBEDDED_ACCOUNT,
        facts=data,
        at=venue.at,
        ends_at=data.bars[-1].end_at,
        said_first=(
            "EMBEDDED VENUE: not real money, not real fills",
            f"market: {data.origin}; {len(data.bars)} bars",
        ),
    )
