"""Makes a bundle whole: what the journal and the ledger have of its session, tables, page, plots.

The same for a session that has just ended and for one that was killed long ago: the story is
completed, and everything else is made of it anew. Closing it again gives the same bytes, as long
as nobody has gone on with the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

import apsw
import msgspec
from msgspec import structs

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts import story
from hydra.ops.artefacts.following import JournalTail
from hydra.ops.artefacts.opening import Opening, opening_in
from hydra.ops.artefacts.page import page_of
from hydra.ops.artefacts.plotting import plots_made
from hydra.ops.artefacts.provenance import Provenance
from hydra.ops.artefacts.reading import provenance_in, report_in
from hydra.ops.artefacts.report import (
    AgainstLedger,
    Report,
    Told,
    against,
    as_state,
    report_of,
    told_by,
)
from hydra.ops.artefacts.rows import as_rows, header
from hydra.store.engine_files import EngineFiles
from hydra.store.events import EngineStarted, LedgerEvent, decoded
from hydra.store.journal_line import moment_of
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.store.redaction import Redactor

_EVENTS = "SELECT seq, at, body FROM events WHERE seq > ? ORDER BY seq"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended, by whoever saw it end."""

    exit_code: int | None
    how: str


class _LedgerSide(msgspec.Struct, frozen=True):
    """What the ledger has of a session. `is_newest`: nothing was done with it after the session."""

    events: tuple[tuple[int, int, LedgerEvent], ...]
    is_newest: bool
    account: str | None
    realised: dict[str, Decimal]
    positions: dict[tuple[str, str], Decimal]


def close_bundle(
    folder: Path,
    engine: EngineFiles,
    ending: Ending | None,
    redactor: Redactor | None = None,
    *,
    with_plots: bool = True,
    wall_clock: Callable[[], int] = time.time_ns,
) -> Report:
    """Complete the story and make everything else of it; `ending` None: nobody saw it end.

    `wall_clock` gives UTC ns.

    The engine of the session must have let go of the record. Raises OSError, what apsw and
    msgspec raise.
    """
    provenance = origins.decoded((folder / files.PROVENANCE).read_bytes())
    lines = _torn_end_cut(folder / files.STORY)
    opening = opening_in(lines)
    places = _places_of(opening, engine)
    side: _LedgerSide | None = None
    if places is not None:
        new = list(_from_journal(lines, opening, places.journal))
        side = looked_at(places.ledger, places.lock, _side_of(opening))
        new += story.of_events(side.events, [*lines, *new])
        if redactor is not None:
            new = [redactor.fields(line) for line in new]
        files.append(folder / files.STORY, b"".join(map(story.encoded, new)))
        lines += new
        opening = opening_in(lines)
    told, tables = told_by(opening, lines)
    provenance = _ended(provenance, ending, lines, side, wall_clock)
    report = report_of(provenance, told, _held_against(side, told))
    for file, rows in tables.items():
        files.replace(folder / file, header(file) + as_rows(rows))
    files.replace(folder / files.STATE, as_state(report))
    _finish(folder, provenance, report, with_plots=with_plots)
    return report


def draw_plots(folder: Path) -> None:
    """Of a bundle that was closed without. Raises NoBundle, OSError.

    The other files keep the names of their contents: what was changed since must stay seen.
    """
    provenance = provenance_in(folder)
    _finish(folder, provenance, report_in(folder), with_plots=True, known=provenance.files)


def _finish(
    folder: Path,
    provenance: Provenance,
    report: Report,
    *,
    with_plots: bool,
    known: Mapping[str, str] | None = None,
) -> None:
    """What comes last, as it says what else is there. `known`: what is named already."""
    pictures = plots_made(folder) if with_plots else ()
    files.replace(folder / files.PAGE, page_of(report, pictures).encode())
    own = files.NAMED if known is None else (files.PAGE, *files.PLOTS)
    kept = {name: digest for name, digest in (known or {}).items() if name not in own}
    digests = kept | files.digests(folder, own)
    files.replace(
        folder / files.PROVENANCE, origins.encoded(structs.replace(provenance, files=digests))
    )


class _Places(msgspec.Struct, frozen=True):
    ledger: Path
    lock: Path
    journal: Path


