"""How a process ends from outside. Each is one of its own: a signal would end the tests as well."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HANGS = """
import os, signal, sys
from hydra.ops.ending import StopSignals

with StopSignals(lambda: print("asked to stop", flush=True)):
    for name in sys.argv[1:]:
        os.kill(os.getpid(), getattr(signal, name))
    print("goes on", flush=True)
"""


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
    ended = subprocess.run(
        [sys.executable, "-c", HANGS, *signals],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout.split("\n")[:-1]) == (code, said)
