"""The broker's rules that have changed over time, as dated data."""

from collections.abc import Set
from datetime import date

import msgspec

from hydra.venues.simulated.brokerage.words import OrderType


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force from `since` until the next book.

    `option_types` are the order types for a single option contract. `counts_day_trades`: the rule
    about pattern day traders stands.
    """

    since: date
    option_types: Set[OrderType]
    counts_day_trades: bool


_MARKET_OR_LIMIT = frozenset({OrderType.MARKET, OrderType.LIMIT})

RULEBOOKS = (
    Rulebook(
        since=date.min,
        option_types=_MARKET_OR_LIMIT,
        counts_day_trades=True,
    ),
    Rulebook(
        since=date(2026, 6, 4),
        option_types=_MARKET_OR_LIMIT,
        counts_day_trades=False,
    ),
    Rulebook(
        since=date(2026, 8, 27),
        option_types=_MARKET_OR_LIMIT | {OrderType.STOP, OrderType.STOP_LIMIT},
        counts_day_trades=False,
    ),
)
"""Oldest first."""

NEWEST = RULEBOOKS[-1]
"""What a market of any date is traded by unless asked otherwise: the broker as it is today."""


def rulebook_of(day: date) -> Rulebook:
    """The rules that were in force on `day`."""
    return next(book for book in reversed(RULEBOOKS) if book.since <= day)
