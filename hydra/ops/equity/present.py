"""The bridge to the present: reading and record put together, of as nearly one moment as can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hydra.ops.control.place import Place
from hydra.ops.equity.between import Kept, bridged, since_when
from hydra.ops.equity.reading import NotRead, statement_of
from hydra.ops.exit_codes import ExitCode
from hydra.store.looking import looked_at
from hydra.store.money_moves import record_side
from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import AccountReading
from hydra.trading.equity_bridge import EquityBridge

if TYPE_CHECKING:
    from hydra.ops.track_record.snapshots import Snapshot

LOOKS_AGAIN = 2
PAUSE_S = 0.5
"""An execution is on the venue's list a moment before it is on record. Nobody else waits here."""


def present_bridge(
    place: Place, beginning: Callable[[str], Kept | None], bars: Path | None
) -> tuple[EquityBridge, AccountReading]:
    """The bridge to now, and the reading that the next one can begin with.

    `beginning` gives the reading to begin with for a life of the record; None: as `bridged`.
    `bars` as of `statement_of`. Raises `NotRead` and what reading a ledger raises.
    """
    files = place.files
    if not files.ledger.exists():
        raise NotRead(
            f"{files.ledger}: found none, so no engine has traded here; wanted the state of one;"
            " say where it is with --state-dir or --venue",
            ExitCode.USAGE,
        )

    def on_record() -> RecordSide:
        return looked_at(files.ledger, files.lock, record_side)

    record = on_record()
    begin = beginning(record.life)
    since = since_when(record, begin)
    statement = statement_of(place, since, bars, record.account)
    found = bridged(statement, on_record(), begin, files.cache)
    for _ in range(LOOKS_AGAIN):
        if found.is_zero or found.unexplained is None:
            break
        time.sleep(PAUSE_S)
        found = bridged(statement, on_record(), begin, files.cache)
    return found, replace(statement.reading, life=record.life)


def newest_kept(days: Iterable[Snapshot], life: str) -> Kept | None:
    """The newest reading that the track record has of this life of the record."""
    newest = None
    for day in days:
        if day.reading is not None and day.reading.life == life:
            newest = Kept(f"the snapshot of {day.date}", day.reading)
    return newest
