"""Whole records, ledger and journal and marker, as engines leave them when they end or are killed.

Run as a module it is such an engine: `python -m tests.store.records FOLDER`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from hydra.ports import LedgerMark
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import FILE_BYTES_MAX, JournalFile
from hydra.store.ledger import Ledger
from messages.orders import OrderAccepted
from tests.store.orders import AT, approved, decision, filled

ROOT = Path(__file__).resolve().parents[2]
VENUE = "paper"
SMALL = 900
"""So few bytes that a journal has many files."""


def files_in(folder: Path) -> EngineFiles:
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")


class Life:
    """An engine's work on its record: every order has three commits, each with its mark."""

    def __init__(self, files: EngineFiles, *, file_bytes_max: int = FILE_BYTES_MAX) -> None:
        self.ledger = Ledger.open(files.ledger, venue=VENUE, at=AT)
        self.journal = JournalFile.open(files.journal, at=AT, file_bytes_max=file_bytes_max)
        is_first = self.ledger.engine is None
        self.ledger.bind_account("PA-1", AT)
        self.ledger.engine_started("1.0.0", "digest", AT)
        self.commit()
        HaltMarker.open(files.halt_marker, at=AT, first_start=is_first).close()

    def trade(self, first: int, count: int) -> None:
        for signal_number in range(first, first + count):
            one = approved(decision(signal=signal_number))
            name = one.order.client_order_id
            self.ledger.record_intent(one, AT)
            self.commit()
            self.ledger.record_report(
                OrderAccepted(client_order_id=name, venue_order_id=f"venue-{name}", at=AT), AT
            )
            self.ledger.put("watermark", str(signal_number), AT)
            self.commit()
            self.ledger.record_report(filled(one.order, "10", f"{name}-1", price=PRICE), AT)
            self.ledger.mark_journal(self.journal.synced_seq, AT)
            self.commit()
            self.journal.sync()

    def commit(self) -> None:
        mark = self.ledger.commit()
        self.journal.append(line_with(mark))

    def end(self) -> None:
        self.journal.sync()
        self.ledger.mark_journal(self.journal.synced_seq, AT)
        self.ledger.engine_stopped("done", AT)
        self.commit()
        self.close()

    def close(self) -> None:
        self.journal.close()
        self.ledger.close()


PRICE = Decimal("187.30")


def line_with(mark: LedgerMark) -> dict[str, object]:
    return {
        "ts": AT,
        "event": "ledger_committed",
        "ledger_seq": mark.seq,
        "ledger_chain": mark.chain,
    }


def lived(files: EngineFiles, *, first: int = 1, orders: int = 6, size: int = SMALL) -> EngineFiles:
    """One life that ended in order."""
    life = Life(files, file_bytes_max=size)
    life.trade(first, orders)
    life.end()
    return files


def killed(files: EngineFiles, *, orders: int = 6) -> EngineFiles:
    """One life that was ended from outside, with everything still in SQLite's log."""
    ended = subprocess.run(
        [sys.executable, "-m", __name__, str(files.ledger.parent.parent), str(orders)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        timeout=50,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    return files


@contextmanager
def at_work(files: EngineFiles) -> Iterator[Callable[[int], None]]:
    """An engine in another process. What is given sets it to trade so many orders more, and does
    not wait for it: so it is at work, and its ledger does not outgrow a slow machine.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(files.ledger.parent.parent), "as told"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    told = process.stdin

    def trade(orders: int) -> None:
        told.write(f"{orders}\n")
        told.flush()

    try:
        trade(1)
        assert process.stdout.readline() == "trading\n"
        yield trade
        assert process.poll() is None, "it should have lived until now"
    finally:
        process.kill()
        process.communicate(timeout=50)


def contents(files: EngineFiles, *, without: str = "-shm") -> dict[Path, bytes]:
    """Every file of the record, but for what SQLite's processes share."""
    folders = (files.ledger.parent, files.journal.parent)
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(without)
    }


def _main(folder: Path, orders: str) -> None:
    life = Life(files_in(folder), file_bytes_max=64 * SMALL)
    if orders != "as told":
        life.trade(1, int(orders))
        os.kill(os.getpid(), signal.SIGKILL)
    first = 1
    for line in sys.stdin:
        life.trade(first, int(line))
        if first == 1:
            sys.stdout.write("trading\n")
            sys.stdout.flush()
        first += int(line)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
