"""How an engine that does not run was left: read from its files, of which nothing is changed.

The same fields as of a running one, so that a program need not ask which it is. What only a running
engine knows is null.
"""

import platform
from collections.abc import Collection
from pathlib import Path
from typing import Any

import apsw
import msgspec

from hydra import __version__
from hydra.ops.control.causes import causes_told, no_clock
from hydra.ops.debug.describing import Row
from hydra.ops.going_live.allowance import LIVE_ALLOWED, told_of
from hydra.store import projections
from hydra.store.agreement import disagreement
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.store.halt_marker import Clear, Halted, Unreadable, read_halt_marker
from hydra.store.journal_files import JournalDamaged, JournalFailed, files_of
from hydra.store.journal_line import BadLine, record_in, seq_of
from hydra.store.journal_opening import journal_end
from hydra.store.kill_file import read_kill_file
from hydra.store.ledger_facts import NoLedger, facts_of, last_mark, require_current
from hydra.store.lives import EARLIER_UNCLEAN_STARTS, starts_of_accounts_before
from hydra.store.looking import looked_at
from hydra.store.private_files import RightsTooOpen
from hydra.store.reading import Records
from hydra.trading.causes import HALT_MARKER_UNREADABLE
from hydra.trading.kill_switch import Source, kill_cause
from hydra.trading.order_life import OrderStatus
from hydra.trading.restarts import WINDOW_NS, cause_after_unclean_end, storm
from hydra.trading.sub_ledgers import UNATTRIBUTED
from hydra.trading.trading_state import Cause, CauseClass
from messages.control import OPERATOR_RESUME, Resume
from messages.loops import LOOPS_ON_RECORD

TAIL_BYTES = 256 * 1024
"""Of the journal's end; longer than any line of it."""
NOBODY_KNOWS = 0
"""Since when something stands that no engine has seen yet."""


def status_at_rest(files: EngineFiles, venue: str) -> dict[str, Any]:
    """What is on record, and what else the next start would find.

    Raises `NoLedger` if there never was an engine here, and what reading a ledger raises.
    """
    if is_first_start(files):
        raise NoLedger(
            f"{files.ledger}: found no ledger, and nothing that says there ever was one; run the"
            " engine once, or say where its state is with --state-dir or --venue"
        )

    def look(connection: apsw.Connection) -> dict[str, Any]:
        return {**_ledger_told(connection), "notes": _why_no_engine_starts(connection, files)}

    told = looked_at(files.ledger, files.lock, look)
    marked = _marker_causes(files) if told.pop("had_an_engine") else []
    of_marker = {row["code"]: row for row in causes_told(marked, no_clock)}
    on_record = [_newer(row, of_marker.pop(row["code"], row)) for row in told["causes"]]
    known = {(row["code"], row["state"]) for row in on_record}
    kills = [
        row
        for row in causes_told(_kill_causes(files), no_clock)
        if (row["code"], row["state"]) not in known
    ]
    return {
        "state": "stopped",
        # No engine, no order: and the next one starts halted, whatever stands.
        "trading_state": "HALTED",
        **told,
        "causes": [*on_record, *kills, *of_marker.values()],
        "earliest_clearing": None,
        "mode": venue,
        "venue": venue,
        "at": None,
        "session": None,
        "incarnation": None,
        "exposure": None,
        "heat": None,
        "equity": None,
        "drawdown": None,
        "coverage_pct": None,
        "mismatches": None,
        "taken_over": None,
        "dust": None,
        "alarms": None,
        "risk_mode": None,
        "execution": None,
        "regimes": None,
        "corporate_actions": None,
        "lease_ms": None,
        "feed_age_s": None,
        "journal": _journal_told(files.journal),
    }


def causes_of_next_start(
    files: EngineFiles, *, needs_person: bool, now_wall: int
) -> tuple[Cause, ...]:
    """What comes to stand with the next start because of how the engines before it ended (I03,
    I75). It is not on record yet, so no `resume` of before that start lets it go.

    `now_wall`: when that start is, by the machine's clock (UTC ns). Raises what reading a ledger
    raises.
    """

    def look(connection: apsw.Connection) -> tuple[Cause, ...]:
        records = Records(connection)
        facts = facts_of(connection, require_current(connection), "")
        ended_unclean = facts.ended_in_order is False
        since = now_wall - WINDOW_NS
        unclean_starts = (
            *starts_of_accounts_before(records.values().get(EARLIER_UNCLEAN_STARTS), since),
            *records.unclean_starts(since),
            *((now_wall,) if ended_unclean else ()),
        )
        marked = _marker_causes(files) if facts.had_an_engine else []
        standing = {cause.code: cause for cause in (*records.halts(), *marked)}
        follows = (
            cause_after_unclean_end(
                ended_unclean=ended_unclean,
                standing=[cause for cause in standing.values() if cause.is_global],
                since=NOBODY_KNOWS,
                needs_person=needs_person,
            ),
            storm(unclean_starts, now_wall, NOBODY_KNOWS),
        )
        return tuple(cause for cause in follows if cause and cause.code not in standing)

    return looked_at(files.ledger, files.lock, look)


