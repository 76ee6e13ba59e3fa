"""When an order works and when it ends, by its class, time in force and the calendar. Pure."""

from datetime import time, timedelta

from hydra.trading.local_time import new_york_date, new_york_instant
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.hours import Phase, extended_close, hours_at
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import AssetClass, TimeInForce


def is_on(order: BrokerOrder, asset: Asset | None, sessions: SessionTable, at: int) -> bool:
    """Whether the market that the order is for is open."""
    if order.asset_class is AssetClass.CRYPTO:
        return True
    phase = hours_at(sessions, at).phase
    if not order.extended_hours:
        return phase is Phase.REGULAR
    if phase is Phase.OVERNIGHT:
        return asset is not None and OVERNIGHT in asset.attributes
    return phase is not Phase.CLOSED


def expires_at(
    time_in_force: TimeInForce,
    asset_class: AssetClass,
    *,
    extended_hours: bool,
    sessions: SessionTable,
    at: int,
) -> int | None:
    """When an order that came at `at` ends by itself; None: not by itself, or not in the table."""
    if time_in_force is TimeInForce.GTC:
        return _aged_at(at)
    if asset_class is AssetClass.CRYPTO:
        return None
    session = _session_for(sessions, at, extended_hours=extended_hours)
    if session is None:
        return None
    return extended_close(session) if extended_hours else session.close_at


def pre_market_open(session: ExchangeSession) -> int:
    """When trading before hours begins on the day of the session: 04:00 New York."""
    return new_york_instant(new_york_date(session.open_at), time(4))


def overnight_open(session: ExchangeSession) -> int:
    """When trading over night begins before the session: 20:00 New York of the day before."""
    day = new_york_date(session.open_at)
    return new_york_instant(day - timedelta(days=1), time(20))


OVERNIGHT = "overnight_tradable"
"""The attribute of an asset that trades over night."""

_AGE = timedelta(days=90)


def _session_for(
    sessions: SessionTable, at: int, *, extended_hours: bool
) -> ExchangeSession | None:
    """The session that an order sent at `at` is for: the one that is on, else the next."""
    if extended_hours:
        today = sessions.of_date(new_york_date(at).isoformat())
        if today is not None and at < extended_close(today):
            return today
    return sessions.at(at) or sessions.next_after(at)


def _aged_at(at: int) -> int:
    return new_york_instant(new_york_date(at) + _AGE, time(16, 15))
