"""What an engine leaves when it ends, in order or not, and what the next start finds."""

from pathlib import Path

import msgspec
from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
from hydra.store.record import EngineRecord, Owner
from hydra.trading.trading_state import Cause
from messages.control import OPERATOR_RESUME, Resume
from tests.ops.control.engines import files_in

AT = 1_700_000_000_000_000_000
VENUE = "embedded"
OWNER = Owner(venue=VENUE, account="PA-TEST", version="0.1.0", configuration="digest", at=AT)


def begun(files: EngineFiles, venue: str = VENUE, command: str | None = None) -> EngineRecord:
    """An engine's record, as it has it while it runs; or a command that takes it up at rest."""
    return EngineRecord.open(files, structs.replace(OWNER, venue=venue), command=command)


def lived(folder: Path, *causes: Cause, in_order: bool = True, venue: str = VENUE) -> EngineFiles:
    """The files of an engine that ended, and left these causes on record."""
    files = files_in(folder)
    record = begun(files, venue)
    for cause in causes:
        record.ledger.latch_halt(cause, AT)
    record.ledger.commit()
    if in_order:
        record.end("done", AT)
    record.close()
    return files


def lose_the_journal_of(files: EngineFiles) -> None:
    """Its lines are gone, as if somebody had begun it anew."""
    files.journal.write_bytes(b"")


class OnRecord(msgspec.Struct, frozen=True):
    """What the next start finds."""

    halts: tuple[Cause, ...]
    word: str | None
    unclean_end: bool

    @property
    def resume(self) -> Resume:
        assert self.word is not None
        return msgspec.json.decode(self.word, type=Resume)


def on_record(files: EngineFiles) -> OnRecord:
    ledger = Ledger.open(files.ledger, venue=VENUE, at=AT)
    try:
        return OnRecord(ledger.halts(), ledger.get(OPERATOR_RESUME), ledger.unclean_end)
    finally:
        ledger.close()
