"""`run`: one session of the engine, in machine time or in virtual time, on whichever venue."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TextIO

from hydra import __version__
from hydra.ops.artefacts.bundle import bundled, facts_of
from hydra.ops.embedded import LEAD, market_goes_on, open_venue
from hydra.ops.embedded_account import ServedMarket, embedded_run, served_account
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import play_live
from hydra.ops.played import Played, played
from hydra.ops.session import Recorded, RunOptions, Session
from hydra.ops.virtual_session import play_virtual
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.venues.simulated.brokerage.terms import ACCOUNT_NUMBER
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT


def run_embedded(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    out: TextIO,
    redactor: Redactor | None = None,
    *,
    source: Path | None = None,
) -> ExitCode:
    """Open the record, play the session to its end or to a signal, and say what was traded.

    `source` is the file that `data` was read from, None: it was generated. Raises what
    `EngineRecord.open` raises, and `NoAccount`; then nothing was traded.
    """
    is_virtual = options.speed is None
    owner = Owner(
        venue=settings.broker.venue.value,
        account=EMBEDDED_ACCOUNT if is_virtual else ACCOUNT_NUMBER,
        version=__version__,
        configuration=settings.digest,
        at=data.begins_at - LEAD,
        # In virtual time nothing may depend on when it was run.
        wall_at=0 if is_virtual else time.time_ns(),
    )
    goes_on = market_goes_on(files, data, seed=options.seed, is_virtual=is_virtual)
    record = EngineRecord.open(files, owner, redactor, goes_on=goes_on)

    def play(said_to: TextIO, bundle: Path | None, last_resort: LastResort) -> ExitCode:
        if is_virtual:
            return play_in_virtual_time(
                settings, data, files, options, record, said_to, last_resort
            )
        clean = str if redactor is None else redactor.text
        recorded = None if bundle is None else Recorded(bundle, clean)
        return play_served(
            settings, data, files, options, record, said_to, source, recorded, last_resort
        )

    run = facts_of(settings, options, account=owner.account, at=owner.at, data=data)
    return bundled(files, record, run, out, redactor, play)


def play_in_virtual_time(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    record: EngineRecord,
    out: TextIO,
    last_resort: LastResort,
) -> ExitCode:
    """The session itself, on a record that is open and is closed at its end."""

    def play() -> Played:
        venue = open_venue(files, data, seed=options.seed, wall_clock=lambda: 0)
        try:
            market = embedded_run(data, EMBEDDED_ACCOUNT, venue.at)
            session = Session(settings, files, options, record, market, out, last_resort)
            return _played_out(play_virtual(session, data, venue), session)
        finally:
            venue.log.close()

    return played(record, settings, data.begins_at - LEAD, play, last_resort)


def play_served(
    settings: Settings,
    data: MarketData,
    files: EngineFiles,
    options: RunOptions,
    record: EngineRecord,
    out: TextIO,
    source: Path | None,
    recorded: Recorded | None,
    last_resort: LastResort,
) -> ExitCode:
    """The same on the venue that a process of its own serves; see `run_embedded`."""
    assert options.speed is not None, "else it is virtual time"
    speed = options.speed

    def play() -> Played:
        served = ServedMarket(data=data, source=source, seed=options.seed, speed=speed)
        with served_account(files, settings, served, record.ledger.account) as (market, venue):
            session = Session(settings, files, options, record, market, out, last_resort, recorded)
            return _played_out(play_live(session, venue), session)

    return played(record, settings, data.begins_at - LEAD, play, last_resort)


def _played_out(code: ExitCode, session: Session) -> Played:
    return Played(code=code, at=session.ended_at, is_market_over=session.market_over)
