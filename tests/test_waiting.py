"""How tests take the time."""

import os
import signal
import subprocess
import time

from tests.waiting import Timed


def stand_still(for_s: float) -> None:
    """This whole process, as on a machine that gives it no turn."""
    script = f"sleep {for_s}; kill -CONT {os.getpid()}"
    with subprocess.Popen(["/bin/sh", "-c", script]):
        os.kill(os.getpid(), signal.SIGSTOP)


def time_of_a_sleep(for_s: float) -> float:
    with Timed() as timed:
        time.sleep(for_s)  # real time is what is measured
    return timed.took_s


def test_what_waits_is_timed() -> None:
    assert any(0.2 < time_of_a_sleep(0.3) < 0.4 for _ in range(5))  # the machine may stand still


def test_a_standstill_of_the_process_is_not_timed() -> None:
    began = time.monotonic()
    with Timed() as timed:
        # It waits, stands still, and waits again: what waits is slept, in real time.
        time.sleep(0.05)
        stand_still(0.6)
        time.sleep(0.05)

    assert time.monotonic() - began > 0.6
    assert timed.took_s < 0.4
