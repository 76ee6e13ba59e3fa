"""What went wrong with bare pykka, one test each: here it cannot happen, on real threads."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pykka
import pytest

import messages.control
import messages.health
import messages.journal
import messages.lifecycle
import messages.market
import messages.orders
import messages.positions  # noqa: F401  # so that all messages are known below
from hydra.actor import MILLISECOND, SECOND, Context, Dispatcher, MailboxSpec, Ref, Restart
from hydra.ports import GateKey, PermitClass
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.lease import LEASE, RENEW_EVERY, LeaseKeeper
from hydra.runtime.life import Status
from hydra.runtime.runtime import NobodyThere, NoReplyInTime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Stop
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import TradingState
from messages.lifecycle import StopChild
from messages.message import ControlMessage, Message
from supervisors.strategies import OnExceeded
from tests.contracts.runtimes.actors import (
    Boom,
    Do,
    Note,
    Scripted,
    boom,
    each,
    note,
    scripted,
    tell,
)
from tests.contracts.runtimes.driver import (
    ROOT,
    SimDriver,
    ThreadDriver,
    child,
    supervision,
)

A, B = child("a"), child("b")
ANSWER = Do(action=lambda ctx: ctx.reply(note("yes")))


@pytest.fixture
def system(registry_is_left_empty: None) -> Iterator[ThreadDriver]:
    driver = ThreadDriver(ThreadRuntime())
    yield driver
    driver.close()


def test_telling_a_dead_actor_does_not_kill_the_sender(
    system: ThreadDriver, log: list[str]
) -> None:
    """1: `tell` to a dead actor raised in the sender's handler, so failures cascaded."""
    system.start(scripted("a", log), scripted("b", log))
    system.ask(ROOT, StopChild(name="b"))
    system.until(lambda: system.is_gone(B))

    system.tell(A, tell(B, note("lost")), note("alive"))

    system.until_logged(log, "a#1 alive")
    assert system.dead_for(DeadLetterReason.NO_SUCH_PATH) == [note("lost")]


def test_a_question_that_races_a_stop_is_always_answered(log: list[str]) -> None:
    """2: a question put between the liveness check and the last drain was never answered."""
    for _ in range(20):
        system = ThreadDriver(ThreadRuntime())
        system.start(scripted("a", log, restart=Restart.TEMPORARY))
        outcomes: list[str] = []
        system.cell(A).tell_system(Stop("now"))

        for _ in range(20):
            try:
                system.ask(A, ANSWER, within=5.0)
                outcomes.append("answered")
            except NobodyThere:
                outcomes.append("nobody there")

        system.close()
        assert len(outcomes) == 20
        assert outcomes[-1] == "nobody there"


def test_a_failed_start_is_told_and_the_constructor_fails_the_child_alone_i69(
    system: ThreadDriver, log: list[str]
) -> None:
    """3: a failed start left a ref and called no hook; `__init__` hit whoever created the actor."""
    spec = msgspec.structs.replace(scripted("a", log), args={"nonsense": 1})

    system.begin(spec, policy=supervision(restarts=1, on_exceeded=OnExceeded.QUARANTINE))

    system.until(lambda: not system.is_gone(A) and system.cell(A).shown_status == "quarantined")
    assert system.cell(A).failed_count == 2
    assert system.cell(ROOT).failed_count == 0


def test_an_error_that_unwinds_everything_stops_order_flow_and_stalls_nobody_i69(
    system: ThreadDriver, log: list[str]
) -> None:
    """4: any BaseException ran `stop_all` in that actor's thread, behind whoever was stuck."""
    system.start(scripted("a", log), scripted("b", log, hang_after=60 * SECOND))
    system.tell(B, Do(action=system.hang))

    def exit_(_ctx: Context) -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        system.ask(A, Do(action=exit_))

    assert system.runtime.failed_closed is not None
    assert system.runtime.gate.state is TradingState.HALTED
    assert not system.is_gone(B)
    system._released.set()


def test_the_failure_of_an_asked_message_is_a_failure_i69(
    system: ThreadDriver, log: list[str]
) -> None:
    """5: an exception went to the asker alone; the actor lived on and no hook was called."""
    system.start(scripted("a", log))

    for _ in range(3):
        with pytest.raises(Boom):
            system.ask(A, boom())

    system.until_logged(log, "start a#4")
    assert system.cell(A).failed_count == 3


