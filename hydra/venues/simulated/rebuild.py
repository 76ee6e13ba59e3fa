"""How a venue goes on after a restart: from its log and the market, as if it had never been down.

Requests and market events are played again in the order in which they came, which gives the same
orders, executions, positions and cash. Then the market is played on to the present: while the
engine was down the venue went on trading, resting orders filled and day orders expired. Nobody is
told of any of that; who asks for a snapshot finds it.

Only the log is written to, one line, when all is done. So a rebuild may be cut short anywhere and
begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hydra.crash_points import reached
from hydra.trading.bars import Bar
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.log_lines import (
    LogLine,
    RequestReceived,
    VenueBegan,
    VenueOpened,
)
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.misbehaviour import Misbehaviour
from hydra.venues.simulated.playback import (
    BarBegun,
    MarketEnded,
    MarketEvent,
    SessionClosed,
    TimedEvent,
    market_events,
    market_time_after,
)
from hydra.venues.simulated.request_log import NoLog, SealedFile, VenueLogRefused
from hydra.venues.simulated.terms import VenueTerms


def open_exchange(
    log: SealedFile[LogLine],
    data: MarketData,
    *,
    until: int,
    seed: int,
    speed: float | None,
    wall_clock: Callable[[], int],
    terms: VenueTerms | None = None,
    misbehaviour: Misbehaviour | None = None,
) -> SimulatedExchange:
    """The venue of this log, or a new one if there is nothing in it, at market time `until`.

    If it has been told of later events it is there, further on. `seed` and `speed` are the run's,
    for the log; `wall_clock` gives UTC ns. Raises `VenueLogRefused` if the log is of another venue,
    market or misbehaviour, or does not come out as it was.
    """
    terms, plan = terms or VenueTerms(), misbehaviour or Misbehaviour()
    if plan.rules:
        exchange: SimulatedExchange = MisbehavingExchange(plan, terms, NoLog(), wall_clock)
    else:
        exchange = SimulatedExchange(terms, NoLog(), wall_clock)
    identity = VenueBegan(
        terms=terms,
        data_origin=data.origin,
        data_digest=data.digest,
        seed=seed,
        misbehaviour=plan.digest,
    )
    reached("venue.rebuild.before")
    if log.found:
        _require_same_venue(log.path, log.found[0], identity)
        _play_again(log.path, log.found, exchange, data)
        reached("venue.rebuild.played_again")
    else:
        log.write(identity)
    play_until(exchange, market_events(data.bars, data.sessions, exchange.events_seen), until)
    exchange.forget_untold()
    at = max(until, _newest_time_in(log.found))
    opened_ns = wall_clock()
    reached("venue.rebuild.before_opened")
    log.write(VenueOpened(at=at, wall_ns=opened_ns, events=exchange.events_seen, speed=speed))
    exchange.record_in(log)
    return exchange


def present(lines: Sequence[LogLine], data: MarketData, wall_ns: int) -> int | None:
    """Market time now, by the wall clock: where the playback of the last line would be.

    In virtual time it stood still. None: there is no line to count from. What else is known to
    have been seen may be later than this; the venue must go on at the latest of all.
    """
    opened = [line for line in lines if isinstance(line, VenueOpened)]
    if not opened:
        return None
    last = lines[-1]
    assert not isinstance(last, VenueBegan), "it comes first, and there is another"
    elapsed = (wall_ns - last.wall_ns) * (opened[-1].speed or 0.0)
    events = market_events(data.bars, data.sessions)
    return market_time_after(events, last.at, int(elapsed))


def play_until(exchange: SimulatedExchange, events: Iterable[TimedEvent], until: int) -> None:
    """Let all happen that happens up to and at market time `until`. Nobody is told."""
    for at, event in events:
        if at > until:
            return
        _happen(exchange, event)


def _happen(exchange: SimulatedExchange, event: MarketEvent) -> None:
    match event:
        case BarBegun(bar=bar):
            exchange.begin_bar(bar)
        case Bar():
            exchange.on_bar(event)
        case SessionClosed():
            exchange.close_session(event.at)
        case MarketEnded():
            pass  # the feed's affair


def _require_same_venue(path: Path, found: LogLine, wanted: VenueBegan) -> None:
    """What people call the data may change, and the seed is the run's; the rest may not."""
    assert isinstance(found, VenueBegan), "the log was read"
    for what, there, here in (
        ("terms", str(found.terms), str(wanted.terms)),
        ("market data", found.data_digest, wanted.data_digest),
        ("misbehaviour", found.misbehaviour or "none", wanted.misbehaviour or "none"),
    ):
        if there != here:
            raise VenueLogRefused(
                f"{path}: found a venue with {what} {there}; wanted {here};"
                " start it with what it was begun with, or move the log away to begin anew"
            )


def _play_again(
    path: Path, lines: Sequence[LogLine], exchange: SimulatedExchange, data: MarketData
) -> None:
    """Everything once more, in the order of the log."""
    events = (event for _, event in market_events(data.bars, data.sessions))
    for number, line in enumerate(lines, start=1):
        if isinstance(line, VenueBegan):
            continue
        while exchange.events_seen < line.events:
            event = next(events)
            if isinstance(event, MarketEnded):
                raise _unlike(path, number, f"{line.events} market events", exchange.events_seen)
            _happen(exchange, event)
        if exchange.events_seen != line.events:
            raise _unlike(path, number, f"{line.events} market events", exchange.events_seen)
        match line:
            case RequestReceived():
                exchange.receive(line.request, line.at)
                if exchange.requests_seen != line.number:
                    raise _unlike(path, number, f"request {line.number}", exchange.requests_seen)
            case MarketMoved():
                executions = exchange.engine.executions
                if executions != line.executions:
                    raise _unlike(path, number, f"{line.executions} executions", executions)
            case VenueOpened():
                pass


def _unlike(path: Path, number: int, found: str, wanted: int) -> VenueLogRefused:
    return VenueLogRefused(
        f"{path}, line {number}: found {found}; wanted {wanted}, as playing it again gives; this"
        " Hydra or the market is not the one that wrote it: use that one, or move the log away to"
        " begin anew"
    )


def _newest_time_in(lines: Sequence[LogLine]) -> int:
    return max((line.at for line in lines if not isinstance(line, VenueBegan)), default=0)
