"""Asking a cell something on its control lane, and waiting for the answer no longer than agreed."""

import threading
from collections.abc import Mapping
from itertools import count
from types import TracebackType
from typing import Any

import msgspec

from hydra.actor import SECOND, Ref
from hydra.ops.debug.describing import Refused
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope, Special
from hydra.runtime.life import in_words
from hydra.runtime.runtime import Runtime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Inspect, System

CONTROL_ROOM = 100
"""With more control messages waiting than this, an onlooker adds none: a lane that is full is a
fault that closes the engine."""

_numbers = count(1)  # its `next` is atomic


class Caller(msgspec.Struct, frozen=True):
    """Who runs a command, for the journal; and whether a simulation may run while it waits.

    `runs_simulation` is false over a socket: there the simulation is another thread's to run.
    """

    name: str = "this process"
    runs_simulation: bool = True


class NotInTime(Exception):
    """The cell did not get round to answering. What was asked may still be done later."""


class Answer:
    """What a cell's answer goes into, in its own thread. The first one stands."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    @property
    def is_given(self) -> bool:
        """Whether the answer is there."""
        return self._given.is_set()

    def wait(self, within: int) -> None:
        """Wait up to `within` ns for another thread to give it."""
        self._given.wait(within / SECOND)

    def set(self, value: Any = None) -> None:
        """Answer it."""
        if not self.is_given:
            self._value = value
            self._given.set()

    def set_exception(
        self, raised: tuple[type[BaseException], BaseException, TracebackType | None]
    ) -> None:
        """Answer it with an error."""
        if not self.is_given:
            self._error = raised[1]
            self._given.set()

    @property
    def value(self) -> Any:
        """The answer. Raises `Refused` if it was an error."""
        if self._error is not None:
            raise Refused(in_words(self._error)) from self._error
        return self._value


def ask(runtime: Runtime, cell: Cell, message: System, within: int, caller: Caller) -> Any:
    """Ask ahead of all user messages. Raises `NotInTime` after `within` ns.

    A canonical simulation that is this caller's own runs meanwhile, in virtual time.
    """
    waiting = len(cell.mailbox.control)
    if waiting >= CONTROL_ROOM:
        raise NotInTime(f"{waiting} control messages wait there already, so it was not asked")
    answer = Answer()
    now = runtime.now()
    special = Special(reply_to=answer, deadline=now + within)
    cell.put(Envelope(message, ("~debug", 0, next(_numbers)), None, None, now, special))
    wait_for(runtime, answer, within, caller)
    if not answer.is_given:
        raise NotInTime(f"no answer within {within / SECOND:g} s")
    return answer.value


def shown_by(runtime: Runtime, ref: Ref[Any], within: int, caller: Caller) -> Mapping[str, Any]:
    """What an actor shows of itself; nothing where it is not there, or does not answer in time."""
    cell = runtime.cells.get(ref.path)
    if cell is None:
        return {}
    try:
        view = ask(runtime, cell, Inspect(), within, caller)
    except (NotInTime, Refused):
        return {}
    return view if isinstance(view, Mapping) else {}


def wait_for(runtime: Runtime, answer: Answer, within: int, caller: Caller) -> None:
    """Let up to `within` ns pass until the answer is there."""
    if answer.is_given:
        return
    if isinstance(runtime, SimRuntime) and caller.runs_simulation:
        runtime.run_until(lambda: answer.is_given, within=within)
    else:
        answer.wait(within)


def let_pass(runtime: Runtime, duration: int, caller: Caller) -> None:
    """Let `duration` ns pass, so that something can be counted over it."""
    if isinstance(runtime, SimRuntime) and caller.runs_simulation:
        runtime.advance(duration)
    else:
        threading.Event().wait(duration / SECOND)
