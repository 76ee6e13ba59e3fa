"""Processes that are forked from one that has everything imported: what a start costs otherwise.

There is one such process in a test run, so the names of all that is to be forked are here.
"""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from hydra.crash_points import VARIABLE, arm_from

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.crash.installed",
        "tests.crash.migration",
        "tests.crash.venue_client",
        "tests.crash.worker",
        # What the installed program reads when it is told what to do.
        "hydra.cli",
        "hydra.main",
        "hydra.ops.generated_market",
        "hydra.ops.places",
        "hydra.ops.run",
        "hydra.plugins",
        "hydra.settings.configuration",
        "hydra.settings.mode",
    ]
)


def heard(
    target: Callable[..., None], *arguments: Any, place: str = "", lines: int = 0
) -> tuple[int, bytes, str]:
    """Do this in a process of its own; its exit code, what it said, the last line of its complaint.

    It dies at `place`, if it comes there; with `lines`, it is killed once it has said so many.
    """
    output, its_output = CONTEXT.Pipe(duplex=False)
    complaint, its_complaint = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(
        target=_speak, args=(its_output, its_complaint, place, target, arguments)
    )
    process.start()
    its_output.close()
    its_complaint.close()
    said = b""
    with output, complaint:
        while piece := os.read(output.fileno(), 65_536):
            said += piece
            if lines and said.count(b"\n") >= lines:
                process.kill()
        with open(complaint.fileno(), "rb", closefd=False) as told:
            last_line = told.read().decode().strip().rpartition("\n")[2]
    process.join()
    assert process.exitcode is not None
    return process.exitcode, said, last_line


def speak_into(output: int, complaint: int, place: str) -> None:
    """What a forked process does first: these are its own, and nobody else's place to die."""
    os.dup2(output, 1)
    os.dup2(complaint, 2)
    os.environ.pop(VARIABLE, None)
    if place:
        os.environ[VARIABLE] = place


def _speak(
    output: Connection,
    complaint: Connection,
    place: str,
    target: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    speak_into(output.fileno(), complaint.fileno(), place)
    output.close()
    complaint.close()
    arm_from(os.environ)
    target(*arguments)
