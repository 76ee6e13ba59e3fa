import signal
import subprocess
import sys
from collections.abc import Iterator
from time import monotonic, sleep

import psutil
import pytest

from hydra.ops.bench.loopback import Broker, broker
from hydra.ops.bench.memory import PROJECT
from hydra.ops.bench.rows import CouldNotMeasure


def speaking(script: str) -> "subprocess.Popen[bytes]":
    """A process that is started as the broker is, and says something else."""
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes that are gone afterwards."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_both_processes_read_one_clock() -> None:
    with broker("accept") as running:
        running.require_one_clock()


@pytest.mark.parametrize("moment", [0, 1 << 62])
def test_a_clock_of_its_own_is_refused(
    moment: int, started: list["subprocess.Popen[bytes]"]
) -> None:
    started.append(speaking(f"print([1, 2, 3], flush=True); input(); print({moment}, flush=True)"))
    running = Broker(started[0])

    with pytest.raises(CouldNotMeasure, match=f"another process says {moment}, wanted "):
        running.require_one_clock()


def test_a_broker_that_does_not_start_is_said_to_be_the_reason(
    started: list["subprocess.Popen[bytes]"],
) -> None:
    started.append(speaking("raise SystemExit('no port is free')"))

    with pytest.raises(CouldNotMeasure, match="the broker has ended: no port is free"):
        Broker(started[0])


def test_a_broker_that_ends_meanwhile_is_said_to_be_the_reason() -> None:
    with (
        pytest.raises(CouldNotMeasure, match=r"the broker has ended: .*nobody has connected"),
        broker("accept") as running,
    ):
        running.flood(1_000.0, 1, 1)


def test_it_is_gone_whatever_happened_to_whoever_started_it() -> None:
    processes = []

    def fail() -> None:
        with broker("accept") as running:
            processes.append(running.process)
            assert running.process.poll() is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert processes[0].poll() == 0


def test_it_ends_by_itself_when_whoever_started_it_is_killed() -> None:
    starter = (
        "import os; from hydra.ops.bench.loopback import broker\n"
        "with broker('accept') as running:\n"
        "    print(running.process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", starter],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        timeout=30,
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    assert has_ended(int(killed.stdout), within_s=10.0)


def has_ended(pid: int, within_s: float) -> bool:
    """Whether the process is gone, or only waits for its exit code to be asked for."""
    give_up_at = monotonic() + within_s
    while monotonic() < give_up_at:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        sleep(0.01)
    return False
