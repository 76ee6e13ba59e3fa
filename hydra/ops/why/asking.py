"""Answering a question from the files of a venue: which of them are asked, and what is missing."""

import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

import apsw
import msgspec
from msgspec import structs

from hydra.ops.control.place import Place, holder_of
from hydra.ops.why.denials import last_denial
from hydra.ops.why.journal import JournalMissing, JournalSearch, Line, field, needle
from hydra.ops.why.ledger import OrderOnRecord, cause_on_record, order_on_record, orders_named
from hydra.ops.why.moments import Asker, moment_explained
from hydra.ops.why.orders import order_explained, wish
from hydra.ops.why.story import Explanation, NothingFound
from hydra.ops.why.wishes import Story, names_in_journal, path_of, story_of_order
from hydra.store.checking import UNREPLAYABLE
from hydra.store.engine_files import EngineFiles, RecordGone, is_first_start
from hydra.store.ledger_facts import NoLedger
from hydra.store.looking import looked_at
from hydra.store.schema import NotALedger
from hydra.store.tables import OrderRecord
from hydra.trading.trading_state import Cause

T = TypeVar("T")

UNREADABLE = (apsw.Error, NotALedger, OSError, RecordGone, *UNREPLAYABLE)
SHOWN_MAX = 10
MENTIONS_MAX = 3


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, and what of the record could not be read, one line each."""

    told: Explanation
    faults: tuple[str, ...]


class _Ledger:
    """Asked as little as can be: a ledger that cannot be read keeps no denial from being told."""

    def __init__(self, files: EngineFiles) -> None:
        self._files = files
        self.fault = ""

    def look(self, look: Callable[[apsw.Connection], T]) -> T | None:
        """What it says; None if it cannot be read, and then `fault` says why."""
        try:
            is_first_start(self._files)  # or it is gone
            return looked_at(self._files.ledger, self._files.lock, look)
        except UNREADABLE as error:
            self.fault = f"{self._files.ledger} cannot be read: {error}"
            return None


def answer(
    files: EngineFiles, zone: ZoneInfo, words: Sequence[str], *, newest_denial: bool
) -> Answer:
    """The answer to `ORDER`, to `BOT SYMBOL TIME`, or to `[BOT]` if the newest denial is meant.

    Raises NothingFound, BadMoment, JournalMissing; NoLedger if there never was an engine, and
    NewerThanThisHydra.
    """
    _require_a_record(files)
    ledger = _Ledger(files)
    with ExitStack() as opened:
        search: JournalSearch | None = None
        missing = ""
        try:
            search = opened.enter_context(JournalSearch(files.journal))
        except JournalMissing as error:
            if newest_denial or len(words) != 1:
                raise
            missing = str(error)
        if search is not None and newest_denial:
            told = last_denial(_asker(search, ledger, files, zone), words[0] if words else None)
        elif search is not None and len(words) != 1:
            bot, symbol, moment = words
            told = _of_a_moment(_asker(search, ledger, files, zone), ledger, bot, symbol, moment)
        else:
            told = _of_an_order(search, ledger, files, zone, words[0])
        faults = [fault for fault in (ledger.fault, missing) if fault]
        if search is not None and search.unreadable:
            damaged = f"{search.unreadable} lines about this are not as they were written"
            faults.append(f"{files.journal}: {damaged}")
    return Answer(told=told, faults=tuple(faults))


def _require_a_record(files: EngineFiles) -> None:
    try:
        if is_first_start(files):
            raise NoLedger(
                f"{files.ledger}: found no ledger, and nothing that says there ever was one; run"
                " the engine once, or say where its state is with --state-dir or --venue"
            )
    except RecordGone:
        return  # the journal may be there


def _asker(search: JournalSearch, ledger: _Ledger, files: EngineFiles, zone: ZoneInfo) -> Asker:
    holder = holder_of(Place(files=files, venue=""))

    def on_record(code: str, until: int) -> Cause | None:
        return ledger.look(lambda connection: cause_on_record(connection, code, until))

    running = "" if holder is None else f"it still runs: {holder}"
    return Asker(search=search, cause_on_record=on_record, zone=zone, running=running)


def _of_a_moment(asker: Asker, ledger: _Ledger, bot: str, symbol: str, moment: str) -> Explanation:
    told, story = moment_explained(asker, bot, symbol, moment)
    judged = story.judgement
    if told.outcome != "order" or judged is None or judged.client_order_id is None:
        return told
    name = judged.client_order_id
    on_record = ledger.look(lambda connection: _only(connection, name))
    story = story_of_order(asker.search, name, judged.decision)
    order = order_explained(
        told.question, name, on_record, story, asker.zone, ledger_fault=ledger.fault
    )
    return structs.replace(
        order,
        asked=told.asked,
        engine=told.engine,
        bot=told.bot,
        standing=told.standing,
        standing_now=told.standing_now,
    )


def _of_an_order(
    search: JournalSearch | None, ledger: _Ledger, files: EngineFiles, zone: ZoneInfo, text: str
) -> Explanation:
    found = ledger.look(lambda connection: _found(connection, text))
    records, on_record = found or ((), None)
    if len(records) > 1:
        raise NothingFound(_ambiguous(text, [_candidate(record) for record in records]))
    if on_record is not None:
        name = on_record.record.state.order.client_order_id
        decision = on_record.record.intent.decision
        story = Story() if search is None else story_of_order(search, name, decision)
        return order_explained(f"order {text}", name, on_record, story, zone)
    names = {} if search is None else names_in_journal(search, text)
    if search is None or not names:
        raise NothingFound(_nothing(search, files, text, ledger.fault))
    if len(names) > 1:
        raise NothingFound(_ambiguous(text, [f"{name} ({d.bot})" for name, d in names.items()]))
    ((name, decision),) = names.items()
    story = story_of_order(search, name, decision)
    return order_explained(f"order {text}", name, None, story, zone, ledger_fault=ledger.fault)


def _found(
    connection: apsw.Connection, text: str
) -> tuple[tuple[OrderRecord, ...], OrderOnRecord | None]:
    """All in one moment of the ledger."""
    records = orders_named(connection, text)
    only = order_on_record(connection, records[0]) if len(records) == 1 else None
    return records, only


def _only(connection: apsw.Connection, name: str) -> OrderOnRecord | None:
    return _found(connection, name)[1]


def _candidate(record: OrderRecord) -> str:
    at_venue = record.state.venue_order_id
    names = record.state.order.client_order_id + (f", {at_venue} at the venue" if at_venue else "")
    return f"{names} ({wish(record.intent)}, {record.state.status.words})"


def _ambiguous(text: str, candidates: Sequence[str]) -> str:
    shown = "\n  ".join(candidates[:SHOWN_MAX])
    more = len(candidates) - SHOWN_MAX
    rest = f"\n  and {more:,} more" if more > 0 else ""
    return (
        f"{text} may be any of {len(candidates):,} orders; say more of the name:\n  {shown}{rest}"
    )


def _nothing(search: JournalSearch | None, files: EngineFiles, text: str, ledger_fault: str) -> str:
    """What there is to say about a name that is no order's."""
    parts = [f"{text}: no order of that name, or that begins so, is on record"]
    if ledger_fault:
        parts = [f"{text}: no such order is in the journal, and {ledger_fault}"]
    if search is not None:
        if next(search.newest_first(field("source", path_of(text))), None) is not None:
            parts.append(f"it is a bot: ask `hydra-trader why {text} SYMBOL last`")
        lines = islice(search.newest_first(needle(text)), MENTIONS_MAX)
        named = [_mention(line) for line in lines]
        if named:
            parts.append(f"the journal speaks of it: {', '.join(named)}")
    lives = sorted(files.ended.iterdir()) if files.ended.is_dir() else []
    if lives:
        where = shlex.quote(str(lives[-1]))
        parts.append(
            f"of {len(lives)} earlier accounts the records lie in {files.ended}: look into one with"
            f" --state-dir {where} --log-dir {where}"
        )
    return "; ".join(parts)


def _mention(line: Line) -> str:
    return f"{line.event} (line {line.seq:,})"
