"""Today's snapshot, from what lies on the disk: the ledger, and the engine's own last word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import orjson

from hydra import __version__
from hydra.ops.going_live.allowance import LIVE_ALLOWED, in_words
from hydra.ops.surfaces.documents import ENDING, TRADING_TIME
from hydra.ops.track_record.folder import TrackRecord
from hydra.ops.track_record.snapshots import (
    LedgerAt,
    OnRecord,
    Seen,
    Snapshot,
    as_seen,
    snapshot_of,
)
from hydra.store import projections
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger_facts import facts_of, last_mark, require_current
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.trading.order_life import OrderStatus

READ_MAX = 4 * 1024 * 1024


class NothingSeen(Exception):
    """The engine has left no word of how it was: what was found, and what is wanted."""


def taken(files: EngineFiles, track: TrackRecord, venue: str, taken_at: str) -> Snapshot:
    """The snapshot for this track record, not yet added. `taken_at` is UTC as text.

    Raises `NothingSeen`, `TrackRecordBroken`, and what reading a ledger raises.
    """
    seen = _seen(files.surfaces)
    record = looked_at(files.ledger, files.lock, lambda found: _on_record(found, seen.date))
    return snapshot_of(
        record,
        seen,
        track.last(),
        venue=venue,
        hydra=__version__,
        taken_at=taken_at,
    )


def _seen(surfaces: Path) -> Seen:
    nav, diagnostics = (_document(surfaces / f"{name}{ENDING}") for name in ("nav", "diagnostics"))
    time = surfaces / f"{TRADING_TIME}{ENDING}"
    try:
        return as_seen(nav, diagnostics, _document(time) if time.exists() else {})
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise NothingSeen(
            f"{surfaces}: found files that are none of an engine's ({type(error).__name__});"
            " wanted those that `run` keeps fresh"
        ) from error


def _document(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            document: Mapping[str, Any] = orjson.loads(file.read(READ_MAX))
    except FileNotFoundError as error:
        raise NothingSeen(
            f"{path}: found no such file; an engine keeps it fresh while it runs: run one first, or"
            " say where its state is"
        ) from error
    except orjson.JSONDecodeError as error:
        raise NothingSeen(f"{path}: found no JSON; wanted what an engine keeps fresh") from error
    return document


def _on_record(connection: apsw.Connection, session: str) -> OnRecord:
    facts = facts_of(connection, require_current(connection), "")
    records, mark = Records(connection), last_mark(connection)
    open_orders = records.open_orders()
    return OnRecord(
        ledger=LedgerAt(mark.seq, mark.chain),
        configuration=facts.facts.get(projections.CONFIGURATION),
        sub_ledgers=records.sub_ledgers(),
        counters=records.counters(session),
        counters_of_all=records.counters(),
        inventories=records.inventories(),
        open_orders=len(open_orders),
        unknown_orders=sum(order.state.status is OrderStatus.UNKNOWN for order in open_orders),
        halts=records.halts(),
        ended_in_order=facts.ended_in_order,
        live=in_words(records.values().get(LIVE_ALLOWED)),
    )
