"""Run in a process of its own by `recovery`: builds a long ledger and dies, or starts on one.

`python -m hydra.ops.bench.recovery_probe build FOLDER EVENTS`, then `… start FOLDER CONFIG`.
"""

import os
import signal
import sys
from datetime import date, timedelta
from pathlib import Path

from hydra.ops.loading import loading
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.trading.durations import SECOND

VENUE = "bench"
"""One whose record goes on, as that of paper and live does."""
GROUP = 64
ORDERS_A_DAY = 200
"""A long ledger is one of many days; that of the newest session is read whole at a start."""
FIRST_DAY = date(2024, 1, 1)
NOBODY = "http://127.0.0.1:1"


def files_in(folder: Path) -> EngineFiles:
    """Where the probe keeps its record."""
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")


def build(folder: Path, events: int) -> None:
    """A ledger of so many events, with its journal; then die by kill −9, as if trading."""
    # Not loaded where an engine starts: none has it.
    from hydra.ops.bench.durable import EVENTS_AN_ORDER, accepted, filled, order

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
    """The engine on that record, as a run on paper starts it, until it is killed. The network is
    left out: nobody answers at the broker's address.
    """
    with loading():
        from hydra.ops.broker_market import BrokerMarket
        from hydra.ops.ending import LastResort
        from hydra.ops.live_session import play_live
        from hydra.ops.session import RunMarket, RunOptions, Session
        from hydra.plugins import fault_in_signal
        from hydra.runtime.clock import WallClock, machine_time
        from hydra.settings import load_settings
        from hydra.settings.secret import Secret
        from hydra.venues.alpaca.access import Access, local_addresses
        from hydra.venues.alpaca.network import Network
        from hydra.venues.simulated.market_data import generated

    settings = load_settings(config, signal_check=fault_in_signal)
    files, clock = files_in(folder), WallClock()
    symbols = tuple(sorted({bot.ticker for bot in settings.momentum_bots if bot.enabled}))
    data = generated(symbols, 0, folder / "cache")
    record = EngineRecord.open(files, _owner(settings.digest))
    access = Access(
        local_addresses(NOBODY), Secret("HYDRA-bench"), Secret("-"), Network(loopback_only=True)
    )
    market = RunMarket(
        mode=VENUE,
        account=VENUE,
        facts=data,
        at=clock.at(machine_time()),
        ends_at=None,
        said_first=(),
    )
    options = RunOptions(seed=0, speed=1.0, dry_run=True)
    with Path(os.devnull).open("w") as nowhere:
        session = Session(settings, files, options, record, market, nowhere, LastResort())
        play_live(session, BrokerMarket(access, data, clock, price_age_max=SECOND))


def _owner(configuration: str) -> Owner:
    return Owner(venue=VENUE, account=None, version="0", configuration=configuration, at=0)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        start(Path(sys.argv[2]), Path(sys.argv[3]))
