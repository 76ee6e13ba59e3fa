"""How a run ends on record, however it was played."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hydra.crash_points import reached
from hydra.ops.broker_account import NoAccount
from hydra.ops.embedded import MARKET, OVER
from hydra.ops.ending import LastResort, StopSignals
from hydra.ops.exit_codes import ExitCode
from hydra.settings import Settings
from hydra.store.record import EngineRecord
from hydra.terms import clearing_policy


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended, at which market time, and whether there is nothing left to play."""

    code: ExitCode
    at: int
    is_market_over: bool = False


def played(
    record: EngineRecord,
    settings: Settings,
    began_at: int,
    play: Callable[[], Played],
    last_resort: LastResort,
) -> ExitCode:
    """Play it, and have on record how it ended; the record is closed in any case.

    `began_at` is market time. Passes `NoAccount` on: a start that was refused is no crash.
    Whoever was asked to stop has what is left of that time for a report; else it takes its time.
    """
    was_asked = False
    try:
        # Whoever asks before there is a session, or after it, must not make a crash of the run.
        with StopSignals(last_resort.arm):
            needs_person = clearing_policy(settings).operator_only
            record.after_unclean_end(needs_person=needs_person, at=began_at)
            try:
                ended = play()
            except NoAccount as refused:
                if not record.ended_unclean:  # else that is still to be seen to (I75)
                    record.end(str(refused), began_at)
                raise
            was_asked = last_resort.is_armed
            last_resort.arm()  # a disk that does not answer must not keep the process either
            reached("run.played")
            if ended.code is not ExitCode.FAIL_CLOSED:
                if ended.is_market_over:
                    record.ledger.put(MARKET, OVER, ended.at)
                record.end(f"exit code {int(ended.code)}", ended.at)
            last_resort.settle(ended.code)
            return ended.code
    finally:
        record.close()
        if not was_asked:
            last_resort.disarm()
