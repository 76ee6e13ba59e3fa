"""What a day's engine runs on, and what goes wrong with that: its disk, and its power.

The ledger's files are on a disk of `hydra.testkit.disk`; what else the engine writes is on the real
one, and keeps what was written to it when power goes, as it may.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.proving.plan import DiskFails, JournalFails, PowerFails
from hydra.store.engine_files import EngineFiles
from hydra.testkit.disk.descriptors import put_in_place_of
from hydra.testkit.disk.failing import Disk, Failure, Fault, disk_in_use
from hydra.testkit.disk.log import DiskLog
from hydra.testkit.disk.power_cut import Image, Style, image_at

SHARED_MEMORY = "-shm"
"""How the name of SQLite's ends: it dies with power."""
FULL_DEVICE = Path("/dev/full")
"""It takes nothing that is written to it, as a full disk."""


class Machine:
    """See the module. What fails is good again when it is told so."""

    def __init__(self, files: EngineFiles, disk: Disk) -> None:
        self._files = files
        self._disk = disk
        self._hits_seen = 0

    @classmethod
    @contextmanager
    def of(cls, files: EngineFiles) -> Iterator[Machine]:
        """Whatever opens a ledger within this opens it on this machine's disk."""
        with disk_in_use(DiskLog(files.ledger.parent)) as disk:
            yield cls(files, disk)

    def begins(self) -> None:
        """A process begins: what there is of the ledger has long been on the platter."""
        self._hits_seen = self._disk.hits
        found = {
            path.name: path.read_bytes()
            for path in self._ledger_files()
            if not path.name.endswith(SHARED_MEMORY)
        }
        self._disk.log = DiskLog(self._files.ledger.parent, found)

    def fail(self, act: DiskFails) -> None:
        """The ledger's disk does."""
        self._hits_seen = 0
        self._disk.fail(Fault(act.call, Failure[act.failure], act.number, lasting=act.lasting))

    def mend(self) -> None:
        """It works again."""
        self._disk.heal()

    def has_refused(self) -> bool:
        """Whether the disk did, since this was asked last."""
        before, self._hits_seen = self._hits_seen, self._disk.hits
        return self._hits_seen > before

    def fail_journal(self, act: JournalFails) -> None:
        """What this process writes to the journal from here on does not go in."""
        match act.how:
            case "full":
                other = os.open(FULL_DEVICE, os.O_RDWR)
            case how:
                assert how == "read-only", "one of JOURNAL_FAILURES"
                other = os.open(self._files.journal, os.O_RDONLY)
        put_in_place_of(self._files.journal, other)

    def power_fails(self, act: PowerFails) -> Image:
        """What will be found of the ledger when power is back."""
        return image_at(self._disk.log, style=Style[act.style], rng=random.Random(act.at))

    def power_is_back(self, image: Image) -> None:
        """To be called when the process is gone."""
        for path in self._ledger_files():
            path.unlink()
        for name, content in image.files.items():
            path = self._files.ledger.parent / name
            path.write_bytes(content)
            path.chmod(0o600)

    def _ledger_files(self) -> list[Path]:
        ledger = self._files.ledger
        return [path for path in sorted(ledger.parent.glob(f"{ledger.name}*")) if path.is_file()]
