"""What both runtimes promise about commands to a supervisor, and about looking at an actor."""

from typing import Any

import pytest

from hydra.actor import MINUTE, Backoff, Restart
from hydra.runtime.lease import RENEW_EVERY
from hydra.runtime.life import Status
from hydra.runtime.system import Inspect
from messages.lifecycle import (
    ChildInfo,
    ChildRefused,
    Children,
    DeleteChild,
    RestartChild,
    StartChild,
    StopChild,
    WhichChildren,
)
from supervisors.strategies import OnExceeded
from supervisors.supervisor import AddChild, ReplaceChild
from tests.contracts.runtimes.actors import Do, boom, note, scripted
from tests.contracts.runtimes.driver import ROOT, Driver, child, supervision, supervisor

A, B = child("a"), child("b")
QUARANTINE = supervision(restarts=0, on_exceeded=OnExceeded.QUARANTINE)


def quarantined(system: Driver, log: list[str], **options: Any) -> None:
    """A root with `a` in quarantine and `b` running."""
    system.start(scripted("a", log, **options), scripted("b", log), policy=QUARANTINE)
    system.tell(A, boom())
    system.until(lambda: system.cell(A).shown_status == "quarantined")


def test_a_supervisor_says_which_children_it_has(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), supervisor("inner", scripted("x", log)), scripted("b", log))
    system.tell(A, boom())
    system.until_logged(log, "start a#2")
    system.ask(ROOT, StopChild(name="b"))
    system.until(lambda: system.is_gone(B))

    def info(name: str, status: str, incarnation: int, restarts: int) -> ChildInfo:
        return ChildInfo(name=name, status=status, incarnation=incarnation, restarts=restarts)

    expected = Children(
        children=(
            info("a", "running", 2, 1),
            info("inner", "running", 1, 0),
            info("b", "ended", 1, 0),
        ),
        specs=3,
        active=2,
        supervisors=1,
    )
    system.until(lambda: system.ask(ROOT, WhichChildren()) == expected)


def test_a_stopped_child_stays_down_until_it_is_started(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.ask(ROOT, StopChild(name="a"))
    system.until(lambda: status_of(system, "a") == "ended")
    system.ask(ROOT, StartChild(name="a"))

    system.until_logged(log, "start a#2")
    assert log == ["start a#1", "stop a#1", "start a#2"]


def test_a_child_is_restarted_on_command_outside_its_budget(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), policy=supervision(restarts=0))

    system.ask(ROOT, RestartChild(name="a"))

    system.until_logged(log, "start a#2")
    assert log == ["start a#1", "stop a#1", "start a#2"]
    assert system.runtime.failed_closed is None


def test_a_temporary_child_is_restarted_on_command_too(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, restart=Restart.TEMPORARY))

    system.ask(ROOT, RestartChild(name="a"))

    system.until_logged(log, "start a#2")


def test_a_child_is_added_last_and_started(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    children = system.ask(ROOT, AddChild(spec=scripted("b", log)))

    assert [info.name for info in children.children] == ["a", "b"]
    system.until_logged(log, "start b#1")


def test_a_child_comes_back_by_its_new_recipe_at_once(system: Driver, log: list[str]) -> None:
    other = list[str]()
    system.start(scripted("a", log), scripted("b", log), policy=supervision(restarts=0))
    system.tell(A, note("old"))

    system.until_logged(log, "a#1 old")
    system.ask(ROOT, ReplaceChild(spec=scripted("a", other), at_once=True))
    system.until_logged(other, "start a#2")

    assert log == ["start a#1", "start b#1", "a#1 old", "stop a#1"]
    assert system.runtime.failed_closed is None


def test_a_recipe_for_later_is_that_of_the_next_life(system: Driver, log: list[str]) -> None:
    later = list[str]()
    system.start(scripted("a", log))

    system.ask(ROOT, ReplaceChild(spec=scripted("a", later), at_once=False))
    system.tell(A, note("same"))
    system.until_logged(log, "a#1 same")
    system.ask(ROOT, RestartChild(name="a"))

    system.until_logged(later, "start a#2")
    assert log == ["start a#1", "a#1 same", "stop a#1"]


def test_a_quarantined_child_gets_its_new_recipe_and_stays_down(
    system: Driver, log: list[str]
) -> None:
    later = list[str]()
    quarantined(system, log)

    system.ask(ROOT, ReplaceChild(spec=scripted("a", later), at_once=True))
    assert status_of(system, "a") == "quarantined"
    system.ask(ROOT, StartChild(name="a"))

    system.until_logged(later, "start a#2")


def test_a_quarantined_child_starts_afresh_on_command(system: Driver, log: list[str]) -> None:
    quarantined(system, log)
    system.tell(A, note("kept"))

    system.ask(ROOT, StartChild(name="a"))

    system.until_logged(log, "a#2 kept")


def test_a_quarantined_child_can_be_deleted_and_added_again(system: Driver, log: list[str]) -> None:
    quarantined(system, log)

    left = system.ask(ROOT, DeleteChild(name="a"))
    system.ask(ROOT, AddChild(spec=scripted("a", log, restart=Restart.TRANSIENT)))

    assert [info.name for info in left.children] == ["b"]
    system.until_logged(log, "start a#2")
    system.tell(A, note("new"))
    system.until_logged(log, "a#2 new")
    assert system.cell(ROOT).failed_count == 0


def test_a_child_that_ended_into_quarantine_can_be_deleted(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log), policy=QUARANTINE)
    system.tell(A, Do(action=lambda ctx: ctx.stop(ctx.me)))
    system.until(lambda: status_of(system, "a") == "quarantined")

    left = system.ask(ROOT, DeleteChild(name="a"))

    assert [info.name for info in left.children] == ["b"]
    system.ask(ROOT, AddChild(spec=scripted("a", log)))
    system.until(lambda: status_of(system, "a") == "running")
    assert system.cell(ROOT).failed_count == 0


