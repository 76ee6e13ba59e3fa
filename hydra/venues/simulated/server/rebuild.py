"""How the local venue goes on after a restart: from its log and the market, as if never down.

Requests, acts and market events are played again in the order in which they came. Then the market
is played on to the present: while the process was down the venue went on trading. Nobody is told of
any of that; who asks finds it. Only one line is written, when all is done, so that a rebuild may be
cut short anywhere and begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hydra.crash_points import reached
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.market.modelled_chain import ChainTerms
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import market_time_after
from hydra.venues.simulated.request_log import SealedFile, VenueLogRefused
from hydra.venues.simulated.server.clock import VenueClock
from hydra.venues.simulated.server.driver import LEAD_NS, LocalVenue
from hydra.venues.simulated.server.log_lines import (
    ActDone,
    ClockMoved,
    RequestAnswered,
    RequestArrived,
    RequestReceived,
    VenueBegan,
    VenueLine,
    VenueOpened,
)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What the market is made of: `origin` says it to people, and `digest` names all data of it."""

    origin: str
    digest: str


class VenueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change in the life of a venue."""

    brokerage: BrokerageTerms = BrokerageTerms()
    market: MarketTerms = MarketTerms()


class ClockTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`speed` of market time, 0 in virtual time; `skips_nights`: no long pause is waited for."""

    speed: float
    skips_nights: bool = False


def terms_of(data: MarketData, seed: int) -> VenueTerms:
    """The terms on which these data are served."""
    return VenueTerms(
        brokerage=BrokerageTerms(seed=seed, created_at=data.begins_at),
        market=MarketTerms(options=ChainTerms(seed=seed)),
    )


def identity_of(source: Source, terms: VenueTerms) -> VenueBegan:
    """How the log of a venue begins that is of this market and these terms."""
    return VenueBegan(
        terms=terms.brokerage,
        market=terms.market,
        data_origin=source.origin,
        data_digest=source.digest,
    )


def open_venue(
    log: SealedFile[VenueLine] | None,
    tape: Tape,
    source: Source,
    terms: VenueTerms,
    clock_terms: ClockTerms,
    *,
    machine_time: Callable[[], int],
    wall_clock: Callable[[], int],
) -> LocalVenue:
    """The venue of this log at its present, or a new one; None: one that keeps no state.

    `machine_time` gives ns of a clock that cannot be set, `wall_clock` UTC ns. Raises
    `VenueLogRefused` if the log is of another venue or market, or does not come out as it was.
    """
    found = () if log is None else log.found
    identity = identity_of(source, terms)
    begins_at = tape.begins_at - LEAD_NS
    if log is not None and found:
        _require_same_venue(log.path, found[0], identity)
    at = present(found, tape, wall_clock()) if found else begins_at
    at = max(at, begins_at, *(line.at for line in found if not isinstance(line, VenueBegan)))
    venue = LocalVenue(
        tape,
        Brokerage(terms.brokerage, tape),
        VenueClock(at, clock_terms.speed, machine_time),
        splits=terms.market.splits,
        skips_nights=clock_terms.skips_nights,
        wall_clock=wall_clock,
    )
    if log is not None:
        reached("venue.rebuild.before")
        _play_again(log.path, found, venue)
        reached("venue.rebuild.played_again")
    venue.come_to(at)
    if log is not None:
        if not found:
            log.write(identity)
        reached("venue.rebuild.before_opened")
        log.write(
            VenueOpened(
                at=at,
                wall_ns=wall_clock(),
                events=venue.events_seen,
                speed=clock_terms.speed,
                skips_nights=clock_terms.skips_nights,
            )
        )
        venue.record_in(log.write)
    return venue


def present(lines: Sequence[VenueLine], tape: Tape, wall_ns: int) -> int:
    """Market time now, by the wall clock: where the venue of these lines would be by itself.

    In virtual time it stood still. What somebody has seen may be later than this.
    """
    speed, skips_nights, last = 0.0, False, None
    for line in lines:
        if isinstance(line, VenueOpened):
            skips_nights = line.skips_nights
        if isinstance(line, VenueOpened | ClockMoved):
            speed = line.speed
        if not isinstance(line, VenueBegan):
            last = line
    if last is None:
        return 0
    elapsed = int(max(0, wall_ns - last.wall_ns) * speed)
    if not skips_nights:
        return last.at + elapsed
    events = ((event.at, event) for event in tape.events(tape.begins_at - 1))
    return market_time_after(events, last.at, elapsed)


def is_same_venue(found: VenueBegan, wanted: VenueBegan) -> bool:
    """What people call the data may change; terms and market may not."""
    return not any(there != here for _, there, here in _compared(found, wanted))


def _compared(found: VenueBegan, wanted: VenueBegan) -> tuple[tuple[str, str, str], ...]:
    return (
        ("terms", str(found.terms), str(wanted.terms)),
        ("market terms", str(found.market), str(wanted.market)),
        ("market data", found.data_digest, wanted.data_digest),
    )


def _require_same_venue(path: Path, found: VenueLine, wanted: VenueBegan) -> None:
    assert isinstance(found, VenueBegan), "the log was read"
    for what, there, here in _compared(found, wanted):
        if there != here:
            raise VenueLogRefused(
                f"{path}: found a venue with {what} {there}; wanted {here};"
                " start it with what it was begun with, or move the log away to begin anew"
            )


def _play_again(path: Path, lines: Sequence[VenueLine], venue: LocalVenue) -> None:
    """Everything once more, in the order of the log."""
    for number, line in enumerate(lines, start=1):
        if isinstance(line, VenueBegan):
            continue
        venue.happen_until(line.events)
        if venue.events_seen != line.events:
            raise _unlike(path, number, f"{line.events} market events", venue.events_seen)
        match line:
            case RequestArrived():
                venue.arrived_again(line)
            case RequestAnswered():
                pass  # for a judge
            case RequestReceived():
                venue.receive_again(line)
                if venue.requests_seen != line.number:
                    raise _unlike(path, number, f"request {line.number}", venue.requests_seen)
            case ActDone():
                try:
                    venue.act_again(line)
                except ValueError as error:
                    raise _unlike(path, number, "an act that was done", str(error)) from error
            case MarketMoved():
                venue.come_again_to(line.at)
                if venue.executions != line.executions:
                    raise _unlike(path, number, f"{line.executions} executions", venue.executions)
            case VenueOpened() | ClockMoved():
                venue.come_again_to(line.at)


def _unlike(path: Path, number: int, found: str, wanted: object) -> VenueLogRefused:
    return VenueLogRefused(
        f"{path}, line {number}: found {found}; wanted {wanted}, as playing it again gives; this"
        " Hydra or the market is not the one that wrote it: use that one, or move the log away to"
        " begin anew"
    )
