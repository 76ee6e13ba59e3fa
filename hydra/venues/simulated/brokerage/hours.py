"""What the clock of New York allows at an instant: phases of the day, windows and cut-offs.

A pure function of the exchange's sessions; a day that is not in the table is closed.
"""

from datetime import date, datetime, time, timedelta
from enum import Enum

import msgspec

from hydra.trading.durations import MINUTE
from hydra.trading.local_time import in_new_york, new_york_date, new_york_instant
from hydra.trading.sessions import ExchangeSession, SessionTable


class Phase(Enum):
    """Which market for stocks is open."""

    CLOSED = "closed"
    OVERNIGHT = "overnight"
    """From 20:00 to 04:00 before a session."""
    PRE_MARKET = "pre_market"
    """From 04:00 to the open."""
    REGULAR = "regular"
    AFTER_HOURS = "after_hours"
    """From the close to 20:00, on a half day to 17:00."""


class MarketHours(msgspec.Struct, frozen=True, kw_only=True):
    """What is open at `at`, and when that changes. Instants are UTC ns, None: not in the table.

    `date` is the day in New York and `session` the regular session of that day, also before its
    open and after its close. `next_open` is that of the first session that opens after `at`,
    `next_close` the first close after it: today's while the session is on. `takes_opg`,
    `takes_cls`: whether orders for the opening and the closing auction are taken now.
    """

    at: int
    date: date
    phase: Phase
    session: ExchangeSession | None
    next_open: int | None
    next_close: int | None
    takes_opg: bool
    takes_cls: bool

    @property
    def is_open(self) -> bool:
        """Whether the regular session is on."""
        return self.phase is Phase.REGULAR


def hours_at(sessions: SessionTable, at: int) -> MarketHours:
    """What the exchange's sessions mean at `at` (UTC ns)."""
    local = in_new_york(at)
    current = sessions.at(at)
    session = current or sessions.of_date(local.date().isoformat())
    following = sessions.next_after(at)
    closes = current or following
    return MarketHours(
        at=at,
        date=local.date(),
        phase=_phase(sessions, session, local, at),
        session=session,
        next_open=None if following is None else following.open_at,
        next_close=None if closes is None else closes.close_at,
        takes_opg=_takes_auction_orders(local, at, _opening_auction_ends(session, local.date())),
        takes_cls=_takes_auction_orders(local, at, _closing_auction_ends(session, local.date())),
    )


def extended_close(session: ExchangeSession) -> int:
    """When trading after hours ends on the day of `session` (UTC ns): 20:00, half days 17:00."""
    day = new_york_date(session.open_at)
    return new_york_instant(day, _HALF_DAY_ENDS if session.early_close else _DAY_ENDS)


def may_open(hours: MarketHours, expiration: date, closes_late: bool) -> bool:
    """Whether a contract that expires then can still be opened: until 15:00 of its last day.

    Broad funds (`closes_late`) until 15:15; an hour, or 45 minutes, before an early close.
    """
    return _is_before_cut_off(
        hours, expiration, _OPENING_LEAD_LATE if closes_late else _OPENING_LEAD
    )


def may_close(hours: MarketHours, expiration: date, closes_late: bool) -> bool:
    """Whether a contract that expires then can still be closed by an order: until 15:15.

    Broad funds (`closes_late`) until 15:30; 45, or 30, minutes before an early close.
    """
    return _is_before_cut_off(
        hours, expiration, _CLOSING_LEAD_LATE if closes_late else _CLOSING_LEAD
    )


def _is_before_cut_off(hours: MarketHours, expiration: date, lead_ns: int) -> bool:
    if expiration < hours.date:
        return False
    if hours.next_open is None:
        # The table ends here, so it cannot say whether another session comes before the expiration.
        trades_again = expiration > hours.date
    else:
        trades_again = expiration >= new_york_date(hours.next_open)
    if trades_again:
        return True
    return hours.session is not None and hours.at < hours.session.close_at - lead_ns


def _phase(
    sessions: SessionTable, session: ExchangeSession | None, local: datetime, at: int
) -> Phase:
    if session is not None:
        if session.open_at <= at < session.close_at:
            return Phase.REGULAR
        if new_york_instant(local.date(), _DAY_BEGINS) <= at < session.open_at:
            return Phase.PRE_MARKET
        if session.close_at <= at < extended_close(session):
            return Phase.AFTER_HOURS
    # The night belongs to the session that follows it.
    if local.time() < _DAY_BEGINS:
        return Phase.CLOSED if session is None else Phase.OVERNIGHT
    if local.time() >= _DAY_ENDS:
        tomorrow = (local.date() + timedelta(days=1)).isoformat()
        return Phase.CLOSED if sessions.of_date(tomorrow) is None else Phase.OVERNIGHT
    return Phase.CLOSED


def _takes_auction_orders(local: datetime, at: int, until: int) -> bool:
    return at < until or local.time() >= _AUCTION_ORDERS_FROM


def _opening_auction_ends(session: ExchangeSession | None, day: date) -> int:
    return (session.open_at if session else new_york_instant(day, _USUAL_OPEN)) - 2 * MINUTE


def _closing_auction_ends(session: ExchangeSession | None, day: date) -> int:
    return (session.close_at if session else new_york_instant(day, _USUAL_CLOSE)) - 10 * MINUTE


_DAY_BEGINS = time(4)
_DAY_ENDS = time(20)
_HALF_DAY_ENDS = time(17)
_USUAL_OPEN = time(9, 30)
_USUAL_CLOSE = time(16)
_AUCTION_ORDERS_FROM = time(19)

# How long before the close an expiring contract is last opened and closed. Only the time of day of
# the closing cut-offs is documented; opening ends a little earlier, and early closes move both.
_OPENING_LEAD = 60 * MINUTE
_OPENING_LEAD_LATE = 45 * MINUTE
_CLOSING_LEAD = 45 * MINUTE
_CLOSING_LEAD_LATE = 30 * MINUTE
