"""When time alone makes something happen: sessions open and close, orders come to their end."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter

from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.hours import extended_close
from hydra.venues.simulated.brokerage.order_hours import overnight_open, pre_market_open


def next_session_moment(sessions: SessionTable, after: int) -> int | None:
    """The first open or close, regular or extended, later than `after`."""
    moments = (
        moment
        for session in _sessions_around(sessions, after)
        for moment in (
            overnight_open(session),
            pre_market_open(session),
            session.open_at,
            session.close_at,
            extended_close(session),
        )
    )
    return min((moment for moment in moments if moment > after), default=None)


def session_closing_at(sessions: SessionTable, at: int) -> ExchangeSession | None:
    """The session that closes at this very moment."""
    return next((s for s in _sessions_around(sessions, at - 1) if s.close_at == at), None)


def last_session_before(sessions: SessionTable, at: int) -> ExchangeSession | None:
    """The newest session that is over at `at`."""
    place = bisect_right(sessions.sessions, at, key=attrgetter("close_at"))
    return sessions.sessions[place - 1] if place else None


def _sessions_around(sessions: SessionTable, at: int) -> Iterator[ExchangeSession]:
    """Those that have not ended for good at `at`, as far as the next moment may be theirs."""
    place = bisect_right(sessions.sessions, at, key=attrgetter("open_at"))
    yield from sessions.sessions[max(0, place - 1) : place + 2]
