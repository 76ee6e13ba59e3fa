"""Reads what a start on live is judged by: days and settings of paper, and the record of live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import apsw
import msgspec

from hydra.ops.config.history import versions
from hydra.ops.going_live.allowance import LIVE_ALLOWED, Allowed, read, word_given
from hydra.ops.going_live.evidence import Calendar, Evidence, Wanted, evidence_of
from hydra.ops.going_live.judging import SHOWN, AtWork, LiveVerdict, closed, judged
from hydra.ops.places import USUAL_JOURNAL
from hydra.ops.reload_source import ConfigSource
from hydra.ops.track_record.folder import LATEST, TrackRecord, TrackRecordBroken
from hydra.ops.track_record.snapshots import Snapshot
from hydra.settings import Settings, SettingsRefused, VenueName
from hydra.settings.changes import Effect, changes_between
from hydra.settings.live_section import LiveProfile
from hydra.settings.strategy_mode import in_mode
from hydra.settings.whole import OF_THE_VENUE
from hydra.store.engine_files import EngineFiles, NamesClash
from hydra.store.ledger import Ledger
from hydra.store.ledger_facts import require_current
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.terms import traded_symbols
from hydra.trading.durations import SECOND
from hydra.trading.strategy_modes import StrategyMode
from hydra.trading.sub_ledgers import BotInventory
from hydra.venues.exchange_calendar import UnknownYear
from hydra.venues.market_sessions import sessions_of

LOOKED_BACK = timedelta(days=400)
"""As many sessions as can be asked for lie within it."""


class OnLiveRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What live's own record says. `last_session` is the newest day for which budgets were granted
    there; "": none were.
    """

    at_work: AtWork = AtWork(0, 0)
    allowed: Allowed | None = None
    last_session: str = ""


def on_live_record(ledger: Ledger) -> OnLiveRecord:
    """Of the ledger of a process that has it."""
    return OnLiveRecord(
        at_work=_at_work(ledger.inventories(), ledger.open_orders()),
        allowed=read(ledger.get(LIVE_ALLOWED)),
        last_session=ledger.last_budget_session(),
    )


def live_record_at_rest(files: EngineFiles) -> OnLiveRecord:
    """The same from the files; an empty one if there is no ledger yet. Raises what reading does."""
    if not files.ledger.exists() or not files.ledger.stat().st_size:
        return OnLiveRecord()

    def look(connection: apsw.Connection) -> OnLiveRecord:
        require_current(connection)
        records = Records(connection)
        return OnLiveRecord(
            at_work=_at_work(records.inventories(), records.open_orders()),
            allowed=read(records.values().get(LIVE_ALLOWED)),
            last_session=records.last_budget_session(),
        )

    return looked_at(files.ledger, files.lock, look)


def _at_work(held: Iterable[BotInventory], orders: Sized) -> AtWork:
    return AtWork(positions=sum(bool(each.inventory.position) for each in held), orders=len(orders))


def live_verdict(
    settings: Settings,
    named: StrategyMode | None,
    files: EngineFiles,
    record: OnLiveRecord,
    now: int,
    *,
    cache: Path | None,
) -> LiveVerdict:
    """What a start with these settings may do on live. `named`: the strategy mode that the
    environment names; `now`: the machine's time (UTC ns). The exchange's days are kept in `cache`.

    Nothing that is wrong with paper's files is raised: it refuses, and is told.
    """
    settings = as_configured(settings, named)
    paper = settings.live.paper_ledger
    evidence: Evidence | str = ""
    if settings.live.profile is LiveProfile.FULL:
        evidence = _evidence(settings, record, now, cache)
    verdict = judged(
        settings.live,
        configuration=settings.digest,
        traded_as=settings.traded_as,
        evidence=evidence,
        word=word_given(files.configurations),
        where=str(paper.parent / "track_record"),
    )
    if verdict.allowed is None and record.at_work:
        return closed(verdict, record.at_work)
    return verdict


def as_configured(settings: Settings, named: StrategyMode | None) -> Settings:
    """In the best mode that is followed; a kill event or an operator only goes further down."""
    return in_mode(settings, named or settings.modes.selected)


