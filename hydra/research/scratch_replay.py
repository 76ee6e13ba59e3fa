"""A replay whose record is only read: a ledger in memory, a journal that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hydra.ops.artefacts.following import JournalTail
from hydra.ops.artefacts.story import Line
from hydra.ops.embedded import LEAD
from hydra.research.replaying import VENUE, Replayed, ReplayTask, replayed
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.store.tables import OrderRecord
from hydra.trading.sub_ledgers import BotInventory, SubLedger


class ScratchReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, and what its record said: `story` is of the journal, the rest the ledger's.

    `orders` are in the order of recording; `held` is empty of what was closed.
    """

    replayed: Replayed
    story: tuple[Line, ...]
    orders: tuple[OrderRecord, ...]
    held: tuple[BotInventory, ...]
    money: tuple[SubLedger, ...]


def scratch_replay(
    task: ReplayTask, *, is_stopping: Callable[[], bool] = lambda: False
) -> ScratchReplay:
    """Play the task; nothing of it is left on the disk.

    See `replayed` for `is_stopping`, and what is raised.
    """
    with tempfile.TemporaryDirectory(prefix="hydra-replay-") as folder, _ledger_of(task) as ledger:
        path = Path(folder) / "app.jsonl"
        journal = JournalFile.open(path, at=task.data.begins_at - LEAD, write_behind=True)
        try:
            done = replayed(task, ledger=ledger, journal=journal, is_stopping=is_stopping)
        finally:
            journal.close()
        return ScratchReplay(
            replayed=done,
            story=_story_in(path),
            orders=ledger.orders(),
            held=tuple(each for each in ledger.inventories() if each.inventory.lots),
            money=ledger.sub_ledgers(),
        )


def unwritten_replay(
    task: ReplayTask,
    *,
    seen: Callable[[int], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Play the task without a journal: for whoever wants to know what came of it and not why.

    See `replayed` for `seen`, `is_stopping`, and what is raised.
    """
    with _ledger_of(task) as ledger:
        journal = _Unwritten()
        return replayed(task, ledger=ledger, journal=journal, seen=seen, is_stopping=is_stopping)


class _Unwritten:
    """A journal that keeps nothing but count."""

    def __init__(self) -> None:
        self._lines = 0

    def append(self, _record: Mapping[str, object]) -> int:
        self._lines += 1
        return self._lines

    def prune(self, *, at: int, wall_ns: int) -> int:
        return 0

    def close(self) -> None:
        """There is nothing to close."""


@contextmanager
def _ledger_of(task: ReplayTask) -> Iterator[Ledger]:
    ledger = Ledger.open(IN_MEMORY, venue=VENUE, at=task.data.begins_at - LEAD)
    try:
        yield ledger
    finally:
        ledger.close()


def _story_in(journal: Path) -> tuple[Line, ...]:
    tail = JournalTail(journal, first_seq=1)
    try:
        lines: list[Line] = []
        while True:
            before = tail.next_seq
            lines += tail.read()
            if tail.next_seq == before:
                assert not tail.unreadable, "we wrote it just now"
                return tuple(lines)
    finally:
        tail.close()
