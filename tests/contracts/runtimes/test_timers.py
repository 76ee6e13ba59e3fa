"""What both runtimes promise about timers: a timer is a message to oneself, and it is current."""

from hydra.actor import MILLISECOND, Context
from tests.contracts.runtimes.actors import Do, DoUrgently, boom, each, note, scripted
from tests.contracts.runtimes.driver import Driver, child

A = child("a")


def cancel(ctx: Context) -> None:
    ctx.cancel("k")


def no_longer(ctx: Context) -> None:
    ctx.set_receive_timeout(None)


def test_a_timer_tells_its_message_after_the_delay(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    times: list[int] = []

    def set_timer(ctx: Context) -> None:
        times.append(ctx.now())
        ctx.after(5 * MILLISECOND, Do(action=lambda later: times.append(later.now())))

    system.tell(A, Do(action=set_timer))

    system.until(lambda: len(times) == 2)
    assert times[1] - times[0] >= 5 * MILLISECOND


def test_timers_of_one_actor_fire_in_the_order_they_are_due(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def set_timers(ctx: Context) -> None:
        ctx.after(2 * system.pause, note("third"), key="3")
        ctx.after(0, note("first"), key="1")
        ctx.after(system.pause, note("second"), key="2")

    system.tell(A, Do(action=set_timers))

    system.until_logged(log, "a#1 third")
    assert log == ["start a#1", "a#1 first", "a#1 second", "a#1 third"]


def test_a_new_timer_of_the_same_key_replaces_the_old_one(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def set_timers(ctx: Context) -> None:
        ctx.after(0, note("old"), key="k")
        ctx.after(system.pause // 10, note("new"), key="k")
        ctx.after(system.pause, note("end"), key="end")

    system.tell(A, Do(action=set_timers))

    system.until_logged(log, "a#1 end")
    assert log == ["start a#1", "a#1 new", "a#1 end"]


def test_without_a_key_the_type_of_the_message_is_the_key(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def set_timers(ctx: Context) -> None:
        ctx.after(0, note("old"))
        ctx.after(0, note("new"))
        ctx.after(system.pause, note("end"), key="end")

    system.tell(A, Do(action=set_timers))

    system.until_logged(log, "a#1 end")
    assert log == ["start a#1", "a#1 new", "a#1 end"]


def test_a_cancelled_timer_is_not_seen_even_if_its_message_waits_already(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    enqueue(system, "k", "unwanted")

    system.tell(A, DoUrgently(action=each(cancel, lambda _: log.append("cancelled"))))
    system.until_logged(log, "cancelled")
    system.tell(A, note("end"))
    system.resume(A)

    system.until_logged(log, "a#1 end")
    assert log == ["start a#1", "cancelled", "a#1 end"]


def test_a_replaced_timer_is_not_seen_even_if_its_message_waits_already(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    enqueue(system, "k", "old")

    system.tell(A, DoUrgently(action=lambda ctx: ctx.after(0, note("new"), key="k")))
    system.until(lambda: system.waiting(A) == 2)
    system.resume(A)

    system.until_logged(log, "a#1 new")
    assert log == ["start a#1", "a#1 new"]


def test_a_restart_voids_all_timers_even_if_their_messages_wait_already(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    enqueue(system, "k", "unwanted")
    system.tell(A, DoUrgently(action=lambda ctx: ctx.after(2 * system.pause, note("never"))))

    system.tell(A, DoUrgently(action=boom().action))
    system.until_logged(log, "start a#2")
    system.resume(A)
    system.tell(A, Do(action=lambda ctx: ctx.after(3 * system.pause, note("end"), key="end")))

    system.until_logged(log, "a#2 end")
    assert log == ["start a#1", "start a#2", "a#2 end"]


def enqueue(system: Driver, key: str, text: str) -> None:
    """Have a timer's message wait in the mailbox of `a`, which is suspended."""
    system.suspend(A)
    system.tell(A, DoUrgently(action=lambda ctx: ctx.after(0, note(text), key=key)))
    system.until(lambda: system.waiting(A) == 1)


def test_a_periodic_timer_goes_on_until_it_is_cancelled(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    def begin(ctx: Context) -> None:
        ctx.every(MILLISECOND, Do(action=tick), key="tick")

    def tick(ctx: Context) -> None:
        log.append("tick")
        if log.count("tick") == 3:
            ctx.cancel("tick")
            ctx.after(system.pause, note("end"), key="end")

    system.tell(A, Do(action=begin))

    system.until_logged(log, "a#1 end")
    assert log == ["start a#1", "tick", "tick", "tick", "a#1 end"]


def test_a_periodic_timer_does_not_burst_after_a_stall(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.suspend(A)
    begin = DoUrgently(action=lambda ctx: ctx.every(MILLISECOND, note("tick"), key="tick"))
    system.tell(A, begin)
    system.until(lambda: system.waiting(A) == 1)

    system.pass_time(20 * MILLISECOND)

    assert system.waiting(A) == 1


def test_quiet_is_told_of_when_nothing_has_come_for_the_time_asked(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.set_receive_timeout(5 * MILLISECOND)))

    system.until(lambda: log.count("a#1 quiet") == 2)
    system.tell(A, Do(action=each(no_longer, lambda _: log.append("enough"))))
    system.until_logged(log, "enough")
    system.tell(A, Do(action=lambda ctx: ctx.after(system.pause, note("end"), key="end")))
    system.until_logged(log, "a#1 end")
    assert log[log.index("enough") :] == ["enough", "a#1 end"]


def test_a_receive_timeout_does_not_outlive_its_incarnation(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.set_receive_timeout(system.pause // 10)), boom())
    system.tell(A, Do(action=lambda ctx: ctx.after(system.pause, note("end"), key="end")))

    system.until_logged(log, "a#2 end")
    assert log == ["start a#1", "start a#2", "a#2 end"]


def test_a_timer_whose_message_is_none_fails_its_actor_and_nobody_else(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.after(0, "no message")))  # type: ignore[arg-type]
    system.tell(A, note("on"))

    system.until_logged(log, "a#2 on")
    assert system.runtime.failed_closed is None
    assert system.cell(A).last_failure() == "TypeError: 'no message' is not a Message"
