"""Power goes at any moment, and takes with it whatever was not synced, or only a part of that."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import apsw
import pytest

from hydra.ports import LedgerMark
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import JournalDamaged, JournalFile, read_journal
from hydra.testkit.disk.failing import Disk, disk_in_use
from hydra.testkit.disk.log import DiskLog, contents_of
from hydra.testkit.disk.power_cut import ORDERED, Image, Style, images
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state
from tests.faults.ledger_life import CHECKPOINT_PAGES, NEVER, Life, recorded_life, reopened
from tests.faults.system_calls import RecordedCalls
from tests.store.orders import AT

JOURNAL = "app.jsonl"

Record: TypeAlias = dict[str, object]


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Where an image is laid out; one after the other in the same folder."""
    return tmp_path / "found"


@pytest.fixture
def disk(found: Path) -> Iterator[Disk]:
    with disk_in_use(DiskLog(found)) as disk:
        yield disk


def require_nothing_lost(
    life: Life, log: DiskLog, disk: Disk, found: Path, *, seed: int, count: int
) -> int:
    """Recover from `count` images; gives from how many different ones that was."""
    checked = 0
    for image in images(log, seed, count):
        image.lay_out(found)
        ledger = reopened(disk, found)
        life.require_part_of_it(ledger, image.acknowledged)
        ledger.close()
        checked += 1
    return checked


def require_recovery_can_be_cut(
    life: Life, image: Image, disk: Disk, found: Path, *, seed: int, times: int
) -> None:
    """Cut power in the recovery, in the recovery from that, and so on: it ends as if never cut."""
    rng = random.Random(seed)
    image.lay_out(found)
    ledger = reopened(disk, found)
    undisturbed = ledger.mark, ledger.state_hash()
    ledger.close()
    for _ in range(times):
        image.lay_out(found)
        reopened(disk, found).close()
        (image,) = images(disk.log, rng.randrange(2**32), 1)

    image.lay_out(found)
    ledger = reopened(disk, found)
    assert (ledger.mark, ledger.state_hash()) == undisturbed
    life.require_part_of_it(ledger, image.acknowledged)
    ledger.close()


def test_nothing_acknowledged_is_lost_in_a_power_cut_i53_i55(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    life, log = recorded_life(tmp_path / "life")

    assert require_nothing_lost(life, log, disk, found, seed=1, count=150) == 150


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("sessions", "rounds", "checkpoint_pages"),
    [(3, 6, CHECKPOINT_PAGES), (2, 8, 8), (4, 3, 64), (2, 6, NEVER)],
)
def test_nothing_acknowledged_is_lost_in_thousands_of_power_cuts_i53_i55(
    tmp_path: Path, disk: Disk, found: Path, sessions: int, rounds: int, checkpoint_pages: int
) -> None:
    life, log = recorded_life(
        tmp_path / "life", sessions=sessions, rounds=rounds, checkpoint_pages=checkpoint_pages
    )

    assert require_nothing_lost(life, log, disk, found, seed=sessions, count=5_000) == 5_000


