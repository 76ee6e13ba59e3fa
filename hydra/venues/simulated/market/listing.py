"""Which options are listed on a share: the expirations and strikes of a day.

Expirations are the next five Fridays and the third Fridays of the months up to a year ahead; where
the exchange is closed on that Friday, the day of trading before it. Strikes are the multiples of a
step, which is chosen once, by the first price of the share, within 20 % of every price that the
share has closed at so far. So a contract that is listed once stays listed until it expires.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, floor

from hydra.trading.sessions import SessionTable

WEEKLIES = 5
MONTHLIES_DAYS = 365
STRIKES_WITHIN = 0.20


def expirations_of(day: date, sessions: SessionTable) -> tuple[date, ...]:
    """The expirations that are listed on `day`, in order; that of the day itself is one of them."""
    weeklies = 0
    found: list[date] = []
    for friday in _fridays_from(day):
        if friday > day + timedelta(days=MONTHLIES_DAYS):
            break
        expiration = _day_of_trading(friday, sessions)
        if expiration is None or expiration < day:
            continue
        weeklies += 1
        if weeklies <= WEEKLIES or 15 <= friday.day <= 21:
            found.append(expiration)
    return tuple(found)


def strike_step(price: float) -> Decimal:
    """How far apart the strikes of a share are that trades at `price`."""
    return next(step for below, step in _STEPS if price < below)


def strikes_between(low: float, high: float, step: Decimal) -> Iterator[Decimal]:
    """The strikes around a share that closed between `low` and `high`, rising."""
    first, last = strike_range(low, high, step)
    return (step * number for number in range(first, last + 1))


def strike_range(low: float, high: float, step: Decimal) -> tuple[int, int]:
    """The lowest and the highest strike, in steps."""
    width = float(step)
    first = ceil(low * (1.0 - STRIKES_WITHIN) / width)
    return max(1, first), floor(high * (1.0 + STRIKES_WITHIN) / width)


def _fridays_from(day: date) -> Iterator[date]:
    # A Friday that is a holiday has its expiration before it, so one that is over may still count.
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    while True:
        yield friday
        friday += timedelta(days=7)


def _day_of_trading(friday: date, sessions: SessionTable) -> date | None:
    for day in (friday, friday - timedelta(days=1)):
        if sessions.of_date(day.isoformat()) is not None:
            return day
    return None


_STEPS = (
    (25.0, Decimal("0.5")),
    (200.0, Decimal(1)),
    (500.0, Decimal("2.5")),
    (2_000.0, Decimal(10)),
    (float("inf"), Decimal(25)),
)