def test_a_stop_does_not_wait_behind_the_queue_i71(system: ThreadDriver, log: list[str]) -> None:
    """6: five thousand queued orders all went out after `stop()`."""
    system.start(scripted("a", log))
    begun, go_on = threading.Event(), threading.Event()
    system.tell(A, Do(action=each(lambda _: begun.set(), lambda _: go_on.wait(5.0))))
    system.tell(A, *(note(n) for n in range(5_000)))
    assert begun.wait(5.0)

    system.tell(ROOT, StopChild(name="a"))
    system.until(lambda: bool(system.cell(A).mailbox.control))
    go_on.set()

    system.until(lambda: system.is_gone(A))
    system.until(lambda: len(system.dead_for(DeadLetterReason.STOPPED)) == 5_000)
    assert log == ["start a#1", "stop a#1"]


def test_an_actor_cannot_wait_for_itself_or_in_a_circle_i73(
    system: ThreadDriver, log: list[str]
) -> None:
    """7: asking oneself, or A asking B asking A, was a deadlock; so was stopping oneself."""
    system.start(scripted("a", log), scripted("b", log))
    refused: list[str] = []

    def ask_and_wait(ctx: Context) -> None:
        for ref in (A, B):
            try:
                system.runtime.ask(ref, ANSWER, within=5.0)
            except RuntimeError as error:
                refused.append(str(error))
        ctx.ask(A, ANSWER, within=SECOND, tag="myself")

    system.tell(A, Do(action=ask_and_wait))
    system.until_logged(log, "a#1 myself: yes")
    system.tell(A, Do(action=lambda ctx: ctx.stop(ctx.me)))

    system.until_logged(log, "start a#2")
    assert refused == ["an actor must not wait for another; use Context.ask"] * 2


def test_dead_means_finished(system: ThreadDriver, log: list[str]) -> None:
    """8: an actor counted as dead before its stop hook had run."""
    seen: list[tuple[bool, bool]] = []

    def look(_ctx: Context) -> None:
        seen.append((A.path in system.runtime.cells, cell.actor_ref.is_alive()))

    system.start(scripted("a", log, on_stop=look, restart=Restart.TEMPORARY))
    cell = system.cell(A)

    stopped = cell.actor_ref.stop(block=True, timeout=5.0)

    assert stopped
    assert seen == [(True, True)]
    assert (system.is_gone(A), cell.actor_ref.is_alive()) == (True, False)


def test_the_registry_forgets_whoever_is_gone(system: ThreadDriver, log: list[str]) -> None:
    """9: the registry is one for the process, and tests leaked actors into each other."""
    system.start(scripted("a", log), scripted("b", log))
    before = len(pykka.ActorRegistry.get_all())

    system.tell(A, boom(), boom(), note("here"))
    system.until_logged(log, "a#3 here")
    system.ask(ROOT, StopChild(name="b"))
    system.until(lambda: system.is_gone(B))

    assert (before, len(pykka.ActorRegistry.get_all())) == (3, 2)


class Touchy(Scripted):
    """Has a property that must not be looked at."""

    @property
    def trap(self) -> int:
        raise AssertionError("somebody touched it")


def test_an_address_is_a_value_that_touches_nothing(system: ThreadDriver, log: list[str]) -> None:
    """10: proxies looked at every attribute, properties included, and were slow."""
    spec = msgspec.structs.replace(scripted("a", log), actor=Touchy)

    system.start(spec)
    system.tell(A, note("fine"))

    system.until_logged(log, "a#1 fine")
    assert Ref("/root/a") == A
    assert hash(Ref[Any]("/root/a")) == hash(A)
    assert msgspec.json.decode(msgspec.json.encode(A), type=Ref) == A


