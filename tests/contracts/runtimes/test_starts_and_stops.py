"""What both runtimes promise about starting in order, stopping in reverse, and whoever hangs."""

from collections.abc import Callable
from typing import Any

from hydra.actor import MINUTE, SECOND, ChildSpec, Context, Ref, Restart
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.life import Status
from hydra.trading.trading_state import TradingState
from messages.lifecycle import StopChild
from supervisors.strategies import Strategy
from tests.contracts.runtimes.actors import (
    QUICK,
    Boom,
    Do,
    DoUrgently,
    Scripted,
    boom,
    each,
    note,
    scripted,
)
from tests.contracts.runtimes.driver import ROOT, Driver, child, supervision, supervisor

A, B = child("a"), child("b")


def started(ctx: Context) -> None:
    ctx.started()


def defer(ctx: Context) -> None:
    ctx.defer_start()


def test_children_start_in_the_order_listed(system: Driver, log: list[str]) -> None:
    inner = supervisor("inner", scripted("x", log), scripted("y", log))

    system.start(scripted("a", log), inner, scripted("b", log))

    assert log == ["start a#1", "start x#1", "start y#1", "start b#1"]


def test_the_tree_stops_in_the_reverse_order(system: Driver, log: list[str]) -> None:
    inner = supervisor("inner", scripted("x", log), scripted("y", log))
    system.start(scripted("a", log), inner, scripted("b", log))
    del log[:]

    system.runtime.stop_cell(system.cell(ROOT), "enough")

    system.until(lambda: system.is_gone(ROOT))
    assert log == ["stop b#1", "stop y#1", "stop x#1", "stop a#1"]
    assert system.runtime.cells == {}


def test_the_next_child_waits_until_a_deferred_start_is_complete(
    system: Driver, log: list[str]
) -> None:
    system.begin(scripted("a", log, on_start=defer, start_within=MINUTE), scripted("b", log))
    system.until_logged(log, "start a#1")
    system.tell(A, note("waits for the start"))
    system.until(lambda: system.waiting(A) == 1)

    system.tell(A, DoUrgently(action=each(lambda _: log.append("ready"), started)))

    system.until_logged(log, "start b#1")
    system.until_logged(log, "a#1 waits for the start")
    assert log.index("ready") < log.index("start b#1")
    assert log.index("ready") < log.index("a#1 waits for the start")


