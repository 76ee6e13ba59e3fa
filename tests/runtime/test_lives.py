"""An address is used again; a life is not. What was meant for one must never fit another."""

import threading
from collections.abc import Callable

import pytest

from hydra.actor import MILLISECOND, SECOND, Context
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from messages.lifecycle import DeleteChild, StartChild, StopChild
from supervisors.supervisor import AddChild
from tests.contracts.runtimes.actors import Do, scripted
from tests.contracts.runtimes.driver import Driver, SimDriver, ThreadDriver, child

A = child("a")


def stopped_and_started(system: Driver, log: list[str]) -> None:
    """The supervisor is told to stop the child and then to start it."""
    system.obeyed(StopChild(name="a"))
    system.obeyed(StartChild(name="a"))


def deleted_and_added(system: Driver, log: list[str]) -> None:
    """The supervisor is told to forget the child, and then of another of that name."""
    system.obeyed(StopChild(name="a"))
    system.obeyed(DeleteChild(name="a"))
    system.obeyed(AddChild(spec=scripted("a", log)))


def ended_by_itself(system: Driver, log: list[str]) -> None:
    """The child stops, and its supervisor wants it to run."""
    system.tell(A, Do(action=lambda ctx: ctx.stop(ctx.me)))


@pytest.mark.parametrize("again", [stopped_and_started, deleted_and_added, ended_by_itself])
def test_whoever_lives_at_an_address_next_has_other_names_and_other_luck(
    again: Callable[[Driver, list[str]], None],
) -> None:
    log: list[str] = []
    lives: list[tuple[int, str, float]] = []

    def introduce(ctx: Context) -> None:
        lives.append((ctx.incarnation, ctx.new_id(), ctx.rng.random()))

    system = SimDriver(SimRuntime())
    system.start(scripted("a", log))
    system.tell(A, Do(action=introduce))
    system.runtime.settle()

    again(system, log)
    system.until_logged(log, "start a#2")
    system.tell(A, Do(action=introduce))
    system.runtime.settle()

    assert [(number, name) for number, name, _ in lives] == [
        (1, "/root/a#1.1"),
        (2, "/root/a#2.1"),
    ]
    assert lives[0][2] != lives[1][2]
    system.close()


def test_the_deadline_of_an_earlier_stop_does_not_touch_a_later_life() -> None:
    log: list[str] = []
    reached, opened = threading.Event(), threading.Event()

    def wait(_ctx: Context) -> None:
        reached.set()
        opened.wait(10.0)

    system = ThreadDriver(ThreadRuntime())
    system.start(scripted("a", log, stop_within=20 * MILLISECOND, hang_after=60 * SECOND))
    stopped_and_started(system, log)
    system.until(lambda: not system.is_gone(A) and system.cell(A).status is Status.RUNNING)
    system.tell(A, Do(action=wait))
    assert reached.wait(10.0)

    system.pass_time(100 * MILLISECOND)
    opened.set()

    assert system.runtime.settle(within=10.0)
    assert system.cell(A).last_failure() == ""
    system.close()
