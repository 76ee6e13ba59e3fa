"""Lengths of time in nanoseconds, the unit of all times here."""

from decimal import Decimal

from hydra.trading.exact import plain

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Of 24 hours: what a day of New York is not, twice a year."""


def in_seconds(duration_ns: int) -> Decimal:
    """The same in seconds, as it is shown: with no more decimals than it needs."""
    return plain(Decimal(duration_ns).scaleb(-9))


def in_ms(duration_ns: int) -> Decimal:
    """The same in milliseconds."""
    return plain(Decimal(duration_ns).scaleb(-6))