def _places_of(opening: Opening, engine: EngineFiles) -> _Places | None:
    """Where ledger and journal of the session are by now; None: they are gone.

    The embedded venue's are set aside when its next market begins.
    """
    asides = sorted(engine.ended.iterdir(), reverse=True) if engine.ended.is_dir() else []
    places = [_Places(engine.ledger, engine.lock, engine.journal)]
    for aside in asides:
        ledger, journal = aside / engine.ledger.name, aside / engine.journal.name
        places.append(_Places(ledger, engine.lock, journal))

    def is_of_the_session(connection: apsw.Connection) -> bool:
        link: str | None = Records(connection).link_at(opening.ledger_seq)
        return link == opening.ledger_chain

    for place in places:
        is_there = place.ledger.exists() and place.ledger.stat().st_size > 0
        if is_there and looked_at(place.ledger, place.lock, is_of_the_session):
            return place
    return None


def _from_journal(lines: list[story.Line], opening: Opening, journal: Path) -> Iterator[story.Line]:
    """What the journal has of the session behind what is told; it ends where another one begins."""
    told = [line["seq"] for line in lines if isinstance(line.get("seq"), int)]
    tail = JournalTail(journal, max(told, default=opening.journal_seq - 1) + 1)
    try:
        while True:
            read_until, found = tail.next_seq, tail.read()
            own = list(takewhile(lambda line: _is_of_session(line, opening), found))
            yield from own
            if len(own) < len(found) or tail.next_seq == read_until:
                return
    finally:
        tail.close()


def _is_of_session(line: story.Line, opening: Opening) -> bool:
    return bool(line["event"] != "engine_started" or line["seq"] == opening.journal_seq)


def _side_of(opening: Opening) -> Callable[[apsw.Connection], _LedgerSide]:
    def look(connection: apsw.Connection) -> _LedgerSide:
        events: list[tuple[int, int, LedgerEvent]] = []
        is_newest = True
        for seq, at, body in connection.execute(_EVENTS, (opening.ledger_seq,)):
            event = decoded(body)
            if isinstance(event, EngineStarted):
                is_newest = False
                break
            events.append((seq, at, event))
        records = Records(connection)
        return _LedgerSide(
            events=tuple(events),
            is_newest=is_newest,
            account=records.facts().get("account"),
            realised={each.bot: each.realised for each in records.sub_ledgers()},
            positions={
                (each.bot, each.inventory.symbol): each.inventory.position
                for each in records.inventories()
                if each.inventory.lots
            },
        )

    return look


def _held_against(side: _LedgerSide | None, told: Told) -> AgainstLedger:
    if side is None:
        return AgainstLedger(agrees=None, found=("its ledger is not here any more",))
    if not side.is_newest:
        return AgainstLedger(agrees=None, found=("another session has gone on with it",))
    return against(told, side.realised, side.positions)


def _ended(
    provenance: Provenance,
    ending: Ending | None,
    lines: list[story.Line],
    side: _LedgerSide | None,
    wall_clock: Callable[[], int],
) -> Provenance:
    """With how it ended; one that is closed already stays as it is."""
    if provenance.is_closed:
        return provenance
    run = provenance.run
    if run.account is None and side is not None:
        run = structs.replace(run, account=side.account)
    seen = ending or _ending_in(lines)
    told = [moment_of(line["ts"]) for line in lines]
    return structs.replace(
        provenance,
        run=run,
        ended_at=max(told, default=provenance.began_at),
        ended_wall_at=wall_clock(),
        exit_code=seen.exit_code,
        how_it_ended=seen.how,
        closed_late=ending is None,
    )


def _ending_in(lines: list[story.Line]) -> Ending:
    for line in reversed(lines):
        if line["event"] == "engine_stopped":
            return Ending(exit_code=None, how=f"in order, {line.get('reason')}")
    return Ending(exit_code=None, how="killed or crashed: it never said that it stopped")


def _torn_end_cut(path: Path) -> list[story.Line]:
    """The whole lines of a story; what was torn at its end is taken out of the file."""
    content = path.read_bytes() if path.exists() else b""
    whole = story.whole_bytes(content)
    if whole < len(content):
        files.replace(path, content[:whole])
    return story.lines_in(path) if content else []
