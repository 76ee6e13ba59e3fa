"""Lengths of time in nanoseconds, the unit of all times here."""

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""Of 24 hours: what a day of New York is not, twice a year."""
