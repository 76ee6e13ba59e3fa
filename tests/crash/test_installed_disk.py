"""The installed program when its disk is full, by the system's own doing; and the judge.

Nothing may be sent off the record, and nothing once the engine knows. What it could still write
down stands, and once there is room an operator lets it go on. The sleeps are the drawn instants:
nothing is waited for.
"""

import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.venues.simulated.market_data import MarketData
from tests.crash.installed import SPEED, Installed
from tests.crash.lives import WITHIN_S
from tests.crash.small_disk import SmallDisk, small_disk
from tests.crash.trading import SHORT_COOL_OFFS, wait_until
from tests.crash.watching import sent_after

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="loop devices and prlimit are Linux's"),
]

MIB = 700
"""More than what the engine wants to be free, or it would not begin."""
INODES = 2_000
NOTICED_WITHIN_S = 20.0
"""Of a disk that is full, by its watch if by no write of its own before."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "image", tmp_path / "disk", mib=MIB, inodes=INODES) as made:
        yield made


@pytest.fixture
def on_disk(disk: SmallDisk, served: MarketData, calendar: Path) -> Installed:
    """All that the program keeps is on the small disk, its venue's account too."""
    home = disk.folder / "home"
    home.mkdir()
    return Installed(home, served, calendar, settings=SHORT_COOL_OFFS)


@pytest.mark.parametrize("seed", range(3))
def test_a_disk_that_gets_full_halts_it_and_nothing_is_sent_off_the_record_i02_i14_i56(
    seed: int, disk: SmallDisk, on_disk: Installed
) -> None:
    dice = random.Random(seed)
    with on_disk.alive(SPEED) as engine:
        assert wait_until(lambda: bool(on_disk.sent), engine)
        time.sleep(dice.random())
        disk.fill()
        full = time.time()
        code = engine.wait(timeout=WITHIN_S)
    disk.free()

    assert code in (ExitCode.FAIL_CLOSED, ExitCode.CLEAN), on_disk.last_said()
    assert sent_after(on_disk, full + NOTICED_WITHIN_S) == []
    on_disk.require_shut_until_resumed()


def test_a_full_table_of_inodes_loses_nothing_i56_i65(disk: SmallDisk, on_disk: Installed) -> None:
    with on_disk.alive(SPEED) as engine:
        assert wait_until(lambda: bool(on_disk.sent), engine)
        disk.take_all_names()
        time.sleep(2.0)
        assert on_disk.does("halt", "--reason", "no inodes") == ExitCode.CLEAN
        engine.kill()
    halted, sent = set(on_disk.halts), on_disk.sent

    # Nobody can make a file, but what is on record is obeyed.
    assert on_disk.does("run", "--speed", str(SPEED)) in (
        ExitCode.PREFLIGHT_FAILED,
        ExitCode.DURABILITY_REFUSED,
    )
    disk.free()
    assert "operator-halt" in halted
    assert on_disk.sent == sent
    on_disk.require_shut_until_resumed()


@pytest.mark.parametrize("room", [0, 1, 4_096, 30_000])
def test_a_file_size_limit_that_is_reached_halts_it_and_nothing_is_sent_off_the_record_i14_i56_i65(
    room: int, installed: Installed
) -> None:
    with installed.alive(SPEED) as engine:
        assert wait_until(lambda: bool(installed.sent), engine)
        files = installed.files
        written = (files.journal, files.ledger.with_name(f"{files.ledger.name}-wal"))
        longest = max(path.stat().st_size for path in written)
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (longest + room, longest + room))
        code = engine.wait(timeout=WITHIN_S)

    assert code == ExitCode.FAIL_CLOSED, installed.last_said()
    installed.require_shut_until_resumed()
