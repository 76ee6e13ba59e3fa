"""Where a bridge begins for whoever kept no reading: the record's opening, or the last close.

The record knows the account's cash before its first order; if nothing was held then, that is what
the account was worth. Of the last close the venue says what the equity was, and at what price it
closed what is held now. Cash and quantities of then follow from those of now and from what happened
since. What was held then and is gone has no price any more: then nothing is known exactly, and
nothing is made up.
"""

from __future__ import annotations

from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import AccountReading, AccountStatement, Mark
from hydra.trading.equity_bridge import held_before
from hydra.trading.exact import plain
from hydra.trading.instruments import value_of


class BeginningNotKnown(Exception):
    """What the account was then cannot be told exactly. The text says why."""


def at_the_opening(statement: AccountStatement, record: RecordSide) -> AccountReading:
    """The account before the first order of this record. Raises `BeginningNotKnown`."""
    opening = record.opening
    if opening is None:
        raise BeginningNotKnown("no comparison with the venue is on record yet")
    counted = [a.id for a in statement.activities if a.has_counted and a.at <= opening.at]
    _, quantities = held_before(
        statement.reading, statement.activities, record, counted=counted, at=opening.at
    )
    if quantities:
        held = ", ".join(f"{plain(quantities[symbol]):f} {symbol}" for symbol in sorted(quantities))
        raise BeginningNotKnown(f"{held} was held before the first order on record")
    return AccountReading(
        account=statement.reading.account,
        at=opening.at,
        cash=opening.cash,
        equity=opening.cash,
        marks=(),
        counted=tuple(counted),
    )


def at_the_close(statement: AccountStatement, record: RecordSide, closed_at: int) -> AccountReading:
    """The account at the close that the venue's `last_equity` is of (UTC ns).

    Raises `BeginningNotKnown`.
    """
    if statement.last_equity is None:
        raise BeginningNotKnown("the venue does not say what the equity was at the last close")
    # What came at the very moment of the close belongs to the session.
    counted = [a.id for a in statement.activities if a.has_counted and a.at <= closed_at]
    cash, quantities = held_before(
        statement.reading, statement.activities, record, counted=counted, at=closed_at
    )
    gone = sorted(quantities.keys() - statement.last_prices.keys())
    if gone:
        held = ", ".join(f"{plain(quantities[symbol]):f} {symbol}" for symbol in gone)
        raise BeginningNotKnown(
            f"{held} was held at the last close and is gone, so the venue does not say at what"
            " price it closed; take a reading each day (`snapshot`), and begin with that"
        )
    marks = tuple(
        Mark(
            symbol=symbol,
            quantity=quantity,
            value=value_of(symbol, quantity, statement.last_prices[symbol]),
            price=statement.last_prices[symbol],
        )
        for symbol, quantity in sorted(quantities.items())
    )
    return AccountReading(
        account=statement.reading.account,
        at=closed_at,
        cash=cash,
        equity=statement.last_equity,
        marks=marks,
        counted=tuple(counted),
    )