def _ledger_told(connection: apsw.Connection) -> dict[str, Any]:
    version = require_current(connection)
    facts = facts_of(connection, version, "")
    records = Records(connection)
    orders, standing = records.open_orders(), records.halts()
    word = records.values().get(OPERATOR_RESUME) or ""
    return {
        "had_an_engine": facts.had_an_engine,
        "ended": facts.end,
        "ended_in_order": facts.ended_in_order,
        "account": facts.facts.get(projections.ACCOUNT),
        "causes": causes_told(standing, no_clock, _noted(standing, word)),
        "bots": _bots(records),
        "orders": {
            "open": len(orders),
            "unknown": sum(order.state.status is OrderStatus.UNKNOWN for order in orders),
            "today": None,
        },
        "live": told_of(records.values().get(LIVE_ALLOWED)),
        "loops": int(records.values().get(LOOPS_ON_RECORD) or 0),
        "resume_noted": bool(word),
        "versions": {
            "hydra": __version__,
            "hydra_of_last_engine": facts.facts.get(projections.ENGINE),
            "python": platform.python_version(),
            "sqlite": apsw.sqlite_lib_version(),
            "ledger": version,
            "configuration": facts.facts.get(projections.CONFIGURATION),
        },
    }


def _why_no_engine_starts(connection: apsw.Connection, files: EngineFiles) -> list[str]:
    """What a start would find wrong with ledger and journal, as far as it is seen at a glance."""
    records = Records(connection)
    seen = int(records.facts().get(projections.JOURNAL) or 0)
    try:
        end = journal_end(files.journal)
        fault = disagreement(last_mark(connection), seen, records.link_at, end.last_seq, end.mark)
    except (JournalDamaged, JournalFailed, RightsTooOpen) as bad:
        fault = str(bad)
    if fault is None:
        return []
    return [f"no engine starts on this record: {fault}; `hydra-trader verify` says more"]


def _noted(standing: Collection[Cause], word: str) -> frozenset[str]:
    """The codes that the next clean pass ends, because an operator said so. A limit has its
    cool-off besides, and whether that is over nobody knows without the market's time.
    """
    try:
        meant = frozenset(msgspec.json.decode(word, type=Resume).codes) if word else None
    except msgspec.MsgspecError:  # it is no word, so it lets nothing go
        meant = None
    if meant is None:
        return frozenset()
    of_a_person = (CauseClass.START, CauseClass.INTEGRITY)
    return frozenset(
        cause.code
        for cause in standing
        if cause.cause_class in of_a_person and (not meant or cause.code in meant)
    )


def _bots(records: Records) -> list[Row]:
    positions: dict[str, dict[str, str]] = {
        each.bot: {} for each in records.sub_ledgers() if each.bot != UNATTRIBUTED
    }
    for held in records.inventories():
        if held.inventory.position:
            of_bot = positions.setdefault(held.bot, {})
            of_bot[held.inventory.symbol] = str(held.inventory.position)
    return [
        {"id": bot, "status": "stopped", "restarts": None, "positions": of_bot, "budget": None}
        for bot, of_bot in sorted(positions.items())
    ]


def _marker_causes(files: EngineFiles) -> list[Cause]:
    match read_halt_marker(files.halt_marker):
        case Clear():
            return []
        case Halted() as halted:
            return list(halted.causes)
        case Unreadable(reason=reason):
            return [HALT_MARKER_UNREADABLE.cause(since=NOBODY_KNOWS, detail=reason)]


def _newer(on_record: Row, marked: Row) -> Row:
    """Of two halts of one code the one that a start goes by: the marker's, if it is another."""
    is_same = all(marked[key] == on_record[key] for key in ("state", "since", "detail"))
    return on_record if is_same else marked


def _kill_causes(files: EngineFiles) -> list[Cause]:
    sight = read_kill_file(files.kill_switch)
    cause = kill_cause(Source.STATE_FILE, str(files.kill_switch), sight, NOBODY_KNOWS)
    return [] if cause is None else [cause]


def _journal_told(path: Path) -> Row | None:
    """Its last whole line; null if there is none."""
    files = files_of(path) if path.parent.is_dir() else []
    if not files:
        return None
    with files[-1].open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read(TAIL_BYTES).splitlines(keepends=True)
    for line in reversed(lines):
        try:
            record = record_in(line)
        except BadLine:  # torn, when the engine was killed
            continue
        return {
            "path": str(files[-1]),
            "last_seq": seq_of(record),
            "last_at": record.get("ts"),
            "last_event": record.get("event"),
        }
    return None