def test_the_same_power_cuts_lose_what_was_not_synced(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    def sync_less(connection: apsw.Connection) -> None:
        connection.pragma("synchronous", "NORMAL")

    _, log = recorded_life(tmp_path / "life", prepare=sync_less)

    missing = []
    for image in images(log, 1, 100):
        image.lay_out(found)
        ledger = reopened(disk, found)
        missing.append(max(0, image.acknowledged - ledger.mark.seq))
        ledger.close()

    assert sum(lost > 0 for lost in missing) > 30
    assert max(missing) > 10


def test_recovery_of_the_ledger_goes_on_where_power_was_cut_i59(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    life, log = recorded_life(tmp_path / "life")

    for seed, image in enumerate(images(log, 2, 12)):
        require_recovery_can_be_cut(life, image, disk, found, seed=seed, times=5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_recovery_of_the_ledger_goes_on_however_often_power_was_cut_i59(
    tmp_path: Path, disk: Disk, found: Path
) -> None:
    life, log = recorded_life(tmp_path / "life", sessions=3)

    for seed, image in enumerate(images(log, 3, 200)):
        require_recovery_can_be_cut(life, image, disk, found, seed=seed, times=50)


FILE_BYTES_MAX = 6_000
"""So few that the journal begins new files all the time."""


def recorded_journal(root: Path, *, sessions: int = 2) -> tuple[list[Record], DiskLog]:
    """Write a journal, syncing now and then: its lines, and all that the disk was asked to do."""
    log = DiskLog(root)
    rng = random.Random(0)
    with RecordedCalls(log).in_use():
        for session in range(1, sessions + 1):
            # The last one is not closed: nobody is there to do it when power goes.
            journal = opened_journal(log.root)
            log.acknowledge(journal.synced_seq)
            for number in range(30):
                text = "x" * rng.choice((1, 50, 300, 1_500))
                mark = LedgerMark(session * 100 + number, f"{number:064x}")
                marked = {"ledger_seq": mark.seq, "ledger_chain": mark.chain}
                journal.append(
                    {"ts": AT, "event": "said", "text": text, **(marked if number % 7 == 0 else {})}
                )
                if rng.random() < 0.2:
                    journal.sync()
                    log.acknowledge(journal.synced_seq)
            if session < sessions:
                journal.close()
                log.acknowledge(journal.synced_seq)
    return list(read_journal(root / JOURNAL)), log


def opened_journal(folder: Path) -> JournalFile:
    return JournalFile.open(folder / JOURNAL, at=AT, file_bytes_max=FILE_BYTES_MAX)


def require_journal_goes_on(lines: list[Record], image: Image, found: Path) -> None:
    """What was synced is there, and what is new comes right behind what is there."""
    journal = opened_journal(found)
    last = journal.append({"ts": AT, "event": "went_on"})
    journal.close()
    there = list(read_journal(found / JOURNAL))
    old = [record for record in there if record["event"] == "said"]
    assert old == [record for record in lines if record["event"] == "said"][: len(old)]
    assert lines[: image.acknowledged] == there[: image.acknowledged]
    assert (there[-1]["event"], there[-1]["seq"]) == ("went_on", last)


IN_BOTH_SUITES = pytest.mark.parametrize(
    "count", [80, pytest.param(2_000, marks=(pytest.mark.slow, pytest.mark.timeout(600)))]
)
"""How many images: a few each time, many in the slow suite."""


@IN_BOTH_SUITES
def test_a_journal_goes_on_after_a_power_cut_with_all_that_was_synced_i53_i63(
    tmp_path: Path, found: Path, count: int
) -> None:
    lines, log = recorded_journal(tmp_path / "life")

    with RecordedCalls(DiskLog(found)).in_use():
        for image in images(log, 4, count, styles=ORDERED):
            image.lay_out(found)
            require_journal_goes_on(lines, image, found)


@IN_BOTH_SUITES
def test_a_journal_with_holes_goes_on_or_is_left_as_it_is_i53_i63(
    tmp_path: Path, found: Path, count: int
) -> None:
    lines, log = recorded_journal(tmp_path / "life")
    refused = 0

    with RecordedCalls(DiskLog(found)).in_use():
        for image in images(log, 5, count, styles=(Style.REORDERED, Style.TORN)):
            image.lay_out(found)
            try:
                require_journal_goes_on(lines, image, found)
            except JournalDamaged:
                refused += 1
                assert contents_of(found) == image.files

    assert refused > 0


@IN_BOTH_SUITES
def test_a_journal_goes_on_where_power_was_cut_as_it_was_opened_i59_i63(
    tmp_path: Path, found: Path, count: int
) -> None:
    lines, log = recorded_journal(tmp_path / "life")
    rng = random.Random(6)

    for image in images(log, 6, count // 8, styles=ORDERED):
        again = image
        for _ in range(4):
            again.lay_out(found)
            opening = DiskLog.of(found)
            with RecordedCalls(opening).in_use():
                opened_journal(found).close()
            (again,) = images(opening, rng.randrange(2**32), 1, styles=ORDERED)
        again.lay_out(found)
        require_journal_goes_on(lines, replace(again, acknowledged=image.acknowledged), found)


MARKER = "halt.marker"
EVER_WORSE = (
    Cause(
        code="daily_loss",
        cause_class=CauseClass.LIMIT,
        state=TradingState.CLOSE_ONLY,
        since=AT,
        detail="lost 500 of 10000 USD",
    ),
    Cause(
        code="ledger_failed",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=AT,
        detail="database or disk is full",
    ),
)


def test_a_halt_in_the_marker_outlives_a_power_cut_i03_i53(tmp_path: Path, found: Path) -> None:
    log = DiskLog(tmp_path / "life")
    with RecordedCalls(log).in_use():
        marker = HaltMarker.open(log.root / MARKER, at=AT, first_start=True)
        for number, cause in enumerate(EVER_WORSE, 1):
            marker.halt(cause)
            log.acknowledge(number)

    for image in images(log, 7, 60):
        image.lay_out(found)
        after = HaltMarker.open(found / MARKER, at=AT, first_start=False)
        found_out = effective_state([] if after.standing is None else [after.standing])
        said = effective_state(EVER_WORSE[: image.acknowledged])
        assert found_out.severity >= said.severity
        after.close()
