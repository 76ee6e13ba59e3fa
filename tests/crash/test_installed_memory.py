"""The installed program when there is next to no memory left for it; and the judge."""

import resource
import sys
import time
from pathlib import Path

import pytest

from hydra.ops.memory_room import MIB
from hydra.trading.causes import MEMORY_SHORT
from tests.crash.installed import SPEED, Installed
from tests.crash.trading import wait_until
from tests.crash.watching import sent_after

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="nobody else tells how much is left"),
]

LEFT = 20 * MIB
NOTICED_WITHIN_S = 3.0


def test_with_next_to_no_memory_left_it_halts_and_sends_nothing_until_it_is_resumed_i01(
    installed: Installed,
) -> None:
    with installed.alive(SPEED) as engine:
        assert wait_until(lambda: bool(installed.sent), engine)
        pages = int(Path(f"/proc/{engine.pid}/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + LEFT
        resource.prlimit(engine.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        limited = time.time()
        assert wait_until(lambda: MEMORY_SHORT.code in installed.halts, engine)

        time.sleep(1.0)  # in which it would send, if it did
        assert "MiB left by this process's limit of address space" in installed.last_said()

    assert sent_after(installed, limited + NOTICED_WITHIN_S) == []
    installed.require_shut_until_resumed()
