"""`run` on the broker's paper or live account: it waits for the market, until it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from msgspec import structs

from hydra import __version__
from hydra.ops.artefacts.bundle import bundled, facts_of
from hydra.ops.broker_account import NoAccount, require_account
from hydra.ops.broker_facts import BrokerFacts, broker_facts
from hydra.ops.broker_market import BrokerMarket
from hydra.ops.debug.describing import utc_text
from hydra.ops.ending import LastResort, StopSignals
from hydra.ops.exit_codes import ExitCode
from hydra.ops.going_live.allowance import LIVE_ALLOWED, written
from hydra.ops.going_live.judging import LiveVerdict
from hydra.ops.going_live.looking import live_verdict, on_live_record
from hydra.ops.live_session import play_live
from hydra.ops.played import Played, played
from hydra.ops.session import Recorded, RunMarket, RunOptions, Session
from hydra.runtime.clock import WallClock, machine_time
from hydra.settings import Settings
from hydra.settings.live_profile import with_entries_closed
from hydra.settings.section import VenueName
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.terms import traded_symbols
from hydra.trading.durations import SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import SessionTable
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calendar import CalendarSeen, seen_calendar
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.data_endpoints import UnknownSymbols, by_endpoint

REACHED_WITHIN_S = 30.0
CALENDAR_WITHIN_S = 3.0
"""The start waits for it once. Later nobody does."""
NO_BOT = "no bot is enabled, so there is nothing to trade; set enabled: true for one in bots.yaml"
SAID_FIRST = {
    VenueName.PAPER: "PAPER: Alpaca's practice account, not real money",
    VenueName.LIVE: "LIVE: REAL MONEY",
}


def run_broker(
    settings: Settings,
    access: Access,
    files: EngineFiles,
    options: RunOptions,
    out: TextIO,
    redactor: Redactor,
) -> ExitCode:
    """Open the record, find out whose account it is, and trade on it until asked to stop.

    `access` is closed at the end. Raises what `EngineRecord.open` raises, and `NoAccount`.
    """
    clock = WallClock()
    began_at = clock.at(machine_time())
    owner = Owner(
        venue=settings.broker.venue.value,
        account=None,  # the broker says it
        version=__version__,
        configuration=settings.digest,
        at=began_at,
        wall_at=time.time_ns(),
    )
    record = EngineRecord.open(files, owner, redactor)

    def play(said_to: TextIO, bundle: Path | None, last_resort: LastResort) -> ExitCode:
        def say(line: str) -> None:
            print(line, file=said_to, flush=True)

        def play_until_stopped() -> Played:
            asked, stopping, is_reached = (threading.Event() for _ in range(3))

            def stop() -> None:
                asked.set()
                stopping.set()
                if not is_reached.is_set():
                    access.close()  # whoever waits for an answer waits no longer

            with StopSignals(stop):  # to the end: the session begins with what came before it
                live = _require_allowed(settings, options, files, record, began_at)
                with given_up(options, stopping):
                    reached = reach_broker(settings, access, files, record, clock, say, stopping)
                is_reached.set()
                if reached is None or asked.is_set():
                    code = ExitCode.CLEAN if asked.is_set() else ExitCode.PREFLIGHT_FAILED
                    return Played(code=code, at=began_at)
                market, broker = reached
                _require_something_to_trade(market)
                if not all(map(is_crypto, market.facts.symbols)):  # coins keep no hours
                    broker.watch_calendar(calendar_of(access, market.facts.sessions, clock))
                market = structs.replace(market, live=live)
                recorded = None if bundle is None else Recorded(bundle, redactor.text)
                held, asked_for = settings, options
                if live is not None and live.closed:
                    held, asked_for = _entering_nothing(settings, options)
                session = Session(
                    held, files, asked_for, record, market, said_to, last_resort, recorded
                )
                return Played(code=play_live(session, broker), at=session.ended_at)

        return played(record, settings, began_at, play_until_stopped, last_resort)

    run = facts_of(settings, options, account=None, at=began_at, data=None)
    try:
        return bundled(files, record, run, out, redactor, play)
    finally:
        access.close()


def _require_allowed(
    settings: Settings, options: RunOptions, files: EngineFiles, record: EngineRecord, at: int
) -> LiveVerdict | None:
    """On what ground real money may be traded, which is on record from here on; None: it is none.

    Before anything is asked of the broker. Raises `NoAccount` where it may not, unless its record
    has something that somebody has to look after: then entries alone are closed.
    """
    if settings.broker.venue is not VenueName.LIVE:
        return None
    found = on_live_record(record.ledger)
    verdict = live_verdict(settings, options.strategy_mode, files, found, at, cache=files.cache)
    record.ledger.put(LIVE_ALLOWED, written(verdict.allowed), at)
    record.ledger.commit()
    if verdict.allowed is None and not verdict.closed:
        raise NoAccount(f"venue live: {verdict.line}", ExitCode.PREFLIGHT_FAILED)
    return verdict


def _entering_nothing(settings: Settings, options: RunOptions) -> tuple[Settings, RunOptions]:
    """Also by all that is read of the files while it runs."""
    source = options.source
    if source is not None:
        source = source.holding_to(with_entries_closed)
    return with_entries_closed(settings), structs.replace(options, source=source)


@contextmanager
def given_up(options: RunOptions, stopping: threading.Event) -> Iterator[None]:
    """Where only some loops are asked for, a broker that does not answer is not waited for: then
    `stopping` is set.
    """
    if options.loops is None:
        yield
        return
    timer = threading.Timer(REACHED_WITHIN_S, stopping.set)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def reach_broker(
    settings: Settings,
    access: Access,
    files: EngineFiles,
    record: EngineRecord,
    clock: WallClock,
    say: Callable[[str], None],
    stopping: threading.Event,
) -> tuple[RunMarket, BrokerMarket] | None:
    """Find out whose account it is, and have the record be of it; what a run finds, and its market.

    That nothing can be traded there is for whoever wants to trade: to close what is held, or to
    compare it, needs no bot.

    None: somebody asked to stop before it was known. Raises `NoAccount`.
    """
    mode = settings.broker.venue
    symbols = _require_known(traded_symbols(settings))

    def market_time() -> int:
        return clock.at(machine_time())

    account = require_account(
        access,
        mode,
        bound_account=record.ledger.account,
        market_time=market_time,
        say=say,
        stopping=stopping,
    )
    if account is None:
        return None
    record.bind(mode.value, account, market_time())
    facts = broker_facts(
        access,
        mode,
        symbols,
        files.cache,
        market_time=market_time,
        say=say,
        stopping=stopping,
    )
    if facts is None:
        return None
    age_max = settings.health.max_price_staleness_seconds * SECOND
    market = BrokerMarket(access, facts, clock, age_max)
    return _market_of(facts, mode, account, market_time()), market


def calendar_of(
    access: Access, sessions: SessionTable, clock: WallClock
) -> Callable[[], CalendarSeen]:
    """What asks the broker how it keeps the days of these sessions; see `seen_calendar`."""
    calls = Calls(
        access.trading,
        Shares(),
        minutes_by=machine_time,
        market_time=lambda: clock.at(machine_time()),
        ended=lambda _: None,
    )

    def read() -> CalendarSeen:
        today = new_york_date(clock.at(machine_time()))
        deadline = time.monotonic() + CALENDAR_WITHIN_S
        return seen_calendar(calls, lambda *_: sessions, today, deadline)

    return read


def _require_known(symbols: tuple[str, ...]) -> tuple[str, ...]:
    try:
        by_endpoint(symbols)
    except UnknownSymbols as unknown:
        raise NoAccount(str(unknown), ExitCode.CONFIGURATION_REFUSED) from unknown
    return symbols


def _require_something_to_trade(market: RunMarket) -> None:
    if market.facts.symbols:
        return
    why = "; ".join(market.facts.untraded) if isinstance(market.facts, BrokerFacts) else ""
    raise NoAccount(why or NO_BOT, ExitCode.CONFIGURATION_REFUSED)


def _market_of(facts: BrokerFacts, mode: VenueName, account: str, at: int) -> RunMarket:
    return RunMarket(
        mode=mode.value,
        account=account,
        facts=facts,
        at=at,
        ends_at=None,
        said_first=(
            SAID_FIRST[mode],
            f"account {account}; market: {facts.origin}; {_hours(facts, at)}",
            *(f"not traded: {why}" for why in facts.untraded),
        ),
    )


def _hours(facts: BrokerFacts, at: int) -> str:
    if facts.sessions.at(at) is not None:
        return "it is open"
    following = facts.sessions.next_after(at)
    until = "" if following is None else f" until {utc_text(following.open_at)}"
    trades = "; coins trade" if any(map(is_crypto, facts.symbols)) else ""
    return f"it is closed{until}{trades}"
