"""One replay with everything it leaves: ledger, journal, bundle, figures, curve, tear sheet.

The folder can be looked at with the commands of an engine (`why`, `verify`, `export`, `report`), as
its ledger and journal are those of one. Nothing in it tells when or where it was made, so the same
replay leaves the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import apsw
import msgspec
from msgspec import structs

from hydra import __version__
from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts.closing import Ending, close_bundle
from hydra.ops.artefacts.opening import opening_of
from hydra.ops.artefacts.provenance import REPLAY, Provenance, RunFacts, Window
from hydra.ops.artefacts.writing import BundleWriter
from hydra.ops.embedded import LEAD
from hydra.ops.exit_codes import ExitCode
from hydra.ops.memory_room import MIB
from hydra.plugins import plugins_in_use
from hydra.research.facts import ReplayFacts
from hydra.research.metrics import Metrics
from hydra.research.outcome import write_outcome
from hydra.research.regret import Regret, entries_in, regret_of, trades_csv
from hydra.research.replay_data import ReplayData
from hydra.research.replaying import VENUE, Replayed, ReplayFailed, ReplayTask, replayed
from hydra.research.selection import bots_in
from hydra.research.sheet_parts import minute
from hydra.settings import Settings
from hydra.store.connection import IN_MEMORY
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import JournalFailed, JournalFile
from hydra.store.journal_line import timestamp
from hydra.store.ledger import Ledger
from hydra.store.private_files import make_private_folder
from hydra.store.record import fields_of_mark
from hydra.terms import plans_of
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.terms import VenueTerms

LEDGER, JOURNAL = "trading_state.db", "app.jsonl"
LOGS = "logs"
REGRET = "guard_regret.csv"
ROOM_BYTES, ROOM_BYTES_A_BAR = 2 * 1024 * 1024, 500
"""What the files take, about: most of it is the journal's, and grows with what is traded."""


class FolderInTheWay(Exception):
    """There is something already where the replay was to leave its files; nothing was played."""


class NotKept(OSError):
    """The files of the replay could not be written, so there are none. One line: where, why, how
    much room is wanted; make it, or name another folder.
    """


class ReplayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, and where its files go: into `folder`, which is made for it."""

    settings: Settings
    data: ReplayData
    terms: VenueTerms
    seed: int
    label: str
    folder: Path
    with_sheet: bool = True

    @property
    def task(self) -> ReplayTask:
        """What is played."""
        return ReplayTask(
            settings=self.settings,
            data=self.data.market,
            terms=self.terms,
            seed=self.seed,
            history=self.data.history,
            ends_at=self.data.ends_at,
        )

    @property
    def bots(self) -> tuple[str, ...]:
        """Those that have a symbol in this market."""
        return plans_of(self.settings, self.data.market).bots

    @property
    def left_out(self) -> tuple[str, ...]:
        """Enabled bots that have none, with the reason, for people."""
        played, options = self.bots, self.settings.optionsbot.bot_id
        return tuple(
            f"left out: {bot.bot_id}, as "
            + (
                "options are not traded in a replay"
                if bot.bot_id == options
                else "the data have nothing that it trades"
            )
            for bot in bots_in(self.settings)
            if bot.enabled and bot.bot_id not in played
        )


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    replayed: Replayed
    metrics: Metrics
    regret: Regret


def folder_of(output_dir: Path, seed: int, label: str) -> Path:
    """Where a replay of this seed and label leaves its files: 0007-label."""
    return output_dir / f"{seed:04d}-{label}"


def made_folder(folder: Path) -> None:
    """Make it, or take it if it is empty. Raises `FolderInTheWay`, OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise FolderInTheWay(
            f"{folder}: found files in it; wanted a new folder; give another --label, or move it"
            " away"
        )
    make_private_folder(folder)