def test_a_deferred_start_that_is_not_completed_in_time_is_a_failure(
    system: Driver, log: list[str]
) -> None:
    tries: list[int] = []

    def defer_the_first_time(ctx: Context) -> None:
        tries.append(ctx.incarnation)
        if len(tries) == 1:
            ctx.defer_start()

    system.start(scripted("a", log, on_start=defer_the_first_time, start_within=system.pause // 10))

    system.until(lambda: tries == [1, 2])
    assert system.cell(A).last_failure().startswith("StartTimedOut: no `started` within")


def test_a_start_deadline_does_not_outlive_its_incarnation(system: Driver, log: list[str]) -> None:
    spec = scripted("a", log, on_start=defer, start_within=system.pause)
    system.begin(spec)
    system.until_logged(log, "start a#1")
    system.tell(A, DoUrgently(action=boom().action))
    system.until_logged(log, "start a#2")
    system.pass_time(system.pause // 2)
    system.tell(A, DoUrgently(action=started))

    system.pass_time(system.pause)

    assert system.cell(A).incarnation == 2
    assert system.cell(A).status is Status.RUNNING


def test_without_order_among_them_one_child_that_cannot_start_does_not_hold_up_the_others(
    system: Driver, log: list[str]
) -> None:
    def refuse(_ctx: Context) -> None:
        raise Boom("not yet")

    system.start(scripted("a", log, on_start=refuse), scripted("b", log))

    assert "start b#1" in log


def test_with_order_among_them_nobody_starts_before_the_one_it_depends_on(
    system: Driver, log: list[str]
) -> None:
    def refuse_twice(ctx: Context) -> None:
        if ctx.incarnation < 3:
            raise Boom("not yet")

    system.start(
        scripted("a", log, on_start=refuse_twice),
        scripted("b", log),
        policy=supervision(Strategy.REST_FOR_ONE),
    )

    assert log == ["start a#1", "start a#2", "start a#3", "start b#1"]


def test_a_stop_hook_that_fails_is_recorded_and_holds_up_nobody(
    system: Driver, log: list[str]
) -> None:
    def fail(_ctx: Context) -> None:
        raise Boom("in the stop hook")

    system.start(scripted("a", log), scripted("b", log, on_stop=fail))

    system.runtime.stop_cell(system.cell(ROOT), "enough")

    system.until(lambda: system.is_gone(ROOT))
    assert log[2:] == ["stop b#1", "stop a#1"]
    assert [event.detail for event in system.runtime.history if event.what == "failed"] == [
        "stop: Boom: in the stop hook"
    ]


def test_a_stop_hook_that_hangs_is_left_behind(system: Driver, log: list[str]) -> None:
    system.start(
        scripted("a", log),
        scripted("b", log, on_stop=system.hang, stop_within=system.pause // 4, hang_after=MINUTE),
    )

    system.runtime.stop_cell(system.cell(ROOT), "enough")

    system.until(lambda: system.is_gone(ROOT))
    assert log[2:] == ["stop b#1", "stop a#1"]
    assert [event.path for event in system.runtime.history if event.what == "stop_overdue"] == [
        "/root/b"
    ]


def test_an_actor_that_hangs_in_a_handler_is_left_behind_and_its_stop_hook_is_not_called(
    system: Driver, log: list[str]
) -> None:
    system.start(
        scripted("a", log),
        scripted("b", log, stop_within=system.pause // 4, hang_after=10 * MINUTE),
    )
    system.tell(B, Do(action=each(lambda _: log.append("hangs"), system.hang)))
    system.until_logged(log, "hangs")
    system.tell(B, note("waits"))

    system.runtime.stop_cell(system.cell(ROOT), "enough")

    system.until(lambda: system.is_gone(ROOT))
    assert log[2:] == ["hangs", "stop a#1"]
    assert [type(message) for message in system.dead_for(DeadLetterReason.POISON)] == [Do]
    assert system.dead_for(DeadLetterReason.STOPPED) == [note("waits")]


def test_a_sibling_that_hangs_when_it_is_to_be_restarted_is_left_behind_and_comes_back(
    system: Driver, log: list[str]
) -> None:
    system.start(
        scripted("a", log),
        scripted("b", log, on_stop=system.hang, stop_within=system.pause // 4, hang_after=MINUTE),
        policy=supervision(Strategy.REST_FOR_ONE, restarts=1),
    )
    system.suspend(B)
    system.tell(B, note("kept"))
    system.until(lambda: system.waiting(B) == 1)

    system.tell(A, boom())

    system.until_logged(log, "start b#2")
    system.resume(B)
    system.until_logged(log, "b#2 kept")
    assert log == ["start a#1", "start b#1", "stop b#1", "start a#2", "start b#2", "b#2 kept"]
    assert system.runtime.failed_closed is None


def test_a_handler_that_hangs_is_a_failure_and_its_successor_goes_on(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, hang_after=system.pause // 4))
    hanging = Do(action=system.hang)

    system.tell(A, note(1), hanging, note(2), note(3))

    system.until_logged(log, "a#2 3")
    assert log == ["start a#1", "a#1 1", "start a#2", "a#2 2", "a#2 3"]
    assert system.cell(A).last_failure().startswith("ActorHung: busy for ")
    assert system.dead_for(DeadLetterReason.POISON) == [hanging]


def test_a_message_that_may_be_tried_again_is_after_a_hang(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, hang_after=system.pause // 4, max_deliveries=2))
    seen: list[int] = []

    def hang_once(ctx: Context) -> None:
        seen.append(ctx.incarnation)
        if len(seen) == 1:
            system.hang(ctx)

    system.tell(A, Do(action=hang_once), note("after"))

    system.until_logged(log, "a#2 after")
    assert seen == [1, 2]
    assert system.dead == []


def test_control_messages_for_an_actor_that_hangs_go_to_its_successor(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log, hang_after=system.pause // 4))
    system.tell(A, Do(action=each(lambda _: log.append("hangs"), system.hang)))
    system.until_logged(log, "hangs")

    system.tell(A, DoUrgently(action=lambda ctx: log.append(f"urgent {ctx.incarnation}")))

    system.until_logged(log, "urgent 2")


def test_a_control_handler_that_hangs_is_a_failure(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, hang_after=system.pause // 4))
    hanging = DoUrgently(action=system.hang)

    system.tell(A, hanging)
    system.until_logged(log, "start a#2")
    system.tell(A, note("on"))

    system.until_logged(log, "a#2 on")
    assert system.runtime.failed_closed is None
    assert system.dead_for(DeadLetterReason.POISON) == [hanging]


def test_a_start_that_hangs_is_a_failure(system: Driver, log: list[str]) -> None:
    def hang_the_first_time(ctx: Context) -> None:
        if ctx.incarnation == 1:
            system.hang(ctx)

    system.start(scripted("a", log, on_start=hang_the_first_time, hang_after=system.pause // 4))

    system.until(lambda: log == ["start a#1", "start a#2"])
    assert system.runtime.failed_closed is None


class Slow(Scripted):
    """One that takes time to be made."""

    def __init__(self, log: list[str], make: Callable[[], None]) -> None:
        super().__init__(log)
        log.append("made")
        make()


def slow(log: list[str], make: Callable[[], None], **options: Any) -> ChildSpec:
    args = {"log": log, "make": make}
    return ChildSpec(name="a", actor=Slow, args=args, backoff=QUICK, **options)


def test_an_actor_that_hangs_while_it_is_made_is_a_failure_i70(
    system: Driver, log: list[str]
) -> None:
    def hang_the_first_time() -> None:
        if log.count("made") == 1:
            system.hang_here()

    system.start(slow(log, hang_the_first_time, hang_after=system.pause // 4))

    system.until(lambda: log == ["made", "made", "start a#2"])
    assert "ActorHung" in system.cell(A).last_failure()
    assert system.runtime.failed_closed is None


def test_a_critical_actor_that_hangs_shuts_the_gate_and_is_replaced_i70(
    system: Driver, log: list[str]
) -> None:
    gate = system.runtime.gate
    system.start(scripted("a", log, critical=True, hang_after=system.pause // 4))
    gate.arm((), "a test", gate.epoch)

    system.tell(A, Do(action=system.hang))

    system.until_logged(log, "start a#2")
    assert gate.state is TradingState.HALTED


def test_failing_while_being_stopped_is_a_stop(system: Driver, log: list[str]) -> None:
    kid = scripted("kid", log, on_stop=lambda ctx: ctx.tell(A, DoUrgently(action=boom().action)))
    system.start(scripted("a", log, on_start=lambda ctx: ctx.spawn(kid)), scripted("b", log))
    system.until_logged(log, "start kid#1")

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A))
    system.pass_time(SECOND // 100)
    assert log.count("start a#1") == 1
    assert "start a#2" not in log


def test_an_actor_that_drains_handles_what_waits_before_it_stops(
    system: Driver, log: list[str]
) -> None:
    spec = scripted("a", log, drain_on_stop=True)
    system.start(spec)
    system.suspend(A)
    system.tell(A, note(1), note(2))
    system.until(lambda: system.waiting(A) == 2)

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A))
    assert log == ["start a#1", "a#1 1", "a#1 2", "stop a#1"]
    assert system.dead == []


def test_an_actor_that_hangs_while_it_drains_is_left_behind(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, drain_on_stop=True, hang_after=system.pause // 4))
    system.suspend(A)
    hanging = Do(action=system.hang)
    system.tell(A, note(1), hanging, note(2))
    system.until(lambda: system.waiting(A) == 3)

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A) and len(system.dead) == 2)
    assert log == ["start a#1", "a#1 1"]
    assert [dead.envelope.message for dead in system.dead] == [hanging, note(2)]


def test_an_actor_that_fails_while_it_drains_is_stopped(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log, drain_on_stop=True))
    system.suspend(A)
    poison = boom()
    system.tell(A, note(1), poison, note(2))
    system.until(lambda: system.waiting(A) == 3)

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A) and len(system.dead) == 2)
    assert log == ["start a#1", "a#1 1"]
    assert [dead.envelope.message for dead in system.dead] == [poison, note(2)]


def test_an_actor_that_spawned_children_and_then_fails_to_start_leaves_none_behind(
    system: Driver, log: list[str]
) -> None:
    def spawn_and_fail(ctx: Context) -> None:
        if ctx.incarnation == 1:
            ctx.spawn(scripted("kid", log))
            raise Boom("half started")

    system.start(scripted("a", log, on_start=spawn_and_fail))

    system.until_logged(log, "start a#2")
    assert system.is_gone(child("a/kid"))
    assert system.cell(A).children == {}


def test_a_child_spawned_by_a_stop_hook_does_not_outlive_its_parent(
    system: Driver, log: list[str]
) -> None:
    def have_a_kid(ctx: Context) -> None:
        ctx.spawn(scripted("kid", log))

    system.start(scripted("a", log, on_stop=have_a_kid))

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A))
    assert system.is_gone(child("a/kid"))
    assert [line for line in log if line.startswith("stop")][:1] == ["stop a#1"]


def test_nobody_lives_twice_at_one_address(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def twice(ctx: Context) -> None:
        assert ctx.spawn(scripted("kid", log)) == ctx.spawn(scripted("kid", log))

    system.tell(A, Do(action=twice), note("on"))

    system.until_logged(log, "a#1 on")
    system.until_logged(log, "start kid#1")
    system.pass_time(SECOND // 100)
    assert log.count("start kid#1") == 1
    assert Ref("/root/a/kid").name == "kid"
    assert isinstance(system.cell(A).spec, ChildSpec)
    assert system.cell(A).spec.restart is Restart.PERMANENT
