"""The strategy mode where no engine runs: what is on record of it, and an operator's choice."""

import apsw

from hydra.ops.control.at_rest import record_at_rest
from hydra.store.engine_files import EngineFiles, is_first_start
from hydra.store.ledger_facts import NoLedger
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.store.schema import require_ours
from hydra.trading.strategy_modes import (
    NOTHING_SAID,
    STRATEGY_MODE,
    ModeWord,
    StrategyMode,
    chosen,
    read,
    written,
)


def mode_on_record(files: EngineFiles) -> ModeWord:
    """What was said last; raises what reading a ledger raises."""
    if is_first_start(files):
        return NOTHING_SAID

    def look(connection: apsw.Connection) -> ModeWord:
        require_ours(connection)
        return read(Records(connection).values().get(STRATEGY_MODE))

    return looked_at(files.ledger, files.lock, look)


def choose_at_rest(
    files: EngineFiles,
    venue: str,
    configured: StrategyMode,
    mode: StrategyMode,
    *,
    reason: str,
    by: str,
    at: int,
) -> ModeWord:
    """Put an operator's choice on record: the next start follows it.

    Raises `NotAllowed`, `NoLedger`, and what `record_at_rest` raises.
    """
    if is_first_start(files):
        raise NoLedger(
            f"{files.ledger}: found no ledger; set modes.selected in bots.yaml, which the first"
            " start follows"
        )
    with record_at_rest(files, venue, at, "mode") as record:
        before = read(record.ledger.get(STRATEGY_MODE))
        word = chosen(configured, before, mode, reason=reason, by=by, at=at)
        record.ledger.put(STRATEGY_MODE, written(word), at)
        record.commit(
            {
                "ts": at,
                "event": "control_mode",
                "source": "control",
                "mode": mode.value,
                "reason": reason,
                "by": by,
            }
        )
    return word