def run_replay(
    plan: ReplayPlan,
    *,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Play it and leave its files. See `replayed` for `seen` and `is_stopping`.

    What was stopped on its way leaves the files of what was played until then, and they say so. A
    disk that gets full leaves none. Raises `FolderInTheWay` before anything is made, `NotKept`, and
    what `replayed` raises.
    """
    made_folder(plan.folder)
    try:
        return _kept(plan, seen, is_stopping)
    except (JournalFailed, OSError, apsw.FullError, apsw.IOError) as error:
        shutil.rmtree(plan.folder, ignore_errors=True)
        wanted = (ROOM_BYTES + ROOM_BYTES_A_BAR * plan.data.bars_kept) / MIB
        raise NotKept(
            f"{plan.folder}: the files of the replay cannot be written ({error}), so none"
            f" are left; wanted room for about {wanted:,.0f} MiB; make room, or name another"
            " --output-dir"
        ) from error


def _kept(
    plan: ReplayPlan, seen: Callable[[int], None], is_stopping: Callable[[], bool]
) -> Outcome:
    make_private_folder(plan.folder / LOGS)
    engine = EngineFiles.under(plan.folder, plan.folder / LOGS, LEDGER, JOURNAL)
    begins_at = plan.data.market.begins_at - LEAD
    ledger = Ledger.open(IN_MEMORY, venue=VENUE, at=begins_at)
    try:
        journal = JournalFile.open(engine.journal, at=begins_at, write_behind=True)
        try:
            bundle = _begun(plan, ledger, journal, engine.journal, begins_at)
            done = _replayed(plan.task, ledger, journal, seen, is_stopping)
        finally:
            journal.close()
        ledger.copy_to(engine.ledger)
    finally:
        ledger.close()
    bundle.close()
    HaltMarker.open(engine.halt_marker, at=begins_at, first_start=True).close()
    stopped = stopped_after(plan, done)
    told = (*told_of(plan), *filter(None, [stopped]), *closed_at_the_end(done))
    files.append(plan.folder / files.LOG, "".join(f"{line}\n" for line in told).encode())
    ending = Ending(exit_code=int(ExitCode.CLEAN), how=stopped or "in order")
    close_bundle(plan.folder, engine, ending, with_plots=False, wall_clock=lambda: 0)
    regret = _regret(plan, done)
    files.replace(plan.folder / REGRET, trades_csv(regret))
    facts = structs.replace(facts_of(plan, done), regret=regret.guards)
    metrics = write_outcome(plan.folder, facts, with_sheet=plan.with_sheet)
    return Outcome(replayed=done, metrics=metrics, regret=regret)


def _replayed(
    task: ReplayTask,
    ledger: Ledger,
    journal: JournalFile,
    seen: Callable[[int], None],
    is_stopping: Callable[[], bool],
) -> Replayed:
    """It is no failure of the engine that its journal could not be written."""
    try:
        return replayed(task, ledger=ledger, journal=journal, seen=seen, is_stopping=is_stopping)
    except ReplayFailed as failed:
        unwritten = journal.is_the_file_on_disk()
        if unwritten is not None:
            raise JournalFailed(unwritten) from failed
        raise


def _begun(
    plan: ReplayPlan, ledger: Ledger, journal: JournalFile, path: Path, at: int
) -> BundleWriter:
    """The bundle, with what stands in the ledger before anything is played."""
    account = plan.terms.account
    ledger.bind_account(account, at)
    ledger.engine_started(__version__, plan.settings.digest, at)
    mark = ledger.commit()
    seq = journal.append(
        {
            "ts": at,
            "event": "engine_started",
            "source": "record",
            "version": __version__,
            "configuration": plan.settings.digest,
            "venue": VENUE,
            **fields_of_mark(mark),
        }
    )
    run = RunFacts(
        mode=REPLAY,
        venue=VENUE,
        account=account,
        version=__version__,
        configuration=plan.settings.digest,
        origin=plan.data.market.origin,
        window=Window(begins_at=plan.data.window.start, ends_at=plan.data.window.end),
        data=plan.data.market.digest,
        seed=plan.seed,
        clock="virtual",
        plugins=tuple(str(each) for each in plugins_in_use(plan.settings)),
    )
    provenance = Provenance(
        session=plan.folder.name, run=run, began_at=at, began_wall_at=0, python="", system=""
    )
    files.replace(plan.folder / files.PROVENANCE, origins.encoded(provenance))
    bundle = BundleWriter(plan.folder, provenance, opening_of(ledger, seq), path)
    bundle.begin()
    return bundle


def _regret(plan: ReplayPlan, done: Replayed) -> Regret:
    """What the guards refused of it, by the bars that were played."""
    task = plan.task
    played = structs.replace(task.data, bars=task.data.bars[: done.bars])
    return regret_of(entries_in(plan.folder), structs.replace(task, data=played))


def told_of(plan: ReplayPlan) -> tuple[str, ...]:
    """What is played, for people, a line each."""
    data = plan.data
    missing = f"without a bar in it: {', '.join(data.without_bars)}" if data.without_bars else ""
    window, zone = data.window, data.window.timezone_label
    of_shares, outside = data.of_shares
    bridge = plan.settings.signalbot.bot_id
    lines = (
        "REPLAY: not real money, not real fills",
        f"market: {data.market.origin}; {data.bars_kept:,} of {data.bars_read:,} bars",
        f"window: {window.start_utc} to {window.end_utc}, asked for in {zone}; {data.span.told}",
        missing,
        f"outside of the exchange's sessions: {outside:,} of {of_shares:,} bars of shares;"
        " no bot trades there"
        if outside
        else "",
        f"bots: {', '.join(plan.bots)}",
        *plan.left_out,
        f"{bridge} enters nothing: a replay reads no signals; `run --clock virtual` plays a file of"
        " them"
        if bridge in plan.bots
        else "",
        f"terms: {'; '.join(f'{name} {words}' for name, words in _words_of(plan.terms).items())}",
    )
    return tuple(line for line in lines if line)


def stopped_after(plan: ReplayPlan, done: Replayed) -> str:
    """How far a replay came that was asked to stop, for people; "": it came to its end."""
    there_are = plan.data.bars_kept
    if done.bars == there_are:
        return ""
    return f"stopped after {done.bars:,} of {there_are:,} bars, before the end of the window"


def closed_at_the_end(done: Replayed) -> tuple[str, ...]:
    """Why not all was played that could have been: whom what kept from trading, a line each."""
    return tuple(
        f"trading{_whose(cause)} was {cause.state.name} at the end, since"
        f" {minute(timestamp(cause.since))} UTC: {cause.detail}"
        for cause in done.standing
    )


def _whose(cause: Cause) -> str:
    bot = "" if cause.bot is None else f" of {cause.bot}"
    return bot if cause.symbol is None else f"{bot} in {cause.symbol}"


def facts_of(plan: ReplayPlan, done: Replayed) -> ReplayFacts:
    """What figures and tear sheet are made of: of bars that were not played nothing is known."""
    ended = {"ended": stopped_after(plan, done), "closed": "; ".join(closed_at_the_end(done))}
    return ReplayFacts(
        bars=plan.data.market.bars[: done.bars],
        fills=done.fills,
        starting_cash=plan.terms.starting_cash,
        window=plan.data.window,
        configuration=plan.settings.digest,
        data=plan.data.digests,
        origin=plan.data.market.origin,
        version=__version__,
        seed=plan.seed,
        label=plan.label,
        orders=done.summary.orders,
        bots=plan.bots,
        told=done.summary.trades,
        denials=done.summary.denials,
        terms=(
            *_words_of(plan.terms).items(),
            *((name, words) for name, words in ended.items() if words),
        ),
    )


def _words_of(terms: VenueTerms) -> Mapping[str, str]:
    """The terms that change what is traded, for people."""
    return {
        "slippage": f"{terms.slippage_bps:f} bps of market and stop orders",
        "fee on coins": f"{terms.crypto_fee_bps:f} bps",
    }