def test_a_stuck_actor_does_not_keep_the_process_alive_i70() -> None:
    """11: a thread that is no daemon kept a broken process alive."""
    program = textwrap.dedent("""
        import threading
        from hydra.actor import MILLISECOND
        from hydra.runtime.thread_runtime import ThreadRuntime
        from tests.contracts.runtimes.actors import Do, scripted
        from tests.contracts.runtimes.driver import child, supervisor

        runtime, stuck = ThreadRuntime(), threading.Event()
        kid = scripted("a", [], stop_within=10 * MILLISECOND)
        assert runtime.start_and_wait(supervisor("root", kid), within=5.0)
        runtime.tell(child("a"), Do(action=lambda ctx: (stuck.set(), threading.Event().wait())))
        assert stuck.wait(5.0)
        print("stopped" if runtime.stop_tree("the end", within=5.0) else "not stopped")
    """)

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "stopped\n", "")


def test_nothing_random_names_a_message(log: list[str]) -> None:
    """12: actors were named by random numbers, which must never sort, hash or log anything."""

    def run() -> list[str]:
        system = SimDriver(SimRuntime(trace=True))
        system.start(scripted("a", log), scripted("b", log))
        system.tell(A, tell(B, note(1)), boom(), tell(B, note(2)))
        system.runtime.advance(SECOND)
        system.close()
        assert system.runtime.trace is not None
        return [str(line) for line in system.runtime.trace.lines]

    first = run()
    assert run() == first
    assert any("/root/b Note /root/a#2.1" in line for line in first)


def test_a_thread_that_comes_back_from_the_dead_takes_nothing_and_reaches_nobody(
    system: ThreadDriver, log: list[str]
) -> None:
    """13: a hung incarnation took 601 of 4,001 messages from the mailbox of its successor."""
    system.start(scripted("a", log, hang_after=20 * MILLISECOND), scripted("b", log))
    back = threading.Event()

    def hang_and_come_back(ctx: Context) -> None:
        system.hang(ctx)
        ctx.tell(B, note("from the dead"))
        back.set()

    system.tell(A, Do(action=hang_and_come_back), *(note(n) for n in range(1_000)))
    system.until_logged(log, "start a#2")
    system._released.set()

    system.until_logged(log, "a#2 999")
    assert back.wait(5.0)
    system.until(lambda: system.dead_for(DeadLetterReason.FENCED) == [note("from the dead")])
    assert log[3:] == [f"a#2 {n}" for n in range(1_000)]
    assert "b#1 from the dead" not in log


def test_an_actor_that_waits_for_io_holds_up_nobody_else(
    system: ThreadDriver, log: list[str]
) -> None:
    """15: whoever blocks stalls itself; with a thread of its own it stalls nobody else."""
    pinned = [
        scripted(f"io{n}", log, dispatcher=Dispatcher.PINNED, hang_after=60 * SECOND)
        for n in range(8)
    ]
    system.start(*pinned, scripted("a", log))
    for n in range(8):
        system.tell(child(f"io{n}"), Do(action=system.hang))

    assert system.ask(A, ANSWER, within=5.0) == note("yes")
    system._released.set()


