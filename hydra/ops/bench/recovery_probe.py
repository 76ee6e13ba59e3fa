"""Run in a process of its own by `recovery`: builds a long ledger and dies, or starts on one.

`python -m hydra.ops.bench.recovery_probe build FOLDER EVENTS`, then `… start FOLDER CONFIG`.
"""

import os
import signal
import sys
from datetime import date, timedelta
from pathlib import Path

from hydra.ops.bench.durable import EVENTS_AN_ORDER, accepted, filled, order
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner

VENUE = "bench"
"""One whose record goes on, as that of paper and live does."""
GROUP = 64
ORDERS_A_DAY = 200
"""A long ledger is one of many days; that of the newest session is read whole at a start."""
FIRST_DAY = date(2024, 1, 1)


def files_in(folder: Path) -> EngineFiles:
    """Where the probe keeps its record."""
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")


def build(folder: Path, events: int) -> None:
    """A ledger of so many events, with its journal; then die by kill −9, as if trading."""
    record = EngineRecord.open(files_in(folder), _owner("build"))
    for signal_number in range(events // EVENTS_AN_ORDER):
        one = order(signal_number, FIRST_DAY + timedelta(signal_number // ORDERS_A_DAY))
        record.ledger.record_intent(one, 0)
        record.ledger.record_report(accepted(one), 0)
        record.ledger.record_report(filled(one), 0)
        if signal_number % GROUP == 0:
            mark = record.ledger.commit()
            record.journal.append(
                {
                    "ts": 0,
                    "event": "ledger_committed",
                    "ledger_seq": mark.seq,
                    "ledger_chain": mark.chain,
                    "records": GROUP,
                }
            )
    record.ledger.commit()
    os.kill(os.getpid(), signal.SIGKILL)


def start(folder: Path, config: Path) -> None:
    """The engine on that record, as `python -m hydra.main` starts it, until it is killed."""
    from hydra.ops.run import play_session
    from hydra.ops.session import RunOptions
    from hydra.settings import load_settings
    from hydra.terms import fault_in_signal
    from hydra.venues.simulated.market_data import generated

    settings = load_settings(config, signal_check=fault_in_signal)
    files = files_in(folder)
    symbols = tuple(sorted({bot.ticker for bot in settings.momentum_bots if bot.enabled}))
    data = generated(symbols, 0, folder / "cache")
    record = EngineRecord.open(files, _owner(settings.digest))
    with Path(os.devnull).open("w") as nowhere:
        options = RunOptions(seed=0, speed=1.0, dry_run=True)
        play_session(settings, data, files, options, record, nowhere)


def _owner(configuration: str) -> Owner:
    return Owner(venue=VENUE, account=None, version="0", configuration=configuration, at=0)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        start(Path(sys.argv[2]), Path(sys.argv[3]))
