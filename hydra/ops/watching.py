"""What a live run does about its record: a fault halts, an alarm is told, a sync is marked."""

import time
from collections.abc import Callable
from contextlib import suppress

from hydra.actor import MINUTE
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarkerFailed
from hydra.store.record import EngineRecord
from hydra.store.watch import RecordWatch
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.journal import PruneJournal
from messages.record import JournalSynced
from supervisors import paths

SOURCE = "record_watch"
PRUNE_EVERY = 60 * MINUTE


def watch_over(
    record: EngineRecord, files: EngineFiles, runtime: ThreadRuntime, say: Callable[[str], None]
) -> RecordWatch:
    """A watch over the record of this run; not yet started. Raises OSError."""
    disk = runtime.outside("disk")

    def on_fault(code: str, detail: str) -> None:
        halt_for_good(record, runtime, code, detail)
        runtime.log("record_fault", SOURCE, {"code": code, "detail": detail})

    def on_alarm(code: str, detail: str) -> None:
        runtime.log("record_alarm", SOURCE, {"code": code, "detail": detail})
        say(f"ALARM: {detail}")

    def on_synced(seq: int) -> None:
        disk.tell(paths.STATE_PERSISTER, JournalSynced(seq=seq))
        let_go_of_cleared(record, runtime)  # that a halt was cleared is in the journal, too

    return RecordWatch(
        files, record.journal, on_fault=on_fault, on_alarm=on_alarm, on_synced=on_synced
    )


def keep_pruned(runtime: ThreadRuntime) -> None:
    """Have the journal pruned, now and once an hour."""
    clock = runtime.outside("wall_clock")

    def prune() -> None:
        clock.tell(paths.JOURNAL_WRITER, PruneJournal(wall_ns=time.time_ns()))
        runtime.call_later(PRUNE_EVERY, prune)

    prune()


def let_go_of_cleared(record: EngineRecord, runtime: ThreadRuntime) -> None:
    """What the gate has no more was cleared: the marker would have the next start find it again.

    What halts is latched in the gate first, and only then told to the marker.
    """

    def standing() -> frozenset[str]:
        return frozenset(cause.code for cause in runtime.gate.standing())

    with suppress(HaltMarkerFailed):  # the halt stays
        record.halt_marker.keep_only(standing)


def halt_for_good(record: EngineRecord, runtime: ThreadRuntime, code: str, detail: str) -> None:
    """Shut the gate, then have it stay shut over restarts, without the ledger's help (I03)."""
    cause = Cause(
        code=code,
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=runtime.market_time_at(runtime.now()),
        detail=detail,
    )
    runtime.gate.trip(cause)
    with suppress(HaltMarkerFailed):  # then it took itself away, which halts as well
        record.halt_marker.halt(cause)
