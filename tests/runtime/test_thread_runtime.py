"""What only the live runtime promises: threads are replaced, and its own faults fail closed."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from hydra.actor import MILLISECOND, SECOND, Actor, ChildSpec, Context, Dispatcher, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.dispatcher import fence
from hydra.runtime.envelope import DeadLetterReason, Envelope
from hydra.runtime.system import Inspect
from hydra.runtime.thread_runtime import ThreadCell, ThreadRuntime
from hydra.trading.trading_state import TradingState
from tests.contracts.runtimes.actors import (
    QUICK,
    Boom,
    Do,
    Scripted,
    UrgentNote,
    boom,
    each,
    note,
    scripted,
)
from tests.contracts.runtimes.driver import ThreadDriver, child, supervision, supervisor
from tests.waiting import eventually

A, B = child("a"), child("b")


@pytest.fixture
def system(registry_is_left_empty: None) -> Iterator[ThreadDriver]:
    driver = ThreadDriver(ThreadRuntime(pool_threads=2))
    yield driver
    driver.close()


def thread_cell(system: ThreadDriver, ref: Ref[Any]) -> ThreadCell:
    cell = system.cell(ref)
    assert isinstance(cell, ThreadCell)
    return cell


def test_only_the_handler_that_was_judged_is_fenced(system: ThreadDriver, log: list[str]) -> None:
    system.start(scripted("a", log, hang_after=60 * SECOND))
    system.tell(A, Do(action=each(lambda _: log.append("in it"), system.hang)))
    system.until_logged(log, "in it")
    cell = thread_cell(system, A)
    since = cell.turn.busy_since()
    assert since is not None

    fenced_another = fence(cell, since - 1)  # one that has returned meanwhile
    still_its_own = cell.turn.busy_since() == since
    fenced_this_one = fence(cell, since)

    assert (fenced_another, still_its_own, fenced_this_one) == (False, True, True)
    assert not fence(cell, since)
    system.until_logged(log, "start a#2")


def test_a_handler_is_not_blamed_for_a_time_in_which_the_whole_process_stood_still_i70(
    registry_is_left_empty: None, log: list[str]
) -> None:
    runtime, let_go = ThreadRuntime(pool_threads=2), threading.Event()  # only the test looks
    spec = scripted("a", log, hang_after=5 * SECOND)
    assert runtime.start_and_wait(supervisor("root", spec), within=10.0)
    runtime.tell(A, Do(action=each(lambda _: log.append("in it"), lambda _: let_go.wait(30.0))))
    assert eventually(lambda: "in it" in log)
    cell = runtime.cells[A.path]
    assert isinstance(cell, ThreadCell)
    since = cell.turn.busy_since()
    assert since is not None

    fenced = {}
    hour = 3600 * SECOND
    for after in (SECOND, hour, hour + 2 * SECOND, hour + 4 * SECOND, hour + 6 * SECOND):
        runtime.look_for_hangs(since + after)
        fenced[after // SECOND] = cell.turn.busy_since() != since
    let_go.set()

    assert fenced == {1: False, 3600: False, 3602: False, 3604: False, 3606: True}
    assert runtime.stop_tree("the test is over", within=10.0)
    runtime.close()


def test_from_the_moment_it_is_fenced_a_handler_reaches_nobody_and_is_given_nothing_i70(
    system: ThreadDriver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.start(scripted("a", log, hang_after=60 * SECOND))
    system.tell(A, Do(action=each(lambda _: log.append("in it"), system.hang)))
    system.until_logged(log, "in it")
    cell = thread_cell(system, A)
    since = cell.turn.busy_since()
    assert since is not None

    with monkeypatch.context() as nobody_looks:
        nobody_looks.setattr(ThreadCell, "wake", lambda _cell: None)
        fence(cell, since)
        after_the_fence = (cell.context.retired, cell.receive)
    cell.wake()

    assert after_the_fence == (True, None)
    system.until_logged(log, "start a#2")


def test_a_zombie_that_returns_without_an_answer_ends_no_question_of_its_successor(
    system: ThreadDriver, log: list[str]
) -> None:
    system.start(
        scripted("a", log, hang_after=20 * MILLISECOND, max_deliveries=2), scripted("b", log)
    )
    returned = threading.Event()

    def answer_in_the_end(ctx: Context) -> None:
        if ctx.incarnation == 1:
            system.hang(ctx)
            returned.set()
        elif not returned.is_set():
            ctx.stash()
        else:
            ctx.reply(note("yes"))

    question = Do(action=answer_in_the_end)
    system.tell(B, Do(action=lambda ctx: ctx.ask(A, question, within=20 * SECOND, tag="q")))
    system.until(lambda: system.cell(A).incarnation == 2 and len(system.cell(A).stash) == 1)
    zombies = [t for t in threading.enumerate() if t.name.startswith("hydra-pool")]
    system._released.set()
    system.until(returned.is_set)
    system.until(lambda: len([t for t in zombies if not t.is_alive()]) == 1)
    system.tell(A, Do(action=lambda ctx: ctx.unstash()))

    system.until(lambda: any("q:" in line for line in log))
    assert log[-1] == "b#1 q: yes"


@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize("lane", ["user", "control"])
def test_what_gets_into_a_mailbox_in_the_moment_it_closes_is_dead(
    system: ThreadDriver, log: list[str], suspended: bool, lane: str
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    if suspended:
        system.suspend(A)
    cell = thread_cell(system, A)
    message = note("late") if lane == "user" else UrgentNote(text="late")

    class Closing(deque[Any]):
        """Between the look whether it is open and the append, the mailbox closes and is swept."""

        def append(self, envelope: Any) -> None:
            cell.mailbox.close()
            cell.sweep()
            super().append(envelope)

    setattr(cell.mailbox, lane, Closing())
    cell.put(Envelope(message, ("~test", 0, 1), None, None, 0))

    system.until(lambda: system.dead_for(DeadLetterReason.STOPPED) == [message])
    cell.mailbox = type(cell.mailbox)(cell.spec.mailbox)  # it never closed, in truth


def test_a_message_that_was_handled_is_not_blamed_for_what_hangs_after_it(
    system: ThreadDriver, log: list[str]
) -> None:
    class Unviewable(dict[str, object]):
        """Cannot be copied in good time."""

    hangs = scripted("a", log, hang_after=20 * MILLISECOND, max_deliveries=2)
    system.start(hangs)
    system.tell(A, note("handled"))
    system.until_logged(log, "a#1 handled")
    actor = system.cell(A).actor
    assert actor is not None

    def hang() -> Unviewable:
        system._released.wait(30.0)
        return Unviewable()

    actor.state_view = hang  # type: ignore[method-assign]
    system.cell(A).tell_system(Inspect())

    system.until_logged(log, "start a#2")
    system.tell(A, note("end"))
    system.until_logged(log, "a#2 end")
    assert log == ["start a#1", "a#1 handled", "start a#2", "a#2 end"]
    assert system.dead == []


def test_an_actor_that_was_made_too_late_does_not_take_its_successors_place_i70(
    system: ThreadDriver, log: list[str]
) -> None:
    made: list[Actor[Any]] = []

    class Slow(Scripted):
        """Its first one takes too long to be made."""

        def __init__(self, log: list[str]) -> None:
            super().__init__(log)
            made.append(self)
            if len(made) == 1:
                system.hang_here()

    slow = ChildSpec(
        name="a", actor=Slow, args={"log": log}, backoff=QUICK, hang_after=20 * MILLISECOND
    )
    system.start(slow)
    system.until_logged(log, "start a#2")
    zombies = [each for each in threading.enumerate() if each.name.startswith("hydra-pool")]
    system._released.set()
    system.until(lambda: any(not each.is_alive() for each in zombies))

    assert system.cell(A).actor is made[1]
    system.tell(A, note("on"))
    system.until_logged(log, "a#2 on")
    assert log == ["start a#2", "a#2 on"]


def test_the_pool_has_as_many_threads_after_hangs_as_before(
    system: ThreadDriver, log: list[str]
) -> None:
    names = [f"x{n}" for n in range(6)]
    system.start(*(scripted(name, log, hang_after=20 * MILLISECOND) for name in names))

    for name in names:  # three times as many as there are threads
        system.tell(child(name), Do(action=system.hang))

    system.until(lambda: all(f"start {name}#2" in log for name in names))
    pool = system.runtime._pool
    assert pool.replaced == 6
    assert len(pool.threads) == 2


def test_a_pinned_actor_keeps_a_thread_of_its_own_after_a_hang(
    system: ThreadDriver, log: list[str]
) -> None:
    spec = scripted("a", log, dispatcher=Dispatcher.PINNED, hang_after=20 * MILLISECOND)
    system.start(spec)
    names: list[str] = []

    system.tell(A, Do(action=system.hang))
    system.tell(A, Do(action=lambda _: names.append(threading.current_thread().name)))

    system.until(lambda: names == ["hydra-/root/a-2"])


def test_a_fault_of_the_kernel_itself_fails_closed_i69(
    system: ThreadDriver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)  # it is raised on purpose
    system.start(scripted("a", log))

    def broken(*_args: object) -> None:
        raise RuntimeError("the kernel is broken")

    cell = system.cell(A)
    monkeypatch.setattr(type(cell), "fail", broken)
    system.tell(A, boom())

    system.until(lambda: system.runtime.failed_closed is not None)
    monkeypatch.undo()
    assert system.runtime.failed_closed == "dispatcher pool: RuntimeError: the kernel is broken"
    assert system.runtime.gate.state is TradingState.HALTED
    system._released.set()
    cell.turn = type(cell.turn)(system.runtime._pool)  # type: ignore[attr-defined]
    cell.wake()


def is_running(thread: str) -> bool:
    return any(each.name == thread for each in threading.enumerate())


@pytest.mark.parametrize("dispatcher", Dispatcher)
def test_where_no_thread_can_be_begun_in_the_place_of_one_that_hangs_it_fails_closed_i69_i70(
    dispatcher: Dispatcher, system: ThreadDriver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)  # it is raised on purpose
    system.start(scripted("a", log, dispatcher=dispatcher, hang_after=20 * MILLISECOND))

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    system.tell(A, Do(action=system.hang))

    system.until(lambda: system.runtime.failed_closed is not None)
    system.until(lambda: not is_running("hydra-watch"))  # first it says so, then it raises
    monkeypatch.undo()
    assert "can't start new thread" in str(system.runtime.failed_closed)
    assert system.runtime.gate.state is TradingState.HALTED
    system._released.set()
    cell = system.cell(A)
    cell.turn = type(cell.turn)(system.runtime._pool)  # type: ignore[attr-defined]
    cell.wake()


def test_a_dead_timer_thread_fails_closed_i69(
    system: ThreadDriver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    system.start(scripted("a", log))

    def broken() -> None:
        raise RuntimeError("a timer's action is broken")

    system.runtime.call_later(0, broken)

    system.until(lambda: system.runtime.failed_closed is not None)
    system.until(lambda: not is_running("hydra-timers"))
    assert "the timer thread died: RuntimeError" in str(system.runtime.failed_closed)


def test_a_dead_watch_fails_closed_i69(
    system: ThreadDriver, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    system.start(scripted("a", log))

    def broken(_now: int) -> None:
        raise RuntimeError("it cannot look")

    monkeypatch.setattr(system.runtime, "look_for_hangs", broken)

    system.until(lambda: system.runtime.failed_closed is not None)
    system.until(lambda: not is_running("hydra-watch"))
    assert system.runtime.failed_closed == "the watch died: RuntimeError: it cannot look"


def test_starting_says_whether_the_tree_runs(log: list[str]) -> None:
    def refuse(_ctx: Context) -> None:
        raise Boom("never")

    for on_start, runs in ((None, True), (refuse, False)):
        runtime = ThreadRuntime()
        tree = supervisor(
            "root", scripted("a", log, on_start=on_start), policy=supervision(restarts=0)
        )
        assert runtime.start_and_wait(tree, within=5.0) == runs
        assert runtime.stop_tree("enough", within=5.0)
        runtime.close()


def test_waiting_ends_when_the_engine_fails_closed(system: ThreadDriver, log: list[str]) -> None:
    system.start(scripted("a", log), policy=supervision(restarts=0))
    waited_for_nothing = system.runtime.wait(0.01)

    system.tell(A, boom())

    assert not waited_for_nothing
    assert system.runtime.wait(5.0)


def test_a_quiet_system_settles_and_a_busy_one_does_not(
    system: ThreadDriver, log: list[str]
) -> None:
    system.start(scripted("a", log, hang_after=60 * SECOND))
    system.tell(A, *(note(n) for n in range(100)))
    quiet = system.runtime.settle(within=5.0)

    system.tell(A, Do(action=system.hang))

    assert quiet
    assert len(log) == 101
    assert not system.runtime.settle(within=0.05)


class SlowToForget(ThreadRuntime):
    """Gives a thread's turn away where a root is about to leave pykka's registry."""

    def forget_cell(self, cell: Cell) -> None:
        super().forget_cell(cell)
        threading.Event().wait(0.2)


def test_what_is_stopped_has_left_pykka_s_registry() -> None:
    runtime = SlowToForget()
    assert runtime.start_and_wait(supervisor("root"), within=5.0)

    assert runtime.stop_tree("enough", within=5.0)
    left = [ref for ref in pykka.ActorRegistry.get_all() if ref.is_alive()]
    runtime.close()

    assert left == []