def _evidence(
    settings: Settings, record: OnLiveRecord, now: int, cache: Path | None
) -> Evidence | str:
    ledger = settings.live.paper_ledger
    try:
        paper = EngineFiles.under(ledger.parent, ledger.parent, ledger.name, USUAL_JOURNAL)
        days = _days(TrackRecord(paper.track_record))
    except (OSError, TrackRecordBroken, NamesClash) as error:
        return f"a track record of paper that cannot be relied on ({error})"
    if not days:
        return (
            f"no track record of paper in {paper.track_record} (live.paper_ledger says where it is)"
        )
    try:
        calendar = _calendar(settings, record.allowed, now, cache)
    except UnknownYear as error:
        return f"no calendar to hold the track record of paper against ({error})"
    wanted = Wanted(settings.live.min_clean_sessions, settings.live.newest_within_sessions)
    found = Evidence()
    # The configurations of before are read only if the very same one does not do.
    for tested_of in (_the_same, _and_looser):
        tested = tested_of(settings, paper.configurations)
        up_to = _holds_up_to(record, tested, calendar, wanted)
        found = evidence_of(days, calendar, tested, up_to=up_to)
        if found.shows(wanted):
            break
    return found


def _days(track: TrackRecord) -> tuple[Snapshot, ...]:
    """All days. The newest has nobody after it who names it, so its copy has to be the same."""
    days = track.read()
    if days:
        copy, newest = track.folder / LATEST, track.snapshots / f"{days[-1].date}.json"
        if copy.read_bytes() != newest.read_bytes():
            raise TrackRecordBroken(f"{copy}: found another day than {newest}, wanted the same")
    return days


def _calendar(
    settings: Settings, allowed: Allowed | None, now: int, cache: Path | None
) -> Calendar:
    """The sessions of what is traded, from well before the days that are looked at."""
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    rests_on = None if allowed is None else allowed.newest
    # A permission may rest on days that are long past, as long as live goes on.
    looked_at = today if rests_on is None else min(today, date.fromisoformat(rests_on))
    span = ((looked_at - LOOKED_BACK).isoformat(), today.isoformat())
    table = sessions_of(traded_symbols(settings), *span, cache).sessions
    return Calendar(
        ended=tuple(each.date for each in table if each.close_at <= now),
        under_way=next((each.date for each in table if each.open_at <= now < each.close_at), None),
    )


def _holds_up_to(
    record: OnLiveRecord, tested: frozenset[str], calendar: Calendar, wanted: Wanted
) -> str | None:
    """The day on paper that a permission rests on which still holds: live has traded by it until
    lately, with this configuration or a looser one. None: there is none.
    """
    allowed, last = record.allowed, record.last_session
    if allowed is None or allowed.ground != SHOWN or allowed.traded_as not in tested or not last:
        return None
    return allowed.newest if calendar.ended_since(last) <= wanted.newest_within else None


def _the_same(settings: Settings, _history: Path) -> frozenset[str]:
    return frozenset({settings.traded_as})


def _and_looser(settings: Settings, history: Path) -> frozenset[str]:
    """With those of paper's that these settings are tighter than, in all that differs."""
    looser = (each.traded_as for each in _in_force_before(history) if is_tighter(each, settings))
    return frozenset({settings.traded_as, *looser})


def is_tighter(tested: Settings, wanted: Settings) -> bool:
    """Whether what differs is tighter in the second, but for what is the venue's alone."""
    changes = changes_between(tested, wanted)
    return all(
        each.effect is Effect.TIGHTER
        for each in changes
        if each.key.partition(".")[0] not in OF_THE_VENUE
    )


def _in_force_before(history: Path) -> Iterator[Settings]:
    """What was in force there, in each strategy mode that it can have been in."""
    try:
        known = versions(history)
    except OSError:
        return
    for version in known:
        try:
            settings = ConfigSource(version.folder, venue=VenueName.PAPER).read()
        except SettingsRefused:  # of another version of Hydra
            continue
        yield from (in_mode(settings, mode) for mode in StrategyMode)
