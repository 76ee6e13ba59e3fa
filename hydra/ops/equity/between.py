"""From which reading a bridge begins: one that was kept, or else the record's opening, if it is of
these days, or the venue's last close.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import AccountReading, AccountStatement
from hydra.trading.durations import SECOND
from hydra.trading.equity_beginning import BeginningNotKnown, at_the_close, at_the_opening
from hydra.trading.equity_bridge import EquityBridge, equity_bridge, not_known
from hydra.trading.sessions import SessionTable
from hydra.venues.alpaca.statement import WITHOUT_A_READING
from hydra.venues.market_sessions import LONGEST_PAUSE, exchange_sessions

AT_THE_OPENING = "the record began"
AT_THE_CLOSE = "the last close, by the venue's last_equity"


class Kept(msgspec.Struct, frozen=True):
    """An earlier reading, and what it is called."""

    name: str
    reading: AccountReading


def bridged(
    statement: AccountStatement,
    record: RecordSide,
    kept: Kept | None,
    cache_dir: Path | None,
) -> EquityBridge:
    """From the reading that was kept to the present one. Of none, from the record's opening if it
    is of these days, else from the last close.
    """
    end = statement.reading
    if kept is not None:
        why = _unfit(kept.reading, end, record)
        if why is not None:
            return not_known(f"{kept.name}: {why}", kept.name, end)
        return equity_bridge(kept.reading, end, statement.activities, record, since=kept.name)
    if is_young(record):
        with suppress(BeginningNotKnown):
            begin = at_the_opening(statement, record)
            return equity_bridge(begin, end, statement.activities, record, since=AT_THE_OPENING)
    try:
        closed_at = last_close(statement, sessions_before(end.at, cache_dir))
        begin = at_the_close(statement, record, closed_at)
    except BeginningNotKnown as unknown:
        return not_known(str(unknown), AT_THE_CLOSE, end)
    return equity_bridge(begin, end, statement.activities, record, since=AT_THE_CLOSE)


def since_when(record: RecordSide, kept: Kept | None) -> int | None:
    """From when on activities are needed for it (UTC ns); None: for as long as is usual."""
    if kept is not None:
        return kept.reading.at
    if record.opening is None or not is_young(record):
        return None
    return record.opening.at - WITHOUT_A_READING  # the last close may be before it


def is_young(record: RecordSide) -> bool:
    """Whether all that happened since its opening is listed soon."""
    opening = record.opening
    return opening is not None and record.last_at - opening.at <= WITHOUT_A_READING


def sessions_before(at: int, cache_dir: Path | None) -> SessionTable:
    """The exchange's last ones, up to that day (UTC ns)."""
    day = datetime.fromtimestamp(at // SECOND, UTC).date()
    first = day - LONGEST_PAUSE - timedelta(days=1)
    return exchange_sessions(first.isoformat(), day.isoformat(), cache_dir)


def last_close(statement: AccountStatement, sessions: SessionTable) -> int:
    """When the session closed that `last_equity` is of. Raises `BeginningNotKnown`.

    An account that was opened later than that has nothing before; then any close will do.
    """
    at = statement.reading.at
    named = sessions.of_date(statement.last_session or "")
    if named is not None and named.close_at <= at:
        return named.close_at
    over = [each.close_at for each in sessions.sessions if each.close_at <= at]
    if not over:
        raise BeginningNotKnown("no session of the exchange has closed in the days before")
    return over[-1]


def _unfit(begin: AccountReading, end: AccountReading, record: RecordSide) -> str | None:
    """Why nothing leads from one to the other; None: it does."""
    if begin.account != end.account:
        return f"found a reading of account {begin.account}, wanted one of {end.account}"
    if begin.life and record.life and begin.life != record.life:
        return "found a reading of another life of the record, wanted one of this ledger"
    if begin.at > end.at:
        return "found a reading of later than now, wanted an earlier one"
    return None
