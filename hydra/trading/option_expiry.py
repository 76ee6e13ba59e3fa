"""By when an option position must be gone, and until when one may be opened.

On a contract's last day the broker takes closing orders until 15:15 New York (15:30 for options on
broad funds), and may then liquidate what the account could not carry. What is left is exercised or
expires, and the account has shares, or nothing, the next morning (PROTOCOL 8.2). So there are two
deadlines, both counted back from the close of that session, which a half day has earlier:

- `flat_by`, an hour before the close (15:00): a position is closed by then;
- `last_exit`, 45 minutes before it (15:15): from then on nothing counts on closing it in time. It
  is before 15:30 (SCOPE K4) for every contract, since which funds are broad is not on the symbol.
"""

from bisect import bisect_right
from datetime import date
from operator import attrgetter

from hydra.trading.durations import HOUR, MINUTE
from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import ExchangeSession, SessionTable

FLAT_BEFORE_CLOSE_NS = HOUR
LAST_EXIT_BEFORE_CLOSE_NS = 45 * MINUTE


def last_session(expiration: date, sessions: SessionTable) -> ExchangeSession | None:
    """The last session in which the contract trades: that of its date, or the one before it.

    None if the table does not reach so far. Then nobody knows when the contract must be gone.
    """
    table, day = sessions.sessions, expiration.isoformat()
    if not table or table[-1].date < day:
        return None
    found = bisect_right(table, day, key=attrgetter("date"))
    return table[found - 1] if found else None


def is_over(expiration: date, sessions: SessionTable, at: int) -> bool:
    """Whether the contract's last session has closed. Where the table does not tell, its date in
    New York has to be past.
    """
    last = last_session(expiration, sessions)
    return days_to_expiry(expiration, at) < 0 or (last is not None and at >= last.close_at)


def flat_by(expiration: date, sessions: SessionTable) -> int | None:
    """The instant (UTC ns) by which a position is to be closed; None: it is not known."""
    return _before_close(expiration, sessions, FLAT_BEFORE_CLOSE_NS)


def last_exit(expiration: date, sessions: SessionTable) -> int | None:
    """The instant (UTC ns) from which no order counts on being in time; None: it is not known."""
    return _before_close(expiration, sessions, LAST_EXIT_BEFORE_CLOSE_NS)


def days_to_expiry(expiration: date, at: int) -> int:
    """Days of the calendar from today in New York; below zero once it is over."""
    return (expiration - new_york_date(at)).days


def expiry_allows_entry(expiration: date, sessions: SessionTable, at: int) -> str | None:
    """Not on its last day, nor where that day is not known. Gives the reason against it."""
    last = last_session(expiration, sessions)
    if last is None:
        return f"the calendar does not reach its expiration, {expiration.isoformat()}"
    if new_york_date(at).isoformat() < last.date:
        return None
    return f"its last session is {last.date}, entries are allowed before that day only"


def _before_close(expiration: date, sessions: SessionTable, lead_ns: int) -> int | None:
    last = last_session(expiration, sessions)
    return None if last is None else last.close_at - lead_ns