def test_what_a_foreign_thread_tells_is_handled_in_the_actors_own(
    system: ThreadDriver, log: list[str]
) -> None:
    """18: libraries call back on their own threads; no actor's state is ever touched from there."""
    system.start(scripted("a", log, dispatcher=Dispatcher.PINNED))
    handled_in: set[str] = set()
    where = Do(action=lambda _ctx: handled_in.add(threading.current_thread().name))
    outside = system.runtime.outside("stream")

    threads = [threading.Thread(target=outside.tell, args=(A, where)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    system.until(lambda: system.cell(A).processed == 8)
    assert handled_in == {"hydra-/root/a-1"}


def test_a_late_renewal_is_no_false_alarm(log: list[str]) -> None:
    """19: a lease tighter than the jitter of a busy machine trips for nothing."""
    assert LEASE >= 4 * RENEW_EVERY

    system = SimDriver(SimRuntime())
    system.start(scripted("a", log, critical=True))
    gate, keeper, key = system.runtime.gate, LeaseKeeper(system.runtime), GateKey("/gateway", 1)
    gate.register(key)
    gate.arm((), "a test", gate.epoch)
    for late in (1, 1, 3, 1, 2):  # up to three times as late as it should be
        keeper.tick(system.runtime.now())
        system.runtime.advance(late * RENEW_EVERY)
        gate.leave(gate.enter("order", gate.epoch, key, PermitClass.ENTRY))

    assert gate.state is TradingState.ACTIVE
    system.close()


def test_a_periodic_timer_does_not_make_up_for_a_sleep_of_the_machine(
    system: ThreadDriver, log: list[str]
) -> None:
    """20: after a laptop's sleep a fixed rate fired in a burst."""
    system.start(scripted("a", log))
    ticks: list[int] = []
    tick = Do(action=lambda ctx: ticks.append(ctx.now()))
    system.tell(A, Do(action=lambda ctx: ctx.every(5 * MILLISECOND, tick, key="tick")))
    system.until(lambda: len(ticks) == 1)

    system.cell(A).context.timers["tick"].due -= 3_600 * SECOND  # as if an hour had been slept
    began, before = system.runtime.now(), len(ticks)
    system.pass_time(50 * MILLISECOND)

    elapsed = system.runtime.now() - began
    assert 1 <= len(ticks) - before <= 2 + elapsed // (5 * MILLISECOND)


def test_a_mailbox_has_a_bound_and_what_does_not_fit_is_seen_i71(
    system: ThreadDriver, log: list[str]
) -> None:
    """21: an unbounded mailbox hid overload until memory ran out."""
    assert MailboxSpec().bound == 65_536

    system.start(scripted("a", log, mailbox=MailboxSpec(bound=100)))
    system.suspend(A)
    system.tell(A, *(note(n) for n in range(150)))

    assert system.dead_reasons() == {"full": 50}
    assert system.cell(A).mailbox.rejected == 50


def test_a_flapping_actor_does_not_spend_the_budget_of_its_siblings(
    system: ThreadDriver, log: list[str]
) -> None:
    """22: one flapping bot brought down all of them by way of the shared budget."""
    policy = supervision(restarts=2, on_exceeded=OnExceeded.QUARANTINE)
    system.start(scripted("a", log), scripted("b", log), policy=policy)

    system.tell(A, boom(), boom(), boom())
    system.until(lambda: system.cell(A).shown_status == "quarantined")
    system.tell(B, boom(), boom(), note("still here"))

    system.until_logged(log, "b#3 still here")


def test_deliveries_are_counted_by_message_not_by_object(
    system: ThreadDriver, log: list[str]
) -> None:
    """24: retries counted by object identity went wrong when an object was sent twice, or freed."""
    system.start(scripted("a", log, max_deliveries=3))
    delivered: list[int] = []

    def fail(ctx: Context) -> None:
        delivered.append(ctx.incarnation)
        raise Boom

    poison = Do(action=fail)
    system.tell(A, poison, poison, note("end"))

    system.until_logged(log, "a#7 end")
    assert delivered == [1, 2, 3, 4, 5, 6]
    assert system.dead_for(DeadLetterReason.POISON) == [poison, poison]


def all_messages(base: type[Message] = Message) -> Iterator[type[Message]]:
    for kind in base.__subclasses__():
        yield kind
        yield from all_messages(kind)


def test_what_threads_share_cannot_be_changed() -> None:
    """25: a mutable message is shared state between two threads."""
    product = [kind for kind in all_messages() if kind.__module__.startswith("messages.")]

    assert len(product) > 30
    assert [kind for kind in product if not kind.__struct_config__.frozen] == []
    with pytest.raises(AttributeError):
        Note(text="a").text = "b"  # type: ignore[misc]


def test_the_control_lane_is_for_lifecycle_halts_and_health_alone() -> None:
    """26: if everything is control, nothing is."""
    modules = {kind.__module__ for kind in all_messages(ControlMessage)}

    ours = ("budgets", "control", "health", "lifecycle", "loops")
    allowed = {f"messages.{each}" for each in ours}
    assert {name for name in modules if name.startswith("messages.")} <= allowed


def test_an_asker_always_names_how_long_it_waits_i73(system: ThreadDriver, log: list[str]) -> None:
    """2, 7: the default was to wait for ever."""
    system.start(scripted("a", log))
    system.suspend(A)

    with pytest.raises(TypeError, match="within"):
        system.runtime.ask(A, ANSWER)  # type: ignore[call-arg]
    with pytest.raises(NoReplyInTime):
        system.runtime.ask(A, ANSWER, within=0.01)
    assert system.cell(A).status is Status.RUNNING