def status_of(system: Driver, name: str) -> str:
    """A child's status in the eyes of the root."""
    children = system.ask(ROOT, WhichChildren()).children
    (status,) = (str(info.status) for info in children if info.name == name)
    return status


def test_a_stopped_child_can_be_deleted(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.ask(ROOT, StopChild(name="a"))
    system.until(lambda: status_of(system, "a") == "ended")

    left = system.ask(ROOT, DeleteChild(name="a"))

    assert [info.name for info in left.children] == ["b"]


def test_what_makes_no_sense_is_refused_with_the_reason(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def refusal(command: Any) -> str:
        answer = system.ask(ROOT, command)
        assert isinstance(answer, ChildRefused)
        return answer.reason

    assert refusal(StartChild(name="nobody")) == "no such child"
    assert refusal(StartChild(name="a")) == "it is running"
    assert refusal(DeleteChild(name="a")) == "it is running"
    assert refusal(AddChild(spec=scripted("a", log))) == "there is a child of that name"
    system.ask(ROOT, StopChild(name="a"))
    system.until(lambda: status_of(system, "a") == "ended")
    assert refusal(StopChild(name="a")) == "it is ended"
    assert refusal(ReplaceChild(spec=scripted("c", log), at_once=True)) == "no such child"
    assert refusal(RestartChild(name="a")) == "it is ended"


def test_a_child_can_be_stopped_while_the_pause_before_its_restart_lasts(
    system: Driver, log: list[str]
) -> None:
    long = Backoff(base=10 * MINUTE, cap=10 * MINUTE)
    system.start(scripted("a", log, backoff=long))
    system.tell(A, boom())
    system.until(lambda: status_of(system, "a") == "backoff")

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: status_of(system, "a") == "ended")
    assert system.is_gone(A)


@pytest.mark.parametrize("how", ["command", "by itself"])
def test_nobody_may_send_while_a_member_of_the_safety_chain_is_gone(
    system: Driver, log: list[str], how: str
) -> None:
    gate = system.runtime.gate
    restart = Restart.TRANSIENT
    system.start(
        scripted("a", log, critical=True, restart=restart), scripted("b", log, critical=True)
    )
    system.until(lambda: gate.lease_left() > 0)

    if how == "command":
        system.ask(ROOT, StopChild(name="a"))
    else:
        system.tell(A, Do(action=lambda ctx: ctx.stop(ctx.me)))
    system.until(lambda: status_of(system, "a") == "ended")
    system.until(lambda: gate.lease_left() <= 0)
    system.ask(ROOT, RestartChild(name="b"))
    system.until_logged(log, "start b#2")
    system.pass_time(2 * RENEW_EVERY)
    while_it_is_gone = gate.lease_left()
    system.ask(ROOT, StartChild(name="a"))

    assert while_it_is_gone <= 0
    system.until(lambda: gate.lease_left() > 0)


def test_a_suspended_actor_holds_its_messages_until_it_is_resumed(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    system.tell(A, note(1), note(2))
    system.until(lambda: system.waiting(A) == 2)
    assert system.cell(A).shown_status == "suspended"

    system.resume(A)

    system.until_logged(log, "a#1 2")
    assert log == ["start a#1", "a#1 1", "a#1 2"]


def test_a_suspension_survives_a_restart(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    system.tell(A, note(1))
    system.ask(ROOT, RestartChild(name="a"))
    system.until_logged(log, "start a#2")
    system.until(lambda: system.cell(A).status is Status.RUNNING)

    assert system.waiting(A) == 1

    system.resume(A)
    system.until_logged(log, "a#2 1")


def test_a_look_at_an_actors_state_is_answered_while_its_user_lane_is_shut(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    system.suspend(A)

    state = system.ask(A, Inspect())  # type: ignore[arg-type]  # the debugger's own question

    assert set(state) == {"log", "on_start", "on_stop"}
