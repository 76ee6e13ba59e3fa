"""How a process ends from outside. Each is one of its own: a signal would end the tests as well."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HANGS = """
import os, signal, sys, threading
from hydra.ops.ending import StopSignals

said = threading.Semaphore(0)
at = [0.0]
at_hand = dict(now=lambda: at[0])

def asked():
    print("asked to stop", flush=True)
    said.release()

def ask(requests):
    for number, request in enumerate(requests):
        at[0] += number
        for name in request.split("+"):
            os.kill(os.getpid(), getattr(signal, name))
        said.acquire(timeout=20)

"""
ONE = """
with StopSignals(asked, **at_hand):
    ask(sys.argv[1:])
    print("goes on", flush=True)
"""
ONE_WITHIN_ANOTHER = """
def asked_first():
    print("asked before", flush=True)
    said.release()

with StopSignals(asked_first, **at_hand):
    ask(sys.argv[1:2])
    with StopSignals(asked, **at_hand):
        said.acquire(timeout=20)
        at[0] += 1
        ask(sys.argv[2:])
        print("goes on", flush=True)
"""


def process_of(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script run to its end."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("signals", "code", "said"),
    [
        (["SIGTERM"], 0, ["asked to stop", "goes on"]),
        (["SIGTERM", "SIGTERM"], 128 + signal.SIGTERM, ["asked to stop"]),
        (["SIGTERM", "SIGINT"], 128 + signal.SIGINT, ["asked to stop"]),
        (["SIGHUP", "SIGHUP"], 0, ["asked to stop", "asked to stop", "goes on"]),
    ],
    ids=["once", "twice", "in two ways", "a terminal that is closed"],
)
def test_the_first_stop_signal_asks_and_the_second_ends_it_all_i76(
    signals: list[str], code: int, said: list[str]
) -> None:
    ended = process_of(HANGS + ONE, *signals)

    assert (ended.returncode, ended.stdout.split("\n")[:-1]) == (code, said)


@pytest.mark.parametrize(
    ("signals", "code", "said"),
    [
        (["SIGTERM"], 0, ["asked before", "asked to stop", "goes on"]),
        (["SIGHUP"], 0, ["asked before", "asked to stop", "goes on"]),
        (["SIGHUP", "SIGHUP"], 0, ["asked before", *2 * ["asked to stop"], "goes on"]),
        (["SIGTERM", "SIGTERM"], 128 + signal.SIGTERM, ["asked before", "asked to stop"]),
    ],
)
def test_what_came_before_a_session_counts_in_it_i76(
    signals: list[str], code: int, said: list[str]
) -> None:
    ended = process_of(HANGS + ONE_WITHIN_ANOTHER, *signals)

    assert (ended.returncode, ended.stdout.split("\n")[:-1]) == (code, said)


@pytest.mark.parametrize(
    ("requests", "code", "said"),
    [
        (["SIGTERM+SIGTERM"], 0, ["asked to stop", "goes on"]),
        (["SIGTERM+SIGTERM", "SIGTERM"], 128 + signal.SIGTERM, ["asked to stop"]),
        (["SIGTERM+SIGINT"], 128 + signal.SIGINT, []),
    ],
    ids=["in two ways", "and once more", "and another one"],
)
def test_one_request_that_comes_in_two_ways_at_once_asks_as_one_i76(
    requests: list[str], code: int, said: list[str]
) -> None:
    """As of `timeout`, to the process and to its group, and of a `make` that passes it on."""
    ended = process_of(HANGS + ONE, *requests)

    assert (ended.returncode, ended.stdout.split("\n")[: len(said)]) == (code, said)


def test_one_request_that_comes_again_as_a_session_begins_asks_as_one_i76() -> None:
    again = ONE_WITHIN_ANOTHER.replace("at[0] += 1\n", "os.kill(os.getpid(), signal.SIGTERM)\n")
    ended = process_of(HANGS + again, "SIGTERM")

    assert (ended.returncode, ended.stdout) == (0, "asked before\nasked to stop\ngoes on\n")


WAITS = """
import signal, sys, threading
from hydra.ops.ending import StopSignals

stopping = threading.Event()

class Condition(threading.Condition):
    def wait(self, timeout=None):
        # As a signal does that comes while the lock of what is waited for is held.
        signal.raise_signal(signal.SIGTERM)
        return super().wait(timeout)

stopping._cond = Condition(threading.Lock())
with StopSignals(stopping.set):
    print(stopping.wait(5.0), flush=True)
"""


def test_a_signal_does_not_wait_for_whoever_it_interrupts_i76() -> None:
    ended = process_of(WAITS)

    assert (ended.returncode, ended.stdout) == (0, "True\n")


LOADS = """
import os, signal, sys, time
from hydra import main

def load(_arguments):
    both = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, both)
    for name in sys.argv[1].split("+"):
        os.kill(os.getpid(), getattr(signal, name))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
    time.sleep(20)

main._run = load
code = main.main([])
os.kill(os.getpid(), signal.SIGTERM)
sys.exit(code)
"""


@pytest.mark.parametrize("signals", ["SIGTERM", "SIGINT", "SIGINT+SIGTERM"])
def test_who_is_asked_to_stop_while_it_still_loads_ends_at_once_and_clean(signals: str) -> None:
    """What comes while it ends is the same request."""
    ended = process_of(LOADS, signals)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "stopped before the session began\n"


def test_who_ignores_the_terminals_interrupt_is_not_ended_by_it_while_it_loads() -> None:
    """As a job in the background of a shell."""
    begins = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"

    ended = process_of(begins + LOADS.replace("time.sleep(20)", "return 14"), "SIGINT")

    assert ended.returncode == -signal.SIGTERM  # which is heard again after `main`
